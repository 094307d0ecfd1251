"""Inline tests: events and what is expected of them."""

from __future__ import annotations

from typing import Any

from rule_engine.rules.reading import Key, Kind, ListOf, ListOfTables, Reader, Schema, Shape, Table
from rule_engine.rules.values import Duration, Json, JsonObject, Moment, Text, Whole, Word
from rule_engine.rules.words.notify import SEVERITY
from rule_engine.rules.yaml import Node, Scalar


class _TextOrNull(Kind[str | None]):
    says = "a customer's id, or null"
    text = Text(says, most=1024)

    def read(self, node: Node, reader: Reader) -> str | None:
        if isinstance(node, Scalar) and node.value is None and node.text:
            return None
        return self.text.read(node, reader)

    def schema(self) -> Schema:
        return {"type": ["string", "null"], "maxLength": 1024}


class _KeyText(Kind[str]):
    """A key may be the empty text: the one key of a global rule."""

    says = "a key's text"

    def read(self, node: Node, reader: Reader) -> str:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            hint = f': write "{node.text[:40]}" in quotes' if isinstance(node, Scalar) and node.text else ""
            raise self.refuse(node, reader, hint)
        return node.text

    def schema(self) -> Schema:
        return {"type": "string"}


KEY = Shape(
    "a key's text, or a list of texts", scalar=_KeyText(), sequence=ListOf(_KeyText(), "a list of texts")
)
NULLABLE_ID = _TextOrNull()
STATE = Word("firing", "due", "resolved")
GIVEN = Table(
    "an event",
    [
        Key("at", Duration(zero=True), "The event's time, from `start`.", "50h", required=True),
        Key("type", Text("an event type such as order.placed", most=1024), "Its type.", "order.placed", required=True),
        Key("customer", Text("a customer's id", most=1024), "The customer whom it concerns.", "c1"),
        Key("data", JsonObject(), "What it carries.", {"order_id": "o1"}),
        Key("id", Text("an event's id", most=1024), "e1, e2, … by default, in the list's order.", "e1"),
        Key("source", Text("a source", most=1024), "test by default.", "shop"),
        Key("subject", Text("a subject", most=1024), "Its subject.", "o1"),
        Key("every", Duration(), "Repeats it this often …", "10s"),
        Key("times", Whole(1, 10_000), "… so many times in all.", 30),
    ],
)  # fmt: skip
_TOLD = Text(
    "email, sms, operations or ticket",
    pattern=r"email|sms|inapp|webhook|operations|ticket|webhook:.+",
    most=200,
)
EXPECTED = Table(
    "an expected transition",
    [
        Key("at", Duration(zero=True), "Its time, from `start`.", "48h"),
        Key("state", STATE, "What happened.", "firing"),
        Key("rule", Text("a rule's id"), "Of which rule.", "order-late"),
        Key("key", KEY, "The alert's key: a text, or a list of texts where group_by is a list.", "o1"),
        Key("customer", NULLABLE_ID, "The alert's customer; null for a global one.", "c1"),
        Key("severity", SEVERITY, "The alert's severity.", "warning"),
        Key("value", Json(), "What was counted or measured.", 3),
        Key("vars", Json(), "The values for the templates.", {"amount": 12}),
        Key("evidence", ListOf(Text("an event's id"), "a list of event ids", least=0), "The events behind it.", ["e1"]),
        Key("notify", ListOf(_TOLD, "a list of what is due, such as [email]", least=0), "What is due with it, in any order.", ["email"]),
    ],
)  # fmt: skip
RULE_IDS: Kind[Any] = Shape(
    "a rule's id, or a list of them", scalar=Text("a rule's id"), sequence=ListOf(Text("a rule's id"), "a list of rule ids", unique=True)
)  # fmt: skip
TEST = Table(
    "a test",
    [
        Key("name", Text("a sentence that says what is tested", most=300), "What is tested.", "warned after 48 h", required=True),
        Key("rule", RULE_IDS, "The rule that runs, or a list of rules that run together.", "order-late", required=True),
        Key("start", Moment(), "What `at` counts from.", "2026-01-01T00:00:00Z", required=True),
        Key("events", ListOfTables(GIVEN, "a list of events", least=0, most=10_000), "The events, in order of arrival.",
            [{"at": "0s", "type": "order.placed", "customer": "c1", "data": {"order_id": "o1"}}], required=True),
        Key("until", Duration(zero=True), "After the last event the clock is moved just past this.", "72h"),
        Key("settings", Table("settings", [Key("allowed_lateness", Duration(zero=True), "The engine's setting. 0s by default.", "5s")]),
            "Settings of the engine.", {"allowed_lateness": "5s"}),
        Key("expect", ListOfTables(EXPECTED, "a list of transitions, [] for none", least=0, most=10_000),
            "All transitions, in order; keys left out are not compared.", [{"at": "48h", "state": "firing", "key": "o1"}], required=True),
    ],
)  # fmt: skip
