"""The tree of an expression. `source[node.offset:node.end]` is the text of a node, an expression itself.

Long chains (`a + b + c …`, `a.b.c …`, `a ? b : c ? d : …`) make deep trees: walk them with `walk`, not by recursion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LiteralValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: LiteralValue


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """One of VARIABLES, or a name that a macro around it binds."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`, with `optional` `operand.?field`."""

    operand: Node
    field: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`operand[key]`, with `optional` `operand[?key]`."""

    operand: Node
    key: Node
    optional: bool


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(operand.field)`."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`operator` is ! or -."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`operator` is one of + - * / % == != < <= > >= in."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """`a && b && c` as one node; `operator` is && or ||."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of the language (`target` is None, `function` may be `math.abs`) or a method of `target`."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """`target.name(variable, body)`, of `map` with three arguments also the `condition`."""

    name: str
    target: Node
    variable: str
    condition: Node | None
    body: Node


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """`cel.bind(variable, value, body)`."""

    variable: str
    value: Node
    body: Node


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in the order of the text."""
    match node:
        case Select() | Has() | Unary():
            return (node.operand,)
        case Index():
            return (node.operand, node.key)
        case Binary():
            return (node.left, node.right)
        case Logical():
            return node.operands
        case Conditional():
            return (node.test, node.then, node.otherwise)
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return tuple(part for entry in node.entries for part in entry)
        case Call():
            return node.arguments if node.target is None else (node.target, *node.arguments)
        case Macro():
            return (node.target, *(() if node.condition is None else (node.condition,)), node.body)
        case Bind():
            return (node.value, node.body)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, a parent before its children, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))
