"""The value of an expression over an event, and of each of its parts. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rule_engine.commands.transitions import as_json
from rule_engine.expressions import (
    EvaluationError,
    ExpressionSyntaxError,
    Node,
    children,
    compile_expression,
    parse,
    to_text,
)
from rule_engine.expressions.nodes import Bind, ListLiteral, Literal, Macro, Variable
from rule_engine.rules.words.selectors import VARS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PARTS = 200
Wrap = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Part:
    """`shown` is its value as text, or what is wrong with it (`failed`). `value` is None where it failed."""

    text: str
    offset: int
    depth: int
    shown: str
    failed: bool
    value: Any = None


def parts_of(source: str, arguments: tuple[Any, ...]) -> list[Part]:
    """The whole first, then its parts, each before those below it, without what is plain to see: values as written, and the
    event's data as a whole.

    `arguments` are those of Expression.evaluate. Of a macro's body the value for each element is shown.
    Raises ExpressionSyntaxError.
    """
    parts: list[Part] = []
    for node, depth, wrap, each in _nodes(source):
        text = source[node.offset : node.end]
        if parts and _is_plain(node):
            continue
        part = _part(" ".join(text.split()), node.offset, depth, wrap(text), arguments)
        parts.append(replace(part, shown=f"for each: {part.shown}") if each else part)
        if len(parts) >= MOST_PARTS:
            break
    return parts


def culprit(parts: list[Part]) -> Part | None:
    """Where the failure of the whole began: the deepest part of the first that failed."""
    found = None
    for part in parts:
        if found is None:
            found = part if part.failed else None
        elif part.failed and part.depth > found.depth:
            found = part
        elif part.depth <= found.depth:
            break
    return found


def shown(value: Any) -> str:
    """A value as one would write it, as JSON but for times and durations."""
    if isinstance(value, datetime | timedelta):
        return to_text(value)
    return json.dumps(as_json(value), ensure_ascii=False)


def _nodes(source: str) -> Iterator[tuple[Node, int, Wrap, bool]]:
    """Each node, its depth, what makes an expression of its text, and whether that has a value for each element of a macro."""
    waiting: list[tuple[Node, int, Wrap, int]] = [(parse(source), 0, str, 0)]
    while waiting:
        node, depth, wrap, macros = waiting.pop()
        yield node, depth, wrap, macros > 0
        below: list[tuple[Node, int, Wrap, int]] = []
        for child in children(node):
            inner, nested = wrap, macros
            if isinstance(node, Bind) and child is node.body:
                inner = _bound(f"cel.bind({node.variable}, {_text(source, node.value)}, ", wrap)
            elif isinstance(node, Macro) and child is not node.target:
                inner, nested = (
                    _bound(f"({_text(source, node.target)}).map({node.variable}, ", wrap),
                    macros + 1,
                )
            if nested <= 1:
                below.append((child, depth + 1, inner, nested))
        waiting += reversed(below)


def _is_plain(node: Node) -> bool:
    if isinstance(node, Variable):
        return node.name in {"event", "data", "customer", "previous"}
    return isinstance(node, Literal | ListLiteral) and all(
        isinstance(each, Literal) for each in children(node)
    )


def _bound(before: str, wrap: Wrap) -> Wrap:
    return lambda text: wrap(f"{before}{text})")


def _text(source: str, node: Node) -> str:
    return source[node.offset : node.end]


def _part(text: str, offset: int, depth: int, expression: str, arguments: tuple[Any, ...]) -> Part:
    try:
        value = compile_expression(expression, VARS_NAMES).evaluate(*arguments)
    except EvaluationError as error:
        optional = _optional(expression, arguments) if depth else None
        if optional is not None:
            return Part(text, offset, depth, optional, failed=False)
        return Part(text, offset, depth, error.message, failed=True)
    return Part(text, offset, depth, shown(value), failed=False, value=value)


def _optional(expression: str, arguments: tuple[Any, ...]) -> str | None:
    """What an optional is; None if the expression gives none."""
    try:
        there = compile_expression(f"({expression}).hasValue()", VARS_NAMES).evaluate(*arguments)
        value = compile_expression(f"({expression}).orValue(null)", VARS_NAMES).evaluate(*arguments)
    except (EvaluationError, ExpressionSyntaxError):
        return None
    return f"optional({shown(value)})" if there else "none"
