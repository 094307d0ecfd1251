"""Records on `alerts`: what happened to an alert, and all that a reader needs to tell people of it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.envelope import Event, event

State = Literal["firing", "due", "resolved", "ended"]
Severity = Literal["info", "warning", "critical"]
Mode = Literal["live", "shadow"]
Channel = Literal["email", "sms", "inapp", "webhook"]


class TicketOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of `notify` that opens a ticket."""

    queue: str
    priority: Literal["low", "normal", "high", "urgent"] = "normal"


class Destination(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom an entry of `notify` tells: the customer, operations, one address, or a webhook by its name."""

    kind: Literal["customer", "affected", "operations", "email", "webhook"]
    address: str | None = None


class NotifyEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of `notify` that has come due with a transition. `index` is its place in the rule, from 0.

    Either `to` and `template` or `ticket` is set. `first_of` says that `channels` are tried in order, the next one
    `fallback_after_s` after the one before; otherwise all of them are used. `category` is what a customer may opt out of.
    """

    index: int
    to: Destination | None = None
    template: str | None = None
    channels: tuple[Channel, ...] = ()
    first_of: bool = False
    fallback_after_s: float | None = None
    category: str | None = None
    severity: Severity | None = None
    expires_s: float = 259_200.0
    resolves: bool = True
    ticket: TicketOrder | None = None


class RuleWords(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rule says for its readers, as it stood when the alert fired."""

    title: str
    mode: Mode = "live"
    description: str | None = None
    owner: str | None = None
    runbook: str | None = None
    labels: dict[str, str] = {}
    group_by: tuple[str, ...] = ()


class Cause(msgspec.Struct, frozen=True):
    """The event that fired or resolved an alert, by CloudEvents' two attributes of identity."""

    source: str
    id: str


class Transition(msgspec.Struct, frozen=True, omit_defaults=True):
    """One transition of one alert: the `data` of an event on `alerts`.

    `alert` is the alert's id (UUIDv5, docs/rule-language.md), `seq` counts its transitions from 1. `at` is the
    transition's own event time, `fired_at` that of the firing. `key` is a text, or a list where `group_by` is one.
    `evidence` holds at most the last 10 event ids by time. `vars`, `evidence` and, but for `resolved`, `value` are those
    of the firing. `how` says what resolved it. `version` names the rule's content (a hash of its meaning).
    """

    alert: str
    seq: int
    rule: str
    version: str
    state: State
    at: datetime
    fired_at: datetime
    key: str | list[str]
    severity: Severity
    words: RuleWords
    customer: str | None = None
    value: Any = None
    vars: dict[str, Any] = {}
    evidence: list[str] = []
    notify: tuple[NotifyEntry, ...] = ()
    momentary: bool = False
    cause: Cause | None = None
    how: Literal["condition", "event"] | None = None


SOURCE = "/beforehand/rule_engine"


def to_event(transition: Transition, traceparent: str | None = None) -> Event:
    """The CloudEvent of a transition; its id is the alert's and the transition's number."""
    extensions = {} if traceparent is None else {"traceparent": traceparent}
    return event(
        id=f"{transition.alert}/{transition.seq}", source=SOURCE, type=f"alert.{transition.state}", time=transition.at,
        data=transition, customerid=transition.customer, subject=transition.alert, **extensions,
    )  # fmt: skip


def from_data(data: Any) -> Transition:
    """Raises msgspec.ValidationError that names the wrong field."""
    return msgspec.convert(data, Transition)
