"""Running one inline test, and comparing what happened with what was expected. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.envelope import encode, event
from contracts.times import from_micros, to_micros
from rule_engine.commands.transitions import as_json, due_words, in_order
from rule_engine.conditions.measures import MEASURES, Percentile
from rule_engine.replay import Bytes, Replay
from rule_engine.rules.model import Aggregate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from contracts.alerts import Transition
    from contracts.envelope import Event
    from rule_engine.rules.load import RuleSource
    from rule_engine.rules.model import Rule
    from rule_engine.rules.tests import Expected, Given, RuleTest

    Compare = Callable[[Expected, Transition], list[str]]

MAX_ALIGNED = 200_000  # pairs compared to find out which of many transitions are meant


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the time line: what was expected then and what happened; None where there is nothing. `notes` say what
    differs.
    """

    at_us: int
    expected: Expected | None
    actual: Transition | None
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.expected is not None and self.actual is not None and not self.notes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test. `failures` are rules that broke down while it ran."""

    test: RuleTest
    rows: tuple[Row, ...]
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures and all(row.agrees for row in self.rows)


def run_test(source: RuleSource, test: RuleTest) -> Outcome:
    """The rules of the test, and no others, over its events."""
    rules = tuple(rule for rule in source.rules if rule.id in test.rules)
    replay = Replay({source.file: replace(source, rules=rules)}, allowed_lateness_us=test.allowed_lateness_us)
    replay.feed([Bytes(encode(_event(given))) for given in test.events])
    if test.until_us is not None:
        replay.until(test.until_us)
    failures = [f"rule {rule} broke down {count} times" for rule, count in replay.counters.isolated.items()]
    rows = align(test.expect, in_order(replay.transitions), test.start_us, percentiles=_percentiles(rules))
    return Outcome(test, tuple(rows), tuple(failures))


def _event(given: Given) -> Event:
    return event(
        id=given.id, source=given.source, type=given.type, time=from_micros(given.at_us), data=given.data,
        customerid=given.customer, subject=given.subject,
    )  # fmt: skip


def _percentiles(rules: Iterable[Rule]) -> frozenset[str]:
    """The rules whose value is a percentile, which may be a sketch's."""
    return frozenset(
        rule.id
        for rule in rules
        if isinstance(rule.condition, Aggregate) and isinstance(MEASURES[rule.condition.function], Percentile)
    )


def align(
    expect: Sequence[Expected], actual: Sequence[Transition], start_us: int, *,
    percentiles: frozenset[str] = frozenset(),
) -> list[Row]:  # fmt: skip
    """Expected and actual on one time line: what agrees side by side, as much of it as keeps both orders."""
    compare = partial(differences, percentiles=percentiles)
    rows: list[Row] = []
    i = j = 0
    for ahead, after in [*_common(expect, actual, compare), (len(expect), len(actual))]:
        rows += _between(expect[i:ahead], actual[j:after], rows[-1].at_us if rows else start_us, compare)
        if ahead < len(expect):
            rows.append(Row(to_micros(actual[after].at), expect[ahead], actual[after]))
        i, j = ahead + 1, after + 1
    return rows


def differences(
    expected: Expected, actual: Transition, percentiles: frozenset[str] = frozenset()
) -> list[str]:
    """What of the transition is not as expected, a line each. The values of `percentiles`, rules, compare within 1 %."""
    notes = []
    if expected.at_us is not None and expected.at_us != to_micros(actual.at):
        notes.append("at")
    for name, wanted in expected.fields.items():
        happened = frozenset(due_words(actual)) if name == "notify" else as_json(getattr(actual, name))
        within = 0.01 if name == "value" and actual.rule in percentiles else 1e-9
        if not _same(wanted, happened, within):
            notes.append(f"{name}: expected {_shown(wanted)}, was {_shown(happened)}")
    return notes


def _common(
    expect: Sequence[Expected], actual: Sequence[Transition], compare: Compare
) -> list[tuple[int, int]]:
    """Indices of the longest common subsequence."""
    if len(expect) * len(actual) > MAX_ALIGNED:
        pairs = range(min(len(expect), len(actual)))
        return [(k, k) for k in pairs if not compare(expect[k], actual[k])]
    same = [[not compare(one, other) for other in actual] for one in expect]
    best = [[0] * (len(actual) + 1) for _ in range(len(expect) + 1)]
    for i in range(len(expect) - 1, -1, -1):
        for j in range(len(actual) - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if same[i][j] else max(best[i + 1][j], best[i][j + 1])
    found, i, j = [], 0, 0
    while i < len(expect) and j < len(actual):
        if same[i][j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _between(
    expect: Sequence[Expected], actual: Sequence[Transition], since_us: int, compare: Compare
) -> list[Row]:
    """What does not agree: what is expected of one time and state beside what happened then, the rest alone."""
    rows: list[Row] = []
    left = list(actual)
    for expected in expect:
        at_us = since_us if expected.at_us is None else expected.at_us
        near = next(
            (
                each
                for each in left
                if to_micros(each.at) == at_us and each.state == expected.fields.get("state", each.state)
            ),
            None,
        )
        if near is None:
            rows.append(Row(at_us, expected, None))
        else:
            left.remove(near)
            rows.append(Row(at_us, expected, near, tuple(compare(expected, near))))
        since_us = at_us
    rows += [Row(to_micros(each.at), None, each) for each in left]
    return sorted(rows, key=lambda row: row.at_us)


def _same(wanted: Any, happened: Any, within: float = 1e-9) -> bool:
    """Equal as JSON, numbers within that share of the larger."""
    if isinstance(wanted, bool) or isinstance(happened, bool):
        return wanted is happened
    if isinstance(wanted, int | float) and isinstance(happened, int | float):
        return abs(wanted - happened) <= within * max(abs(wanted), abs(happened))
    if isinstance(wanted, list) and isinstance(happened, list):
        return len(wanted) == len(happened) and all(map(_same, wanted, happened))
    if isinstance(wanted, dict) and isinstance(happened, dict):
        return wanted.keys() == happened.keys() and all(
            _same(wanted[name], happened[name]) for name in wanted
        )
    return bool(wanted == happened)


def _shown(value: Any) -> str:
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(value))}]"
    return "null" if value is None else str(value)
