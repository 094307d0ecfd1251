"""`value_count`: true while at least `gte` different values lie in (t-within, t].

State: [{hash: last time}, [[time, hash, id], …] of the last ten of these], both by time.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.conditions.strategy import EVIDENCE, forget_all, full
from rule_engine.conditions.values import MAX_VALUES, age, see, value_of
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.rules.model import ValueCount
    from rule_engine.state import KeyState

VALUES, LAST = range(2)


class ValueCountStrategy:
    fires_by_clock: ClassVar[bool] = False
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = True
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: ValueCount) -> None:
        self.of = condition.of
        self.gte = condition.gte
        self.within_us = condition.within_us

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        found = value_of(self.of, row.plan, seen)
        time_us, start_us = seen.time_us, at_us - self.within_us
        if found is None or time_us <= start_us:
            return
        if row.condition is None:
            row.condition = [{}, []]
        values, last = row.condition
        age(values, start_us - 1)  # what ages out at this very time does so after its events
        _, name = found
        if name not in values and len(values) >= MAX_VALUES:
            row.plan.counters.values_dropped[row.plan.rule.id] += 1
            return
        if see(values, name, time_us):
            last[:] = [entry for entry in last if entry[1] != name]
            last.insert(bisect_right(last, time_us, key=_time), [time_us, name, seen.id])
            del last[:-EVIDENCE]
        count = self._count(row, at_us)
        if count >= self.gte:
            life.rising(row, at_us, count, None, seen)

    def due_us(self, row: KeyState) -> int:
        full_us = NEVER if row.since_us is None else row.since_us + self.within_us
        if row.condition is None:
            return full_us
        times = row.condition[VALUES].values()
        told = row.alert is not None or row.held is not None
        # while nothing fires, all that is ever due is to forget the key
        due_us: int = next(iter(times) if told else reversed(times)) + self.within_us
        return min(due_us, full_us)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us < self.due_us(row):
            return
        if row.condition is not None:
            age(row.condition[VALUES], at_us - self.within_us)
            if not row.condition[VALUES]:
                row.condition = None
        count = self._count(row, at_us)
        if full(row, at_us, self.within_us) and count < self.gte:
            life.falling(row, at_us, count)

    def holds(self, row: KeyState, at_us: int) -> bool:
        return self._count(row, at_us) >= self.gte

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return forget_all(row, reach_us)

    def value(self, row: KeyState, at_us: int) -> Any:
        return self._count(row, at_us)

    def evidence(self, row: KeyState, at_us: int) -> list[str]:
        last = [] if row.condition is None else row.condition[LAST]
        return [entry[2] for entry in last[bisect_right(last, at_us - self.within_us, key=_time) :]]

    def _count(self, row: KeyState, at_us: int) -> int:
        if row.condition is None:
            return 0
        count = len(row.condition[VALUES])
        for time_us in row.condition[VALUES].values():
            if time_us > at_us - self.within_us:
                break
            count -= 1
        return count


def _time(entry: list[Any]) -> int:
    return int(entry[0])
