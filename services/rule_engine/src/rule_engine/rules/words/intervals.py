"""The block `time_intervals`: times by which rules count, usable by name from any file."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import available_timezones

from rule_engine.intervals import CUSTOMER, Interval, NothingInsideError
from rule_engine.intervals.days import Day, Ranges, Span, merged
from rule_engine.intervals.grammar import (
    GrammarError,
    looks_like_country,
    parse_day,
    parse_ranges,
    parse_times,
)
from rule_engine.intervals.public_holidays import problem_of
from rule_engine.rules.model import NamedInterval
from rule_engine.rules.reading import Key, Kind, ListOf, Reader, Schema, Shape, Table, Unread, nearest
from rule_engine.rules.values import Text
from rule_engine.rules.yaml import Mapping, Node, Scalar, offset_in_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rule_engine.rules.reading import Fields

NAME = "[A-Za-z_][A-Za-z0-9_-]*"
UNKNOWN = "unknown-interval"
MOST_DAYS = 500
_CLOCK = r"([01][0-9]|2[0-4]):[0-5][0-9]"
_RANGES = rf"{_CLOCK}-{_CLOCK}( *, *{_CLOCK}-{_CLOCK})*"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAY = rf"{_DATE}(/{_DATE})?|[0-9]{{2}}-[0-9]{{2}}"


class _Zone(Kind[str]):
    says = "a zone's name such as Europe/Berlin, or customer"

    def read(self, node: Node, reader: Reader) -> str:
        if not isinstance(node, Scalar) or not node.text:
            raise self.refuse(node, reader)
        if node.text != CUSTOMER and node.text not in _zones():
            raise self.refuse(node, reader, nearest(node.text, _zones()))
        return node.text

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


class _Grammar(Kind[Any]):
    """A text with a grammar of its own; errors have the place within it."""

    def __init__(self, says: str, parse: Callable[[str], Any], pattern: str | None = None) -> None:
        self.says, self.parse, self.pattern = says, parse, pattern

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or not node.text:
            raise self.refuse(node, reader)
        return _parsed(self.parse, node, reader)

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1} | (
            {"pattern": f"^({self.pattern})$"} if self.pattern else {}
        )


class _Out(Kind[str | Day]):
    """A country's code stays a text."""

    says = "a country such as DE or DE-BY, or a day such as 2026-12-24, 12-24 or 2026-12-24/2027-01-01"

    def read(self, node: Node, reader: Reader) -> str | Day:
        if not isinstance(node, Scalar) or not node.text:
            raise self.refuse(node, reader)
        if not looks_like_country(node.text):
            if node.text[0].isalpha():
                raise self.refuse(node, reader)
            return cast("Day", _parsed(parse_day, node, reader))
        problem = problem_of(node.text)
        if problem is not None:
            raise reader.wrong(node.at, problem)
        return node.text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": rf"^([A-Z]{{2}}(-\w+)?|{_DAY})$"}


class _Dates(Kind[list[tuple[Day, Ranges]]]):
    says = "a mapping of days to ranges, such as {2026-12-24: 09:00-12:00, 12-31: closed}"

    def read(self, node: Node, reader: Reader) -> list[tuple[Day, Ranges]]:
        if not isinstance(node, Mapping):
            raise self.refuse(node, reader)
        read: dict[Day, Ranges] = {}
        failed = False
        for entry in node.entries.values():
            try:
                day: Day = _parsed(parse_day, entry.key, reader)
                ranges: Ranges = _parsed(_ranges_or_closed, entry.value, reader)
            except Unread:
                failed = True
                continue
            other = _overlapping(day, read)
            if other is not None:
                reader.wrong(
                    entry.key.at, f"{day} and {other} have days in common: it would not be said which holds"
                )
                failed = True
            read[day] = ranges
        if failed:
            raise Unread
        return list(read.items())

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({_DAY})$"},
            "additionalProperties": {"type": "string", "pattern": f"^({_RANGES}|closed)$"},
        }


TIMES = _Grammar("times such as mon-fri 08:00-18:00; sat 09:00-13:00", parse_times)
OUT = _Out()
INTERVAL = Table(
    "a time interval",
    [
        Key("location", _Zone(), "The zone whose clock is meant, or `customer`: that of the customer's profile. UTC by default.", "Europe/Berlin"),
        Key("times", Shape(TIMES.says, scalar=TIMES, sequence=ListOf(TIMES, "a list of times")),
            "What is inside: days, ranges, or both. A range whose end is not after its start runs into the next day.",
            "mon-fri 08:00-18:00; sat 09:00-13:00", required=True),
        Key("holidays", Shape(OUT.says, scalar=OUT, sequence=ListOf(OUT, "a list of countries and days", most=MOST_DAYS)),
            "Days on which `times` do not hold: a country's public holidays, and days.", ["DE-BE", "12-24"]),
        Key("dates", _Dates(), "Days with ranges of their own, or `closed`. They go before holidays and times.",
            {"2026-12-24": "09:00-12:00", "12-31": "closed"}),
    ],
    elsewhere=dict.fromkeys(["zone", "timezone", "time_zone", "tz"], "the word for its clock is 'location'"),
)  # fmt: skip


class Intervals(Kind[list[NamedInterval]]):
    """Has also those that are wrong: no rule that names one is wrong for it."""

    says = "a mapping of names to time intervals"
    name = Text("a name of letters, digits, _ and -", pattern=NAME, most=100)

    def read(self, node: Node, reader: Reader) -> list[NamedInterval]:
        if not isinstance(node, Mapping):
            raise self.refuse(node, reader)
        read = []
        for name, entry in node.entries.items():
            interval = None
            try:
                self.name.read(entry.key, reader)
                interval = _interval(INTERVAL.read(entry.value, reader), reader)
            except Unread:
                pass
            read.append(NamedInterval(name, interval, reader.place(entry.key.at)))
        return read

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({NAME})$"},
            "additionalProperties": INTERVAL.schema(),
        }


def interval_named(fields: Fields, key: str, reader: Reader) -> Interval:
    """The interval that a key of a rule names. Raises Unread, once the reader has been told that there is none."""
    name: str = fields.get(key)
    there = reader.intervals.get(name)
    if there is None:
        hint = (
            nearest(name, reader.intervals)
            or ": `time_intervals` has it, in this file or in another one given with it"
        )
        raise reader.wrong(fields.at_value(key), f"there is no time interval {name!r}{hint}", UNKNOWN)
    reader.named.add(name)
    if there.interval is None:
        raise Unread
    return there.interval


def _interval(fields: Fields, reader: Reader) -> Interval:
    if fields.bad:
        raise Unread
    times, holidays = _listed(fields.get("times")), _listed(fields.get("holidays", []))
    dates: list[tuple[Day, Ranges]] = fields.get("dates", [])
    if len(holidays) + len(dates) > MOST_DAYS:
        raise reader.wrong(
            fields.at, f"expected at most {MOST_DAYS} holidays and dates, found {len(holidays) + len(dates)}"
        )
    week = tuple(merged(ranges for each in times for ranges in each[day]) for day in range(7))
    interval = Interval(
        location=fields.get("location", "UTC"),
        week=cast("Any", week),
        holidays=tuple(sorted({each for each in holidays if isinstance(each, str)})),
        out=tuple(sorted({each for each in holidays if not isinstance(each, str)}, key=str)),
        dates=tuple(sorted(dates, key=lambda each: str(each[0]))),
    )
    try:
        interval.check()
    except NothingInsideError:
        raise reader.wrong(
            fields.at, "there are ten years with nothing inside the interval", "never-inside"
        ) from None
    return interval


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parsed(parse: Callable[[str], Any], node: Node, reader: Reader) -> Any:
    if not isinstance(node, Scalar):
        raise reader.wrong(node.at, "expected a text")
    try:
        return parse(node.text)
    except GrammarError as error:
        raise reader.wrong(offset_in_text(reader.text, node, error.offset), error.message) from None


def _ranges_or_closed(text: str) -> Ranges:
    if text == "closed":
        return ()
    if re.match("[a-z]", text):
        raise GrammarError(0, f"expected ranges such as 09:00-12:00, or closed, found {text[:40]!r}")
    return parse_ranges(text)


def _overlapping(day: Day, days: Iterable[Day]) -> Day | None:
    """A span with which this one has days in common; a full date goes before a span, and a span before a yearly date."""
    if not isinstance(day, Span):
        return None
    return next(
        (
            each
            for each in days
            if isinstance(each, Span) and each.first <= day.last and day.first <= each.last
        ),
        None,
    )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})
