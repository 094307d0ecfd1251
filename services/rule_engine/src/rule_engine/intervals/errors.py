"""What may go wrong with an interval at work.

IntervalError (ValueError)
├── NothingInsideError   ten years hold no time inside
└── TooFarError          outside the years 1 to 9999, or more than 100 years away
"""

from __future__ import annotations


class IntervalError(ValueError):
    """A question that has no answer: the event that asks it takes no part, as with an expression that fails."""


class NothingInsideError(IntervalError):
    def __init__(self) -> None:
        super().__init__("ten years hold no time inside the interval")


class TooFarError(IntervalError):
    def __init__(self) -> None:
        super().__init__("the time lies outside the years 1 to 9999, or more than 100 years away")
