"""Quantiles of many values: exact of up to 1,000, beyond that within 1 %, in little room, and mergeable in any order.

The sketch is DDSketch (C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", PVLDB 12(12), 2019): values are counted in buckets each of which ends 2 % beyond where it begins,
so that the middle of one is off by at most 0.99 % of any value in it. Written here, in the few lines that it takes without
bounds on the number of buckets (there are 75,000 for all doubles of one sign), because it is to be written as msgpack.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXACT = 1_000
Number = int | float
Buckets = dict[int, int]  # how many values by bucket; the numbers of buckets are in the order of their values
Values = list[Number] | Buckets

_GROWTH = 1.02
_LOG = math.log(_GROWTH)
_ONE = 40_000  # the bucket that ends with 1; more than there are below it. 0 is the bucket of 0
_MIDDLE = math.log(2 / (_GROWTH + 1))
_LARGEST = math.log(1.79e308)


def added(values: Values, more: Values) -> Values:
    """Two parts as one; the first may be changed."""
    if isinstance(values, list) and isinstance(more, list):
        values += more
        return values if len(values) <= EXACT else bucketed(values)
    buckets = bucketed(values)
    for bucket, count in bucketed(more).items():
        buckets[bucket] = buckets.get(bucket, 0) + count
    return buckets


def bucketed(values: Values) -> Buckets:
    if isinstance(values, dict):
        return values
    buckets: Buckets = {}
    for value in values:
        bucket = _bucket(value)
        buckets[bucket] = buckets.get(bucket, 0) + 1
    return buckets


def quantile(percent: int, parts: Sequence[Values], count: int) -> Number:
    """The ⌊percent (count-1) / 100⌋-th smallest, from 0, of all values of the parts; of so many there are."""
    rank = percent * (count - 1) // 100
    lists = [part for part in parts if isinstance(part, list)]
    if len(lists) == len(parts) and count <= EXACT:
        return sorted(value for part in lists for value in part)[rank]
    return _middle(_bucket_at(rank, [bucketed(part) for part in parts]))


def _bucket_at(rank: int, parts: Iterable[Buckets]) -> int:
    counts: Buckets = {}
    for part in parts:
        for bucket, count in part.items():
            counts[bucket] = counts.get(bucket, 0) + count
    bucket = 0
    for bucket in sorted(counts):
        rank -= counts[bucket]
        if rank < 0:
            break
    return bucket


def _bucket(value: Number) -> int:
    if value == 0:
        return 0
    number = _ONE + math.ceil(math.log(abs(value)) / _LOG)
    return number if value > 0 else -number


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    return math.copysign(math.exp(min((abs(bucket) - _ONE) * _LOG + _MIDDLE, _LARGEST)), bucket)
