"""`ratio`: the share of events with `of` true, in hopping windows or, without `every`, in sliding ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.conditions.hopping import EVENTS, TALLY, HoppingStrategy, Slot
from rule_engine.conditions.sliding import COUNTED, Entry, SlidingStrategy

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Ratio
    from rule_engine.state import KeyState


class WindowedRatioStrategy(HoppingStrategy):
    """A tally is the number of events with `of` true."""

    def __init__(self, condition: Ratio) -> None:
        super().__init__(condition)
        self.of = condition.of
        self.gte = condition.gte
        self.min_events = max(1, condition.min_events)

    def tally(self, plan: Plan, seen: Occurrence) -> tuple[int, bool]:
        bad = plan.holds(self.of, seen)
        return int(bad), bad

    def add_tally(self, tally: int, more: int) -> int:
        return tally + more

    def judge(self, row: KeyState, end_us: int, window: list[Slot]) -> tuple[bool | None, float | None]:  # noqa: ARG002
        events = sum(slot[EVENTS] for slot in window)
        share = sum(slot[TALLY] for slot in window) / events if events else None
        return (None if share is None or events < self.min_events else share >= self.gte), share


class SlidingRatioStrategy(SlidingStrategy):
    """Of an event 1 is counted if `of` is true, else 0."""

    def __init__(self, condition: Ratio) -> None:
        super().__init__(condition)
        self.of = condition.of
        self.gte = condition.gte
        self.min_events = condition.min_events

    def counted(self, plan: Plan, seen: Occurrence) -> int:
        return int(plan.holds(self.of, seen))

    def judge(self, window: list[Entry]) -> tuple[bool | None, float | None]:
        if len(window) < self.min_events:
            return None, None
        share = sum(entry[COUNTED] for entry in window) / len(window)
        return share >= self.gte, share

    def is_evidence(self, entry: Entry) -> bool:
        return bool(entry[COUNTED])
