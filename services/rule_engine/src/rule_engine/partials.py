"""What a partition counted for a global rule, on its way to the lane that owns the rule and key.

Three kinds of record on `engine.regrouped`, as msgpack arrays that begin with their kind:
`["count", rule, key, slot number, slot]`, `["end", rule, key, time, source, id, counted]` (an event of `resolve_on`) and
`["clock", partition, clock, idle]`. Every partition's clock goes to every partition of the topic, after what was counted
up to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rule_engine.conditions.hopping import LAST, Slot
from rule_engine.state import MAX_ROW_BYTES, pack, row_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import Key

_decode = msgspec.msgpack.Decoder().decode


class Partials:
    """What a transaction counted, added up by rule, key and slot: a sum of sums is the same in any order.

    Where an event of `resolve_on` forgets what is older, nothing is added up: each event stays in its place.
    No record is larger than a row may be. What of a slot's last event is kept for `vars` is left out where that makes it so,
    and the `vars` are null; with a key that is too long the event takes no part, and `isolated` counts it.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[Plan, Key, int], Slot] = {}
        self._in_order: list[tuple[bytes, bytes]] = []

    def count(self, plan: Plan, key: Key, number: int, slot: Slot) -> None:
        if plan.rule.ends_by_event:
            self._in_order += _count(plan, key, number, slot)
            return
        known = self._counts.get((plan, key, number))
        if known is None:
            self._counts[plan, key, number] = slot
        else:
            plan.condition.counted.add(known, slot)  # type: ignore[attr-defined]

    def end(self, plan: Plan, key: Key, seen: Occurrence, *, counted: bool) -> None:
        """`counted`: the event matches as well."""
        record = pack(["end", plan.rule.id, key, seen.time_us, seen.source, seen.id, counted])
        self._in_order += _bounded(plan, key, record)

    def take(self) -> list[tuple[bytes, bytes]]:
        """(key, value) of the records for `engine.regrouped` since the last call."""
        out = [record for at, slot in self._counts.items() for record in _count(*at, slot)] + self._in_order
        self._counts, self._in_order = {}, []
        return out


def _count(plan: Plan, key: Key, number: int, slot: Slot) -> Iterator[tuple[bytes, bytes]]:
    kind = ["count", plan.rule.id, key, number]
    record = pack([*kind, slot])
    if len(record) > MAX_ROW_BYTES:
        time_us, event, _ = slot[LAST]
        record = pack([*kind, [*slot[:LAST], [time_us, event, None]]])
    yield from _bounded(plan, key, record)


def _bounded(plan: Plan, key: Key, record: bytes) -> Iterator[tuple[bytes, bytes]]:
    name = row_key(plan.rule.id, key)
    if len(name) + len(record) > MAX_ROW_BYTES:
        plan.counters.isolated[plan.rule.id] += 1
        return
    yield name, record


def clock_record(partition: int, clock_us: int | None, *, idle: bool) -> bytes:
    return pack(["clock", partition, clock_us, idle])


def read(value: bytes) -> list[Any]:
    record: list[Any] = _decode(value)
    return record


def key_from(record_key: Any) -> Key:
    """A key as msgpack or JSON gives it back: a list stands for a tuple."""
    return tuple(record_key) if isinstance(record_key, list) else record_key
