"""`event_count`: true while at least `gte` matching events lie in (t-within, t].

State: [times, ids], by time, the newest `gte` of them.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.conditions.strategy import EVIDENCE, forget_all, full
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.rules.model import EventCount
    from rule_engine.state import KeyState


class EventCountStrategy:
    fires_by_clock: ClassVar[bool] = False
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = True
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: EventCount) -> None:
        self.gte = condition.gte
        self.within_us = condition.within_us

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        time_us = seen.time_us
        if row.condition is None:
            row.condition = [[time_us], [seen.id]]
            times = row.condition[0]
        else:
            times, ids = row.condition
            if time_us >= times[-1]:
                times.append(time_us)
                ids.append(seen.id)
            else:
                place = bisect_right(times, time_us)
                times.insert(place, time_us)
                ids.insert(place, seen.id)
            if len(times) > self.gte:
                del times[0], ids[0]
        if len(times) == self.gte and times[0] > at_us - self.within_us and row.alert is None:
            life.rising(row, at_us, self.gte, None, seen)

    def due_us(self, row: KeyState) -> int:
        full_us = NEVER if row.since_us is None else row.since_us + self.within_us
        if row.condition is None:
            return full_us
        times = row.condition[0]
        told = row.alert is not None or row.held
        # while nothing fires, all that is ever due is to forget the key
        return min(full_us, int(times[0 if told and len(times) == self.gte else -1]) + self.within_us)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us < self.due_us(row):
            return
        times, ids = row.condition or ([], [])
        gone = bisect_right(times, at_us - self.within_us)
        del times[:gone], ids[:gone]
        left = len(times)
        if not times:
            row.condition = None
        if full(row, at_us, self.within_us) and left < self.gte:
            life.falling(row, at_us, left)

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        return row.condition is not None and len(row.condition[0]) == self.gte

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return forget_all(row, reach_us)

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return self.gte

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        ids: list[str] = [] if row.condition is None else row.condition[1]
        return ids[-EVIDENCE:]
