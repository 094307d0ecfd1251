"""Sums that are the same in whatever order their parts are added up: partitions and slots add up in any.

A sum is an int as long as all of it are ints within 64 bits; else the floats of an expansion, which do not overlap and whose
exact sum it is (J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Number = int | float
Sum = int | list[float]

_MOST = 1 << 63


def sum_of(value: Number) -> Sum:
    return value if isinstance(value, int) else [value]


def add(one: Sum, other: Sum) -> Sum:
    if isinstance(one, int) and isinstance(other, int) and -_MOST <= one + other < _MOST:
        return one + other
    total = list(_floats(one))
    for value in _floats(other):
        total = _grown(total, value)
    return total


def value_of(total: Sum) -> Number:
    """Rounded once; infinite beyond a double."""
    if isinstance(total, int):
        return total
    try:
        return math.fsum(total)
    except (OverflowError, ValueError):
        return sum(total)


def value_of_all(values: Sequence[Number]) -> Number:
    """The sum of the values themselves."""
    if all(isinstance(value, int) for value in values):
        total = sum(values)
        return total if -_MOST <= total < _MOST else float(total)
    return value_of(list(map(float, values)))


def _floats(total: Sum) -> list[float]:
    if not isinstance(total, int):
        return total
    high = float(total)
    return [float(total - int(high)), high]


def _grown(total: list[float], value: float) -> list[float]:
    grown = []
    for part in total:
        high, low = (value, part) if abs(value) > abs(part) else (part, value)
        value = high + low
        if not math.isfinite(value):
            return [value]
        rest = low - (value - high)
        if rest:
            grown.append(rest)
    return [*grown, value]
