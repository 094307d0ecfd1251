"""`spike`: a window's count, or its sum, beside the mean of those of its reference windows.

A tally is [sum, time of the first event]. The state has one entry more, the time of the key's first event: nothing is said
before the farthest reference lies behind it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rule_engine.conditions import sums
from rule_engine.conditions.hopping import EVENTS, SLOTS, TALLY, HoppingStrategy, Slot
from rule_engine.conditions.measures import number_of

if TYPE_CHECKING:
    from rule_engine.conditions.measures import Number
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Spike
    from rule_engine.state import KeyState

FIRST = 4  # in the state
SUM, FIRST_OF_SLOT = range(2)  # in a tally


class SpikeStrategy(HoppingStrategy):
    def __init__(self, condition: Spike) -> None:
        super().__init__(condition, reach_us=condition.reach_us, judges_empty=True)
        self.sum = condition.sum
        self.factor = Fraction(str(condition.factor))  # 1.1 as it is written, not the double nearest to it
        self.up = condition.direction != "down"
        self.down = condition.direction != "up"
        self.min_events = condition.min_events
        if condition.previous_us is not None:
            self.references = [(self.within_us, condition.previous_us)]
            self.count = condition.previous_us // self.within_us
        else:
            self.references = [(ago_us, self.within_us) for ago_us in condition.same_time_us]
            self.count = len(condition.same_time_us)

    def tally(self, plan: Plan, seen: Occurrence) -> tuple[Any, bool] | None:
        value = 0 if self.sum is None else number_of(self.sum, plan, seen)
        return None if value is None else ([sums.sum_of(value), seen.time_us], True)

    def add_tally(self, tally: Any, more: Any) -> Any:
        return [sums.add(tally[SUM], more[SUM]), min(tally[FIRST_OF_SLOT], more[FIRST_OF_SLOT])]

    def put(self, row: KeyState, number: int, slot: Slot, clock_us: int) -> None:
        first_us = slot[TALLY][FIRST_OF_SLOT]
        super().put(row, number, slot, clock_us)
        state = row.condition
        state[FIRST:] = [min([first_us, *state[FIRST:]])]

    def forget_before(self, row: KeyState, time_us: int) -> None:
        super().forget_before(row, time_us)
        if row.condition is not None:
            row.condition.append(min(slot[TALLY][FIRST_OF_SLOT] for slot in row.condition[SLOTS].values()))

    def judge(self, row: KeyState, end_us: int, window: list[Slot]) -> tuple[bool | None, Number]:
        events, measured = self._measure(window)
        return self._says(row, end_us, events, measured), measured

    def _says(self, row: KeyState, end_us: int, events: int, measured: Number) -> bool | None:
        first_us = row.condition[FIRST:]
        if not first_us or first_us[0] > end_us - self.reach_us:
            return None
        past = [
            slot for ago_us, span_us in self.references for slot in self.window(row, end_us - ago_us, span_us)
        ]
        past_events, total = self._measure(past)
        says: list[bool | None] = []
        if self.up:
            says.append(
                events >= self.min_events and (total == 0 or measured * self.count >= self.factor * total)
            )
        if self.down:
            enough = past_events >= self.min_events * self.count
            says.append(self.factor * measured * self.count <= total if enough else None)
        return True if True in says else None if None in says else False

    def _measure(self, window: list[Slot]) -> tuple[int, Number]:
        """How many events there are, and what is compared: their number, or their sum."""
        events = sum(slot[EVENTS] for slot in window)
        if self.sum is None:
            return events, events
        total: sums.Sum = 0
        for slot in window:
            total = sums.add(total, slot[TALLY][SUM])
        return events, sums.value_of(total)
