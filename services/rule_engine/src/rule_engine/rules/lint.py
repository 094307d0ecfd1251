"""What is doubtful in rules that load: warnings, each with its place.

A rule that can never fire or never resolves, an id that its key leaves out, words without an effect, and fractions lost
in a division of ints. Event types and fields are looked up in `fields`, templates in `templates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.catalogue import CATALOGUE
from rule_engine.expressions import EvaluationError, Expression, parse, walk
from rule_engine.expressions.nodes import Binary, Call, Literal, Logical, Node, Select, Variable
from rule_engine.rules.fields import data_fields, fields_of, lint_fields
from rule_engine.rules.lint_types import lint_types
from rule_engine.rules.lint_windows import lint_windows
from rule_engine.rules.model import (
    Absence,
    Aggregate,
    EventCount,
    Match,
    Problem,
    Ratio,
    Rule,
    Selector,
    ValueCount,
    word_of,
)
from rule_engine.rules.parts import covers, expressions_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rule_engine.rules.model import Place
    from rule_engine.rules.reading import Fields, Reader

DIVIDES = ("<", "<=", ">", ">=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Read:
    """A rule and the keys that it was made of, defaults merged."""

    rule: Rule
    fields: Fields


def lint(read: list[Read], reader: Reader) -> None:
    """Notes the warnings on rules that are all right otherwise."""
    for each in read:
        found = [
            *_never_fires(each.rule, each.fields, reader),
            *_never_resolves(each.rule, each.fields, reader),
            *_ignored_ids(each.rule, each.fields, reader),
            *_without_effect(each.rule, each.fields, reader),
            *_divisions(each.rule, reader),
            *lint_fields(each.rule, reader),
            *lint_types(each.rule, reader),
            *lint_windows(each.rule, each.fields, reader),
        ]
        for code, place, message in found:
            reader.note(Problem(place, message, each.rule.id, "warning", code))


Found = tuple[str, "Place", str]


def _never_fires(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    condition = rule.condition
    for expression in filter(None, (rule.where, *(selector.where for selector in rule.on))):
        if _always(expression) is False:
            yield "never-fires", reader.place_in(expression), "the rule can never fire: this is never true"
        elif clash := _clash(expression, rule.on):
            yield "never-fires", reader.place_in(expression, clash[0]), f"the rule can never fire: {clash[1]}"
    if isinstance(condition, Ratio):
        ratio: Fields = fields.get("ratio")
        if condition.gte > 1:
            yield (
                "never-fires",
                reader.place(ratio.at_value("gte")),
                "the rule can never fire: no share is above 1 (0.05 is 5 %)",
            )
        elif condition.gte > 0 and _always(condition.of) is False:
            yield "never-fires", reader.place_in(condition.of), "the rule can never fire: `of` is never true"
    if isinstance(condition, ValueCount) and condition.gte > 1:
        keys = {key.source for key in rule.group_by}
        if condition.of.constant or condition.of.source in keys:
            why = "is the same for all events" if condition.of.constant else "is the rule's key"
            message = f"the rule can never fire: `of` {why}, so there is never more than one value"
            yield "never-fires", reader.place_in(condition.of), message
    if isinstance(condition, EventCount | ValueCount) and condition.gte > 1 and _resets_itself(rule):
        message = "the rule can never fire: each event that it counts is one of resolve_on too, which makes it begin anew"
        yield "never-fires", reader.place(fields.at_value("resolve_on")), message


def _never_resolves(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    condition = rule.condition
    if isinstance(condition, Ratio) and (condition.gte == 0 or _always(condition.of) is True):
        at = fields.get("ratio").at_value("gte" if condition.gte == 0 else "of")
        yield "never-resolves", reader.place(at), "what fires never resolves: this is true of every window"
    if rule.over_at_once:
        for entry in fields.get("notify", ()):
            if "resolved" in entry.get("on", ()):
                message = f"{word_of(condition)} without resolve_on never resolves: nobody is told of an end; name what ends it in resolve_on"
                yield "never-resolves", reader.place(entry.at_value("on")), message
    if rule.otherwise and rule.where is not None and _always(rule.where) is True:
        message = "this never resolves anything: `where` is never false"
        yield "never-resolves", reader.place(fields.at_value("resolve_on")), message
    for selector in rule.resolve_on:
        if selector.where is not None and _always(selector.where) is False:
            yield (
                "never-resolves",
                reader.place_in(selector.where),
                "this never resolves anything: it is never true",
            )
    for selector in condition.expect if isinstance(condition, Absence) else ():
        if selector.where is not None and _always(selector.where) is False:
            yield (
                "never-resolves",
                reader.place_in(selector.where),
                "the expected event can never come: this is never true",
            )


def _ignored_ids(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    """Where an alert or a wait holds its key for a while, an event's own id should be in it."""
    keeps = isinstance(rule.condition, Absence) or (
        isinstance(rule.condition, Match) and (rule.ends_by_event or rule.cooldown_us)
    )
    if not keeps:
        return
    for selector in rule.on:
        group_by = rule.group_by if selector.group_by is None else selector.group_by
        if any("event" in key.variables for key in group_by):
            continue
        used = {
            path[0]
            for key in group_by
            for root, path, _ in data_fields(parse(key.source))
            if root == "data" and path
        }
        ids = _ids_of(selector)
        if ids and not used & set(ids):
            at = fields.at_key("group_by") if rule.group_by else fields.at_value("id")
            what = (
                f"`group_by: {', '.join(key.source for key in group_by)}`"
                if group_by
                else "the rule without group_by"
            )
            message = (
                f"{what} ignores data.{ids[0]} of {selector.type}: two of one customer would be one alert"
            )
            yield "ignored-id", reader.place(at), message
            return


def _ids_of(selector: Selector) -> list[str]:
    kind = CATALOGUE.get(selector.type)
    if kind is None:
        return []
    subject = selector.type.partition(".")[0]
    return [name for name in fields_of(kind) if name.endswith("_id") or name in {"id", subject}]


def _without_effect(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    if rule.over_at_once and "resolve_after" in fields:
        message = (
            f"'resolve_after' has no effect: {word_of(rule.condition)} without resolve_on is over at once"
        )
        yield "no-effect", reader.place(fields.at_key("resolve_after")), message
    if not rule.ends_by_event and not isinstance(rule.condition, Absence) and "lookback" in fields:
        message = "'lookback' has no effect: nothing answers or resolves the rule"
        yield "no-effect", reader.place(fields.at_key("lookback")), message
    if "keep_firing_for" in fields and (rule.momentary or isinstance(rule.condition, Absence)):
        message = f"'keep_firing_for' has no effect: {word_of(rule.condition)} is never false, only events end it, and those at once"
        yield "no-effect", reader.place(fields.at_key("keep_firing_for")), message
    if isinstance(rule.condition, Absence):
        yield from _absence_without_effect(rule.condition, fields.get("absence"), reader)
    if rule.affected and not any(
        entry.entry.to and entry.entry.to.kind == "affected" for entry in rule.notify
    ):
        message = "'affected' tells nobody: no entry of notify has `to: affected`"
        yield "no-effect", reader.place(fields.at_key("affected")), message


def _absence_without_effect(absence: Absence, fields: Fields, reader: Reader) -> Iterator[Found]:
    if absence.pause_on and not absence.resume_on:
        message = "what stops the clock stops it for good: name what lets it go on in 'resume_on', or these events in 'cancel_on'"
        yield "no-effect", reader.place(fields.at_key("pause_on")), message
    if absence.resume_on and not absence.pause_on:
        message = "'resume_on' has no effect: without 'pause_on' nothing stops the clock"
        yield "no-effect", reader.place(fields.at_key("resume_on")), message
    if absence.time_interval and absence.deadline and absence.grace == 0:
        message = "'time_interval' has no effect: it counts the time of 'within' and 'grace', and a deadline without 'grace' has neither"
        yield "no-effect", reader.place(fields.at_key("time_interval")), message


def _divisions(rule: Rule, reader: Reader) -> Iterator[Found]:
    """`data.a / data.b > 0.8`: of two ints `/` gives an int, so 9 / 10 is 0."""
    for expression in expressions_of(rule):
        for node in walk(parse(expression.source)):
            if not isinstance(node, Binary) or node.operator not in DIVIDES:
                continue
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if not (isinstance(other, Literal) and isinstance(other.value, float) and other.value % 1):
                    continue
                for division in _int_divisions(side):
                    left = expression.source[division.left.offset : division.left.end]
                    message = f"of two ints `/` gives an int without its fraction (9 / 10 is 0): write double({left}) / …"
                    yield "int-division", reader.place_in(expression, division.offset), message
    condition = rule.condition
    if isinstance(condition, Aggregate) and condition.threshold % 1:
        for division in _int_divisions(parse(condition.of.source)):
            left = condition.of.source[division.left.offset : division.left.end]
            message = (
                f"of two ints `/` gives an int without its fraction (9 / 10 is 0): write double({left}) / …"
            )
            yield "int-division", reader.place_in(condition.of, division.offset), message


def _int_divisions(node: Node) -> Iterator[Binary]:
    """Divisions, within arithmetic, whose two sides may both be ints."""
    if not isinstance(node, Binary) or node.operator not in {"+", "-", "*", "/", "%"}:
        return
    if node.operator == "/" and not _is_double(node.left) and not _is_double(node.right):
        yield node
    yield from _int_divisions(node.left)
    yield from _int_divisions(node.right)


def _is_double(node: Node) -> bool:
    return any(
        (isinstance(part, Literal) and isinstance(part.value, float))
        or (isinstance(part, Call) and part.function == "double")
        for part in walk(node)
    )


def expressions_of(rule: Rule) -> Iterator[Expression]:
    """Every expression of the rule, once."""
    once = {id(expression): expression for expression in expressions_in(rule)}  # a list of types shares them
    yield from once.values()


def _always(expression: Expression) -> bool | None:
    """What a condition always is; None if that depends on the event."""
    if not expression.constant:
        return None
    try:
        return expression.holds(None, None, None, None, None)
    except EvaluationError:
        return False  # as the language has it of a condition that ends in an error


def _clash(expression: Expression, on: tuple[Selector, ...]) -> tuple[int, str] | None:
    """Where and why an expression's clauses rule each other, or every event of `on`, out."""
    root = parse(expression.source)
    clauses = root.operands if isinstance(root, Logical) and root.operator == "&&" else (root,)
    wanted: dict[str, Literal] = {}
    for clause in clauses:
        if not isinstance(clause, Binary) or clause.operator != "==" or not isinstance(clause.right, Literal):
            continue
        left = expression.source[clause.left.offset : clause.left.end]
        value = clause.right.value
        first = wanted.setdefault(left, clause.right)
        if (type(first.value), first.value) != (type(value), value):
            if (
                isinstance(first.value, int | float)
                and isinstance(value, int | float)
                and first.value == value
            ):
                continue
            return clause.offset, f"{left} can't be {first.value!r} and {value!r} at once"
        is_type = isinstance(clause.left, Select) and clause.left.field == "type" and clause.left.operand
        if (
            isinstance(is_type, Variable)
            and is_type.name == "event"
            and not any(isinstance(value, str) and selector.selects(value) for selector in on)
        ):
            return clause.offset, f"`on` selects no event of the type {value!r}"
    return None


def _resets_itself(rule: Rule) -> bool:
    """Whether every event of `on` is one of `resolve_on` as well, with the same key."""
    return all(any(covers(end, on) for end in rule.resolve_on) for on in rule.on)
