"""An interval: whether a moment is inside, and when so much time inside will have passed.

All times are microseconds since the Unix epoch. Every question is answered from tables of the moments of opening and
closing, each reckoned once for 64 days and a zone: no minute is ever counted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rule_engine.intervals.days import (
    Day,
    Days,
    Ranges,
    Span,
    WorkingDays,
    Yearly,
    day_number,
    ranges_text,
    week_text,
)
from rule_engine.intervals.errors import NothingInsideError, TooFarError
from rule_engine.intervals.zones import (
    CHUNK_DAYS,
    CHUNK_US,
    DAY_US,
    FIRST_DAY,
    LAST_DAY,
    known_zone,
    offset_us,
    stretches,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE_US = 60_000_000
TEN_YEARS = 3652  # days
TEN_YEARS_US = TEN_YEARS * DAY_US
FARTHEST_US = 36_525 * DAY_US
KEPT = 4096  # chunks over all zones, 700 years of one
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Chunk:
    """64 days: when it opens and closes, and how much time inside of the chunk has passed before each opening."""

    opens: list[int]
    closes: list[int]
    passed: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of `time_intervals`. Two with the same words are equal, however they were written.

    `location` is the zone's name, or `customer`: then each method's `zone` is the name that the customer's profile has;
    without one, or with one that nobody knows, UTC. `week` has the ranges of Monday to Sunday, `out` the days on which
    these do not hold, `holidays` the countries (`DE`, `DE-BY`) whose public holidays are such days, too; `dates` are days
    with ranges of their own, which go before all else.
    """

    location: str
    week: tuple[Ranges, Ranges, Ranges, Ranges, Ranges, Ranges, Ranges]
    holidays: tuple[str, ...] = ()
    out: tuple[Day, ...] = ()
    dates: tuple[tuple[Day, Ranges], ...] = ()
    _days: Days = field(init=False, repr=False, compare=False)
    _chunks: dict[tuple[str, int], Chunk] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_days", Days(self.week, self.holidays, self.out, self.dates))

    def inside(self, at_us: int, zone: str | None = None) -> bool:
        """Whether the clock there shows a time inside; the moment of opening is, that of closing is not."""
        chunk = self._chunk(at_us // CHUNK_US, zone)
        index = bisect_right(chunk.opens, at_us) - 1
        return index >= 0 and at_us < chunk.closes[index]

    def add(self, start_us: int, span_us: int, zone: str | None = None) -> int:
        """The first moment by which so much time inside has passed since `start_us`.

        What fits exactly is over at closing, not at the next opening; no time at all is over at once. Raises IntervalError.
        """
        if span_us <= 0:
            return start_us
        number = start_us // CHUNK_US
        chunk = self._chunk(number, zone)
        index = bisect_right(chunk.opens, start_us) - 1
        target = span_us
        if index >= 0:
            target += chunk.passed[index] + min(start_us, chunk.closes[index]) - chunk.opens[index]
        empty = 0
        while target > chunk.total:
            empty = 0 if chunk.total else empty + 1
            if empty * CHUNK_US > TEN_YEARS_US:
                raise NothingInsideError
            target -= chunk.total
            number += 1
            if number * CHUNK_US - start_us > FARTHEST_US:
                raise TooFarError
            chunk = self._chunk(number, zone)
        index = bisect_left(chunk.passed, target) - 1
        return chunk.opens[index] + target - chunk.passed[index]

    def later(self, start_us: int, span: int | WorkingDays, zone: str | None = None) -> int:
        """When a span is over, be it microseconds or working days. Raises IntervalError."""
        if isinstance(span, WorkingDays):
            return self.add_working_days(start_us, span.count, zone)
        return self.add(start_us, span, zone)

    def between(self, start_us: int, end_us: int, zone: str | None = None) -> int:
        """How much time inside there is in [start, end). Raises IntervalError."""
        if end_us <= start_us:
            return 0
        first, last = start_us // CHUNK_US, end_us // CHUNK_US
        if end_us - start_us > FARTHEST_US:
            raise TooFarError
        whole = sum(self._chunk(number, zone).total for number in range(first, last))
        return whole + self._passed(end_us, last, zone) - self._passed(start_us, first, zone)

    def add_working_days(self, start_us: int, days: int, zone: str | None = None) -> int:
        """The same time of day on the so-manieth later day that has any time inside, moved on to the next moment inside.

        A day has the time of the ranges that begin on it. 0 days are over at once. Raises IntervalError.
        """
        if days <= 0:
            return start_us
        there = self._zone(zone)
        day, time_us = divmod(start_us + offset_us(there, start_us), DAY_US)
        for _ in range(days):
            day = self._working_day(day, 1, there)
        return self._opening(self._moment(day, time_us, there), zone)

    def subtract_working_days(self, start_us: int, days: int, zone: str | None = None) -> int:
        """The same time of day on the so-manieth earlier day that has any time inside, moved back to the last closing.

        `add_working_days` in a mirror. Raises IntervalError.
        """
        if days <= 0:
            return start_us
        there = self._zone(zone)
        day, time_us = divmod(start_us + offset_us(there, start_us), DAY_US)
        for _ in range(days):
            day = self._working_day(day, -1, there)
        return self._closing(self._moment(day, time_us, there), zone)

    def check(self) -> None:
        """Raises NothingInsideError if there are ten years without any time inside; for `customer` as UTC has it."""
        starts = [0]
        for day in (*self.out, *(day for day, _ in self.dates)):
            if isinstance(day, Span):
                starts += [day_number(day.first), day_number(day.last) + 1]
            elif not isinstance(day, Yearly):
                starts.append(day_number(day) + 1)
        for start in starts:
            at_us = min(max(start, FIRST_DAY + CHUNK_DAYS), LAST_DAY - CHUNK_DAYS) * DAY_US
            try:
                if self._opening(at_us, None) - self._closing(at_us, None) >= TEN_YEARS_US:
                    raise NothingInsideError
            except TooFarError:
                continue  # it ends with the calendar

    def written(self) -> dict[str, Any]:
        """The interval in its own words, as a rule file has it: for readers of alerts, and to be loaded again."""
        words: dict[str, Any] = {"location": self.location, "times": week_text(self.week)}
        if self.holidays or self.out:
            words["holidays"] = [*self.holidays, *map(str, self.out)]
        if self.dates:
            words["dates"] = {str(day): ranges_text(ranges) for day, ranges in self.dates}
        return words

    def _zone(self, zone: str | None) -> str:
        return known_zone(zone if self.location == CUSTOMER else self.location)

    def _chunk(self, number: int, zone: str | None) -> Chunk:
        name = (zone or "UTC") if self.location == CUSTOMER else self.location
        chunk = self._chunks.get((name, number))
        if chunk is None:
            if len(self._chunks) >= KEPT:
                self._chunks.clear()
            chunk = self._chunks[name, number] = self._reckon(number, self._zone(zone))
        return chunk

    def _reckon(self, number: int, zone: str) -> Chunk:
        first = number * CHUNK_DAYS
        if not FIRST_DAY <= first <= LAST_DAY - CHUNK_DAYS:
            raise TooFarError
        opens: list[int] = []
        closes: list[int] = []
        for opening, closing in self._openings(first * DAY_US, (first + CHUNK_DAYS) * DAY_US, zone):
            if closes and opening <= closes[-1]:
                closes[-1] = max(closes[-1], closing)
            else:
                opens.append(opening)
                closes.append(closing)
        passed, total = [], 0
        for opening, closing in zip(opens, closes, strict=True):
            passed.append(total)
            total += closing - opening
        return Chunk(opens, closes, passed, total)

    def _openings(self, from_us: int, to_us: int, zone: str) -> Iterator[tuple[int, int]]:
        """What is inside in [from, to), in order of opening within each stretch of time with one offset from UTC."""
        for low, high, offset in stretches(zone, from_us, to_us):
            shown = []
            for day in range((low + offset) // DAY_US - 1, (high + offset - 1) // DAY_US + 1):
                for start, end in self._days.ranges(day):
                    opening = max(low, day * DAY_US + start * MINUTE_US - offset)
                    closing = min(high, day * DAY_US + end * MINUTE_US - offset)
                    if opening < closing:
                        shown.append((opening, closing))
            yield from sorted(shown)

    def _passed(self, at_us: int, number: int, zone: str | None) -> int:
        chunk = self._chunk(number, zone)
        index = bisect_right(chunk.opens, at_us) - 1
        return 0 if index < 0 else chunk.passed[index] + min(at_us, chunk.closes[index]) - chunk.opens[index]

    def _opening(self, at_us: int, zone: str | None) -> int:
        """The first moment inside that is not before this one."""
        number = at_us // CHUNK_US
        chunk = self._chunk(number, zone)
        index = bisect_right(chunk.closes, at_us)
        while index == len(chunk.opens):
            number += 1
            if number * CHUNK_US - at_us > TEN_YEARS_US:
                raise NothingInsideError
            chunk, index = self._chunk(number, zone), 0
        return max(at_us, chunk.opens[index])

    def _closing(self, at_us: int, zone: str | None) -> int:
        """The moment itself if it is inside or one of closing, else the last closing before it."""
        number = at_us // CHUNK_US
        chunk = self._chunk(number, zone)
        index = bisect_right(chunk.opens, at_us) - 1
        while index < 0:
            number -= 1
            if at_us - (number + 1) * CHUNK_US > TEN_YEARS_US:
                raise NothingInsideError
            chunk = self._chunk(number, zone)
            index = len(chunk.opens) - 1
        return min(at_us, chunk.closes[index])

    def _working_day(self, day: int, step: int, zone: str) -> int:
        """The next, or the last, day with any time inside."""
        for _ in range(TEN_YEARS):
            day += step
            if not FIRST_DAY <= day <= LAST_DAY:
                raise TooFarError
            ranges = self._days.ranges(day)
            if ranges and self._is_shown(day, ranges, zone):
                return day
        raise NothingInsideError

    def _is_shown(self, day: int, ranges: Ranges, zone: str) -> bool:
        """Whether the clock ever shows a time of these ranges: it passes over a skipped hour."""
        if zone == "UTC":
            return True
        for low, high, offset in stretches(zone, (day - 1) * DAY_US, (day + 3) * DAY_US):
            for start, end in ranges:
                shown = day * DAY_US - offset
                if max(low, shown + start * MINUTE_US) < min(high, shown + end * MINUTE_US):
                    return True
        return False

    def _moment(self, day: int, time_us: int, zone: str) -> int:
        """When the clock first shows this time of this day; where it skips it, when it does so."""
        if not FIRST_DAY <= day <= LAST_DAY:
            raise TooFarError
        shown = day * DAY_US + time_us
        for low, high, offset in stretches(zone, (day - 2) * DAY_US, (day + 3) * DAY_US):
            if shown < high + offset:
                return max(shown - offset, low)
        raise TooFarError  # no clock is two days off
