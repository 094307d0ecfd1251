"""Records on `customers`, `messages`, `tickets`, `controls`, `rules`, `engine.status` and `engine.lanes`: the `data` of each CloudEvent."""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.alerts import Channel


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    lines: list[str] = []
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A customer's whole profile, never a patch. `phone` is in E.164, `locale` in BCP 47, `time_zone` in IANA's names."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    address: Address | None = None
    locale: str | None = None
    time_zone: str | None = None
    plan: str | None = None
    attributes: dict[str, Any] = {}


class PublicProfile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a profile goes to `signals`: no address of any kind, but which channels there is one for."""

    channels: list[Channel] = []
    locale: str | None = None
    time_zone: str | None = None
    plan: str | None = None
    attributes: dict[str, Any] = {}


def public(profile: Profile) -> PublicProfile:
    channels: list[Channel] = []
    if profile.email:
        channels.append("email")
    if profile.phone:
        channels.append("sms")
    return PublicProfile(
        channels=channels, locale=profile.locale, time_zone=profile.time_zone, plan=profile.plan,
        attributes=profile.attributes,
    )  # fmt: skip


Fate = Literal["queued", "held", "sent", "delivered", "read", "failed", "suppressed", "expired"]


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one message. Its CloudEvent's type is `message.<fate>`.

    `message` is its id: UUIDv5 over alert, seq, index of the notify entry, recipient and channel. `recipient` is a
    customer's id, `operations`, or a webhook's name; never an address. `reason` says why it was not sent, or what the
    provider answered. `possibly_twice`: a crash came between the provider's call and the record of its answer.
    `summary` is the subject, or the text's beginning, as the customer saw it.
    """

    message: str
    fate: Fate
    at: datetime
    channel: Channel
    recipient: str
    customer: str | None = None
    alert: str | None = None
    seq: int | None = None
    rule: str | None = None
    entry: int | None = None
    ticket: str | None = None
    template: str | None = None
    locale: str | None = None
    category: str | None = None
    summary: str | None = None
    reason: str | None = None
    attempts: int = 0
    possibly_twice: bool = False


TicketState = Literal["open", "waiting", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
TicketChannel = Literal["email", "chat", "portal", "phone", "social", "alert"]


class TicketRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened to a ticket, with its text. Its CloudEvent's type is `ticket.opened`, `ticket.replied`, `ticket.closed`
    or `ticket.reopened`. `number` is what people say aloud; `by` is `customer`, `agent` or `alert`.
    """

    ticket: str
    number: int
    subject: str
    state: TicketState
    at: datetime
    by: Literal["customer", "agent", "alert"]
    queue: str = "support"
    priority: Priority = "normal"
    channel: TicketChannel = "portal"
    topic: str | None = None
    text: str | None = None
    alert: str | None = None


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's decision to stop messages until it is lifted: all of them, a channel's, or a rule's.

    The record's key is `pause` for everything, `pause/channel/sms`, `pause/rule/<id>`; a null value lifts it.
    """

    scope: Literal["everything", "channel", "rule"]
    at: datetime
    by: str
    name: str | None = None
    why: str | None = None

    @property
    def key(self) -> str:
        return pause_key(self.scope, self.name)


def pause_key(scope: str, name: str | None) -> str:
    return "pause" if scope == "everything" else f"pause/{scope}/{name}"


class RuleFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of rules as pushed. `version` hashes its text: the same text is the same version."""

    file: str
    text: str
    version: str
    at: datetime
    by: str
    why: str | None = None


def text_version(text: str) -> str:
    """The version of a rule file of this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class LaneRules(msgspec.Struct, frozen=True):
    """The rule files that a partition of an input topic of the engine is judged by, each with its version."""

    topic: str
    partition: int
    files: dict[str, str]
    at: datetime


class RuleFileStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the engine took a version of a rule file; `problems` say why not, each with its place."""

    file: str
    version: str
    taken: bool
    at: datetime
    rules: list[str] = []
    problems: list[str] = []
