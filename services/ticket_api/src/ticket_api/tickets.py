"""What a ticket may do. Pure: a ticket and what somebody does to it give the ticket after it, and the entry that says so.

    open ──agent replies──▶ waiting ──customer replies──▶ open       (waiting: for the customer)
    open, waiting ──close──▶ closed ──customer replies──▶ open       (that reply is `reopened`)

NotAllowed   the ticket's state does not allow it; says what would
"""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from contracts.alerts import Transition
from contracts.records import Priority, TicketChannel, TicketState
from contracts.times import format_time

By = Literal["customer", "agent", "alert"]
What = Literal["opened", "replied", "closed", "reopened", "noted"]

_ALERT_TICKETS = uuid.UUID("67128764-09b8-4f3c-9c98-db877a2cd9ff")


class NotAllowed(Exception):  # noqa: N818 - says what it is
    """What can't be done to this ticket now, and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as it stands. `entries` counts what happened to it; `number` (0 until it is stored) is what people say aloud."""

    id: str
    customer: str
    subject: str
    opened_at: datetime
    changed_at: datetime
    state: TicketState = "open"
    queue: str = "support"
    priority: Priority = "normal"
    channel: TicketChannel = "portal"
    topic: str | None = None
    alert: str | None = None
    entries: int = 1
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to a ticket; `seq` counts from 1. A `noted` one is for the desk's eyes alone."""

    ticket: str
    seq: int
    at: datetime
    by: By
    what: What
    text: str | None = None


def opened(ticket: Ticket, by: By, text: str | None) -> tuple[Ticket, Entry]:
    return ticket, Entry(ticket=ticket.id, seq=1, at=ticket.opened_at, by=by, what="opened", text=text)


def replied(
    ticket: Ticket, by: Literal["customer", "agent"], text: str, at: datetime
) -> tuple[Ticket, Entry]:
    """The customer's reply is for the desk to answer, and opens a closed ticket again. Raises NotAllowed."""
    if by == "customer":
        return _next(ticket, "reopened" if ticket.state == "closed" else "replied", by, text, at, "open")
    if ticket.state == "closed":
        raise NotAllowed(
            f"ticket {ticket.number} is closed, so an agent can't reply to it: "
            "a reply of the customer opens it again, or open a new ticket"
        )
    return _next(ticket, "replied", by, text, at, "waiting")


def closed(ticket: Ticket, by: Literal["customer", "agent"], at: datetime) -> tuple[Ticket, Entry]:
    """Raises NotAllowed."""
    if ticket.state == "closed":
        raise NotAllowed(f"ticket {ticket.number} is closed already")
    return _next(ticket, "closed", by, None, at, "closed")


def noted(ticket: Ticket, text: str, at: datetime) -> tuple[Ticket, Entry]:
    """A note leaves the state as it is."""
    return _next(ticket, "noted", "alert", text, at, ticket.state)


def _next(
    ticket: Ticket, what: What, by: By, text: str | None, at: datetime, state: TicketState
) -> tuple[Ticket, Entry]:
    seq = ticket.entries + 1
    moment = max(
        at, ticket.changed_at
    )  # two machines' clocks may differ; what happened later never reads as earlier
    return (
        replace(ticket, state=state, changed_at=moment, entries=seq),
        Entry(ticket=ticket.id, seq=seq, at=moment, by=by, what=what, text=text),
    )


def tickets_of(transition: Transition, now: datetime) -> list[tuple[Ticket, Entry]]:
    """The tickets that a transition of an alert orders, with the alert's evidence as their text.

    None in shadow mode, for an alert that concerns no customer, or later than the entry's `expires_s` after it was due:
    history that is read for the first time floods nobody. The same transition gives the same ids.
    """
    if (
        transition.words.mode == "shadow"
        or transition.customer is None
        or transition.state not in {"firing", "due"}
    ):
        return []
    made = []
    for entry in transition.notify:
        if entry.ticket is None or (now - transition.at).total_seconds() > entry.expires_s:
            continue
        ticket = Ticket(
            id=alert_ticket_id(transition.alert, transition.seq, entry.index), customer=transition.customer,
            subject=transition.words.title, opened_at=now, changed_at=now, queue=entry.ticket.queue,
            priority=entry.ticket.priority, channel="alert", alert=transition.alert,
        )  # fmt: skip
        made.append(opened(ticket, "alert", evidence_text(transition)))
    return made


def alert_ticket_id(alert: str, seq: int, index: int) -> str:
    """UUIDv5 over the alert's id, the transition's number and the place of the entry: a replay opens no second ticket."""
    return str(uuid.uuid5(_ALERT_TICKETS, json.dumps([alert, seq, index], separators=(",", ":"))))


def evidence_text(transition: Transition) -> str:
    """What an agent has to know of the alert, one fact a line."""
    key = transition.key if isinstance(transition.key, str) else ", ".join(transition.key)
    facts: list[tuple[str, object]] = [
        ("Rule", f"{transition.rule} ({transition.severity})"),
        ("Fired", format_time(transition.fired_at)),
        *([("Concerns", key)] if key and key != transition.customer else []),
        *([("Value", transition.value)] if transition.value is not None else []),
        *((name, value) for name, value in transition.vars.items() if value is not None),
        *([("Evidence", ", ".join(transition.evidence))] if transition.evidence else []),
        *([("Runbook", transition.words.runbook)] if transition.words.runbook else []),
    ]
    told = [f"{name}: {_plain(value)}" for name, value in facts]
    return "\n".join(([transition.words.description, ""] if transition.words.description else []) + told)


def resolved_text(transition: Transition) -> str:
    how = "because of an event" if transition.how == "event" else "because its condition no longer holds"
    return f"The alert resolved at {format_time(transition.at)}, {how}."


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
