"""Clocks: how far they are from UTC, and when that changes. All times are microseconds since the Unix epoch."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from contracts.times import EPOCH
from rule_engine.expressions.times import zone as zone_of
from rule_engine.intervals.errors import TooFarError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
CHUNK_DAYS = 64
CHUNK_US = CHUNK_DAYS * DAY_US
_EPOCH_DAY = EPOCH.toordinal()
# of a clock a day off from UTC, too, these days lie within the years 1 to 9999
FIRST_DAY, LAST_DAY = date.min.toordinal() - _EPOCH_DAY + 3, date.max.toordinal() - _EPOCH_DAY - 3


def known_zone(name: str | None) -> str:
    """The name itself if there is such a zone, else UTC."""
    return name if name and zone_of(name) is not None else "UTC"


def offset_us(zone: str, at_us: int) -> int:
    """What the clock of a zone that there is shows, less UTC. Raises TooFarError."""
    return next(offset for _, high, offset in _stretches(zone, at_us // CHUNK_US) if at_us < high)


def stretches(zone: str, from_us: int, to_us: int) -> Iterator[tuple[int, int, int]]:
    """[from, to) as stretches (from, to, offset) in which the zone's clock is as far from UTC. Raises TooFarError."""
    for number in range(from_us // CHUNK_US, -(-to_us // CHUNK_US)):
        for low, high, offset in _stretches(zone, number):
            if low < to_us and high > from_us:
                yield max(low, from_us), min(high, to_us), offset


@lru_cache(maxsize=8192)
def _stretches(zone: str, number: int) -> tuple[tuple[int, int, int], ...]:
    """Those of the so-manieth 64 days. No clock is changed twice in a day."""
    first = number * CHUNK_DAYS
    if not FIRST_DAY <= first <= LAST_DAY - CHUNK_DAYS:
        raise TooFarError
    there = zone_of(zone)
    assert there is not None
    found = []
    since = first * 86_400
    offset = _offset_s(there, since)
    for day in range(first, first + CHUNK_DAYS):
        after = _offset_s(there, (day + 1) * 86_400)
        if after != offset:
            changed = _change(there, day * 86_400, (day + 1) * 86_400, offset)
            found.append((since * SECOND_US, changed * SECOND_US, offset * SECOND_US))
            since, offset = changed, after
    if since < (first + CHUNK_DAYS) * 86_400:
        found.append((since * SECOND_US, (first + CHUNK_DAYS) * DAY_US, offset * SECOND_US))
    return tuple(found)


def _change(there: tzinfo, low: int, high: int, offset: int) -> int:
    """The second within (low, high] at which the clock, `offset` from UTC before, is changed."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(there, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset_s(there: tzinfo, at_s: int) -> int:
    offset = (EPOCH + timedelta(seconds=at_s)).astimezone(there).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)
