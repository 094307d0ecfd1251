"""Who is told, how and when: the entries of `notify`."""

from __future__ import annotations

from rule_engine.rules.reading import Key, ListOf, Shape, Table
from rule_engine.rules.values import Duration, Text, Word

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
DELIVERY_LATER = ("digest", "active_time_intervals", "mute_time_intervals", "on_unmute")
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
    later=DELIVERY_LATER,
    elsewhere={"limit": "it stands on the rule", "inhibited_by": "it stands on the rule"},
    schema={"oneOf": [{"required": ["to", "template"]}, {"required": ["ticket"]}]},
)  # fmt: skip
