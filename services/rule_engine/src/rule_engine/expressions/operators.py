"""What the operators do with values that the compiled code does not handle itself. Each hands an error on."""

from __future__ import annotations

import operator
from datetime import datetime, timedelta
from math import copysign, inf, isnan, nan
from typing import TYPE_CHECKING, Any

from rule_engine.expressions.values import (
    INT_MAX,
    INT_MIN,
    MAX_LIST,
    MAX_STRING,
    NONE,
    OVERFLOW,
    TOO_LONG_LIST,
    TOO_LONG_STRING,
    TOO_MUCH_WORK,
    Failure,
    Meter,
    Optional,
    is_number,
    map_key,
    mismatch,
    number,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# --- arithmetic


def add(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return _number_result(number(a) + number(b))
    if a.__class__ is b.__class__:
        if a.__class__ is str:
            return a + b if len(a) + len(b) <= MAX_STRING else TOO_LONG_STRING
        if a.__class__ is list:
            return a + b if len(a) + len(b) <= MAX_LIST else TOO_LONG_LIST
        if a.__class__ is timedelta:
            return _time_result(operator.add, a, b)
    elif {a.__class__, b.__class__} == {datetime, timedelta}:
        return _time_result(operator.add, a, b)
    return mismatch("{} + {}", a, b)


def subtract(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return _number_result(number(a) - number(b))
    if b.__class__ is timedelta and (a.__class__ is timedelta or a.__class__ is datetime):
        return _time_result(operator.sub, a, b)
    if a.__class__ is datetime and b.__class__ is datetime:
        return _time_result(operator.sub, a, b)
    return mismatch("{} - {}", a, b)


def multiply(a: Any, b: Any) -> Any:
    if is_number(a) and is_number(b):
        return _number_result(number(a) * number(b))
    return mismatch("{} * {}", a, b)


def divide(a: Any, b: Any) -> Any:
    """Of ints truncated toward zero; of doubles as IEEE 754 has it, by zero too."""
    if not (is_number(a) and is_number(b)):
        return mismatch("{} / {}", a, b)
    a, b = number(a), number(b)
    if a.__class__ is int and b.__class__ is int:
        if b == 0:
            return Failure("division by zero")
        quotient = abs(a) // abs(b)
        return _number_result(quotient if (a < 0) is (b < 0) else -quotient)
    if b == 0:
        if a == 0 or isnan(a):
            return nan
        return copysign(inf, a) * copysign(1.0, b)
    return float(a) / float(b)


def modulo(a: Any, b: Any) -> Any:
    """The remainder of `divide`, with the sign of the dividend; ints only."""
    if a.__class__ is int and b.__class__ is int:
        a, b = number(a), number(b)
    if a.__class__ is not int or b.__class__ is not int:
        return mismatch("{} % {}", a, b)
    if b == 0:
        return Failure("modulus by zero")
    if a == INT_MIN and b == -1:
        return OVERFLOW
    remainder = abs(a) % abs(b)
    return -remainder if a < 0 else remainder


def negate(a: Any) -> Any:
    return _number_result(-number(a)) if is_number(a) else mismatch("-{}", a)


def negation(a: Any) -> bool | Failure:
    """`!a`."""
    return not a if a.__class__ is bool else mismatch("!{}", a)


def _number_result(result: float) -> int | float | Failure:
    return OVERFLOW if result.__class__ is int and not INT_MIN <= result <= INT_MAX else result


def _time_result(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> datetime | timedelta | Failure:
    try:
        result: datetime | timedelta = operation(a, b)
    except OverflowError:
        return Failure("timestamp out of range")
    if result.__class__ is timedelta and abs(result) > _MAX_DURATION:
        return Failure("duration out of range")
    return result


# As in CEL: what a sum or difference may be, 64 bits of nanoseconds.
_MAX_DURATION = timedelta(microseconds=2**63 // 1000)


def metered(meter: Meter, operation: Callable[..., Any], *operands: Any) -> Any:
    """The operation's result, its work charged to the meter by the size of its operands."""
    work = sum(len(operand) for operand in operands if operand.__class__ is str or operand.__class__ is list)
    return operation(*operands) if meter.spend(work) else TOO_MUCH_WORK


# --- logic


def no_conjunction(a: Any, b: Any) -> Failure:
    """What `a && b` is where neither is false and one is no bool."""
    return mismatch("{} && {}", a, b)


def no_disjunction(a: Any, b: Any) -> Failure:
    """What `a || b` is where neither is true and one is no bool."""
    return mismatch("{} || {}", a, b)


def no_condition(test: Any) -> Failure:
    """What `test ? … : …` is where the test is no bool."""
    return mismatch("{} ? … : …", test)


# --- maps, lists and optionals


def make_map(*parts: Any) -> dict[Any, Any] | Failure:
    """The map of keys and values, which alternate in `parts`."""
    made: dict[Any, Any] = {}
    for part in parts:
        if part.__class__ is Failure:
            return part
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        usable = None if key.__class__ is float else map_key(key)
        if usable is None:
            return Failure(f"a map's key is a string, an int or a bool, not {type_name(key)}")
        if usable in made:
            return Failure("a map's key given twice")
        made[usable] = value
    return made


def make_list(*elements: Any) -> list[Any] | Failure:
    for element in elements:
        if element.__class__ is Failure:
            return element
    return list(elements)


def select(value: Any, field: str) -> Any:
    """`value.field`; of an optional an optional."""
    if value.__class__ is dict:
        return value[field] if field in value else Failure(f"no such key: {field}")
    if value.__class__ is Optional:
        if value is NONE:
            return NONE
        if value.value.__class__ is dict:
            return Optional(value.value[field]) if field in value.value else NONE
        value = value.value
    return (
        value
        if value.__class__ is Failure
        else Failure(f"no such key: {field} ({type_name(value)} has none)")
    )


def select_optional(value: Any, field: str) -> Optional | Failure:
    """`value.?field`: none where `value` is null or can't have it."""
    if value.__class__ is Optional:
        value = value.value
    if value.__class__ is Failure:
        return value
    return Optional(value[field]) if value.__class__ is dict and field in value else NONE


def field_or(value: Any, field: str, alternative: Any) -> Any:
    """`value.?field.orValue(alternative)`."""
    found = select_optional(value, field)
    return found if isinstance(found, Failure) else alternative if found is NONE else found.value


def has(value: Any, field: str) -> bool | Failure:
    """`has(value.field)`: an error where `value` is no map."""
    if value is NONE:
        return False
    if value.__class__ is Optional:
        value = value.value
    if value.__class__ is dict:
        return field in value
    return (
        value
        if value.__class__ is Failure
        else Failure(f"no such key: {field} ({type_name(value)} has none)")
    )


def index(value: Any, key: Any) -> Any:
    """`value[key]`; of an optional an optional."""
    if value.__class__ is Failure:
        return value
    if value is NONE:
        return key if key.__class__ is Failure else NONE
    if value.__class__ is Optional:
        item = _item(value.value, key)
        return item if item.__class__ is Failure and value.value.__class__ is not dict else _optional(item)
    return _item(value, key)


def index_optional(value: Any, key: Any) -> Optional | Failure:
    """`value[?key]`: none where `value` is null or can't have it."""
    for part in (value, key):
        if part.__class__ is Failure:
            return part
    return _optional(_item(value.value if value.__class__ is Optional else value, key))


def _optional(item: Any) -> Optional:
    return NONE if item.__class__ is Failure else Optional(item)


def _item(value: Any, key: Any) -> Any:
    usable = map_key(key)
    if value.__class__ is dict and usable is not None:
        # The key may be a customer's: it is not told.
        return value[usable] if usable in value else Failure("no such key")
    if value.__class__ is list and usable.__class__ is int:
        if 0 <= usable < len(value):
            return value[usable]
        return Failure(f"no such index: {usable} (the list has {len(value)})")
    return mismatch("{}[{}]", value, key)
