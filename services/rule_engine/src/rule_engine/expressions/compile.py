"""Text to an Expression: parsed, checked and compiled to one Python code object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rule_engine.expressions.conversions import to_string
from rule_engine.expressions.errors import EvaluationError, ExpressionSyntaxError
from rule_engine.expressions.generate import VARIABLES, Generator
from rule_engine.expressions.nodes import (
    Call,
    Has,
    Index,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    Node,
    Select,
    Variable,
    children,
    walk,
)
from rule_engine.expressions.parser import TOO_DEEP, parse
from rule_engine.expressions.values import BoolKey, Failure, Meter, Optional, number, type_name
from rule_engine.expressions.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression ready to run.

    `evaluate` and `holds` take (event, data, customer, now, previous, value=None, key=None). `evaluate` gives the
    value: JSON, a datetime or a timedelta. `holds` gives it where it is a bool. Both raise EvaluationError
    where it is an error, `holds` also where it is no bool.
    """

    source: str
    variables: frozenset[str]  # those of VARIABLES that it reads
    constant: bool  # it reads none
    data_fields: frozenset[str] | None  # the fields of `data` that it reads; None: it may read any
    evaluate: Callable[..., Any]
    holds: Callable[..., bool]


def compile_expression(
    source: str, names: Iterable[str] = ("event", "data", "customer", "now", "previous")
) -> Expression:
    """`source` as an Expression that may read the variables `names`.

    Raises ExpressionSyntaxError for anything but an expression over these within the bounds at load.
    """
    root = parse(source)
    try:
        return _compile(source, root, tuple(names))
    except RecursionError:
        raise ExpressionSyntaxError(TOO_DEEP, 0) from None


def to_text(value: Any) -> str:
    """`value` as `string()` gives it. Raises EvaluationError for null, a list and a map."""
    text = to_string(value)
    if isinstance(text, Failure):
        raise EvaluationError(text.message)
    return text


def _compile(source: str, root: Node, names: tuple[str, ...]) -> Expression:
    nodes = list(walk(root))
    writer = Writer()
    generator = Generator(writer, names)
    if any(isinstance(node, Macro) for node in nodes):
        writer.line(f"m = {writer.use(Meter)}()")
    result = generator.emit(root)
    builds = any(
        isinstance(node, ListLiteral | MapLiteral | Macro)
        or (isinstance(node, Call) and node.function == "split")
        for node in nodes
    )
    done = writer.constant(_SCALARS if builds else _SCALARS | {list, dict})
    evaluate, holds = writer.functions(
        ", ".join(VARIABLES[:5]) + ", value=None, key=None",
        {
            "evaluate": f"return {result} if {result}.__class__ in {done} else {writer.use(_outcome)}({result})",
            "holds": f"return {result} if {result} is True or {result} is False else {writer.use(_not_a_bool)}({result})",
        },
    )
    variables = frozenset(generator.read)
    return Expression(source, variables, not variables, _data_fields(root), evaluate, holds)


def _data_fields(root: Node) -> frozenset[str] | None:
    """Which fields make a difference: `data` must be nothing but the operand of a field's name."""
    fields = set()
    for node in walk(root):
        for child in children(node):
            if isinstance(child, Variable) and child.name == "data":
                field = _field_of(node)
                if field is None:
                    return None
                fields.add(field)
    return None if isinstance(root, Variable) and root.name == "data" else frozenset(fields)


def _field_of(node: Node) -> str | None:
    match node:
        case Select() | Has():
            return node.field
        case Index(operand=Variable(name="data"), key=Literal(value=str() as field)):
            return field
        case _:
            return None


_SCALARS = frozenset({str, float, bool, type(None), datetime, timedelta})


def _outcome(value: Any) -> Any:
    """What leaves the language: an int within 64 bits; of lists and maps, which may hold one value many times, a copy.

    Raises EvaluationError for an error, an optional, or more than 250,000 elements or 16 million code points.
    """
    if value.__class__ is list or value.__class__ is dict:
        return _copy(value, Meter())
    if value.__class__ is Failure:
        raise EvaluationError(value.message)
    if value.__class__ is Optional:
        raise EvaluationError("an optional is no value: end with .orValue(…) or .hasValue()")
    return number(value)


def _copy(value: Any, meter: Meter) -> Any:
    kind = value.__class__
    if not meter.spend(_ELEMENT_WORK + len(value) if kind is str else _ELEMENT_WORK):
        raise EvaluationError("the value is too large")
    if kind is list:
        return [_copy(element, meter) for element in value]
    if kind is dict:
        return {_key_text(key): _copy(element, meter) for key, element in value.items()}
    return _outcome(value) if kind is Optional else value


_ELEMENT_WORK = 64


def _key_text(key: Any) -> str:
    """JSON knows keys of strings alone."""
    if key.__class__ is BoolKey:
        return "true" if key.value else "false"
    return key if key.__class__ is str else str(key)


def _not_a_bool(value: Any) -> bool:
    if value.__class__ is Failure:
        raise EvaluationError(value.message)
    raise EvaluationError(f"no bool but {type_name(value)}")
