"""Whom a transition tells, and by which channels: pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from contracts.alerts import Channel, NotifyEntry, Transition
from contracts.records import TicketRecord
from notifier import message_id

Kind = Literal["firing", "resolved", "replied"]

REPLY_EXPIRES_S = 259_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A message that somebody is to get. `after_failing` are the channels to try, in order, if this one fails."""

    id: str
    kind: Kind
    recipient: str
    channel: Channel
    template: str
    category: str | None
    due_at: datetime
    expires_s: float
    entry: int | None = None
    after_failing: tuple[Channel, ...] = ()

    @property
    def expires_at(self) -> datetime:
        return self.due_at + timedelta(seconds=self.expires_s)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told, or may have been, of an alert's firing."""

    entry: int
    recipient: str
    channel: Channel


def recipient_of(entry: NotifyEntry, customer: str | None) -> str | None:
    """The recipient's name, never an address: the customer's id, `operations`, a webhook's name; None if there is nobody."""
    if entry.to is None:
        return None
    match entry.to.kind:
        case "customer" | "affected":
            return customer
        case "operations":
            return "operations"
        case "email":
            return f"address-{sha256((entry.to.address or '').encode()).hexdigest()[:12]}"
        case "webhook":
            return f"webhook:{entry.to.address}"


def of_firing(transition: Transition) -> Iterator[Planned]:
    """The messages that come due with a `firing` or a `due`."""
    for entry in transition.notify:
        recipient = recipient_of(entry, transition.customer)
        if recipient is None or entry.template is None:
            continue
        if entry.first_of:
            first, *others = entry.channels
            yield _planned(transition, entry, "firing", recipient, first, tuple(others))
        else:
            for channel in dict.fromkeys(entry.channels):
                yield _planned(transition, entry, "firing", recipient, channel)


def of_resolved(transition: Transition, told: Sequence[Told]) -> Iterator[Planned]:
    """One message a channel for each who was told, by the last entry that told them so and speaks of the end."""
    entries = {entry.index: entry for entry in transition.notify if entry.resolves and entry.template}
    for (recipient, channel), index in _last_entries(told, entries):
        yield _planned(transition, entries[index], "resolved", recipient, channel)


def of_reply(ticket: TicketRecord, event: str, customer: str) -> Planned:
    """The mail that carries an agent's reply, of the event with this id, to the customer."""
    return Planned(
        id=message_id.of_reply(ticket.ticket, event, customer, "email"), kind="replied", recipient=customer,
        channel="email", template="ticket", category=None, due_at=ticket.at, expires_s=REPLY_EXPIRES_S,
    )  # fmt: skip


def _last_entries(told: Sequence[Told], entries: Iterable[int]) -> Iterable[tuple[tuple[str, Channel], int]]:
    last: dict[tuple[str, Channel], int] = {}
    for one in told:
        if one.entry in entries:
            who = (one.recipient, one.channel)
            last[who] = max(one.entry, last.get(who, one.entry))
    return last.items()


def _planned(
    transition: Transition, entry: NotifyEntry, kind: Kind, recipient: str, channel: Channel,
    after_failing: tuple[Channel, ...] = (),
) -> Planned:  # fmt: skip
    return Planned(
        id=message_id.of_alert(transition.alert, transition.seq, entry.index, recipient, channel), kind=kind,
        recipient=recipient, channel=channel, template=entry.template or "", category=entry.category,
        due_at=transition.at, expires_s=entry.expires_s, entry=entry.index, after_failing=after_failing,
    )  # fmt: skip
