"""Timestamps and durations: RFC 3339 and `1h30m`, kept to the microsecond, and what the clock in a zone shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DURATION = timedelta(seconds=315_576_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_timestamp(text: str) -> datetime | None:
    """An RFC 3339 time in UTC, what is beyond a microsecond cut off; None if it is none.

    A 60th second is the next minute's first, as in CEL. Raises OverflowError outside the years 1 to 9999.
    """
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    leap = found[1] == "60"
    if leap:
        text = f"{text[:17]}59{text[19:]}"
    try:
        at = datetime.fromisoformat(text if text.isupper() else text.upper())
    except ValueError:
        return None
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at + _SECOND if leap else at


# datetime.fromisoformat cuts off what is beyond a microsecond, but knows other forms than RFC 3339's too.
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_SECOND = timedelta(seconds=1)


def from_epoch(seconds: int) -> datetime:
    """Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=seconds)


def to_epoch(at: datetime) -> int:
    return (at - _EPOCH) // _SECOND


def format_timestamp(at: datetime) -> str:
    """In UTC, with no, three or six digits after the second, as Protobuf's JSON has it."""
    at = at.astimezone(UTC)
    return f"{at:%Y}".zfill(4) + f"{at:-%m-%dT%H:%M:%S}{_fraction(at.microsecond)}Z"


def parse_duration(text: str) -> timedelta | None:
    """`1h30m`, `-1.5s`, `0`: numbers with d h m s ms us ns, summed, what is beyond a microsecond cut off.

    None if it is none. Raises OverflowError beyond 10,000 years.
    """
    if len(text) > 200 or not _DURATION.fullmatch(text):
        return None
    negative = text.startswith("-")
    nanoseconds = 0
    for whole, fraction, unit in _DURATION_PART.findall(text):
        size = _NANOSECONDS[unit]
        nanoseconds += int(whole or 0) * size
        if fraction:
            nanoseconds += int(fraction) * size // 10 ** len(fraction)
    length = timedelta(microseconds=nanoseconds // 1000)
    if length > MAX_DURATION:
        raise OverflowError
    return -length if negative else length


_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:d|h|ms|us|ns|m|s))+)")
_DURATION_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(d|h|ms|us|ns|m|s)")
_NANOSECONDS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}


def format_duration(length: timedelta) -> str:
    """In seconds: `5400s`, `1.500s`, `-0.000001s`."""
    microseconds = abs(length) // timedelta(microseconds=1)
    sign = "-" if length < timedelta() else ""
    return f"{sign}{microseconds // 1_000_000}{_fraction(microseconds % 1_000_000)}s"


def _fraction(microseconds: int) -> str:
    if microseconds == 0:
        return ""
    return f".{microseconds // 1000:03}" if microseconds % 1000 == 0 else f".{microseconds:06}"


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo | None:
    """The zone of an IANA name or an offset like `+02:00`; None if there is none. Empty is UTC."""
    if name in {"", "UTC"}:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-length if offset[1] == "-" else length)
    # `localtime` would be another zone on each machine.
    if not _ZONE_NAME.fullmatch(name) or name == "localtime":
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


_OFFSET = re.compile(r"([+-]?)([01][0-9]|2[0-3]):([0-5][0-9])")
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}")


TIMESTAMP_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}
DURATION_PARTS: dict[str, Callable[[timedelta], int]] = {
    "getHours": lambda length: _toward_zero(length, timedelta(hours=1)),
    "getMinutes": lambda length: _toward_zero(length, timedelta(minutes=1)),
    "getSeconds": lambda length: _toward_zero(length, _SECOND),
    "getMilliseconds": lambda length: _toward_zero(length, timedelta(milliseconds=1), modulo=1000),
}


def _toward_zero(length: timedelta, unit: timedelta, modulo: int | None = None) -> int:
    units = abs(length) // unit
    if modulo:
        units %= modulo
    return -units if length < timedelta() else units
