"""Event types and fields that the catalogue does not know: mostly slips of the pen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.catalogue import CATALOGUE, EventType, schema_of
from rule_engine.expressions import parse, walk
from rule_engine.expressions.nodes import Has, Index, Literal, Macro, Node, Select, Variable
from rule_engine.rules.parts import expressions_in, selectors_in
from rule_engine.rules.reading import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rule_engine.expressions import Expression
    from rule_engine.rules.model import Place, Rule, Selector
    from rule_engine.rules.reading import Reader

Path = tuple[str, ...]
CUSTOMER_FIELDS = (
    "channels",
    "locale",
    "time_zone",
    "plan",
    "attributes",
)  # of contracts.records.PublicProfile
PRIVATE = frozenset({"email", "phone", "name", "address"})


def lint_fields(rule: Rule, reader: Reader) -> Iterator[tuple[str, Place, str]]:
    """(code, place, message) of each unknown event type and field."""
    ends = [*rule.resolve_on, *selectors_in(rule.condition)]
    for selector in (*rule.on, *ends):
        yield from _type(selector, reader)
    for expression, on in evaluated_in(rule):
        yield from _fields(expression, on, reader)
    for key in rule.group_by:
        for selector in ends:
            if selector.group_by is None:
                yield from _key_of_end(key, selector, reader)


def evaluated_in(rule: Rule) -> Iterator[tuple[Expression, tuple[Selector, ...]]]:
    """Each expression of the rule with the selectors of the events over which it is evaluated."""
    for selector in (*rule.on, *rule.resolve_on, *selectors_in(rule.condition)):
        for expression in (selector.where, *(selector.group_by or ())):
            if expression is not None:
                yield expression, (selector,)
    for part in (rule.where, rule.vars, rule.condition):
        for expression in expressions_in(part, selectors=False):
            yield expression, rule.on
    keyed = tuple(selector for selector in rule.on if selector.group_by is None)
    yield from ((key, keyed) for key in rule.group_by)


def fields_of(kind: EventType) -> list[str]:
    return list(properties_of(schema_of(kind), inlined(schema_of(kind), schema_of(kind))) or ())


def data_fields(root: Node) -> Iterator[tuple[str, Path, Node]]:
    """(variable, path, node) of each field that an expression reads of data, previous and customer, whole paths only."""
    nodes = list(walk(root))
    bound = {node.variable for node in nodes if isinstance(node, Macro)}
    inner = {id(node.operand) for node in nodes if isinstance(node, Select | Has | Index)}
    for node in nodes:
        if id(node) in inner or not isinstance(node, Select | Has | Index | Variable):
            continue
        path: list[str] = []
        at: Node = node
        while not isinstance(at, Variable):
            if isinstance(at, Select | Has):
                path.append(at.field)
            elif isinstance(at, Index) and isinstance(at.key, Literal) and isinstance(at.key.value, str):
                path.append(at.key.value)
            elif isinstance(at, Index):
                path.clear()  # below a computed index nothing is known
            else:
                break
            at = at.operand
        if isinstance(at, Variable) and at.name in {"data", "previous", "customer"} - bound:
            yield at.name, tuple(reversed(path)), node


def _type(selector: Selector, reader: Reader) -> Iterator[tuple[str, Place, str]]:
    if any(selector.selects(name) for name in CATALOGUE):
        return
    if "*" in selector.type:
        message = f"no event type that the catalogue knows matches {selector.type!r}"
    else:
        hint = nearest(selector.type, CATALOGUE) or "; its fields can't be checked"
        message = f"the catalogue does not know the event type {selector.type!r}{hint}"
    yield "unknown-type", reader.place_in(selector), message


def _fields(
    expression: Expression, on: tuple[Selector, ...], reader: Reader
) -> Iterator[tuple[str, Place, str]]:
    kinds = kinds_of(on)
    for variable, path, node in data_fields(parse(expression.source)):
        if variable == "customer":
            problem = _customer_problem(path)
        else:
            problem = _problem(path, kinds) if kinds else None
        if problem:
            yield "unknown-field", reader.place_in(expression, node.offset), problem


def _key_of_end(key: Expression, selector: Selector, reader: Reader) -> Iterator[tuple[str, Place, str]]:
    """An end that does not carry the rule's key never ends anything."""
    kinds = kinds_of((selector,))
    for variable, path, _ in data_fields(parse(key.source)):
        if variable == "data" and kinds and _problem(path, kinds):
            message = f"{selector.type} has no {key.source}, the rule's key, so it never ends anything: say what it is called there, {{on: {selector.type}, group_by: …}}"
            yield "never-resolves", reader.place_in(selector), message


def kinds_of(on: tuple[Selector, ...]) -> list[EventType]:
    """The known types that these select; none if one of them may select others too."""
    if any("*" in selector.type or selector.type not in CATALOGUE for selector in on):
        return []
    return [CATALOGUE[selector.type] for selector in on]


def _problem(path: Path, kinds: list[EventType]) -> str | None:
    """What is wrong with a path in `data`, if none of these types has it."""
    first: str | None = None
    for kind in kinds:
        schema = schema_of(kind)
        at = inlined(schema, schema)
        for depth, name in enumerate(path):
            properties = properties_of(schema, at)
            if properties is None:
                return None
            if name not in properties:
                within = ".".join(("data", *path[:depth]))
                first = first or f"{kind.name} has no field {name!r} in {within}{nearest(name, properties)}"
                break
            at = inlined(schema, properties[name])
        else:
            return None
    return first


def _customer_problem(path: Path) -> str | None:
    if not path or path[0] in CUSTOMER_FIELDS:
        return None
    if path[0] in PRIVATE:
        return f"rules do not see a customer's {path[0]}: it stays out of signals; customer.channels says what there is"
    hint = nearest(path[0], CUSTOMER_FIELDS) or "; what is your own stands in customer.attributes"
    return f"a profile has no field {path[0]!r}{hint}"


def inlined(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part with its references followed, and of "this or null" this."""
    while True:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in part:
            part = next((each for each in part["anyOf"] if each.get("type") != "null"), {})
        else:
            return part


def properties_of(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of an object; None where it may have any."""
    return inlined(schema, part).get("properties") or None
