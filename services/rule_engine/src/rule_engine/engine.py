"""One partition of `signals`: records in, transitions and changed rows out. Pure: no Kafka, no wall clock.

The same records in the same order give the same output, whatever the batches were.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.times import from_micros
from rule_engine.affected import Affected, AffectedStrategy
from rule_engine.conditions import strategy_of
from rule_engine.expressions import EvaluationError
from rule_engine.machine import Machine, Output, RecordLike
from rule_engine.partials import Partials, clock_record
from rule_engine.plan import MATCHES, RESOLVES, SELECTED, Arguments, Occurrence, Plan, Route, Routes
from rule_engine.rules.model import Ratio, Rule
from rule_engine.signals import Head, Signal, attributes, micros, read_head, read_signal, reader_of
from rule_engine.state import MAX_ROW_BYTES, pack, parts_of, row_key, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rule_engine.conditions.strategy import Strategy
    from rule_engine.counters import Counters
    from rule_engine.rules.load import RuleSource

EARLIEST_US, LATEST_US = (
    micros(datetime.min.replace(tzinfo=UTC)),
    micros(datetime.max.replace(tzinfo=UTC)),
)
PROFILE, ERASED = "customer.updated", "customer.erased"
MAX_ROUTES = 10_000  # distinct event types remembered; more begin anew


class LaneEngine:
    """All state of one partition of `signals` from its recovery on."""

    def __init__(self, partition: int, counters: Counters, *, allowed_lateness_us: int = 0) -> None:
        self.partition = partition
        self.counters = counters
        self.machine = Machine(counters, allowed_lateness_us, strategies=_strategy_of)
        self.affected = Affected(self.machine)
        self.partials = Partials()
        self.profiles: dict[str, Any] = {}
        self._routes: dict[str, Routes] = {}
        self._uses: frozenset[str] = frozenset()
        self._rows: list[tuple[bytes, bytes | None]] = []
        self._poison: list[tuple[int, str]] = []
        self._raw: dict[bytes, bytes] = {}
        self._told_clock: tuple[int | None, bool] | None = None
        self._clock_changed = False
        self._read_used: Callable[[bytes], Signal] = read_signal
        self._read: Callable[[bytes], Head] = read_signal

    @property
    def clock_us(self) -> int | None:
        return self.machine.clock.now_us

    @property
    def delay_us(self) -> int:
        return self.machine.clock.delay_us

    @property
    def has_global_rules(self) -> bool:
        return any(plan.rule.scope == "global" for plan in self.machine.plans.values())

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One record of the changelog, in the order in which it was written."""
        if value is None:
            self._raw.pop(key, None)
        else:
            self._raw[key] = value

    def begin(self) -> None:
        """After the last record of the changelog. Raises ValueError if a newer release wrote a row."""
        raw, self._raw = self._raw, {}
        for key, value in raw.items():
            kind, *names = parts_of(key)
            if kind == "profile":
                self.profiles[names[0]] = unpack(value)
            elif kind == "clock":
                self.machine.clock.now_us, self.machine.clock.delay_us = unpack(value)
            elif kind == "verdict":
                self.affected.restore(names, unpack(value))
        self.machine.restore(raw)
        self._know_rules()

    def adopt(self, files: Mapping[str, RuleSource]) -> None:
        """From here on these files are the rules; called between two batches."""
        before = {name: plan.rule.identity for name, plan in self.machine.plans.items()}
        self._rows += self.machine.adopt(files)
        now = {name: plan.rule.identity for name, plan in self.machine.plans.items()}
        self._rows += self.affected.retire({name for name in before if before[name] != now.get(name)})
        self._know_rules()

    def run(self, records: Sequence[RecordLike]) -> None:
        """Evaluate records of the partition, in their order."""
        machine = self.machine
        clock = machine.clock
        heap = machine.heap
        routes_of_type = self._routes
        wanted = whole = late = 0
        read = self._read
        for record in records:
            raw = record.value
            try:
                event = read(raw)
                routes = routes_of_type.get(event.type) or self._find_routes(event.type)
                if not routes.wanted:
                    signal = None
                elif routes.whole:
                    whole += 1
                    signal = event if event.__class__ is Signal else read_signal(raw)
                else:
                    signal = event if isinstance(event, Signal) else self._read_used(raw)
                time_us = micros(event.time)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError) as error:
                self._refuse(record.offset, f"not a CloudEvent in JSON: {error}")
                continue
            if not EARLIEST_US <= time_us <= LATEST_US:
                self._refuse(record.offset, "its time is none of the years 1 to 9999")
                continue
            stored_ms = record.timestamp
            moved = clock.saw(time_us, None if stored_ms is None else stored_ms * 1000)
            if moved:
                self._clock_changed = True
                if heap and heap[0][0] < time_us:
                    machine.fire_due()
            if signal is not None:
                wanted += 1
                self._evaluate(record.offset, raw, signal, time_us, routes)
            if not moved and clock.now_us is not None and time_us < clock.now_us:
                late += 1
                machine.fire_due()  # what a late event caused may be due already
        # what most events of a batch needed is likely what most of the next need: decoded at once, not after a look at the type
        if wanted * 2 <= len(records):
            self._read = read_head
        else:
            self._read = read_signal if whole * 2 > len(records) else self._read_used
        self.counters.events += len(records)
        self.counters.late_events += late

    def silent(self, clock_us: int) -> None:
        """The partition is silent, and the wall clock moved its clock."""
        if self.machine.clock.advance(clock_us):
            self.machine.fire_due()

    def hear(self, verdicts: Sequence[bytes]) -> None:
        """New records of `engine.globals`, in their order."""
        for verdict in verdicts:
            self._rows += self.affected.hear(verdict)
        self.machine.fire_due()

    def clock_partial(self, *, idle: bool) -> bytes | None:
        """The partition's clock, for every partition of `engine.regrouped`; None if nothing is new."""
        now_us = self.machine.clock.now_us
        if (now_us, idle) == self._told_clock:
            return None
        self._told_clock = (now_us, idle)
        return clock_record(self.partition, now_us, idle=idle)

    def take(self) -> Output:
        """Everything since the last call, for one transaction."""
        machine = self.machine
        rows, self._rows = self._rows, []
        rows += machine.take_rows()
        transitions, machine.life.out = machine.life.out, []
        poison, self._poison = self._poison, []
        if self._clock_changed or (rows and machine.clock.now_us is not None):
            self._clock_changed = False
            rows.append((row_key("clock"), pack([machine.clock.now_us, machine.clock.delay_us])))
        return Output(transitions=transitions, rows=rows, partials=self.partials.take(), poison=poison)

    def _know_rules(self) -> None:
        plans = self.machine.plans.values()
        self._routes.clear()
        self._uses = frozenset[str]().union(*(plan.uses for plan in plans))
        self._read_used = reader_of(frozenset[str]().union(*(plan.data_fields or () for plan in plans)))
        self._read = self._read_used

    def _find_routes(self, type_name: str) -> Routes:
        if len(self._routes) >= MAX_ROUTES:
            self._routes.clear()
        routes = Routes(self.machine.plans.values(), type_name)
        if type_name in (PROFILE, ERASED):
            routes.wanted = routes.whole = True
        self._routes[type_name] = routes
        return routes

    def _refuse(self, offset: int, reason: str) -> None:
        self.counters.poison += 1
        self._poison.append((offset, reason))

    def _evaluate(self, offset: int, raw: bytes, signal: Signal, time_us: int, routes: Routes) -> None:
        uses = self._uses
        customer = signal.customerid
        event = attributes(raw, time_us) if "event" in uses else None
        data = {} if signal.data is None else signal.data
        profile = self.profiles.get(customer, {}) if customer is not None else {}
        now = from_micros(time_us) if "now" in uses else None
        previous: dict[str, Any] = {}
        arguments: Arguments = (event, data, profile, now, previous)
        seen = Occurrence(time_us, signal.id, signal.source, customer, arguments)
        if customer is not None:
            match = self.machine.match
            keys: dict[Any, Any] = {}  # by group_by, which rules often share
            for plan in routes.simple:
                try:
                    if plan.where is None or plan.where(event, data, profile, now, previous):
                        at = keys.get(plan.group_by)
                        if at is None:
                            at = keys[plan.group_by] = (customer, plan.key(seen))
                        match(plan, at, seen)
                except EvaluationError:
                    self.counters.expression_errors[plan.rule.id] += 1
                except (
                    Exception
                ) as error:  # a bug of ours in one rule must not stop the others, nor the partition
                    self._isolate(plan, offset, error)
        for route in routes.others:
            try:
                self._meet(route, seen)
            except Exception as error:  # as above
                self._isolate(route.plan, offset, error)
        if signal.type == PROFILE:
            self._remember_profile(offset, signal)
        elif signal.type == ERASED:
            self._forget_customer(customer)

    def _isolate(self, plan: Plan, offset: int, error: Exception) -> None:
        self.counters.isolated[plan.rule.id] += 1
        self._refuse(offset, f"rule {plan.rule.id} failed: {type(error).__name__}: {error}")

    def _meet(self, route: Route, seen: Occurrence) -> None:
        plan = route.plan
        if plan.rule.scope == "global":
            self._count(route, seen)
        elif seen.customer is not None:
            for key, roles in route.roles(seen).items():
                self._act(plan, seen.customer, key, roles, seen)

    def _act(self, plan: Plan, customer: str, key: Any, roles: int, seen: Occurrence) -> None:
        if plan.uses_previous:
            seen = plan.after_previous(seen, key)
        if roles & SELECTED:
            roles |= plan.role(seen)
        if roles != SELECTED:
            self.machine.act(plan, customer, key, roles, seen)
        elif plan.uses_previous:
            self.machine.pass_by(plan, customer, key, seen)

    def _count(self, route: Route, seen: Occurrence) -> None:
        """A global rule: counted here, judged where its key lives."""
        plan = route.plan
        for key, picked in route.roles(seen).items():
            roles = picked | plan.role(seen) if picked & SELECTED else picked
            counted = bool(roles & MATCHES)
            if roles & RESOLVES:
                self.partials.end(plan, key, seen, counted=counted)
            if counted:
                plan.matched += 1
                number, slot = plan.condition.counted.slot(plan, seen)  # type: ignore[attr-defined]
                self.partials.count(plan, key, number, slot)
                if plan.rule.affected and slot[1] and seen.customer is not None:
                    self.affected.saw(plan, seen.customer, key, seen)

    def _remember_profile(self, offset: int, signal: Signal) -> None:
        customer = signal.customerid
        if customer is None or not isinstance(signal.data, dict):
            return
        value = pack(signal.data)
        if len(value) > MAX_ROW_BYTES:
            self._refuse(
                offset, f"a profile of {len(value):,} bytes; at most {MAX_ROW_BYTES:,} are remembered"
            )
            return
        self.profiles[customer] = signal.data
        self._rows.append((row_key("profile", customer), value))

    def _forget_customer(self, customer: str | None) -> None:
        if customer is None:
            return
        if self.profiles.pop(customer, None) is not None:
            self._rows.append((row_key("profile", customer), None))
        for plan in self.machine.plans.values():
            for row in [row for row in plan.rows.values() if row.customer == customer]:
                self.machine.forget(row)


def _strategy_of(rule: Rule) -> Strategy:
    """Global rules are judged elsewhere; what a partition of signals decides is which of its customers are affected."""
    if rule.scope == "global":
        assert isinstance(rule.condition, Ratio)
        return AffectedStrategy(rule.condition)
    return strategy_of(rule)
