"""The grammar of `times`, of ranges and of days. Pure.

GrammarError (ValueError)
└── says what was expected, and at which character of the text
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from rule_engine.intervals.days import DAY_MINUTES, WEEKDAYS, Day, Ranges, Span, Yearly, merged

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WHOLE_DAY = (0, DAY_MINUTES)
_TOKEN = re.compile(r"[0-9][0-9:.]*|[^\W\d_]+|\S", re.ASCII)
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})", re.ASCII)
_COUNTRY = re.compile(r"[A-Za-z]{2}(-\w+)?")


class GrammarError(ValueError):
    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


def parse_times(text: str) -> tuple[Ranges, ...]:
    """`mon-fri 08:00-18:00; sat 09:00-13:00` as the ranges of Monday to Sunday. Raises GrammarError."""
    week: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    reading = _Reading(text)
    while True:
        days = EVERY_DAY if reading.at_clock else reading.days()
        ranges = reading.ranges() if reading.at_clock else [WHOLE_DAY]
        for day in days:
            week[day] += ranges
        if reading.token is None:
            return tuple(merged(each) for each in week)
        reading.take(";", "',' and another range, ';' and the next days, or the end")


def parse_ranges(text: str) -> Ranges:
    """`08:00-12:00,13:00-18:00`. Raises GrammarError."""
    reading = _Reading(text)
    ranges = reading.ranges()
    if reading.token is not None:
        reading.refuse("',' and another range, or the end")
    return merged(ranges)


def parse_day(text: str) -> Day:
    """`2026-12-24`, `12-24`, or `2026-12-24/2027-01-01`. Raises GrammarError."""
    first, slash, last = text.partition("/")
    if not slash:
        return _day(text)
    span = Span(_full_date(first, 0), _full_date(last, len(first) + 1))
    if span.last < span.first:
        raise GrammarError(len(first) + 1, f"the span ends before it begins: expected {last}/{first}")
    return span


def looks_like_country(text: str) -> bool:
    """Whether somebody meant holidays' country rather than a day."""
    return _COUNTRY.fullmatch(text) is not None


@dataclass(slots=True)
class _Token:
    text: str
    offset: int


class _Reading:
    """A text being read token by token; `token` is the next one."""

    def __init__(self, text: str) -> None:
        self._end = len(text)
        self._tokens = [_Token(found[0], found.start()) for found in _TOKEN.finditer(text)]
        self._next = 0

    @property
    def token(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    @property
    def at_clock(self) -> bool:
        return self.token is not None and self.token.text[0].isdigit()

    def take(self, sign: str, expected: str) -> None:
        if self.token is None or self.token.text != sign:
            self.refuse(expected)
        self._next += 1

    def accept(self, sign: str) -> bool:
        there = self.token is not None and self.token.text == sign
        self._next += there
        return there

    def refuse(self, expected: str) -> NoReturn:
        token = self.token
        if token is None:
            raise GrammarError(self._end, f"expected {expected}, found the end")
        hint = ": write '-'" if token.text in "–—" else ""
        raise GrammarError(token.offset, f"expected {expected}, found {token.text[:20]!r}{hint}")

    def days(self) -> list[int]:
        days = self._span_of_days()
        while self.accept(","):
            days += self._span_of_days()
        return days

    def ranges(self) -> list[tuple[int, int]]:
        ranges = [self._range()]
        while self.accept(","):
            if self.token is not None and self.token.text[0].isalpha():
                self.refuse("another range (or ';' in place of ',' before other days)")
            ranges.append(self._range())
        return ranges

    def _span_of_days(self) -> list[int]:
        first = self._weekday()
        last = self._weekday() if self.accept("-") else first
        return [(first + step) % 7 for step in range((last - first) % 7 + 1)]

    def _weekday(self) -> int:
        token = self.token
        if token is None or token.text not in WEEKDAYS:
            expected = "days, mon to sun, or a range such as 08:00-18:00"
            if token is not None and token.text[:3].lower() in WEEKDAYS:
                expected = f"{token.text[:3].lower()!r}"
            self.refuse(expected)
        self._next += 1
        return WEEKDAYS.index(token.text)

    def _range(self) -> tuple[int, int]:
        start = self._clock(DAY_MINUTES - 1)
        self.take("-", "a range such as 08:00-18:00: '-' and its end")
        end = self._clock(DAY_MINUTES)
        return start, end if end > start else end + DAY_MINUTES

    def _clock(self, most: int) -> int:
        token = self.token
        if token is None:
            self.refuse("a time of day such as 08:00")
        found = _CLOCK.fullmatch(token.text)
        if found is None:
            self.refuse("a time of day as HH:MM, such as 08:00")
        minutes = int(found[1]) * 60 + int(found[2])
        if int(found[2]) > 59 or minutes > most:
            self.refuse("a time from 00:00 to 24:00" if most == DAY_MINUTES else "a time from 00:00 to 23:59")
        self._next += 1
        return minutes


_FORMS = "a day such as 2026-12-24, 12-24 (each year) or 2026-12-24/2027-01-01"
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})", re.ASCII)


def _day(text: str) -> Day:
    short = _YEARLY.fullmatch(text)
    if short is None:
        return _full_date(text, 0, _FORMS)
    day = Yearly(int(short[1]), int(short[2]))
    try:
        date(2024, day.month, day.day)  # a leap year has them all
    except ValueError:
        raise GrammarError(0, f"no year has a day {text}, month first") from None
    return day


def _full_date(text: str, offset: int, expected: str = "a day with its year, such as 2026-12-24") -> date:
    full = _DATE.fullmatch(text)
    if full is None:
        raise GrammarError(offset, f"expected {expected}, found {text[:40]!r}")
    try:
        return date(int(full[1]), int(full[2]), int(full[3]))
    except ValueError:
        raise GrammarError(offset, f"there is no day {text}") from None
