"""What an API's caller and the desk's page are shown of tickets and of a customer's timeline. Pure.

The timeline's items are signals, alerts (each with its steps, its messages and its tickets), tickets with their texts
(and the messages that took them out), and messages that belong to neither.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.alerts import Channel, Severity, State
from contracts.records import Fate, Message, Priority, TicketChannel, TicketState
from ticket_api.tickets import By, Entry, Ticket, What


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True, hide_input_in_errors=True)


class EntryShown(_Shown):
    """`noted` entries are for the desk's eyes: no customer is told of them."""

    seq: int
    at: datetime
    by: By
    what: What
    text: str | None


class TicketBrief(_Shown):
    id: str
    number: Annotated[int, Field(description="what people say aloud")]
    customer: str
    subject: str
    state: Annotated[TicketState, Field(description="`waiting` is for the customer, `open` for the desk")]
    queue: str
    priority: Priority
    channel: TicketChannel
    topic: str | None
    alert: Annotated[str | None, Field(description="the alert that it is about")]
    opened_at: datetime
    changed_at: datetime


class TicketShown(TicketBrief):
    history: list[EntryShown]


class TicketPage(_Shown):
    items: list[TicketBrief]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last")]


class SignalItem(_Shown):
    kind: Literal["signal"] = "signal"
    at: datetime
    source: str
    id: str
    type: str
    says: Annotated[str, Field(description="what it is, in words", examples=["Order placed"])]
    data: Any


class FateShown(_Shown):
    fate: Fate
    at: datetime
    reason: str | None
    possibly_twice: bool


class MessageItem(_Shown):
    kind: Literal["message"] = "message"
    at: datetime
    id: str
    channel: Channel
    recipient: Annotated[str, Field(description="the customer's id, `operations`, or a webhook's name")]
    fate: Fate
    reason: Annotated[str | None, Field(description="why it was not sent, or what the provider answered")]
    summary: Annotated[str | None, Field(description="subject or beginning, as the customer saw it")]
    attempts: int
    possibly_twice: Annotated[
        bool, Field(description="a crash came between the provider's call and its record")
    ]
    seq: Annotated[int | None, Field(description="the transition of the alert that it tells of")]
    rule: str | None
    alert: str | None
    ticket: str | None
    template: str | None
    locale: str | None
    category: str | None
    fates: Annotated[list[FateShown], Field(description="all that became of it, oldest first")]


class StepShown(_Shown):
    seq: int
    state: State
    at: datetime
    how: Literal["condition", "event"] | None
    value: Any


class Evidence(_Shown):
    id: str
    says: Annotated[str | None, Field(description="null if the event is none that timelines show")]
    at: datetime | None


class TicketLink(_Shown):
    id: str
    number: int
    subject: str
    state: TicketState


class AlertItem(_Shown):
    kind: Literal["alert"] = "alert"
    at: Annotated[datetime, Field(description="when it fired")]
    id: str
    rule: str
    title: str
    state: State
    firing: Annotated[bool, Field(description="whether it is not over yet")]
    severity: Severity
    mode: Literal["live", "shadow"]
    key: str | list[str]
    value: Any
    vars: dict[str, Any]
    description: str | None
    owner: str | None
    runbook: str | None
    evidence: list[Evidence]
    steps: list[StepShown]
    messages: list[MessageItem]
    tickets: list[TicketLink]


class TicketItem(_Shown):
    kind: Literal["ticket"] = "ticket"
    at: Annotated[datetime, Field(description="when it was opened")]
    ticket: TicketShown
    messages: Annotated[list[MessageItem], Field(description="what became of the replies that went out")]


Item = Annotated[SignalItem | AlertItem | MessageItem | TicketItem, Field(discriminator="kind")]


class CustomerShown(_Shown):
    id: str
    profile: Annotated[
        dict[str, Any] | None,
        Field(description="as the company's systems last gave it; null if they never did"),
    ]


class Timeline(_Shown):
    """Newest first. An alert stands where it fired, a ticket where it was opened."""

    customer: CustomerShown
    firing: Annotated[int, Field(description="how many alerts of this customer are not over, on any page")]
    items: list[Item]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last")]


def brief(ticket: Ticket) -> TicketBrief:
    return TicketBrief.model_validate(ticket)


def shown(ticket: Ticket, history: Iterable[Entry]) -> TicketShown:
    return TicketShown(
        **brief(ticket).model_dump(), history=[EntryShown.model_validate(entry) for entry in history]
    )


_RECEIPTS = ("sent", "delivered", "read")


def message_item(records: Sequence[Message]) -> MessageItem:
    """One message from all that was said of it, in the order in which it was.

    Its fate is the last, but a receipt that comes late takes nothing back: `sent` after `delivered` is still delivered.
    """
    first = now = records[0]
    for record in records[1:]:
        late = (
            record.fate in _RECEIPTS
            and now.fate in _RECEIPTS
            and _RECEIPTS.index(record.fate) < _RECEIPTS.index(now.fate)
        )
        if not late:
            now = record
    return MessageItem(
        at=first.at, id=now.message, channel=now.channel, recipient=now.recipient, fate=now.fate, reason=now.reason,
        summary=_last(records, "summary"), attempts=max(record.attempts for record in records),
        possibly_twice=any(record.possibly_twice for record in records), seq=now.seq, rule=now.rule, alert=now.alert,
        ticket=now.ticket, template=now.template, locale=now.locale, category=now.category,
        fates=[FateShown.model_validate(record) for record in records],
    )  # fmt: skip


def _last(records: Sequence[Message], field: str) -> Any:
    return next(
        (value for record in reversed(records) if (value := getattr(record, field)) is not None), None
    )
