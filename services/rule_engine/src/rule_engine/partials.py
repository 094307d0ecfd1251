"""What a partition counted for a global rule, on its way to the lane that owns the rule and key.

Three kinds of record on `engine.regrouped`, as msgpack arrays that begin with their kind:
`["count", rule, key, slot number, slot, matched time, kept]`, `["end", rule, key, time, source, id]` (an event of
`resolve_on`) and `["clock", partition, clock, idle]`. Every partition's clock goes to every partition of the topic, after
what was counted up to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rule_engine.conditions.windowed_ratio import Slot, add
from rule_engine.state import row_key

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import Kept, Key

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Partials:
    """The counts of one transaction, added up by rule, key and slot: a sum of sums is the same in any order."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Key, int], tuple[Slot, int, Kept | None]] = {}
        self._ends: list[tuple[bytes, bytes]] = []

    def count(self, plan: Plan, key: Key, number: int, slot: Slot, seen: Occurrence) -> None:
        at = (plan.rule.id, key, number)
        known = self._counts.get(at)
        kept = plan.keep(seen) if plan.keeps else None
        if known is None:
            self._counts[at] = (slot, seen.time_us, kept)
            return
        add(known[0], slot)
        if seen.time_us >= known[1]:
            self._counts[at] = (known[0], seen.time_us, kept)

    def end(self, plan: Plan, key: Key, seen: Occurrence) -> None:
        rule = plan.rule.id
        self._ends.append(
            (row_key(rule, key), _encode(["end", rule, key, seen.time_us, seen.source, seen.id]))
        )

    def take(self) -> list[tuple[bytes, bytes]]:
        """(key, value) of the records for `engine.regrouped` since the last call."""
        out = [
            (
                row_key(rule, key),
                _encode(
                    ["count", rule, key, number, slot, matched_us, None if kept is None else kept.packed()]
                ),
            )
            for (rule, key, number), (slot, matched_us, kept) in self._counts.items()
        ]
        out += self._ends
        self._counts, self._ends = {}, []
        return out


def clock_record(partition: int, clock_us: int | None, *, idle: bool) -> bytes:
    return _encode(["clock", partition, clock_us, idle])


def read(value: bytes) -> list[Any]:
    record: list[Any] = _decode(value)
    return record


def key_from(record_key: Any) -> Key:
    """A key as msgpack or JSON gives it back: a list stands for a tuple."""
    return tuple(record_key) if isinstance(record_key, list) else record_key
