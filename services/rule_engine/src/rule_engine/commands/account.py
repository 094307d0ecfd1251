"""What became of a customer's events under one rule, event by event and clause by clause. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from contracts.envelope import encode
from contracts.times import from_micros, to_micros
from rule_engine.commands.parts import Part, parts_of
from rule_engine.conditions.hopping import HoppingStrategy
from rule_engine.expressions import EvaluationError, Expression
from rule_engine.plan import Occurrence
from rule_engine.replay import Replay
from rule_engine.rules.model import Rule, Selector
from rule_engine.rules.parts import selectors_in
from rule_engine.signals import Signal, attributes, read_signal
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.alerts import Transition
    from contracts.envelope import Event
    from rule_engine.commands.history import Line
    from rule_engine.plan import Arguments, Plan
    from rule_engine.rules.load import RuleSource
    from rule_engine.state import Key

PROFILE = "customer.updated"


@dataclass(frozen=True, slots=True)
class Clause:
    """An expression of the rule over an event, named by its key in the rule: its value, and that of its parts."""

    name: str
    parts: list[Part]

    @property
    def holds(self) -> bool:
        return self.parts[0].value is True


@dataclass(frozen=True, slots=True)
class Window:
    """One that has ended: what was measured, and whether that is true; None if it says nothing."""

    end_us: int
    true: bool | None
    value: Any


@dataclass(frozen=True, slots=True)
class State:
    """What the engine knows of a key. `value` is what its condition measures; `due_us` when it fires if nothing comes before;
    `held_us` until when what is true must wait, `PAST` while a cooldown holds it; `memory_us` the time of an event that ended it.
    """

    value: Any = None
    due_us: int | None = None
    firing: str | None = None
    held_us: int | None = None
    memory_us: int | None = None
    anything: bool = False


@dataclass(slots=True)
class Step:
    """One event whose type concerns the rule. `roles` are the rule's words that pick it, with the key that each finds, or
    why it finds none; `matches` says that `on` picks it and `where` holds.
    """

    at_us: int
    event: Signal
    roles: dict[str, Key | EvaluationError]
    clauses: list[Clause]
    matches: bool
    before: State = State()
    after: State = State()
    transitions: list[Transition] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """`types` counts all events of the customer, `later` is what the clock brought after the last of them."""

    rule: Rule
    steps: list[Step] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)
    windows: list[Window] = field(default_factory=list)
    later: list[Transition] = field(default_factory=list)
    end: State = State()
    first_us: int | None = None
    last_us: int | None = None

    @property
    def transitions(self) -> list[Transition]:
        return [*(each for step in self.steps for each in step.transitions), *self.later]


def account_of(
    source: RuleSource, rule: Rule, lines: Iterable[Line], customer: str, until_us: int | None = None
) -> Account:
    """Runs the rule over the lines; of a rule for each customer, over those of this one. Raises msgspec.MsgspecError."""
    running = replace(rule, mode="live")
    replay = Replay({source.file: replace(source, rules=(running,))})
    plan = replay.plan(rule.id)
    account = Account(rule)
    _watch_windows(plan, account.windows)
    profile: Any = {}
    told = 0
    for line in lines:
        event = read_signal(line.value)
        at_us = to_micros(line.time)
        mine = event.customerid == customer
        account.last_us = at_us if account.last_us is None else max(account.last_us, at_us)
        if not mine and rule.scope == "customer":
            continue
        step = None
        if mine:
            account.first_us = at_us if account.first_us is None else min(account.first_us, at_us)
            account.types[event.type] += 1
            step = _step(plan, event, at_us, line.value, profile)
            if event.type == PROFILE:
                profile = event.data
        if step is not None:
            step.before = _state(plan, step, at_us)
        replay.feed([line])
        happened, told = replay.transitions[told:], len(replay.transitions)
        if step is not None:
            step.after = _state(plan, step, at_us)
            step.transitions = happened
            account.steps.append(step)
        else:
            account.later += happened
    if account.last_us is not None:
        replay.until(account.last_us if until_us is None else max(until_us, account.last_us))
        account.later += replay.transitions[told:]
        if account.steps:
            account.end = _state(plan, account.steps[-1], account.last_us)
    return account


def steps_of(source: RuleSource, rule: Rule, events: Iterable[tuple[Event, Any]]) -> list[Step]:
    """Each of these events, which come with the customer's profile then, clause by clause, for itself."""
    plan = Replay({source.file: replace(source, rules=(replace(rule, mode="live"),))}).plan(rule.id)
    steps = []
    for event, profile in events:
        raw = encode(event)
        steps.append(_step(plan, read_signal(raw), to_micros(event.time), raw, profile))
    return [step for step in steps if step is not None]


def named_selectors(rule: Rule) -> Iterator[tuple[str, tuple[Selector, ...]]]:
    """The rule's selectors by the word under which they stand: on, resolve_on, and those of its condition."""
    yield "on", rule.on
    yield "resolve_on", rule.resolve_on
    for each in fields(rule.condition):
        value = getattr(rule.condition, each.name)
        if isinstance(value, tuple) and any(
            is_dataclass(item) and not isinstance(item, Selector) for item in value
        ):
            for number, item in enumerate(value, 1):
                yield f"{each.name} {number}", tuple(selectors_in(item))
        elif selectors := tuple(selectors_in(value)):
            yield each.name, selectors


def _step(plan: Plan, event: Signal, at_us: int, raw: bytes, profile: Any) -> Step | None:
    """None if no word of the rule selects the event's type."""
    data = {} if event.data is None else event.data
    arguments: Arguments = (attributes(raw, at_us), data, profile, from_micros(at_us), {})
    seen = Occurrence(at_us, event.id, event.source, event.customerid, arguments)
    roles: dict[str, Key | EvaluationError] = {}
    clauses: list[Clause] = []
    concerned = False
    for word, selectors in named_selectors(plan.rule):
        for selector in selectors:
            if not selector.selects(event.type):
                continue
            concerned = True
            try:
                key: Key | EvaluationError = plan.key(seen, selector.group_by)
            except EvaluationError as error:
                key = error
            if selector.where is not None:
                clause = _clause(plan, f"{word}: where", selector.where, seen, key)
                clauses.append(clause)
                if not clause.holds:
                    continue
            roles.setdefault(word, key)
            break
    if not concerned:
        return None
    found = roles.get("on")
    matches = "on" in roles and not isinstance(found, EvaluationError)
    if matches and plan.rule.where is not None:
        clauses.append(_clause(plan, "where", plan.rule.where, seen, found))
        matches = clauses[-1].holds
    if matches:
        for each in fields(plan.rule.condition):
            value = getattr(plan.rule.condition, each.name)
            if isinstance(value, Expression):
                clauses.append(_clause(plan, each.name, value, seen, found))
        for name, expression in plan.rule.vars:
            clause = _clause(plan, f"vars: {name}", expression, seen, found)
            if clause.parts[0].failed and not expression.variables & {"value", "key"}:
                clauses.append(clause)  # it is null then
    return Step(at_us, event, roles, clauses, matches)


def _clause(plan: Plan, name: str, expression: Expression, seen: Occurrence, key: Any) -> Clause:
    if plan.uses_previous and not isinstance(key, EvaluationError):
        seen = plan.after_previous(seen, key)
    return Clause(name, parts_of(expression.source, seen.arguments))


def _state(plan: Plan, step: Step, at_us: int) -> State:
    """Of the key under which the rule knows the event."""
    key = next((key for key in step.roles.values() if not isinstance(key, EvaluationError)), None)
    customer = step.event.customerid if plan.rule.scope == "customer" else None
    row = None if key is None else plan.rows.get((customer, key))
    if row is None:
        return State()
    strategy = plan.condition
    waits = strategy.fires_by_clock and not strategy.waits_for_clock and row.condition is not None
    due_us = strategy.due_us(row) if waits else NEVER
    return State(
        value=None if row.condition is None else strategy.value(row, at_us),
        due_us=None if due_us == NEVER else due_us,
        firing=None if row.alert is None else row.alert.id,
        held_us=None if row.held is None else row.held.over_us,
        memory_us=None if row.memory is None else row.memory.time_us,
        anything=row.condition is not None,
    )


def _watch_windows(plan: Plan, windows: list[Window]) -> None:
    """Note what each hopping window said."""
    strategy: Any = plan.condition
    if not isinstance(strategy, HoppingStrategy):
        return
    judge = strategy.judge

    def watched(row: Any, end_us: int, window: Any) -> tuple[bool | None, Any]:
        true, value = judge(row, end_us, window)
        windows.append(Window(end_us, true, value))
        return true, value

    strategy.judge = watched  # type: ignore[method-assign]
