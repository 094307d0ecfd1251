"""Rows, what is due in them and when, and which have changed: what a lane of signals and a global lane have in common."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, Protocol

from rule_engine.clock import EventClock
from rule_engine.lifecycle import Lifecycle
from rule_engine.partials import key_from
from rule_engine.plan import (
    CANCELS,
    COUNTED,
    EXPECTED,
    FALSIFIES,
    MATCHES,
    PAUSES,
    RESOLVES,
    RESUMES,
    SELECTED,
    Occurrence,
    Plan,
)
from rule_engine.rules.load import RuleSource, load_written, written
from rule_engine.rules.model import DAY_US, RuleFileError
from rule_engine.state import (
    MAX_ROW_BYTES,
    NEVER,
    PAST,
    Key,
    KeyState,
    Memory,
    pack,
    parts_of,
    row_key,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.alerts import Transition
    from rule_engine.conditions.strategy import Strategy
    from rule_engine.counters import Counters
    from rule_engine.rules.model import Rule

PREVIOUS_US = 90 * DAY_US
AT_ONCE = CANCELS | RESOLVES | EXPECTED
ENDS = AT_ONCE | FALSIFIES
HELD_US = 7 * DAY_US  # so long `for` goes on for a key of which nothing else is left


class RecordLike(Protocol):
    """A Kafka record as aiokafka's own have it; `timestamp` is the broker's, in milliseconds, None where there is no broker."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None: ...


@dataclass(slots=True)
class Output:
    """What one step caused; all of it goes into one Kafka transaction.

    `rows` and `verdicts` are compacted records, None a tombstone; `poison` is (offset, reason).
    """

    transitions: list[Transition] = field(default_factory=list)
    rows: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    partials: list[tuple[bytes, bytes]] = field(default_factory=list)
    verdicts: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    poison: list[tuple[int, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.transitions or self.rows or self.partials or self.verdicts or self.poison)


class Machine:
    """Steps rows on. An event acts when it arrives, after what was due for its key; the clock fires the rest in order of time."""

    def __init__(
        self, counters: Counters, allowed_lateness_us: int = 0, *,
        strategies: Callable[[Rule], Strategy], scope: Literal["all", "global"] = "all",
    ) -> None:  # fmt: skip
        self.counters = counters
        self.files: dict[str, RuleSource] = {}
        self._strategies = strategies
        self._scope = scope
        self.clock = EventClock(allowed_lateness_us)
        self.life = Lifecycle(counters)
        self.plans: dict[str, Plan] = {}
        self.changed: list[KeyState] = []
        self._gone: list[tuple[bytes, bytes | None]] = []
        self.heap: list[tuple[int, int, KeyState]] = []
        self._pushed = 0

    @property
    def next_due_us(self) -> int:
        """Nothing is due before this time; NEVER if nothing is waiting."""
        return self.heap[0][0] if self.heap else NEVER

    def restore(self, rows: Mapping[bytes, bytes]) -> None:
        """The changelog's newest value of each key: rule files and rows of keys. Raises ValueError on a newer format."""
        keyed = []
        for key, value in rows.items():
            kind, *names = parts_of(key)
            if kind == "rules":
                self._restore_file(names[0], unpack(value))
            elif kind == "key":
                keyed.append((names, value))
        for rule in self._rules().values():
            self.replace_plan(rule)
        for (rule_id, customer, key), value in keyed:
            plan = self.plans.get(rule_id)
            if plan is not None:
                row = KeyState(plan, customer, key_from(key))
                row.restore(value)
                row.stored = True
                plan.rows[customer, row.key] = row
                self._place(row)
        for plan in self.plans.values():
            plan.fading = deque(sorted(plan.fading, key=attrgetter("queued_us")))

    def adopt(self, files: Mapping[str, RuleSource]) -> list[tuple[bytes, bytes | None]]:
        """From here on these files are the rules. The changelog records that say so."""
        self._count_matched()
        rows: list[tuple[bytes, bytes | None]] = [
            (row_key("rules", name), None) for name in self.files.keys() - files.keys()
        ]
        for name, source in files.items():
            known = self.files.get(name)
            if known is None or written(known) != written(source):
                rows.append((row_key("rules", name), pack(written(source))))
        self.files = dict(files)
        rules = self._rules()
        for plan in list(self.plans.values()):
            if plan.rule.id not in rules:
                self.retire(plan)
        for rule in rules.values():
            self.replace_plan(rule)
        return rows

    def _rules(self) -> dict[str, Rule]:
        every = (rule for source in self.files.values() for rule in source.rules)
        return {rule.id: rule for rule in every if rule.mode != "off" and self._scope in ("all", rule.scope)}

    def _restore_file(self, name: str, stored: str | list[str]) -> None:
        try:
            self.files[name] = load_written(stored, name)
        except (
            RuleFileError
        ):  # an older release took what this one does not: its rules are gone until they are pushed anew
            self.counters.isolated[name] += 1

    def replace_plan(self, rule: Rule) -> Plan:
        """Put a rule in the place of its former version (docs/rule-language.md, "A changed rule")."""
        former = self.plans.pop(rule.id, None)
        if former is not None and former.rule.version == rule.version:
            self.plans[rule.id] = former
            return former
        if former is not None and former.rule.identity != rule.identity:
            self.retire(former)
            former = None
        plan = self.plans[rule.id] = Plan(rule, self.counters, self._strategies(rule))
        if former is not None:
            anew = former.rule.meaning != rule.meaning
            for row in list(former.rows.values()):
                self._hand_over(row, plan, anew=anew)
        return plan

    def retire(self, plan: Plan) -> None:
        """A rule that is removed, off, or has become another one: its alerts end silently, its rows go."""
        at_us = self.clock.now_us
        for row in list(plan.rows.values()):
            self.life.end(row, row.latest_us if at_us is None else max(at_us, row.latest_us))
            self._drop(row)
        self.plans.pop(plan.rule.id, None)

    def _hand_over(self, row: KeyState, plan: Plan, *, anew: bool) -> None:
        row.plan = plan
        row.queued_us = NEVER  # the queue of what fades was the former version's
        plan.rows[row.customer, row.key] = row
        now_us = self.clock.now_us
        if anew:
            row.condition, row.kept, row.held, row.previous = None, None, None, None
            row.since_us = None if row.alert is None else now_us
            if row.alert is not None:
                row.alert.falls_us = NEVER
        self.life.edited(row, row.latest_us if now_us is None else now_us)
        self.settle(row)

    def match(self, plan: Plan, at: tuple[str, Key], seen: Occurrence) -> None:
        """What `act` does for an event that matches and has no other role: most of what ever happens."""
        if plan.stateless:
            self._match_once(plan, at, seen)
            return
        row = plan.rows.get(at)
        time_us = seen.time_us
        if row is not None and row.fades_us != NEVER:
            row = self._known(plan, at)
        new = row is None
        if row is None:
            row = plan.rows[at] = KeyState(plan, *at)
        elif row.wake_us < time_us or time_us < row.latest_us or row.memory is not None:
            self.act(plan, *at, MATCHES, seen)
            return
        row.latest_us = row.matched_us = time_us
        plan.matched += 1
        if plan.keeps and not plan.waits_for_clock:
            row.kept = plan.keep(seen)
        try:
            plan.condition.matched(row, seen, time_us, self.clock.now_us or time_us, self.life)
        except Exception:
            self._give_up(row)
            raise
        if (
            (new or row.fades_us != NEVER)
            and plan.condition.fades
            and row.alert is None
            and row.held is None
            and row.condition is not None
        ):
            row.fades_us = due_us = plan.condition.due_us(row)
            if new:
                row.queued_us = due_us
                plan.fading.append(row)
            if not row.dirty:
                row.dirty = True
                self.changed.append(row)
        else:
            self.settle(row)

    def _match_once(self, plan: Plan, at: tuple[str, Key], seen: Occurrence) -> None:
        plan.matched += 1
        once = KeyState(plan, *at)
        once.latest_us = once.matched_us = seen.time_us
        plan.condition.matched(once, seen, seen.time_us, seen.time_us, self.life)

    def act(self, plan: Plan, customer: str | None, key: Key, roles: int, seen: Occurrence) -> None:
        """One event does, in this order: cancel, disarm and resolve; then resume, count or arm, pause; then fire."""
        known = self._known(plan, (customer, key))
        if known is not None and known.wake_us < seen.time_us:
            self._catch_up(known, seen.time_us)
        row = self.row(plan, customer, key)
        try:
            self._act(row, roles, seen)
            self.settle(row)
        except Exception:
            self._give_up(row)
            raise

    def _act(self, row: KeyState, roles: int, seen: Occurrence) -> None:
        plan = row.plan
        time_us = seen.time_us
        at_us = max(row.latest_us, time_us)
        row.latest_us = at_us
        if roles & ENDS:
            self._end_by_event(row, roles, seen, at_us)
        if roles & RESUMES:
            plan.condition.resumed(row, seen, at_us)  # type: ignore[attr-defined]
        if roles & MATCHES and (row.memory is None or row.memory.time_us <= time_us):
            plan.matched += 1
            if time_us >= row.matched_us:
                row.matched_us = time_us
                if plan.keeps and not plan.waits_for_clock:
                    row.kept = plan.keep(seen)
            plan.condition.matched(row, seen, at_us, self.clock.now_us or time_us, self.life)
        if roles & PAUSES:
            plan.condition.paused(row, seen)  # type: ignore[attr-defined]
        if roles & SELECTED:
            self._remember_previous(row, seen)

    def pass_by(self, plan: Plan, customer: str, key: Key, seen: Occurrence) -> None:
        """An event that `on` selects and `where` does not: all it can be is the next one's `previous`."""
        row = self.row(plan, customer, key)
        self._remember_previous(row, seen)
        self.settle(row)

    def _known(self, plan: Plan, at: tuple[str | None, Key]) -> KeyState | None:
        """The key's row, unless it has faded: when it is swept away can't be seen."""
        row = plan.rows.get(at)
        if row is not None and row.fades_us != NEVER and self._passed(row.fades_us):
            self._drop(row)
            return None
        return row

    def row(self, plan: Plan, customer: str | None, key: Key) -> KeyState:
        row = self._known(plan, (customer, key))
        if row is None:
            row = plan.rows[customer, key] = KeyState(plan, customer, key)
        return row

    @staticmethod
    def _remember_previous(row: KeyState, seen: Occurrence) -> None:
        if row.plan.uses_previous and (row.previous is None or seen.time_us >= row.previous[0]):
            row.previous = (seen.time_us, seen.arguments[1])

    def remember(self, plan: Plan, customer: str, key: Key, seen: Occurrence) -> KeyState:
        """A matching event that by itself fires nothing."""
        self.act(plan, customer, key, MATCHES, seen)
        return self.row(plan, customer, key)

    def forget(self, row: KeyState) -> None:
        """A customer was erased: what fires ends silently, and the row goes."""
        self.life.end(row, max(row.latest_us, self.clock.now_us or row.latest_us))
        self._drop(row)

    def fire_due(self) -> None:
        """Everything that is due before the clock, in order of time."""
        now_us = self.clock.now_us
        heap = self.heap
        while heap and now_us is not None and heap[0][0] < now_us:
            due_us, _, row = heappop(heap)
            if row.wake_us == due_us and not row.dropped:
                self._step(row, due_us)
                if row.wake_us <= due_us and not row.dropped:  # a bug of ours: it would be due for ever
                    self.counters.isolated[row.plan.rule.id] += 1
                    self._give_up(row)

    def take_rows(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records of all rows that changed since the last call."""
        self._count_matched()
        self._sweep()
        out, self._gone = (
            self._gone,
            [],
        )  # first: a key that came back in the same batch is written after its tombstone
        changed, self.changed = self.changed, []
        for row in changed:
            row.dirty = False
            if row.dropped:
                continue
            value = row.packed()
            if len(value) > MAX_ROW_BYTES:
                self.counters.isolated[row.plan.rule.id] += 1
                self._give_up(row)
                continue
            row.stored = True
            out.append((row.name, value))
        out += self._gone
        self._gone = []
        return out

    def _end_by_event(self, row: KeyState, roles: int, seen: Occurrence, at_us: int) -> None:
        rule = row.plan.rule
        time_us = seen.time_us
        if roles & FALSIFIES:
            row.plan.condition.falsified(row, time_us)  # type: ignore[attr-defined]
        remembered = not roles & (MATCHES | COUNTED)
        ended = self._ended(row, roles, time_us, seen, at_us)
        if not ended and roles & EXPECTED and remembered:
            # sources race: the expected event may be a little older than the one that armed the key
            ended = self._ended(row, roles, time_us + rule.lookback_us, seen, at_us)
        if not remembered or self._passed(time_us + rule.lookback_us):
            return
        if row.memory is None or time_us >= row.memory.time_us:
            row.memory = Memory(time_us, unanswered=bool(roles & EXPECTED) and not ended)

    def _ended(self, row: KeyState, roles: int, reach_us: int, seen: Occurrence, at_us: int) -> bool:
        ended = row.plan.condition.ended_by(row, seen.time_us, reach_us)
        if ended or (row.held is not None and row.matched_us <= reach_us):
            ended, row.held = True, None
        if row.alert is not None and reach_us >= (
            row.matched_us if row.alert.armed_us is None else row.alert.armed_us
        ):
            if row.plan.rule.keep_firing_for_us and not roles & AT_ONCE:
                self.life.falling(row, at_us, None)
            else:
                self.life.resolve(row, at_us, None, "event", (seen.source, seen.id))
            ended = True
        return ended

    def _catch_up(self, row: KeyState, time_us: int) -> None:
        """What is due for a key before an event of its own that is ahead of the clock."""
        while not row.dropped and (due_us := self._acting_us(row)) < time_us:
            if row.plan.waits_for_clock and row.plan.condition.due_us(row) <= due_us:
                return
            self._step(row, due_us)

    def _step(self, row: KeyState, due_us: int) -> None:
        try:
            self._elapse(row, due_us)
            self.settle(row, rising=True)
        except Exception:  # a bug of ours in one rule must not stop the others, nor the partition for ever
            self.counters.isolated[row.plan.rule.id] += 1
            self._give_up(row)

    def _give_up(self, row: KeyState) -> None:
        """Half a step was made, and nobody knows which: the key is forgotten, and all others go on."""
        with suppress(Exception):
            self.life.end(row, row.latest_us)
        self._drop(row)

    def _elapse(self, row: KeyState, at_us: int) -> None:
        """At one time come first what makes conditions true or false, then what waits to be so for long enough and cooldowns,
        then entries of `notify`.
        """
        plan = row.plan
        plan.condition.elapsed(row, at_us, self.life)
        if row.bare:
            return
        if self.life.waited(row, at_us):
            plan.condition.elapsed(row, at_us, self.life)
        if row.held is not None and self._acting_us(row) <= at_us:
            row.held = None
        if self.life.elapsed(row, at_us):
            plan.condition.ended_by(row, at_us, NEVER)
        if row.memory is not None and self._passed(row.memory.time_us + plan.rule.lookback_us):
            row.memory = None
        if row.previous is not None and self._passed(row.previous[0] + PREVIOUS_US):
            row.previous = None

    def _passed(self, time_us: int) -> bool:
        """What is remembered for events that are late is remembered until the clock, and not the key's own time, is later."""
        return self.clock.now_us is not None and time_us < self.clock.now_us

    def settle(self, row: KeyState, *, rising: bool = False) -> None:
        """Mark the row as changed and give it its next place in the heap; forget it if nothing is left in it.

        `rising`: its present entry in the heap is gone.
        """
        if not row.dirty:
            row.dirty = True
            self.changed.append(row)
        self._place(row, rising=rising)

    def _place(self, row: KeyState, *, rising: bool = False) -> None:
        due_us = self._due_us(row)
        if due_us == NEVER:
            self._drop(row)
        elif row.plan.condition.fades and row.quiet:
            row.wake_us = NEVER
            row.fades_us = due_us
            if row.queued_us == NEVER:
                row.queued_us = due_us
                row.plan.fading.append(row)
        else:
            row.fades_us = NEVER
            if rising or due_us < row.wake_us:
                row.wake_us = due_us
                self._pushed += 1
                heappush(self.heap, (due_us, self._pushed, row))

    def _count_matched(self) -> None:
        for plan in self.plans.values():
            if plan.matched:
                self.counters.matched[plan.rule.id] += plan.matched
                plan.matched = 0

    def _sweep(self) -> None:
        """Drop what has faded. The queues are in order of time but for late events, whose rows go a little later."""
        now_us = PAST if self.clock.now_us is None else self.clock.now_us
        for plan in self.plans.values():
            fading = plan.fading
            while fading and fading[0].queued_us < now_us:
                row = fading.popleft()
                row.queued_us = NEVER
                if row.dropped or row.fades_us == NEVER:
                    continue
                if row.fades_us < now_us:
                    self._drop(row)
                else:
                    row.queued_us = row.fades_us
                    fading.append(row)

    def _acting_us(self, row: KeyState) -> int:
        """When time next does something that transitions may show."""
        due = row.plan.condition.due_us(row)
        if row.alert is not None or row.trailing or row.held is not None:
            due = min(due, self.life.due_us(row))
        if row.cooled_us != PAST:
            due = min(due, row.cooled_us)
        return row.latest_us + HELD_US if due == NEVER and row.held is not None else due

    def _due_us(self, row: KeyState) -> int:
        due = self._acting_us(row)
        if row.memory is not None:
            due = min(due, row.memory.time_us + row.plan.rule.lookback_us)
        if row.previous is not None:
            due = min(due, row.previous[0] + PREVIOUS_US)
        return due

    def _drop(self, row: KeyState) -> None:
        row.dropped = True
        row.wake_us = NEVER
        row.plan.rows.pop((row.customer, row.key), None)
        if row.stored:
            self._gone.append((row.name, None))
