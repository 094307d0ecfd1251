"""What a partition counted for a global rule, on its way to the lane that owns the rule and key.

Three kinds of record on `engine.regrouped`, as msgpack arrays that begin with their kind:
`["count", rule, key, slot number, slot]`, `["end", rule, key, time, source, id, counted]` (an event of `resolve_on`) and
`["clock", partition, clock, idle]`. Every partition's clock goes to every partition of the topic, after what was counted
up to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rule_engine.conditions.windowed_ratio import Slot, add
from rule_engine.state import pack, row_key

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import Key

_decode = msgspec.msgpack.Decoder().decode


class Partials:
    """What a transaction counted, added up by rule, key and slot: a sum of sums is the same in any order.

    Where an event of `resolve_on` forgets what is older, nothing is added up: each event stays in its place.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Key, int], Slot] = {}
        self._in_order: list[tuple[bytes, bytes]] = []

    def count(self, plan: Plan, key: Key, number: int, slot: Slot) -> None:
        rule = plan.rule.id
        if plan.rule.resolve_on:
            self._in_order.append(_count(rule, key, number, slot))
            return
        known = self._counts.get((rule, key, number))
        if known is None:
            self._counts[rule, key, number] = slot
        else:
            add(known, slot)

    def end(self, plan: Plan, key: Key, seen: Occurrence, *, counted: bool) -> None:
        """`counted`: the event matches as well."""
        rule = plan.rule.id
        self._in_order.append(
            (row_key(rule, key), pack(["end", rule, key, seen.time_us, seen.source, seen.id, counted]))
        )

    def take(self) -> list[tuple[bytes, bytes]]:
        """(key, value) of the records for `engine.regrouped` since the last call."""
        out = [_count(*at, slot) for at, slot in self._counts.items()] + self._in_order
        self._counts, self._in_order = {}, []
        return out


def _count(rule: str, key: Key, number: int, slot: Slot) -> tuple[bytes, bytes]:
    return row_key(rule, key), pack(["count", rule, key, number, slot])


def clock_record(partition: int, clock_us: int | None, *, idle: bool) -> bytes:
    return pack(["clock", partition, clock_us, idle])


def read(value: bytes) -> list[Any]:
    record: list[Any] = _decode(value)
    return record


def key_from(record_key: Any) -> Key:
    """A key as msgpack or JSON gives it back: a list stands for a tuple."""
    return tuple(record_key) if isinstance(record_key, list) else record_key
