"""What `aggregate` measures: each says what a value adds to a tally, how tallies add up, and what comes of them.

A tally is made of what msgpack can write. The order in which tallies are added up makes no difference.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from rule_engine.conditions import sketch, sums
from rule_engine.expressions import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rule_engine.expressions import Expression
    from rule_engine.plan import Occurrence, Plan

Number = int | float


def number_of(expression: Expression, plan: Plan, seen: Occurrence) -> Number | None:
    """The expression's value where it is a finite number; None: the event is not counted. An error is, as an error."""
    try:
        value = expression.evaluate(*seen.arguments)
    except EvaluationError:
        plan.counters.expression_errors[plan.rule.id] += 1
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


class Measure(Protocol):
    def one(self, value: Number) -> Any:
        """The tally of one value."""

    def add(self, tally: Any, more: Any) -> Any:
        """Two tallies as one; the first may be changed."""

    def result(self, tallies: Sequence[Any], count: int) -> Number | None:
        """What so many values come to; None if that is nothing."""

    def of(self, values: Sequence[Number]) -> Number | None:
        """The same of a window's values themselves."""


class Total:
    def one(self, value: Number) -> sums.Sum:
        return sums.sum_of(value)

    def add(self, tally: sums.Sum, more: sums.Sum) -> sums.Sum:
        return sums.add(tally, more)

    def result(self, tallies: Sequence[sums.Sum], count: int) -> Number | None:  # noqa: ARG002
        total: sums.Sum = 0
        for tally in tallies:
            total = sums.add(total, tally)
        return sums.value_of(total)

    def of(self, values: Sequence[Number]) -> Number | None:
        return sums.value_of_all(values)


class Average(Total):
    def result(self, tallies: Sequence[sums.Sum], count: int) -> Number | None:
        total = super().result(tallies, count)
        return total / count if count and total is not None else None

    def of(self, values: Sequence[Number]) -> Number | None:
        total = super().of(values)
        return total / len(values) if values and total is not None else None


class Extreme:
    def __init__(self, choose: Callable[..., Number]) -> None:
        self.choose = choose

    def one(self, value: Number) -> Number:
        return value

    def add(self, tally: Number, more: Number) -> Number:
        return self.choose(tally, more)

    def result(self, tallies: Sequence[Number], count: int) -> Number | None:  # noqa: ARG002
        return self.choose(tallies) if tallies else None

    def of(self, values: Sequence[Number]) -> Number | None:
        return self.result(values, len(values))


class Percentile:
    def __init__(self, percent: int) -> None:
        self.percent = percent

    def one(self, value: Number) -> sketch.Values:
        return [value]

    def add(self, tally: sketch.Values, more: sketch.Values) -> sketch.Values:
        return sketch.added(tally, more)

    def result(self, tallies: Sequence[sketch.Values], count: int) -> Number | None:
        return sketch.quantile(self.percent, tallies, count) if count else None

    def of(self, values: Sequence[Number]) -> Number | None:
        return sorted(values)[self.percent * (len(values) - 1) // 100] if values else None


MEASURES: dict[str, Measure] = {
    "avg": Average(), "sum": Total(), "min": Extreme(min), "max": Extreme(max),
    "p50": Percentile(50), "p90": Percentile(90), "p95": Percentile(95), "p99": Percentile(99),
}  # fmt: skip
