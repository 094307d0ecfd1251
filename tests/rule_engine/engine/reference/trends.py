"""Conditions that compare windows with what was before: `spike`, `forecast`."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reference.told import Data, Event
from reference.windows import Hopping, Windowed


@dataclass(frozen=True)
class Spike(Windowed):
    """`previous` or `same_time`: against which windows. `sum` gives None for what is no number."""

    factor: float = 2
    previous: int | None = None
    same_time: tuple[int, ...] = ()
    sum: Callable[[Data], float | int | None] | None = None
    direction: str = "up"

    def begin(self, story: Any) -> "Spiking":
        return Spiking(story)

    @property
    def back(self) -> list[int]:
        """How long before the window each window of the reference lies."""
        if self.previous is None:
            return list(self.same_time)
        return list(range(self.within, self.previous + 1, self.within))


@dataclass(frozen=True)
class Forecast(Windowed):
    """`of` and `reaches` give None for what is no number. `within` is its `over`."""

    of: Callable[[Data], float | int | None] = lambda data: None
    reaches: Callable[[Data], float | int | None] = lambda data: None
    falls: bool = False
    ahead: int = 0

    def begin(self, story: Any) -> "Forecasting":
        return Forecasting(story)


class Spiking(Hopping):
    speaks_when_empty = True

    def counts(self, event: Event) -> bool:
        return self.asked.sum is None or self.asked.sum(event.data) is not None

    @property
    def reach(self) -> int:
        return int(self.asked.within + max(self.asked.back))

    def amount(self, at: int, back: int = 0) -> Any:
        window = self.window(at, back)
        return len(window) if self.asked.sum is None else sum(self.asked.sum(event.data) for event in window)

    def says(self, at: int) -> bool | None:
        asked = self.asked
        if self.first is None or self.first > at - self.reach:
            return None
        amount = Fraction(self.amount(at))
        mean = Fraction(sum(Fraction(self.amount(at, back)) for back in asked.back), len(asked.back))
        count_mean = Fraction(sum(len(self.window(at, back)) for back in asked.back), len(asked.back))
        up = len(self.window(at)) >= asked.min_events and (
            mean == 0 or amount >= Fraction(asked.factor) * mean
        )
        down = None if count_mean < asked.min_events else amount * Fraction(asked.factor) <= mean
        if asked.direction == "up":
            return up
        if asked.direction == "down":
            return down
        if up or down:
            return True
        return None if down is None else False

    def value(self, at: int) -> Any:
        return self.amount(at)


class Forecasting(Hopping):
    def counts(self, event: Event) -> bool:
        return self.asked.of(event.data) is not None and self.asked.reaches(event.data) is not None

    def outlook(self, at: int) -> tuple[bool, int | None] | None:
        """Whether it will be reached in time, and in how many microseconds; None if the window says nothing."""
        window = self.window(at)
        if len(window) < max(2, self.asked.min_events):
            return None
        sign = -1 if self.asked.falls else 1
        goal = sign * Fraction(self.asked.reaches(window[-1].data))
        points = [(event.at - at, sign * Fraction(self.asked.of(event.data))) for event in window]
        if points[-1][1] >= goal:
            return True, 0
        mean_x = Fraction(sum(x for x, _ in points), len(points))
        mean_y = sum((y for _, y in points), Fraction(0)) / len(points)
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        if not spread:
            return False, None
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        if slope <= 0:
            return False, None
        reached = max(0, round((goal - mean_y) / slope + mean_x))
        return reached <= self.asked.ahead, reached

    def says(self, at: int) -> bool | None:
        outlook = self.outlook(at)
        return None if outlook is None else outlook[0]

    def value(self, at: int) -> float | None:
        outlook = self.outlook(at)
        return None if outlook is None or outlook[1] is None else outlook[1] / 1_000_000
