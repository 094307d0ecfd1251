"""One partition of `engine.regrouped`: counts of all partitions merged by rule and key, and judged when each has passed.

Pure, like the engine of a partition of signals.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.times import to_micros
from rule_engine import partials
from rule_engine.conditions import strategy_of
from rule_engine.machine import Machine, Output, RecordLike
from rule_engine.plan import RESOLVES, Occurrence
from rule_engine.rules.model import Ratio
from rule_engine.state import Kept, pack, row_key, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.alerts import Transition
    from rule_engine.counters import Counters
    from rule_engine.rules.load import RuleSource

NO_CLOCK = None


class GlobalEngine:
    """The global rules' state for the keys of one partition. `sources` is the number of partitions of `signals`."""

    def __init__(self, sources: int, counters: Counters) -> None:
        self.sources = sources
        self.counters = counters
        self.machine = Machine(counters, strategies=strategy_of, scope="global")
        self.clocks: dict[int, tuple[int | None, bool]] = {}
        self._ends: list[tuple[int, int, list[Any]]] = []
        self._ended = 0
        self._rows: list[tuple[bytes, bytes | None]] = []
        self._poison: list[tuple[int, str]] = []
        self._clocks_changed = False
        self._raw: dict[bytes, bytes] = {}

    def restore(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self._raw.pop(key, None)
        else:
            self._raw[key] = value

    def begin(self) -> None:
        """After the last record of the changelog. Raises ValueError if a newer release wrote a row."""
        raw, self._raw = self._raw, {}
        clocks = raw.pop(row_key("clocks"), None)
        if clocks is not None:
            told, self.machine.clock.now_us, ends = unpack(clocks)
            self.clocks = {partition: (clock, idle) for partition, clock, idle in told}
            for record in ends:
                self._await_end(record)
        self.machine.restore(raw)

    def adopt(self, files: Mapping[str, RuleSource]) -> None:
        self._rows += self.machine.adopt(files)

    def run(self, records: Sequence[RecordLike]) -> None:
        for record in records:
            try:
                self._take_in(partials.read(record.value))
            except (msgspec.MsgspecError, ValueError, TypeError, IndexError) as error:
                self.counters.poison += 1
                self._poison.append((record.offset, f"not a record of the engine: {error}"))

    def take(self) -> Output:
        """Everything since the last call, for one transaction."""
        machine = self.machine
        transitions, machine.life.out = machine.life.out, []
        rows, self._rows = self._rows, []
        rows += machine.take_rows()
        if self._clocks_changed:
            self._clocks_changed = False
            told = [(partition, clock, idle) for partition, (clock, idle) in self.clocks.items()]
            ends = [record for _, _, record in self._ends]
            rows.append((row_key("clocks"), pack([told, machine.clock.now_us, ends])))
        poison, self._poison = self._poison, []
        verdicts = [verdict for each in transitions if (verdict := self._verdict(each)) is not None]
        return Output(transitions=transitions, rows=rows, verdicts=verdicts, poison=poison)

    def _take_in(self, record: list[Any]) -> None:
        match record:
            case ["clock", partition, clock, idle]:
                self.clocks[partition] = (clock, idle)
                self._clocks_changed = True
                self._advance()
            case ["count", rule, key, number, slot, matched_us, kept]:
                self._merge(rule, partials.key_from(key), number, slot, matched_us, kept)
            case ["end", *_]:
                self._await_end(record)
                self._clocks_changed = True
            case _:
                raise ValueError(f"unknown kind {record[0]!r}")

    def _merge(self, rule: str, key: Any, number: int, slot: Any, matched_us: int, kept: Any) -> None:
        plan = self.machine.plans.get(rule)
        if plan is None:
            return
        row = self.machine.row(plan, None, key)
        row.latest_us = max(row.latest_us, matched_us)
        if matched_us >= row.matched_us:
            row.matched_us = matched_us
            row.kept = None if kept is None else Kept.unpacked(kept)
        now_us = self.machine.clock.now_us
        plan.condition.merge(row, number, slot, matched_us if now_us is None else now_us)  # type: ignore[attr-defined]
        self.machine.settle(row)

    def _await_end(self, record: list[Any]) -> None:
        self._ended += 1
        heappush(self._ends, (record[3], self._ended, record))

    def _advance(self) -> None:
        """Move on to the least clock of the partitions that are not idle, or, if all are, to the latest."""
        if len(self.clocks) < self.sources:
            return
        busy = [clock for clock, idle in self.clocks.values() if not idle]
        known = [clock for clock, _ in self.clocks.values() if clock is not None]
        if NO_CLOCK in busy or not known:
            return
        reached = min(clock for clock in busy if clock is not None) if busy else max(known)
        clock = self.machine.clock
        while self._ends and self._ends[0][0] < reached:
            time_us, _, record = heappop(self._ends)
            self._move(max(time_us, clock.now_us or time_us))
            self._end(record)
        self._move(reached)

    def _move(self, to_us: int) -> None:
        clock = self.machine.clock
        if clock.now_us is None or to_us > clock.now_us:
            clock.now_us = to_us
            self.machine.fire_due()

    def _end(self, record: list[Any]) -> None:
        _, rule, key, time_us, source, event = record
        plan = self.machine.plans.get(rule)
        if plan is not None:
            seen = Occurrence(time_us, event, source, None, ({}, {}, {}, None, {}))
            self.machine.act(plan, None, partials.key_from(key), RESOLVES, seen)

    def _verdict(self, transition: Transition) -> tuple[bytes, bytes | None] | None:
        """What the signals lanes have to know to tell the customers affected."""
        plan = self.machine.plans.get(transition.rule)
        if transition.state == "due" or plan is None or not plan.rule.affected:
            return None
        condition = plan.rule.condition
        assert isinstance(condition, Ratio)
        key = transition.key
        at_us = to_micros(transition.at)
        verdict = [
            transition.state, transition.rule, key, transition.alert, to_micros(transition.fired_at), transition.seq,
            at_us, at_us - condition.within_us, transition.value, transition.how,
        ]  # fmt: skip
        return row_key(transition.rule, key), pack(verdict)
