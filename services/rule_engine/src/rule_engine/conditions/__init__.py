"""The words of the rule language that say when a rule fires: one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.conditions.absence import AbsenceStrategy, PausableAbsenceStrategy
from rule_engine.conditions.aggregate import SlidingAggregateStrategy, WindowedAggregateStrategy
from rule_engine.conditions.event_count import EventCountStrategy
from rule_engine.conditions.forecast import ForecastStrategy
from rule_engine.conditions.match import MatchStrategy, MatchUntilFalseStrategy
from rule_engine.conditions.ratio import SlidingRatioStrategy, WindowedRatioStrategy
from rule_engine.conditions.spike import SpikeStrategy
from rule_engine.conditions.value_count import ValueCountStrategy
from rule_engine.rules.model import (
    Absence,
    Aggregate,
    EventCount,
    Forecast,
    Match,
    Ratio,
    Rule,
    Spike,
    ValueCount,
)

if TYPE_CHECKING:
    from rule_engine.conditions.strategy import Strategy

__all__ = ["strategy_of"]


def strategy_of(rule: Rule) -> Strategy:
    """How the rule's condition is decided."""
    condition = rule.condition
    match condition:
        case EventCount():
            return EventCountStrategy(condition)
        case ValueCount():
            return ValueCountStrategy(condition)
        case Ratio(every_us=None):
            return SlidingRatioStrategy(condition)
        case Ratio():
            return WindowedRatioStrategy(condition)
        case Aggregate(every_us=None):
            return SlidingAggregateStrategy(condition)
        case Aggregate():
            return WindowedAggregateStrategy(condition)
        case Spike():
            return SpikeStrategy(condition)
        case Forecast():
            return ForecastStrategy(condition)
        case Absence(pause_on=(_, *_)) | Absence(resume_on=(_, *_)):
            return PausableAbsenceStrategy(condition, rule.lookback_us)
        case Absence():
            return AbsenceStrategy(condition, rule.lookback_us)
        case Match() if rule.otherwise:
            return MatchUntilFalseStrategy()
        case _:
            return MatchStrategy()
