"""`ratio` without `every`: the share of events with `of` true in (t-within, t].

State: [[time, bad, id], …] by time, at most 10,000, the newest. Fires at an event; false at an event, or when one ages out.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.conditions.strategy import EVIDENCE, forget_all, full
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.rules.model import Ratio
    from rule_engine.state import KeyState

MAX_EVENTS = 10_000


class SlidingRatioStrategy:
    fires_by_clock: ClassVar[bool] = False
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: Ratio) -> None:
        self.of = condition.of
        self.gte = condition.gte
        self.within_us = condition.within_us
        self.min_events = condition.min_events

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        if row.condition is None:
            row.condition = []
        window = row.condition
        entry = [seen.time_us, int(row.plan.holds(self.of, seen)), seen.id]
        window.insert(bisect_right(window, seen.time_us, key=_time), entry)
        self._age(row, at_us)
        del window[:-MAX_EVENTS]
        self._judge(row, at_us, life, seen)

    def due_us(self, row: KeyState) -> int:
        full_us = NEVER if row.since_us is None else row.since_us + self.within_us
        return full_us if not row.condition else min(full_us, int(row.condition[0][0]) + self.within_us)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us < self.due_us(row):
            return
        self._age(row, at_us)
        share = self._share(row)
        if full(row, at_us, self.within_us) and share is not None and share < self.gte:
            life.falling(row, at_us, share)
        if not row.condition:
            row.condition = None

    def holds(self, row: KeyState, at_us: int) -> bool:
        self._age(row, at_us)
        share = self._share(row)
        return share is not None and share >= self.gte

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return forget_all(row, reach_us)

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return self._share(row)

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        return [entry[2] for entry in row.condition or () if entry[1]][-EVIDENCE:]

    def _judge(self, row: KeyState, at_us: int, life: Lifecycle, seen: Occurrence) -> None:
        share = self._share(row)
        if share is None:
            return
        if share < self.gte:
            if full(row, at_us, self.within_us):
                life.falling(row, at_us, share)
        elif row.alert is None:
            life.rising(row, at_us, share, None, seen)

    def _age(self, row: KeyState, at_us: int) -> None:
        if row.condition:
            del row.condition[: bisect_right(row.condition, at_us - self.within_us, key=_time)]

    def _share(self, row: KeyState) -> float | None:
        """Share of events with `of` true, 0..1; None below `min_events`: the window says nothing."""
        window = row.condition or ()
        if len(window) < self.min_events:
            return None
        bad: int = sum(entry[1] for entry in window)
        return bad / len(window)


def _time(entry: list[Any]) -> int:
    return int(entry[0])
