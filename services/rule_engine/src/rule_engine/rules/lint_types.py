"""Comparisons that can never come true: of a text with a time, of a field with a word that it never has.

What a field of `data` is comes from the catalogue; where that does not know the event, nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.catalogue import schema_of
from rule_engine.expressions import parse, walk
from rule_engine.expressions.nodes import (
    Binary,
    Bind,
    Call,
    Index,
    ListLiteral,
    Literal,
    Macro,
    Node,
    Select,
    Variable,
)
from rule_engine.rules.fields import evaluated_in, inlined, kinds_of, properties_of
from rule_engine.rules.reading import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.catalogue import EventType
    from rule_engine.rules.model import Place, Rule
    from rule_engine.rules.reading import Reader, Schema

ORDERED = frozenset({"<", "<=", ">", ">="})
EQUAL = frozenset({"==", "!="})
CALLS = {
    "timestamp": "time", "duration": "duration", "int": "number", "double": "number", "size": "number", "string": "text",
    "bool": "bool", "math.abs": "number", "math.round": "number", "math.floor": "number", "math.ceil": "number",
}  # fmt: skip
SCHEMAS = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "bool",
    "array": "list",
    "object": "map",
}
SAID = {
    "text": "a text", "number": "a number", "bool": "true or false", "time": "a time", "duration": "a duration",
    "list": "a list", "map": "a mapping",
}  # fmt: skip


def lint_types(rule: Rule, reader: Reader) -> Iterator[tuple[str, Place, str]]:
    """(code, place, message) of each comparison, sum or difference whose sides can't go together."""
    for expression, on in evaluated_in(rule):
        kinds = kinds_of(on)
        root = parse(expression.source)
        bound = {node.variable for node in walk(root) if isinstance(node, Macro | Bind)}
        for node in walk(root):
            if isinstance(node, Binary):
                said = _clash(node, expression.source, _Types(kinds, bound))
                if said:
                    yield "never-true", reader.place_in(expression, node.offset), said
    for key in rule.group_by:
        kind = _Types(kinds_of(rule.on), set()).of(parse(key.source))
        if kind in {"list", "map"}:
            message = f"the rule can never fire: {key.source} is {SAID[kind]}, which is no key"
            yield "never-fires", reader.place_in(key), message


class _Types:
    """What nodes are, as far as is known. `bound` are names of macros, which hide the variables."""

    def __init__(self, kinds: list[EventType], bound: set[str]) -> None:
        self._kinds, self._bound = kinds, bound

    def of(self, node: Node) -> str | None:
        match node:
            case Literal(value=bool()):
                return "bool"
            case Literal(value=int() | float()):
                return "number"
            case Literal(value=str()):
                return "text"
            case ListLiteral():
                return "list"
            case Variable(name="now") if "now" not in self._bound:
                return "time"
            case Select(operand=Variable(name="event"), field="time") if "event" not in self._bound:
                return "time"
            case Call(target=None):
                return CALLS.get(node.function)
            case Select() | Index():
                return self._of_field(node)
            case _:
                return None

    def words(self, node: Node) -> list[str] | None:
        """All that a field may be, where it is one of a few words."""
        schema = self._schema(node)
        words = None if schema is None else schema.get("enum")
        return words if words and all(isinstance(each, str) for each in words) else None

    def _of_field(self, node: Node) -> str | None:
        schema = self._schema(node)
        if schema is None:
            return None
        kind = schema.get("type")
        return (
            "text"
            if "enum" in schema and kind is None
            else SCHEMAS.get(kind)
            if isinstance(kind, str)
            else None
        )

    def _schema(self, node: Node) -> Schema | None:
        """Of a field of `data`, if all of the events have it alike."""
        path: list[str] = []
        at = node
        while not isinstance(at, Variable):
            if isinstance(at, Select) and not at.optional:
                path.append(at.field)
            elif (
                isinstance(at, Index)
                and isinstance(at.key, Literal)
                and isinstance(at.key.value, str)
                and not at.optional
            ):
                path.append(at.key.value)
            else:
                return None
            at = at.operand
        if at.name not in {"data", "previous"} - self._bound or not self._kinds:
            return None
        found = [_field(kind, path[::-1]) for kind in self._kinds]
        return found[0] if found[0] is not None and all(each == found[0] for each in found) else None


def _field(kind: EventType, path: list[str]) -> Schema | None:
    schema = schema_of(kind)
    at: dict[str, Any] = inlined(schema, schema)
    for name in path:
        properties = properties_of(schema, at)
        if properties is None or name not in properties:
            return None
        at = inlined(schema, properties[name])
    return {name: value for name, value in at.items() if name in {"type", "enum"}}


def _clash(node: Binary, source: str, types: _Types) -> str | None:
    left, right = types.of(node.left), types.of(node.right)
    sides = source[node.left.offset : node.left.end], source[node.right.offset : node.right.end]
    if node.operator in EQUAL:
        for side, other in ((node.left, node.right), (node.right, node.left)):
            words = types.words(side)
            if (
                words
                and isinstance(other, Literal)
                and isinstance(other.value, str)
                and other.value not in words
            ):
                hint = nearest(other.value, words) or f"; it is one of {', '.join(words)}"
                return f"{source[side.offset : side.end]} is never {other.value!r}{hint}"
    if left is None or right is None or left == right:
        return None
    if node.operator == "in" or (node.operator in {"+", "-"} and {left, right} <= {"time", "duration"}):
        return None
    what = f"{sides[0]} is {SAID[left]}, {sides[1]} {SAID[right]}"
    for text, kind, beside in ((sides[0], left, right), (sides[1], right, left)):
        if kind == "text" and beside in {"time", "duration"}:
            what += f": write {'timestamp' if beside == 'time' else 'duration'}({text})"
    if node.operator in EQUAL:
        return f"the two are never equal: {what}"
    if node.operator in ORDERED or node.operator in {"+", "-"}:
        return f"this always ends in an error: {what}"
    return None
