"""The functions of the language: how they are called, and what they do. Each hands an error on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

import re2  # type: ignore[import-untyped]

from rule_engine.expressions import times
from rule_engine.expressions.conversions import (
    to_bool,
    to_double,
    to_duration,
    to_int,
    to_string,
    to_timestamp,
)
from rule_engine.expressions.operators import negate
from rule_engine.expressions.values import (
    MAX_LIST,
    MAX_STRING,
    NONE,
    TOO_LONG_LIST,
    TOO_LONG_STRING,
    Failure,
    Optional,
    greater,
    is_number,
    less,
    mismatch,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Signature:
    """How many arguments there may be, the value that a method belongs to not counted."""

    least: int
    most: int

    def __str__(self) -> str:
        if self.most > 100:
            return "at least 1 argument"
        if self.least != self.most:
            return f"{self.least} or {self.most} arguments"
        return f"{self.most or 'no'} argument{'' if self.most == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Function(Signature):
    """`apply` takes the arguments, a method's value before them, and never raises.

    `linear`: it takes time in proportion to the strings and lists it is given.
    """

    apply: Callable[..., Any]
    linear: bool = False


# --- sizes and strings


def size(value: Any) -> int | Failure:
    return len(value) if value.__class__ in _SIZED else mismatch("size({})", value)


_SIZED = frozenset({str, list, dict})


def starts_with(text: Any, prefix: Any) -> bool | Failure:
    if text.__class__ is str and prefix.__class__ is str:
        return text.startswith(prefix)
    return mismatch("{}.startsWith({})", text, prefix)


def ends_with(text: Any, suffix: Any) -> bool | Failure:
    if text.__class__ is str and suffix.__class__ is str:
        return text.endswith(suffix)
    return mismatch("{}.endsWith({})", text, suffix)


def contains_text(text: Any, part: Any) -> bool | Failure:
    if text.__class__ is str and part.__class__ is str:
        return part in text
    return mismatch("{}.contains({})", text, part)


def matches(text: Any, pattern: Any) -> bool | Failure:
    """Whether RE2 finds `pattern` anywhere; linear in both."""
    if pattern.__class__ is str:
        pattern = compile_pattern(pattern)
    if text.__class__ is not str or pattern.__class__ is not _Pattern:
        return mismatch("{}.matches({})", text, pattern)
    try:
        return pattern.search(text) is not None
    except UnicodeEncodeError:
        return Failure("matches: a string with half a surrogate pair")


@lru_cache(maxsize=256)
def compile_pattern(pattern: Any) -> Any:
    """The regular expression of a string, an error where it is none; anything else as it is."""
    if pattern.__class__ is not str:
        return pattern
    try:
        return re2.compile(pattern, _RE2_OPTIONS)
    except (re2.error, UnicodeEncodeError):
        return Failure("matches: this is no regular expression of RE2")


_RE2_OPTIONS = re2.Options()
_RE2_OPTIONS.log_errors = False
_RE2_OPTIONS.never_capture = True
_RE2_OPTIONS.max_mem = 2 << 20
_Pattern = type(re2.compile("", _RE2_OPTIONS))


def lower_ascii(text: Any) -> str | Failure:
    if text.__class__ is not str:
        return mismatch("{}.lowerAscii()", text)
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


def upper_ascii(text: Any) -> str | Failure:
    if text.__class__ is not str:
        return mismatch("{}.upperAscii()", text)
    return text.upper() if text.isascii() else text.translate(_TO_UPPER)


_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_TO_UPPER = {lower: upper for upper, lower in _TO_LOWER.items()}


def trim(text: Any) -> str | Failure:
    return text.strip(_WHITE_SPACE) if text.__class__ is str else mismatch("{}.trim()", text)


# Unicode's White_Space; str.strip() alone takes the separators U+001C to U+001F with it.
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)


def split(text: Any, separator: Any, limit: Any = -1) -> list[str] | Failure:
    """At most `limit` parts, the last with the rest; below zero: all. By an empty separator into code points."""
    if text.__class__ is not str or separator.__class__ is not str or limit.__class__ is not int:
        return _mismatch_of("split", text, separator, limit)
    if limit == 0:
        return []
    cuts = text.count(separator) if separator else max(len(text) - 1, 0)
    if 0 < limit <= cuts:
        cuts = limit - 1
    if cuts >= MAX_LIST:
        return TOO_LONG_LIST
    if separator:
        return text.split(separator, cuts)
    return [*text[:cuts], text[cuts:]]


def join(parts: Any, separator: Any = "") -> str | Failure:
    if parts.__class__ is not list or separator.__class__ is not str:
        return _mismatch_of("join", parts, separator)
    length = len(separator) * max(len(parts) - 1, 0)
    for part in parts:
        if part.__class__ is not str:
            return mismatch("join of a list with {}", part)
        length += len(part)
        if length > MAX_STRING:
            return TOO_LONG_STRING
    return separator.join(parts)


def replace(text: Any, old: Any, new: Any, limit: Any = -1) -> str | Failure:
    """The first `limit` places, below zero all."""
    if (
        text.__class__ is not str
        or old.__class__ is not str
        or new.__class__ is not str
        or limit.__class__ is not int
    ):
        return _mismatch_of("replace", text, old, new, limit)
    places = text.count(old)
    if 0 <= limit < places:
        places = limit
    if len(text) + places * (len(new) - len(old)) > MAX_STRING:
        return TOO_LONG_STRING
    return text.replace(old, new, places)


def substring(text: Any, start: Any, end: Any = None) -> str | Failure:
    """From `start` up to `end`, which must lie inside, in this order."""
    if (
        text.__class__ is not str
        or start.__class__ is not int
        or (end is not None and end.__class__ is not int)
    ):
        return (
            mismatch("{}.substring({})", text, start)
            if end is None
            else _mismatch_of("substring", text, start, end)
        )
    if end is None:
        end = len(text)
    if not 0 <= start <= end <= len(text):
        return Failure(f"substring: {start} to {end} is outside of a string of {len(text)}")
    return text[start:end]


def index_of(text: Any, part: Any, start: Any = 0) -> int | Failure:
    if text.__class__ is not str or part.__class__ is not str or start.__class__ is not int:
        return _mismatch_of("indexOf", text, part, start)
    if not 0 <= start <= len(text):
        return Failure(f"indexOf: {start} is outside of a string of {len(text)}")
    return text.find(part, start)


def _mismatch_of(name: str, value: Any, *arguments: Any) -> Failure:
    return mismatch(f"{{}}.{name}({', '.join('{}' for _ in arguments)})", value, *arguments)


# --- parts of timestamps and durations, optionals


def _part(name: str) -> Callable[..., int | Failure]:
    of_timestamp, of_duration = times.TIMESTAMP_PARTS[name], times.DURATION_PARTS.get(name)

    def part(value: Any, zone_name: Any = None) -> int | Failure:
        if value.__class__ is timedelta and zone_name is None and of_duration is not None:
            return of_duration(value)
        if value.__class__ is not datetime or (zone_name is not None and zone_name.__class__ is not str):
            return (
                mismatch(f"{{}}.{name}()", value)
                if zone_name is None
                else _mismatch_of(name, value, zone_name)
            )
        zone = times.zone(zone_name or "")
        if zone is None:
            return Failure(f"{name}: this string is no time zone")
        try:
            return of_timestamp(value.astimezone(zone))
        except OverflowError:
            return Failure("timestamp out of range")

    return part


def has_value(value: Any) -> bool | Failure:
    return value is not NONE if value.__class__ is Optional else mismatch("{}.hasValue()", value)


def or_value(value: Any, alternative: Any) -> Any:
    if value.__class__ is not Optional:
        return mismatch("{}.orValue(…)", value)
    return alternative if value is NONE else value.value


# --- math


def absolute(value: Any) -> Any:
    return negate(value) if is_number(value) and value < 0 else _as_number("abs", value)


def _as_number(name: str, value: Any) -> Any:
    return number(value) if is_number(value) else mismatch(f"math.{name}({{}})", value)


def _rounding(name: str, operation: Callable[[float], int]) -> Callable[[Any], Any]:
    def rounded(value: Any) -> Any:
        value = _as_number(name, value)
        if value.__class__ is not float or not isfinite(value):
            return value
        return math.copysign(operation(value), value)

    return rounded


def _half_away_from_zero(value: float) -> int:
    whole = math.trunc(value)
    return whole + (1 if value > 0 else -1) if abs(value - whole) >= 0.5 else whole


def _extreme(name: str, beyond: Callable[[Any, Any], bool | Failure]) -> Callable[..., Any]:
    def extreme(*values: Any) -> Any:
        if len(values) == 1 and values[0].__class__ is list:
            values = tuple(values[0])
        best: Any = Failure(f"math.{name} of an empty list")
        for position, value in enumerate(values):
            candidate = _as_number(name, value)
            if candidate.__class__ is Failure:
                return candidate
            if position == 0 or beyond(candidate, best):
                best = candidate
        return best

    return extreme


# --- the tables

FUNCTIONS: dict[str, Function] = {
    "size": Function(1, 1, size),
    "matches": Function(2, 2, matches, linear=True),
    "int": Function(1, 1, to_int),
    "double": Function(1, 1, to_double),
    "bool": Function(1, 1, to_bool),
    "string": Function(1, 1, to_string),
    "timestamp": Function(1, 1, to_timestamp, linear=True),
    "duration": Function(1, 1, to_duration),
    "math.abs": Function(1, 1, absolute),
    "math.least": Function(1, 10_000, _extreme("least", less), linear=True),
    "math.greatest": Function(1, 10_000, _extreme("greatest", greater), linear=True),
    "math.round": Function(1, 1, _rounding("round", _half_away_from_zero)),
    "math.floor": Function(1, 1, _rounding("floor", math.floor)),
    "math.ceil": Function(1, 1, _rounding("ceil", math.ceil)),
}
METHODS: dict[str, Function] = {
    "size": Function(0, 0, size),
    "startsWith": Function(1, 1, starts_with, linear=True),
    "endsWith": Function(1, 1, ends_with, linear=True),
    "contains": Function(1, 1, contains_text, linear=True),
    "matches": Function(1, 1, matches, linear=True),
    "lowerAscii": Function(0, 0, lower_ascii, linear=True),
    "upperAscii": Function(0, 0, upper_ascii, linear=True),
    "trim": Function(0, 0, trim, linear=True),
    "split": Function(1, 2, split, linear=True),
    "join": Function(0, 1, join, linear=True),
    "replace": Function(2, 3, replace, linear=True),
    "substring": Function(1, 2, substring, linear=True),
    "indexOf": Function(1, 2, index_of, linear=True),
    "hasValue": Function(0, 0, has_value),
    "orValue": Function(1, 1, or_value),
    **{name: Function(0, 1, _part(name)) for name in times.TIMESTAMP_PARTS},
}
