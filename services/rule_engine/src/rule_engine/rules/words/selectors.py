"""How events are named: by type, glob, condition and key; and which variables expressions may read where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rule_engine.rules.model import Selector
from rule_engine.rules.reading import Key, Kind, ListOf, Reader, Schema, Shape, Table, Unread
from rule_engine.rules.values import Expr, Text
from rule_engine.rules.yaml import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from rule_engine.expressions import Expression

KEY_NAMES = ("event", "data", "customer", "now")
NAMES = (*KEY_NAMES, "previous")
VARS_NAMES = (*NAMES, "value", "key")

EXPRESSION = "data.amount > 100"
KEY_EXPRESSION = Expr(KEY_NAMES, "an expression such as data.order_id")
GROUP_BY: Kind[Any] = Shape(
    "an expression such as data.order_id, or a list of them",
    scalar=KEY_EXPRESSION,
    sequence=ListOf(KEY_EXPRESSION, "a list of expressions", most=10),
)


class _EventType(Kind[Scalar]):
    """Gives the scalar, since its place matters later."""

    says = "an event type such as order.placed, or a glob such as payment.*"
    text = Text(says, most=1024)

    def read(self, node: Node, reader: Reader) -> Scalar:
        self.text.read(node, reader)
        assert isinstance(node, Scalar)
        return node

    def schema(self) -> Schema:
        return self.text.schema()


EVENT_TYPE = _EventType()

SELECTOR = Table(
    "a selector",
    [
        Key("on", Shape("an event type, or a list of them", scalar=EVENT_TYPE, sequence=ListOf(EVENT_TYPE, "a list of event types")),
            "The event's type; `*` in it stands for any characters.", "payment.failed", required=True),
        Key("where", Expr(NAMES), "What must also be true of the event.", EXPRESSION),
        Key("group_by", GROUP_BY, "The rule's key, where such an event carries it under another name.", "data.id"),
    ],
)  # fmt: skip


OTHERWISE = Selector("otherwise")


class Selectors(Kind[tuple[Selector, ...]]):
    """A type, a glob, a mapping of on, where and group_by, or a list of these; with `otherwise` also that word, OTHERWISE."""

    says = (
        "an event type such as order.placed, a glob such as payment.*, {on: …, where: …}, or a list of these"
    )

    def __init__(self, *, otherwise: bool = False) -> None:
        self.otherwise = otherwise

    def read(self, node: Node, reader: Reader) -> tuple[Selector, ...]:
        if isinstance(node, Sequence):
            if not node.items:
                raise reader.wrong(node.at, f"expected {self.says}, found an empty list")
            return self._list(node, reader)
        return self._one(node, reader)

    def _list(self, node: Sequence, reader: Reader) -> tuple[Selector, ...]:
        out: list[Selector] = []
        failed = False
        for item in node.items:
            try:
                out += self._one(item, reader)
            except Unread:
                failed = True
        if failed:
            raise Unread
        return tuple(out)

    def _one(self, node: Node, reader: Reader) -> tuple[Selector, ...]:
        if isinstance(node, Scalar):
            if self.otherwise and node.text == OTHERWISE.type and not node.style:
                return (OTHERWISE,)
            if not isinstance(node.value, str) or not node.text:
                raise self.refuse(node, reader)
            return (_selector(EVENT_TYPE.read(node, reader), reader),)
        if not isinstance(node, Mapping):
            raise self.refuse(node, reader)
        fields = SELECTOR.read(node, reader)
        if fields.bad:
            raise Unread
        on, keys = fields.get("on"), fields.get("group_by")
        group_by = None if keys is None else tuple(keys) if isinstance(keys, list) else (keys,)
        types = on if isinstance(on, list) else [on]
        return tuple(_selector(scalar, reader, fields.get("where"), group_by) for scalar in types)

    def schema(self) -> Schema:
        one = [{"type": "string", "minLength": 1, "maxLength": 1024}, {"$ref": "#/$defs/selector"}]
        return {"anyOf": [*one, {"type": "array", "minItems": 1, "items": {"anyOf": one}}]}


def _selector(
    written: Scalar,
    reader: Reader,
    where: Expression | None = None,
    group_by: tuple[Expression, ...] | None = None,
) -> Selector:
    selector = Selector(written.text, where, group_by)
    reader.wrote(selector, written)
    return selector
