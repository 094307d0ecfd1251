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
from rule_engine.conditions.hopping import LAST
from rule_engine.machine import Machine, Output, RecordLike
from rule_engine.plan import COUNTED, RESOLVES, Occurrence
from rule_engine.rules.model import Ratio
from rule_engine.state import NEVER, pack, parts_of, row_key, unpack

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
        self._waiting: list[tuple[int, int, list[Any]]] = []  # by time and number: until the clock is later
        self._waited = 0
        self._rows: list[tuple[bytes, bytes | None]] = []
        self._forgotten: list[
            tuple[int, tuple[bytes, bytes | None]]
        ] = []  # before the transition of that number
        self._poison: list[tuple[int, str]] = []
        self._clocks_changed = False
        self._raw: dict[bytes, bytes] = {}

    @property
    def next_due_us(self) -> int:
        """Nothing happens before the clock is later than this."""
        return min(self.machine.next_due_us, self._waiting[0][0] if self._waiting else NEVER)

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
            told, self.machine.clock.now_us = unpack(clocks)
            self.clocks = {partition: (clock, idle) for partition, clock, idle in told}
        for key, value in raw.items():
            kind, *names = parts_of(key)
            if kind == "waiting":
                time_us, record = unpack(value)
                heappush(self._waiting, (time_us, names[0], record))
                self._waited = max(self._waited, names[0])
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
        rows, self._rows = self._rows, []
        rows += machine.take_rows()
        transitions, machine.life.out = machine.life.out, []
        if self._clocks_changed:
            self._clocks_changed = False
            told = [(partition, clock, idle) for partition, (clock, idle) in self.clocks.items()]
            rows.append((row_key("clocks"), pack([told, machine.clock.now_us])))
        poison, self._poison = self._poison, []
        said = [
            (number, verdict)
            for number, each in enumerate(transitions)
            if (verdict := self._verdict(each)) is not None
        ]
        forgotten, self._forgotten = self._forgotten, []
        verdicts = [verdict for _, verdict in sorted([*forgotten, *said], key=lambda each: each[0])]
        return Output(transitions=transitions, rows=rows, verdicts=verdicts, poison=poison)

    def _take_in(self, record: list[Any]) -> None:
        match record:
            case ["clock", partition, clock, idle]:
                self.clocks[partition] = (clock, idle)
                self._clocks_changed = True
                self._advance()
            case ["count", rule, _, _, slot]:
                plan = self.machine.plans.get(rule)
                if plan is not None and plan.rule.ends_by_event:
                    self._await(slot[LAST][0], record)
                else:
                    self._merge(record)
            case ["end", _, _, time_us, _, _, _]:
                self._await(time_us, record)
            case _:
                raise ValueError(f"unknown kind {record[0]!r}")

    def _await(self, time_us: int, record: list[Any]) -> None:
        """What counts and what makes a rule forget act in order of time, from whichever partitions they come."""
        now_us = self.machine.clock.now_us
        if now_us is not None and time_us < now_us:
            self._act(record)
            return
        self._waited += 1
        heappush(self._waiting, (time_us, self._waited, record))
        self._rows.append((row_key("waiting", self._waited), pack([time_us, record])))

    def _act(self, record: list[Any]) -> None:
        if record[0] == "end":
            self._end(record)
        else:
            self._merge(record)

    def _merge(self, record: list[Any]) -> None:
        _, rule, key, number, slot = record
        plan = self.machine.plans.get(rule)
        if plan is None:
            return
        matched_us = slot[LAST][0]
        row = self.machine.row(plan, None, partials.key_from(key))
        if row.memory is not None and matched_us < row.memory.time_us:
            return
        row.latest_us = max(row.latest_us, matched_us)
        row.matched_us = max(row.matched_us, matched_us)
        now_us = self.machine.clock.now_us
        plan.condition.merge(row, number, slot, matched_us if now_us is None else now_us)  # type: ignore[attr-defined]
        self.machine.settle(row)

    def _advance(self) -> None:
        """Move on to the least clock of the partitions that are not idle, or, if all are, to the latest."""
        if len(self.clocks) < self.sources:
            return
        busy = [clock for clock, idle in self.clocks.values() if not idle]
        known = [clock for clock, _ in self.clocks.values() if clock is not None]
        if NO_CLOCK in busy or not known:
            return
        reached = min(clock for clock in busy if clock is not None) if busy else max(known)
        while self._waiting and self._waiting[0][0] < reached:
            time_us, number, record = heappop(self._waiting)
            self._rows.append((row_key("waiting", number), None))
            self._move(time_us)
            self._act(record)
        self._move(reached)

    def _move(self, to_us: int) -> None:
        clock = self.machine.clock
        if clock.now_us is None or to_us > clock.now_us:
            clock.now_us = to_us
            self.machine.fire_due()

    def _end(self, record: list[Any]) -> None:
        _, rule, key, time_us, source, event, counted = record
        plan = self.machine.plans.get(rule)
        if plan is None:
            return
        at = None, partials.key_from(key)
        row = plan.rows.get(at)
        before = None if row is None or row.alert is not None else row.condition
        seen = Occurrence(time_us, event, source, None, ({}, {}, {}, None, {}))
        self.machine.act(plan, *at, RESOLVES | COUNTED if counted else RESOLVES, seen)
        if plan.rule.affected and before is not None and row is not None and row.condition is None:
            forgotten = ["forgotten", rule, key, "", time_us, 0, time_us, time_us, None, "event"]
            self._forgotten.append((len(self.machine.life.out), (row_key(rule, key), pack(forgotten))))

    def _verdict(self, transition: Transition) -> tuple[bytes, bytes | None] | None:
        """What the signals lanes have to know to tell the customers affected."""
        plan = self.machine.plans.get(transition.rule)
        if transition.state == "due" or (plan is not None and not plan.rule.affected):
            return None
        key = transition.key
        at_us = start_us = to_micros(transition.at)
        if plan is not None:  # else the rule is gone, and this its alert's end
            assert isinstance(plan.rule.condition, Ratio)
            start_us -= plan.rule.condition.within_us
        verdict = [
            transition.state, transition.rule, key, transition.alert, to_micros(transition.fired_at), transition.seq,
            at_us, start_us, transition.value, transition.how,
        ]  # fmt: skip
        return row_key(transition.rule, key), pack(verdict)
