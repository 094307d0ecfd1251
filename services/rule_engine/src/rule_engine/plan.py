"""A rule made ready to run: which events concern it, in which role, under which key."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from rule_engine.expressions import EvaluationError, to_text
from rule_engine.rules.model import Absence, Match
from rule_engine.rules.parts import expressions_in
from rule_engine.state import Kept, Key, KeyState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rule_engine.conditions.strategy import Strategy
    from rule_engine.counters import Counters
    from rule_engine.expressions import Expression
    from rule_engine.rules.model import Notify, Rule, Selector

MAX_KEY_CHARACTERS = 1024  # as many as an event's own attributes have

# roles of an event in a rule, as bits; SELECTED: `on` selects it, whether or not `where` holds; COUNTED: it matches as well,
# but what it counts comes by itself; FALSIFIES: it makes a match false that is true until `otherwise`
MATCHES, RESOLVES, EXPECTED, CANCELS, SELECTED, COUNTED, FALSIFIES, PAUSES, RESUMES = (
    1,
    2,
    4,
    8,
    16,
    32,
    64,
    128,
    256,
)

# event, data, customer, now, previous: what expressions are evaluated over
Arguments = tuple[Any, Any, Any, Any, Any]


class Occurrence:
    """One event as rules meet it: its time, its identity, and the arguments of expressions."""

    __slots__ = ("arguments", "customer", "id", "source", "time_us")

    def __init__(
        self, time_us: int, id: str, source: str, customer: str | None, arguments: Arguments
    ) -> None:
        self.time_us = time_us
        self.id = id
        self.source = source
        self.customer = customer
        self.arguments = arguments

    @property
    def zone(self) -> str | None:
        """The time zone that the customer's profile names."""
        profile = self.arguments[2]
        zone = profile.get("time_zone") if isinstance(profile, dict) else None
        return zone if isinstance(zone, str) else None


class Route:
    """What one rule wants of the events of one type."""

    __slots__ = ("picks", "plan", "simple")

    def __init__(self, plan: Plan, type_name: str) -> None:
        rule = plan.rule
        self.plan = plan
        self.picks = tuple(
            (picking, role)
            for selectors, role in _roles_of(rule)
            if (picking := tuple(selector for selector in selectors if selector.selects(type_name)))
        )
        on = self.picks[0][0] if len(self.picks) == 1 and self.picks[0][1] == SELECTED else ()
        self.simple = (
            len(on) == 1
            and on[0].where is None
            and on[0].group_by is None
            and not (plan.uses_previous or rule.otherwise)
            and rule.scope == "customer"
        )

    @property
    def wanted(self) -> bool:
        return bool(self.picks)

    def roles(self, seen: Occurrence) -> dict[Key, int]:
        """The event's roles, by key; the key of a selector with a `group_by` of its own may differ from the rule's."""
        found: dict[Key, int] = {}
        for selectors, role in self.picks:
            for selector in selectors:
                key = self._key(selector, seen)
                if key is not None:
                    found[key] = found.get(key, 0) | role
                    break
        return found

    def _key(self, selector: Selector, seen: Occurrence) -> Key | None:
        """The key under which the selector picks the event; None if it does not."""
        plan, where = self.plan, selector.where
        by_previous = where is not None and "previous" in where.variables and plan.rule.scope == "customer"
        if where is not None and not by_previous and not plan.holds(where, seen):
            return None
        try:
            key = plan.key(seen, selector.group_by)
        except EvaluationError:
            plan.counters.expression_errors[plan.rule.id] += 1
            return None
        if where is not None and by_previous:
            return key if plan.holds(where, plan.after_previous(seen, key)) else None
        return key


class Plan:
    """A rule, its rows, and what it needs of each event.

    `fading` holds rows in which nothing is due, by `queued_us`. `notify` holds the entries that its alerts tell, with their index in the rule. `stateless`: nothing of an event is remembered. `data_fields`: the fields of `data` that it needs, None for all. `waits_for_clock`: its windows close by the clock alone. `if_false`: the role of an event that `on` selects and `where` does not.
    """

    __slots__ = (
        "condition", "counters", "data_fields", "fading", "group_by", "if_false", "keeps", "matched", "notify", "rows", "rule", "stateless", "uses", "uses_previous", "waits_for_clock", "where",
    )  # fmt: skip

    def __init__(self, rule: Rule, counters: Counters, condition: Strategy) -> None:
        self.rule = rule
        self.counters = counters
        self.rows: dict[tuple[str | None, Key], KeyState] = {}
        self.fading: deque[KeyState] = deque()
        self.condition = condition
        self.where = None if rule.where is None else rule.where.holds
        self.group_by = "\0".join(
            (str(rule.key_is_list), *(expression.source for expression in rule.group_by))
        )
        self.if_false = (
            (FALSIFIES if isinstance(rule.condition, Match) else RESOLVES) if rule.otherwise else 0
        )
        self.matched = 0
        expressions = tuple(expressions_in(rule))
        self.uses = frozenset[str]().union(*(each.variables for each in expressions))
        self.uses_previous = "previous" in self.uses
        self.waits_for_clock = condition.waits_for_clock
        self.notify = _entries(rule, affected=condition.of_affected)
        self.stateless = (
            isinstance(rule.condition, Match)
            and not (rule.ends_by_event or rule.cooldown_us or self.uses_previous)
            and not any(entry.after_us for entry in rule.notify)
        )
        in_vars = frozenset[str]().union(*(expression.variables for _, expression in rule.vars))
        by_clock = (
            condition.fires_by_clock or rule.for_us > 0 or rule.cooldown_us > 0 or rule.scope == "global"
        )
        self.keeps = in_vars & {"event", "data", "customer", "previous"} if by_clock else frozenset[str]()
        keeps_data = self.uses_previous or "data" in self.keeps  # another version may want other fields of it
        self.data_fields = None if keeps_data else _data_fields(expressions)

    def holds(self, expression: Expression, seen: Occurrence) -> bool:
        """Whether a condition's expression is true; one that ends in an error counts as false, and is counted."""
        try:
            return expression.holds(*seen.arguments)
        except EvaluationError:
            self.counters.expression_errors[self.rule.id] += 1
            return False

    def role(self, seen: Occurrence) -> int:
        """The role of an event that `on` selects, by the rule's `where`; 0 if it has none."""
        where = self.rule.where
        if where is None:
            return MATCHES
        try:
            if where.holds(*seen.arguments):
                return MATCHES
        except EvaluationError:
            self.counters.expression_errors[self.rule.id] += 1
            return 0
        return self.if_false

    def key(self, seen: Occurrence, group_by: tuple[Expression, ...] | None = None) -> Key:
        """The event's key, by the rule's `group_by` or a selector's own. Raises EvaluationError: it takes no part."""
        parts = self.rule.group_by if group_by is None else group_by
        if not parts:
            return (seen.customer or "") if self.rule.scope == "customer" else ""
        if len(parts) == 1 and not self.rule.key_is_list:
            return _text(parts[0].evaluate(*seen.arguments))
        return tuple(_text(part.evaluate(*seen.arguments)) for part in parts)

    def after_previous(self, seen: Occurrence, key: Key) -> Occurrence:
        """The event with what came before it for the key."""
        row = self.rows.get((seen.customer, key))
        previous = {} if row is None or row.previous is None else row.previous[1]
        return Occurrence(seen.time_us, seen.id, seen.source, seen.customer, (*seen.arguments[:4], previous))

    def keep(self, seen: Occurrence) -> Kept:
        event, data, customer, _, previous = seen.arguments
        keeps = self.keeps
        return Kept(
            seen.time_us,
            event if "event" in keeps else None,
            data if "data" in keeps else None,
            customer if "customer" in keeps else None,
            previous if "previous" in keeps else None,
        )


class Routes:
    """All that the rules want of events of one type: `simple` rules want no more than that they match.

    `whole`: some rule wants all of the data.
    """

    __slots__ = ("others", "simple", "wanted", "whole")

    def __init__(self, plans: Iterable[Plan], type_name: str) -> None:
        routes = [route for plan in plans if (route := Route(plan, type_name)).wanted]
        self.simple = tuple(route.plan for route in routes if route.simple)
        self.others = tuple(route for route in routes if not route.simple)
        self.wanted = bool(routes)
        self.whole = any(route.plan.data_fields is None for route in routes)


def _entries(rule: Rule, *, affected: bool) -> tuple[tuple[int, Notify], ...]:
    """Under a global rule, `to: affected` belongs to the customers' own alerts, and all else to the global one."""
    return tuple(
        (index, each)
        for index, each in enumerate(rule.notify)
        if rule.scope == "customer"
        or affected == (each.entry.to is not None and each.entry.to.kind == "affected")
    )


def _text(value: Any) -> str:
    text: str = value if value.__class__ is str else to_text(value)
    if len(text) > MAX_KEY_CHARACTERS:
        raise EvaluationError(
            f"a key of {len(text):,} characters; at most {MAX_KEY_CHARACTERS:,} are allowed"
        )
    return text


def _roles_of(rule: Rule) -> Iterator[tuple[tuple[Selector, ...], int]]:
    """Which selectors give an event which role."""
    condition = rule.condition
    if isinstance(condition, Absence):
        yield condition.cancel_on, CANCELS
    yield rule.resolve_on, RESOLVES
    if isinstance(condition, Absence):
        yield condition.expect, EXPECTED
        yield condition.pause_on, PAUSES
        yield condition.resume_on, RESUMES
    yield rule.on, SELECTED


def _data_fields(expressions: Iterable[Expression]) -> frozenset[str] | None:
    found = frozenset[str]()
    for each in expressions:
        if each.data_fields is None:
            return None
        found |= each.data_fields
    return found
