"""`ratio` with `every`: the share of events with `of` true in hopping windows. A tally is the number of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.conditions.hopping import EVENTS, TALLY, HoppingStrategy, Slot

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Ratio
    from rule_engine.state import KeyState


class WindowedRatioStrategy(HoppingStrategy):
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
