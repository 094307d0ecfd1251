"""`event_count`: true while at least `gte` matching events lie in (t-within, t].

State: [time, id, time, id, …] of the newest `gte` of them, by time.
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
        self.whole = 2 * condition.gte
        self.within_us = condition.within_us

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        time_us = seen.time_us
        window = row.condition
        if window is None:
            window = row.condition = [time_us, seen.id]
        elif time_us >= window[-2]:
            window += (time_us, seen.id)
        else:
            place = 2 * bisect_right(window[::2], time_us)
            window[place:place] = (time_us, seen.id)
        missing = self.whole - len(window)
        if missing < 0:
            del window[:2]
        if (
            missing <= 0
            and window[0] > at_us - self.within_us
            and (row.alert is None or row.alert.falls_us != NEVER)
        ):
            life.rising(row, at_us, self.gte, None, seen)

    def due_us(self, row: KeyState) -> int:
        full_us = NEVER if row.since_us is None else row.since_us + self.within_us
        window = row.condition
        if window is None:
            return full_us
        told = row.alert is not None or row.held is not None
        # while nothing fires, all that is ever due is to forget the key
        due_us: int = window[0 if told and len(window) == self.whole else -2] + self.within_us
        return min(due_us, full_us)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us < self.due_us(row):
            return
        window = row.condition or []
        del window[: 2 * bisect_right(window[::2], at_us - self.within_us)]
        if not window:
            row.condition = None
        if full(row, at_us, self.within_us) and len(window) < self.whole:
            life.falling(row, at_us, len(window) // 2)

    def holds(self, row: KeyState, at_us: int) -> bool:
        return bool(self.value(row, at_us) == self.gte)

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return forget_all(row, reach_us)

    def value(self, row: KeyState, at_us: int) -> Any:
        times = [] if row.condition is None else row.condition[::2]
        return len(times) - bisect_right(times, at_us - self.within_us)

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        ids: list[str] = [] if row.condition is None else row.condition[1::2]
        return ids[-EVIDENCE:]
