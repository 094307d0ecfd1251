"""More that keeps a rule from ever firing or resolving: ranges that are empty, keys of which there is one event each; and
windows that reach further back than events are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.topics import DAY_MS, SIGNALS
from rule_engine.expressions import parse, walk
from rule_engine.expressions.nodes import Binary, ListLiteral, Literal, Logical, Node, Select, Variable
from rule_engine.rules.durations import format_duration
from rule_engine.rules.model import DAY_US, Absence, EventCount, ValueCount, word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rule_engine.expressions import Expression
    from rule_engine.rules.model import Place, Rule, Selector
    from rule_engine.rules.reading import Fields, Reader

Found = tuple[str, "Place", str]
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
KEPT_US = (SIGNALS.retention_ms or 0) // DAY_MS * DAY_US


def lint_windows(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    """(code, place, message)."""
    for expression in filter(None, (rule.where, *(selector.where for selector in rule.on))):
        empty = _empty_range(expression) or _no_such_type(expression, rule.on)
        if empty:
            yield "never-fires", reader.place_in(expression, empty[0]), f"the rule can never fire: {empty[1]}"
    yield from _keys_of_their_own(rule, reader)
    yield from _beyond_retention(rule, fields, reader)


def _empty_range(expression: Expression) -> tuple[int, str] | None:
    """Where a clause leaves nothing of what an earlier one allows, as in data.a > 5 && data.a < 3."""
    lower: dict[str, tuple[float, bool, str]] = {}
    upper: dict[str, tuple[float, bool, str]] = {}
    for clause in _clauses(expression):
        bound = _bound(clause, expression.source)
        if bound is None:
            continue
        name, operator, value, text = bound
        if operator in {">", ">=", "=="} and (
            name not in lower or (value, operator == ">") > lower[name][:2]
        ):
            lower[name] = value, operator == ">", text
        if operator in {"<", "<=", "=="} and (
            name not in upper or (-value, operator == "<") > (-upper[name][0], upper[name][1])
        ):
            upper[name] = value, operator == "<", text
        if name in lower and name in upper:
            least, least_out, first = lower[name]
            most, most_out, second = upper[name]
            if (least > most or (least == most and (least_out or most_out))) and first != second:
                return clause.offset, f"{first} and {second} can't both be true"
    return None


def _bound(clause: Node, source: str) -> tuple[str, str, float, str] | None:
    """(what is bounded, operator, number, the clause's text)."""
    if not isinstance(clause, Binary) or clause.operator not in MIRRORED:
        return None
    for side, other, operator in (
        (clause.left, clause.right, clause.operator), (clause.right, clause.left, MIRRORED[clause.operator]),
    ):  # fmt: skip
        value = other.value if isinstance(other, Literal) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and not isinstance(side, Literal):
            return source[side.offset : side.end], operator, float(value), source[clause.offset : clause.end]
    return None


def _no_such_type(expression: Expression, on: tuple[Selector, ...]) -> tuple[int, str] | None:
    for clause in _clauses(expression):
        match clause:
            case Binary(
                operator="in",
                left=Select(operand=Variable(name="event"), field="type"),
                right=ListLiteral() as words,
            ):
                types = [each.value for each in words.elements if isinstance(each, Literal)]
                known = any(
                    isinstance(each, str) and selector.selects(each) for each in types for selector in on
                )
                if len(types) == len(words.elements) and not known:
                    return clause.offset, "`on` selects no event of these types"
            case _:
                continue
    return None


def _clauses(expression: Expression) -> tuple[Node, ...]:
    root = parse(expression.source)
    return root.operands if isinstance(root, Logical) and root.operator == "&&" else (root,)


def _keys_of_their_own(rule: Rule, reader: Reader) -> Iterator[Found]:
    """`group_by: event.id`: no two events have a key in common."""
    own = next((key for key in rule.group_by if _is_event_id(parse(key.source))), None)
    if own is None:
        return
    condition = rule.condition
    if isinstance(condition, EventCount | ValueCount) and condition.gte > 1:
        message = f"the rule can never fire: by {own.source} each event has a key of its own, so no more than 1 is counted"
        yield "never-fires", reader.place_in(own), message
    elif isinstance(condition, Absence) or rule.ends_by_event:
        shared = any(selector.group_by is not None for selector in (*rule.resolve_on, *rule.on))
        if not shared and not (
            isinstance(condition, Absence) and any(each.group_by for each in condition.expect)
        ):
            message = f"what fires never resolves: by {own.source} each event has a key of its own, the one that ends it, too"
            yield "never-resolves", reader.place_in(own), message


def _is_event_id(root: Node) -> bool:
    return any(
        isinstance(node, Select) and node.field == "id" and isinstance(node.operand, Variable) and node.operand.name == "event"
        for node in walk(root)
    )  # fmt: skip


def _beyond_retention(rule: Rule, fields: Fields, reader: Reader) -> Iterator[Found]:
    condition: Any = rule.condition
    reach_us: int = getattr(condition, "reach_us", 0) or getattr(condition, "within_us", 0)
    if reach_us <= KEPT_US:
        return
    word = word_of(rule.condition)
    inside: Fields | None = fields.get(word)
    keys = [name for name in ("against", "within", "over") if inside is not None and name in inside]
    at = inside.at_value(keys[0]) if inside is not None and keys else fields.at_key(word)
    message = (
        f"{format_duration(reach_us)} are more than events are kept on {SIGNALS.name}, {format_duration(KEPT_US)}: a backtest of the "
        "topic never sees a whole window, nor does `explain` its events"
    )
    yield "beyond-retention", reader.place(at), message
