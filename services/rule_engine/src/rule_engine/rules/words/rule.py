"""The keys of a rule, and of `defaults`."""

from __future__ import annotations

from typing import Any

from rule_engine.rules.conditions import CONDITIONS, CONDITIONS_LATER
from rule_engine.rules.reading import Fields, Key, ListOfTables, Reader, Table
from rule_engine.rules.values import Duration, Expr, MapOf, Text, Truth, Word
from rule_engine.rules.words.notify import CATEGORY, DELIVERY_LATER, EXPIRES, NOTIFY, SEVERITY
from rule_engine.rules.words.selectors import EXPRESSION, GROUP_BY, NAMES, VARS_NAMES, Selectors
from rule_engine.rules.yaml import Mapping, Node, Scalar

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
    Key("where", Expr(NAMES), "What must also be true of such an event.", EXPRESSION),
    Key("group_by", GROUP_BY, "What one alert is about. The customer by default; under scope global one for all.", "data.order_id"),
    Key("resolve_on", Selectors(otherwise=True), "Events with the same key that end it; otherwise: those of `on` whose `where` is false.", ["payment.succeeded", "order.cancelled"]),
    Key("resolve_after", Duration(), "When it ends silently, if nothing else ended it. 30d by default where only resolve_on could, else 365d.", "30d"),
    Key("for", Duration(zero=True), "How long the condition must hold before it fires. 0s by default.", "2m"),
    Key("keep_firing_for", Duration(zero=True), "How long the condition must be false before it resolves. 0s by default.", "10m"),
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
    for condition, word in CONDITIONS.items():
        for key in (*word.table.keys, *word.table.later):
            homes.setdefault(key, []).append(condition)
    inside = {key: f"it belongs inside {_either(conditions)}" for key, conditions in homes.items()}
    entry = dict.fromkeys(
        ["to", "template", "channels", "after", "ticket"], "it belongs in an entry of notify"
    )
    return inside | entry


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


_RULE_LATER = ("limit", "inhibited_by", *DELIVERY_LATER)

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
    "a rule", [_IDENTITY, *_SHARED, *(Key(name, word.table, word.says, word.example) for name, word in CONDITIONS.items())], later=(*_RULE_LATER, *CONDITIONS_LATER), elsewhere=_inside(),
    schema={"oneOf": [{"required": [name]} for name in CONDITIONS]},
)  # fmt: skip
