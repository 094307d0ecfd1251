"""One kind of value to another: `int()`, `double()`, `bool()`, `string()`, `timestamp()`, `duration()`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from math import inf, isfinite, isnan
from typing import Any

from rule_engine.expressions import times
from rule_engine.expressions.values import INT_MAX, INT_MIN, Failure, is_number, mismatch, number


def to_int(value: Any) -> int | Failure:
    if value.__class__ is str:
        # 25 digits are beyond 64 bits, and Python's int() takes quadratic time.
        if len(value) <= 25 and _INT.fullmatch(value) and INT_MIN <= int(value) <= INT_MAX:
            return int(value)
        return Failure("int: this string is no int of 64 bits")
    if value.__class__ is datetime:
        return times.to_epoch(value)
    if not is_number(value):
        return mismatch("int({})", value)
    value = number(value)
    if value.__class__ is float:
        if not -(2.0**63) < value < 2.0**63:
            return Failure("int: out of range")
        return int(value)
    return int(value)


def to_double(value: Any) -> float | Failure:
    if value.__class__ is str:
        if len(value) <= 1000 and _DOUBLE.fullmatch(value):
            return float(value)
        return Failure("double: this string is no number")
    return float(number(value)) if is_number(value) else mismatch("double({})", value)


_INT = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE | re.ASCII
)


def to_bool(value: Any) -> bool | Failure:
    if value.__class__ is str:
        result = _BOOLS.get(value)
        return Failure("bool: this string is no bool") if result is None else result
    return value if value.__class__ is bool else mismatch("bool({})", value)


_BOOLS = {"1": True, "t": True, "true": True, "TRUE": True, "True": True} | {
    "0": False, "f": False, "false": False, "FALSE": False, "False": False,
}  # fmt: skip


def to_string(value: Any) -> str | Failure:
    """A double as JavaScript writes it, a timestamp in UTC, a duration in seconds."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        value = number(value)
        return str(value) if value.__class__ is int else _double_text(value)
    if kind is datetime:
        return times.format_timestamp(value)
    if kind is timedelta:
        return times.format_duration(value)
    return mismatch("string({})", value)


def _double_text(value: float) -> str:
    """ECMAScript's Number::toString: repr's digits, an exponent only from 1e21 up and below 1e-6."""
    if not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value == inf else "-Infinity"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent_text = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent_text or 0)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{digits.rjust(len(digits) - point, '0')}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+}"


def to_timestamp(value: Any) -> datetime | Failure:
    """Of an RFC 3339 string, or of seconds since 1970."""
    if value.__class__ is datetime:
        return value
    try:
        if value.__class__ is str:
            at = times.parse_timestamp(value)
            return Failure("timestamp: this string is no RFC 3339 time") if at is None else at
        if value.__class__ is int:
            return times.from_epoch(value)
    except OverflowError:
        return Failure("timestamp out of range")
    return mismatch("timestamp({})", value)


def to_duration(value: Any) -> timedelta | Failure:
    if value.__class__ is timedelta:
        return value
    if value.__class__ is not str:
        return mismatch("duration({})", value)
    try:
        length = times.parse_duration(value)
    except OverflowError:
        return Failure("duration out of range")
    return Failure("duration: this string is no duration like 1h30m") if length is None else length
