"""The values of the language and what its operators do with them, for everything the compiled code does not do itself.

Null, bool, string, list and map are Python's None, bool, str, list and dict; a timestamp is an aware datetime, a
duration a timedelta. An int is a Python int within 64 bits; one beyond, which only data can hold, counts as a double.
An error is a value too (Failure): operators hand it on, `&&` and `||` may absorb it.
"""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MAX_STRING = 1 << 20
MAX_LIST = 10_000
ELEMENT_WORK = 16


class Failure:
    """An error value."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class Optional:
    """What `a.?b` and `a[?k]` give. NONE is the empty one."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class BoolKey:
    """A bool as the key of a map: in a dict, True and 1 would be one key."""

    __slots__ = ("value",)

    def __init__(self, *, value: bool) -> None:
        self.value = value


class Meter:
    """What one evaluation may still do: runs of macros' bodies, and work: a code point is 1, an element 16."""

    __slots__ = ("runs", "work")

    def __init__(self) -> None:
        self.runs = 10_000
        self.work = 1 << 24

    def spend(self, work: int) -> bool:
        """False when the budget is used up."""
        self.work -= work
        return self.work >= 0


NONE = Optional(None)
TRUE_KEY, FALSE_KEY = BoolKey(value=True), BoolKey(value=False)
TOO_MUCH_WORK = Failure("the expression does too much work")
OVERFLOW = Failure("integer overflow")
TOO_LONG_STRING = Failure(f"a string longer than {MAX_STRING:,} code points")
TOO_LONG_LIST = Failure(f"a list longer than {MAX_LIST:,} elements")

_NAMES = {
    bool: "bool", int: "int", float: "double", str: "string", list: "list", dict: "map", datetime: "timestamp",
    timedelta: "duration", Optional: "optional", type(None): "null",
}  # fmt: skip


def type_name(value: Any) -> str:
    if value.__class__ is int and not INT_MIN <= value <= INT_MAX:
        return "double"
    return _NAMES.get(value.__class__, "unknown")


def mismatch(form: str, *values: Any) -> Failure:
    """The first error among `values`, or one that fills their types into `form` ("{} + {}")."""
    for value in values:
        if value.__class__ is Failure:
            return value
    return Failure("no such overload: " + form.format(*map(type_name, values)))


def number(value: float) -> int | float:
    """An int beyond 64 bits as the double it counts as."""
    if value.__class__ is int and not INT_MIN <= value <= INT_MAX:
        try:
            return float(value)
        except OverflowError:
            return inf if value > 0 else -inf
    return value


def is_number(value: Any) -> bool:
    return value.__class__ is int or value.__class__ is float


# --- equality and order


def equal(a: Any, b: Any, meter: Meter | None = None) -> bool | Failure:
    """Whether two values are the same, deep; fails only on an error or where comparing takes too much work."""
    if a.__class__ is Failure:
        return a
    if b.__class__ is Failure:
        return b
    meter = meter or Meter()
    waiting = [(a, b)]
    while waiting:
        a, b = waiting.pop()
        kind = a.__class__
        if kind is not b.__class__:
            if is_number(a) and is_number(b) and number(a) == number(b):
                continue
            return False
        if kind is list or kind is dict or kind is str:
            if len(a) != len(b):
                return False
            if not meter.spend(len(a) if kind is str else ELEMENT_WORK * (len(a) + 1)):
                return TOO_MUCH_WORK
        if kind is list:
            waiting.extend(zip(a, b, strict=True))
        elif kind is dict:
            for key, value in a.items():
                if key not in b:
                    return False
                waiting.append((value, b[key]))
        elif kind is Optional:
            if (a is NONE) is not (b is NONE):
                return False
            waiting.append((a.value, b.value))
        elif kind is int:
            if number(a) != number(b):
                return False
        elif a != b:
            return False
    return True


def unequal(a: Any, b: Any, meter: Meter | None = None) -> bool | Failure:
    same = equal(a, b, meter)
    return same if same.__class__ is Failure else not same


def contains(element: Any, container: Any, meter: Meter | None = None) -> bool | Failure:
    """`element in container`."""
    if element.__class__ is Failure:
        return element
    if container.__class__ is dict:
        key = map_key(element)
        return key is not None and key in container
    if container.__class__ is not list:
        return mismatch("{} in {}", element, container)
    meter = meter or Meter()
    for other in container:
        same = equal(element, other, meter) if meter.spend(ELEMENT_WORK) else TOO_MUCH_WORK
        if same is not False:
            return same
    return False


def _ordering(symbol: str, test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | Failure]:
    form = f"{{}} {symbol} {{}}"

    def compare(a: Any, b: Any) -> bool | Failure:
        if is_number(a) and is_number(b):
            return test(number(a), number(b))
        if a.__class__ is b.__class__ and a.__class__ in ORDERED:
            return test(a, b)
        return mismatch(form, a, b)

    return compare


# Two values of one of these classes compare as Python compares them (ints only within 64 bits).
ORDERED = frozenset({float, str, bool, datetime, timedelta})
less = _ordering("<", operator.lt)
less_or_equal = _ordering("<=", operator.le)
greater = _ordering(">", operator.gt)
greater_or_equal = _ordering(">=", operator.ge)


# --- keys of maps


def map_key(value: Any) -> Any:
    """`value` as a key of a map, None where it can't be one."""
    kind = value.__class__
    if kind is str:
        return value
    if kind is bool:
        return TRUE_KEY if value else FALSE_KEY
    if kind is int or kind is float:
        value = number(value)
        if value.__class__ is int:
            return value
        return int(value) if value.is_integer() and INT_MIN <= value <= INT_MAX else None
    return None


def key_value(key: Any) -> Any:
    """The key of a map as a value: the other way round."""
    return key.value if key.__class__ is BoolKey else key
