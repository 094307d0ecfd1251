"""What people do to tickets: the bodies of their requests, and the acts, each in the caller's transaction."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.records import Priority, TicketChannel
from ticket_api import customers, ticket_store, tickets
from ticket_api.idempotency import Done
from ticket_api.story import shown
from ticket_api.ticket_store import Step
from ticket_api.tickets import Ticket

log = structlog.get_logger()


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return _no_nul(text)


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_said)]
CustomerId = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_said)]
Words = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_said)]
Who = Annotated[Literal["customer", "agent"], Field(description="who says it")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenTicket(_Body):
    customer: CustomerId
    subject: Name
    text: Words
    by: Who = "customer"
    queue: Name = "support"
    priority: Priority = "normal"
    channel: TicketChannel = "portal"
    topic: Annotated[Name | None, Field(description="what it is about, for rules and reports")] = None
    alert: Annotated[Name | None, Field(description="the alert that it is about")] = None
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer": "c1",
                    "subject": "Where is my order?",
                    "text": "Order o-1001 should be here by now.",
                    "topic": "delivery",
                }
            ]
        }
    )


class Reply(_Body):
    by: Who
    text: Words
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": "agent", "text": "It left our warehouse this morning."}]}
    )


class Close(_Body):
    by: Who = "agent"
    text: Annotated[Words | None, Field(description="a last reply, sent before the end")] = None
    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Glad that it arrived."}]})


async def open_ticket(
    session: AsyncSession, body: OpenTicket, now: datetime, traceparent: str | None
) -> Done:
    asked = Ticket(
        id=str(uuid.uuid4()), customer=body.customer, subject=body.subject, opened_at=now, changed_at=now,
        queue=body.queue, priority=body.priority, channel=body.channel, topic=body.topic, alert=body.alert,
    )  # fmt: skip
    ticket, entry = tickets.opened(asked, body.by, body.text)
    stored = await ticket_store.add(session, ticket, entry, traceparent)
    assert stored is not None, "a new random id is nobody's"
    await customers.seen(session, {stored.customer: now})
    log.info("ticket opened", ticket=stored.id, by=body.by)
    return Done(201, shown(stored, [entry]).model_dump(mode="json"), stored.customer)


async def reply(
    session: AsyncSession, name: str, body: Reply, now: datetime, traceparent: str | None
) -> Done:
    """Raises NoSuchTicket, NotAllowed."""
    return await _change(
        session, name, lambda ticket: tickets.replied(ticket, body.by, body.text, now), traceparent
    )


async def close(
    session: AsyncSession, name: str, body: Close, now: datetime, traceparent: str | None
) -> Done:
    """Raises NoSuchTicket, NotAllowed."""
    text = body.text
    if text is not None:
        await _change(session, name, lambda ticket: tickets.replied(ticket, body.by, text, now), traceparent)
    return await _change(session, name, lambda ticket: tickets.closed(ticket, body.by, now), traceparent)


async def _change(session: AsyncSession, name: str, step: Step, traceparent: str | None) -> Done:
    ticket, entry = await ticket_store.change(session, name, step, traceparent)
    await customers.seen(session, {ticket.customer: entry.at})
    log.info("ticket changed", what=entry.what, ticket=ticket.id, by=entry.by)
    history = await ticket_store.entries(session, [ticket.id])
    return Done(200, shown(ticket, history[ticket.id]).model_dump(mode="json"), ticket.customer)
