"""Time intervals: what the clock in a zone shows while a warehouse is open, and how much of that time has passed. Pure.

docs/rule-language.md, "Time intervals".
"""

from __future__ import annotations

from rule_engine.intervals.days import WorkingDays
from rule_engine.intervals.errors import IntervalError, NothingInsideError, TooFarError
from rule_engine.intervals.interval import CUSTOMER, Interval

__all__ = ["CUSTOMER", "Interval", "IntervalError", "NothingInsideError", "TooFarError", "WorkingDays"]
