"""`aggregate`: a measure of a number of each event, in hopping windows or, without `every`, in sliding ones.

An event without a number is not counted.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from rule_engine.conditions import sketch
from rule_engine.conditions.hopping import EVENTS, SLOTS, TALLY, HoppingStrategy, Slot
from rule_engine.conditions.measures import MEASURES, Percentile, number_of
from rule_engine.conditions.sliding import COUNTED, Entry, SlidingStrategy

if TYPE_CHECKING:
    from rule_engine.conditions.measures import Number
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Aggregate
    from rule_engine.state import KeyState

COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


class Threshold:
    """What a window with so many events and this measure says."""

    def __init__(self, condition: Aggregate) -> None:
        self.compare = COMPARE[condition.compare]
        self.threshold = condition.threshold
        self.min_events = condition.min_events

    def judge(self, events: int, measured: Number | None) -> bool | None:
        if events < self.min_events or measured is None:
            return None
        return bool(self.compare(measured, self.threshold))


class WindowedAggregateStrategy(HoppingStrategy):
    def __init__(self, condition: Aggregate) -> None:
        empty = condition.min_events == 0
        super().__init__(condition, judges_empty=empty, judges_unseen=empty)
        self.of = condition.of
        self.measure = MEASURES[condition.function]
        self.threshold = Threshold(condition)

    def tally(self, plan: Plan, seen: Occurrence) -> tuple[Any, bool] | None:
        value = number_of(self.of, plan, seen)
        return None if value is None else (self.measure.one(value), True)

    def add_tally(self, tally: Any, more: Any) -> Any:
        return self.measure.add(tally, more)

    def judge(self, row: KeyState, end_us: int, window: list[Slot]) -> tuple[bool | None, Number | None]:  # noqa: ARG002
        events = sum(slot[EVENTS] for slot in window)
        measured = self.measure.result([slot[TALLY] for slot in window], events)
        return self.threshold.judge(events, measured), measured

    def shrink(self, row: KeyState, end_us: int) -> None:
        """Values are put in buckets as soon as no window to come can have as few as are to be exact."""
        if not isinstance(self.measure, Percentile):
            return
        slots = row.condition[SLOTS]
        later = 0
        for number in sorted(slots, reverse=True):
            if (number + 1) * self.every_us <= end_us:  # every later window with this slot has all from it on
                later += slots[number][EVENTS]
                if later > sketch.EXACT:
                    slots[number][TALLY] = sketch.bucketed(slots[number][TALLY])


class SlidingAggregateStrategy(SlidingStrategy):
    def __init__(self, condition: Aggregate) -> None:
        super().__init__(condition)
        self.of = condition.of
        self.measure = MEASURES[condition.function]
        self.threshold = Threshold(condition)

    def counted(self, plan: Plan, seen: Occurrence) -> Number | None:
        return number_of(self.of, plan, seen)

    def judge(self, window: list[Entry]) -> tuple[bool | None, Number | None]:
        measured = self.measure.of([entry[COUNTED] for entry in window])
        return self.threshold.judge(len(window), measured), measured
