"""What an `aggregate` makes of numbers, and how it compares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reference.told import Data

Number = float | int
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


@dataclass(frozen=True)
class Measure:
    """`of` gives None for what is no number. `function` is avg, sum, min, max or p and a number."""

    function: str
    of: Callable[[Data], Number | None]
    compare: str
    bound: Number
    min_events: int

    def value(self, events: Iterable[Data]) -> Number | None:
        numbers = sorted(number for data in events if (number := self.of(data)) is not None)
        match self.function:
            case "sum":
                return sum(numbers)
            case _ if not numbers:
                return None
            case "avg":
                return float(sum(map(Fraction, numbers)) / len(numbers))
            case "min":
                return numbers[0]
            case "max":
                return numbers[-1]
            case percentile:
                return numbers[int(percentile[1:]) * (len(numbers) - 1) // 100]

    def says(self, events: list[Data]) -> bool | None:
        value = self.value(events)
        if value is None or len(events) < self.min_events:
            return None
        return COMPARE[self.compare](value, self.bound)
