"""Days: which of an interval's ranges begin on which. Days are numbered from the Unix epoch, minutes from midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rule_engine.intervals.public_holidays import public_holidays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1440
KEPT = 40_000  # days of which the ranges are remembered
_EPOCH_DAY = date(1970, 1, 1).toordinal()

Ranges = tuple[tuple[int, int], ...]
"""Minutes, [from, to), in order; beyond 1440 a range runs into the next day. None at all: closed."""


@dataclass(frozen=True, slots=True)
class Yearly:
    """A day of each year that has it."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}/{self.last}"


Day = date | Yearly | Span


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """So many days with any time inside, as `2wd` has it."""

    count: int

    def __str__(self) -> str:
        return f"{self.count}wd"


class Days:
    """The week, what of it holidays and other days leave out, and the dates that have ranges of their own."""

    __slots__ = ("_dates", "_holidays", "_known", "_out", "_week")

    def __init__(
        self,
        week: tuple[Ranges, ...],
        holidays: Iterable[str],
        out: Iterable[Day],
        dates: Iterable[tuple[Day, Ranges]],
    ) -> None:
        self._week, self._holidays = week, tuple(holidays)
        self._out, self._dates = _Calendar(dict.fromkeys(out, ())), _Calendar(dict(dates))
        self._known: dict[int, Ranges] = {}

    def ranges(self, number: int) -> Ranges:
        """What begins on a day."""
        known = self._known.get(number)
        if known is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            known = self._known[number] = self._find(date.fromordinal(number + _EPOCH_DAY))
        return known

    def _find(self, day: date) -> Ranges:
        own = self._dates.get(day)
        if own is not None:
            return own
        if self._out.get(day) is not None or any(
            day in public_holidays(code, day.year) for code in self._holidays
        ):
            return ()
        return self._week[day.weekday()]


class _Calendar:
    """Days and what belongs to them: a full date goes before a span, a span before a yearly date."""

    __slots__ = ("_days", "_spans")

    def __init__(self, days: Mapping[Day, Ranges]) -> None:
        self._days = days
        self._spans = [day for day in days if isinstance(day, Span)]

    def get(self, day: date) -> Ranges | None:
        full = self._days.get(day)
        if full is not None:
            return full
        for span in self._spans:
            if span.first <= day <= span.last:
                return self._days[span]
        return self._days.get(Yearly(day.month, day.day))


def day_number(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same minutes as ranges in order, of which none meets or overlaps another."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)


def ranges_text(ranges: Ranges) -> str:
    """As a rule file has them; `closed` if there is none."""
    written = [each for start, end in ranges for each in _within_a_day(start, end)]
    return ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in written) or "closed"


def week_text(week: tuple[Ranges, ...]) -> str:
    """As `times` has it, days with the same ranges together."""
    names: dict[Ranges, list[str]] = {}
    for name, ranges in zip(WEEKDAYS, week, strict=True):
        if ranges:
            names.setdefault(ranges, []).append(name)
    return "; ".join(f"{','.join(days)} {ranges_text(ranges)}" for ranges, days in names.items())


def _within_a_day(start: int, end: int) -> list[tuple[int, int]]:
    """As ranges that each are a day long at most; an end in the next day is that day's time, not after the start."""
    if end <= DAY_MINUTES:
        return [(start, end)]
    end -= DAY_MINUTES
    return [(start, end)] if end <= start else [(start, end), (end, end)]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
