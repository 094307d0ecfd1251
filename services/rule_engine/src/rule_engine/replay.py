"""Rules over a list of events in one go, without Kafka or a wall clock: for tests of rules and for backtests."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from contracts.times import to_micros
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.globals import GlobalEngine
from rule_engine.partials import clock_record
from rule_engine.signals import read_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.alerts import Transition
    from rule_engine.machine import RecordLike
    from rule_engine.plan import Plan
    from rule_engine.rules.load import RuleSource


@dataclass(slots=True)
class Bytes:
    """A record without a broker."""

    value: bytes
    key: bytes | None = None
    offset: int = 0
    timestamp: int | None = None


class Replay:
    """One partition that holds all events, and the lane of its global rules.

    `transitions` grows as they happen: those of one time stand in no particular order between rules and keys.
    `refused` has the offset and the reason for each record that is no event.
    """

    def __init__(self, files: Mapping[str, RuleSource], *, allowed_lateness_us: int = 0) -> None:
        self.counters = Counters()
        self.transitions: list[Transition] = []
        self.refused: list[tuple[int, str]] = []
        self._lane = LaneEngine(0, self.counters, allowed_lateness_us=allowed_lateness_us)
        self._global = GlobalEngine(1, self.counters)
        self._lane.adopt(files)
        self._global.adopt(files)
        self._lateness_us = allowed_lateness_us
        self._with_globals = self._lane.has_global_rules

    @property
    def clock_us(self) -> int | None:
        return self._lane.clock_us

    def plan(self, rule_id: str) -> Plan:
        """Where the rule's rows are: for looking on."""
        plan = self._lane.machine.plans[rule_id]
        return self._global.machine.plans[rule_id] if plan.rule.scope == "global" else plan

    def feed(self, records: Sequence[RecordLike]) -> None:
        """The next events in order of arrival."""
        if self._with_globals:
            for record in records:
                self._feed_one(record)
        else:
            self._lane.run(records)
            self._exchange()

    def _feed_one(self, record: RecordLike) -> None:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # refused by the lane
            self._step_to(to_micros(read_head(record.value).time) - self._lateness_us)
        self._lane.run([record])
        self._exchange()

    def until(self, time_us: int) -> None:
        """Move the clock just past this time."""
        if self._with_globals:
            self._step_to(time_us + 1)
        self._lane.silent(time_us + 1)
        self._exchange()

    def _step_to(self, time_us: int) -> None:
        """What is due in between happens in order of time, here and in the global lane in turn."""
        while True:
            due_us = min(self._lane.machine.next_due_us, self._global.next_due_us)
            if due_us >= time_us or self.clock_us is None:
                return
            # the global lane first: at one time an alert ends before more comes due for those whom it affected
            self._judge([Bytes(clock_record(0, due_us + 1, idle=False))])
            self._lane.silent(due_us + 1)
            self._exchange()

    def _exchange(self) -> None:
        out = self._lane.take()
        self.transitions += out.transitions
        self.refused += out.poison
        if not self._with_globals:
            return
        records = [Bytes(value) for _, value in out.partials]
        clock = self._lane.clock_partial(idle=False)
        if clock is not None:
            records.append(Bytes(clock))
        self._judge(records)

    def _judge(self, records: list[Bytes]) -> None:
        self._global.run(records)
        judged = self._global.take()
        self.transitions += judged.transitions
        self._lane.hear([value for _, value in judged.verdicts if value is not None])
        self.transitions += self._lane.take().transitions
