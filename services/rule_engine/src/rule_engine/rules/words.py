"""The words of a rule file: every key, what it says, what it takes, an example. Loader and JSON Schema both read this.

Words of the language that are not built yet stand in the `later` of their table: using one is an error that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rule_engine.rules.model import Selector
from rule_engine.rules.reading import (
    LATER,
    Fields,
    Key,
    Kind,
    ListOf,
    ListOfTables,
    Reader,
    Schema,
    Shape,
    Table,
    Unread,
)
from rule_engine.rules.values import (
    Duration,
    DurationOrExpr,
    Expr,
    Json,
    JsonObject,
    MapOf,
    Moment,
    Number,
    Text,
    Truth,
    Whole,
    Word,
)
from rule_engine.rules.yaml import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from rule_engine.expressions import Expression

KEY_NAMES = ("event", "data", "customer", "now")
NAMES = (*KEY_NAMES, "previous")
VARS_NAMES = (*NAMES, "value", "key")
MOST_STEPS = 10_000  # of `every` in a window, and of events that a key keeps

_EXPRESSION = "data.amount > 100"
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
        Key("where", Expr(NAMES), "What must also be true of the event.", _EXPRESSION),
        Key("group_by", GROUP_BY, "The rule's key, where such an event carries it under another name.", "data.id"),
    ],
)  # fmt: skip


class Selectors(Kind[tuple[Selector, ...]]):
    """A type, a glob, a mapping of on, where and group_by, or a list of these."""

    says = (
        "an event type such as order.placed, a glob such as payment.*, {on: …, where: …}, or a list of these"
    )

    def __init__(self, later: tuple[str, ...] = ()) -> None:
        self.later = later

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
            if node.text in self.later and not node.style:
                raise reader.wrong(node.at, f"{node.text!r} {LATER}", "not-yet")
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


WITHIN = Duration()

MATCH = Table("match", [])
EVENT_COUNT = Table(
    "event_count",
    [
        Key("gte", Whole(1, MOST_STEPS), "How many matching events it takes.", 3, required=True),
        Key("within", WITHIN, "In how long a time.", "10m", required=True),
    ],
)
RATIO = Table(
    "ratio",
    [
        Key("of", Expr(NAMES), "What is counted among the matching events.", "data.status >= 500", required=True),
        Key("gte", Number("a share of 1, such as 0.05 for 5 %", 0, 1e9), "The share, of 1, at which it fires.", 0.05, required=True),
        Key("within", WITHIN, "How long a window is.", "5m", required=True),
        Key("every", Duration(), "How often a window ends; it divides `within`. Without it the window slides with the events.", "30s"),
        Key("min_events", Whole(1, 10**12), "A window with fewer events says nothing. 1 by default.", 200),
        Key("no_data", Duration(), "This long after the last window that said something it counts as false.", "1h"),
        Key("forget", Duration(), "A key whose windows have been empty this long is forgotten. 7d by default.", "7d"),
    ],
)  # fmt: skip
ABSENCE = Table(
    "absence",
    [
        Key("expect", Selectors(), "The event that should come.", "order.shipped", required=True),
        Key("within", DurationOrExpr(NAMES), "How long after the event of `on` it may come: a duration, or an expression that gives one.", "48h"),
        Key("deadline", Expr(NAMES, "an expression that gives a time, such as timestamp(data.promised_at)"),
            "Until when it may come, in place of `within`.", "timestamp(data.promised_at)"),
        Key("grace", Duration(zero=True), "How long after the deadline it may still come. 0s by default.", "2h"),
        Key("cancel_on", Selectors(), "Events after which nothing is expected any more.", "order.cancelled"),
        Key("rearm", Truth(), "Whether a later event of `on` starts the wait anew. true by default.", example=False),
    ],
    later=("time_interval", "pause_on", "resume_on"),
)  # fmt: skip

CONDITIONS: dict[str, tuple[Table, str, Any]] = {
    "match": (MATCH, "Fires on each matching event.", {}),
    "event_count": (EVENT_COUNT, "Fires when so many matching events came within a time.", {"gte": 3, "within": "10m"}),
    "ratio": (RATIO, "Fires when a share of the matching events reaches a threshold.",
              {"of": "data.status >= 500", "gte": 0.05, "within": "5m", "every": "30s", "min_events": 200}),
    "absence": (ABSENCE, "Fires when an expected event did not come in time.", {"expect": "order.shipped", "within": "48h"}),
}  # fmt: skip
CONDITIONS_LATER = (
    "value_count",
    "aggregate",
    "spike",
    "forecast",
    "flatline",
    "new_term",
    "sequence",
    "reminder",
)

SEVERITY = Word("info", "warning", "critical")
CHANNELS = ListOf(
    Word("email", "sms", later=("inapp", "webhook")), "a list of channels such as [email, sms]", unique=True
)
TICKET = Table(
    "ticket",
    [
        Key("queue", Text("a queue's name", most=100), "The queue it goes to.", "billing", required=True),
        Key("priority", Word("low", "normal", "high", "urgent"), "normal by default.", "high"),
    ],
)
ADDRESS = Table(
    "to",
    [Key("email", Text("an e-mail address", pattern=r"[^@\s]+@[^@\s]+", most=254), "A fixed address.", "team@example.com", required=True)],
    later=("webhook",),
)  # fmt: skip
CATEGORY = Key("category", Text("a category's name", most=100), "What a customer may opt out of.", "billing")
EXPIRES = Key("expires", Duration(), "Not sent later than this after it was due. 72h by default.", "72h")
_DELIVERY_LATER = ("digest", "active_time_intervals", "mute_time_intervals", "on_unmute")
NOTIFY = Table(
    "an entry of notify",
    [
        Key("to", Shape("customer, affected, operations or {email: …}", scalar=Word("customer", "affected", "operations"), mapping=ADDRESS),
            "Whom it tells.", "customer"),
        Key("template", Text("a template's name", pattern=r"[a-z0-9][a-z0-9-]*", most=100), "The message's template.", "payment-failed"),
        Key("channels", Shape("a list of channels such as [email, sms]", sequence=CHANNELS, mapping=Table("channels", [], later=("first_of", "fallback_after"))),
            "By which ways, all of them.", ["email", "sms"]),
        Key("after", Duration(zero=True), "How long after the firing it is due, if the alert still fires then. 0s by default.", "10m"),
        Key("every", Duration(), "Due again this often, until it resolves.", "24h"),
        Key("on", ListOf(Word("firing", "resolved"), "a list: [firing, resolved] or [firing]", unique=True),
            "Whether whoever was told is told again when it is over. [firing, resolved] by default.", ["firing"]),
        Key("severity", SEVERITY, "The alert's severity from then on.", "critical"),
        CATEGORY,
        EXPIRES,
        Key("ticket", TICKET, "Opens a ticket for the customer, in place of a message.", {"queue": "billing", "priority": "high"}),
    ],
    later=_DELIVERY_LATER,
    elsewhere={"limit": "it stands on the rule", "inhibited_by": "it stands on the rule"},
    schema={"oneOf": [{"required": ["to", "template"]}, {"required": ["ticket"]}]},
)  # fmt: skip

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_IDENTITY = Key("id", Text("an id of a-z, 0-9 and -, such as payment-failed", pattern="[a-z0-9-]+", most=100),
                "The rule's name, unique over all files.", "payment-failed", required=True)  # fmt: skip
_SHARED: list[Key[Any]] = [
    Key("title", Text(most=200), "What happened, for people. The id by default.", "A payment failed"),
    Key("description", Text(most=5000), "More about it.", "The card was refused, and nobody paid within ten minutes."),
    Key("owner", Text(most=200), "Who looks after the rule.", "payments"),
    Key("runbook", Text(most=2000), "Where to read what to do.", "https://wiki.example.com/payments"),
    Key("labels", MapOf(Text(most=200), "a mapping of texts", pattern=r"[A-Za-z_][A-Za-z0-9_.\-]*", names="letters, digits, _ . and -"),
        "Words to find and silence it by.", {"team": "payments"}),
    Key("severity", SEVERITY, "warning by default.", "warning"),
    Key("mode", Word("live", "shadow", "off"), "shadow does everything but deliver, off nothing. live by default.", "shadow"),
    Key("scope", Word("customer", "global"), "Whether state is kept per customer, or over all of them. customer by default.", "global"),
    Key("affected", Truth(), "Under scope global: each customer behind the matching events gets an alert of their own.", example=True),
    Key("on", Selectors(), "The events that it looks at.", "payment.failed"),
    Key("where", Expr(NAMES), "What must also be true of such an event.", _EXPRESSION),
    Key("group_by", GROUP_BY, "What one alert is about. The customer by default; under scope global one for all.", "data.order_id"),
    Key("resolve_on", Selectors(later=("otherwise",)), "Events with the same key that end it.", ["payment.succeeded", "order.cancelled"]),
    Key("resolve_after", Duration(), "When it ends silently, if nothing else ended it. 30d by default where only resolve_on could, else 365d.", "30d"),
    Key("cooldown", Duration(zero=True), "No new firing until this long after the last began.", "24h"),
    Key("lookback", Duration(zero=True), "How long an event that ends or answers it is remembered for one that arrives late. 1m by default.", "1m"),
    Key("vars", MapOf(Expr(VARS_NAMES), "a mapping of names to expressions", pattern=_NAME, names="letters, digits and _"),
        "Values for the templates.", {"amount": "data.amount"}),
    Key("notify", ListOfTables(NOTIFY, "a list of entries", least=0), "Who is told, in order. Nobody by default.",
        [{"to": "customer", "template": "payment-failed", "channels": ["email"], "after": "10m"}]),
    CATEGORY,
    EXPIRES,
]  # fmt: skip


def _inside() -> dict[str, str]:
    """Where keys belong that people put on the rule itself."""
    homes: dict[str, list[str]] = {}
    for condition, (table, _, _) in CONDITIONS.items():
        for key in (*table.keys, *table.later):
            homes.setdefault(key, []).append(condition)
    inside = {key: f"it belongs inside {' or '.join(conditions)}" for key, conditions in homes.items()}
    entry = dict.fromkeys(
        ["to", "template", "channels", "after", "ticket"], "it belongs in an entry of notify"
    )
    return inside | entry


_RULE_LATER = ("for", "keep_firing_for", "limit", "inhibited_by", *_DELIVERY_LATER)

DEFAULTS = Table(
    "defaults", _SHARED, later=_RULE_LATER,
    elsewhere=dict.fromkeys(["id", *CONDITIONS, *CONDITIONS_LATER], "it is each rule's own"),
)  # fmt: skip


class _RuleTable(Table):
    """Every problem inside names the rule."""

    def read(self, node: Node, reader: Reader) -> Fields:
        named = node.entries.get("id") if isinstance(node, Mapping) else None
        reader.rule = (
            named.value.text[:100] if named is not None and isinstance(named.value, Scalar) else None
        )
        try:
            return super().read(node, reader)
        finally:
            reader.rule = None


RULE = _RuleTable(
    "a rule", [_IDENTITY, *_SHARED, *(Key(name, *rest) for name, rest in CONDITIONS.items())], later=(*_RULE_LATER, *CONDITIONS_LATER), elsewhere=_inside(),
    schema={"oneOf": [{"required": [name]} for name in CONDITIONS]},
)  # fmt: skip


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
FILE = Table(
    "a rule file",
    [
        Key("version", Whole(1, 1), "The language's version. 1 by default.", 1),
        Key("defaults", DEFAULTS, "Keys for every rule of the file that does not have its own.", {"owner": "payments"}),
        Key("rules", ListOfTables(RULE, "a list of rules", least=0, most=10_000), "The rules."),
        Key("tests", ListOfTables(TEST, "a list of tests", least=0, most=10_000), "Tests of the rules, run by `beforehand rules test`."),
    ],
    later=("time_intervals",),
)  # fmt: skip
