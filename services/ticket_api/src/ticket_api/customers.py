"""Customers in the database: who was heard of, what their profile says, and who is to be forgotten."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import case, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.records import Profile
from ticket_api.database import insert
from ticket_api.tables import (
    Alert,
    AlertStep,
    Answer,
    Customer,
    EntryRow,
    Fate,
    Message,
    OutboxRow,
    Signal,
    TicketRow,
)  # fmt: skip

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure at the broker's time `at`; `final` if no profile of the customer came since."""

    at: datetime
    final: bool

    def spares(self, at: datetime) -> bool:
        """Whether a record that the broker got at that time may be kept."""
        return not self.final and at > self.at


async def erased(session: AsyncSession, customers: AbstractSet[str]) -> dict[str, Erasure]:
    """Those of these customers who were erased at some time."""
    query = select(Customer.id, Customer.erased_at, Customer.profile.is_(None)).where(
        Customer.id.in_(customers), Customer.erased_at.is_not(None)
    )
    return {id_: Erasure(at, gone) for id_, at, gone in await session.execute(query) if at is not None}


async def seen(session: AsyncSession, times: dict[str, datetime]) -> None:
    """These customers exist, and something happened to each at that time."""
    if not times:
        return
    row = insert(session, Customer)
    newest = case(
        (or_(Customer.seen_at.is_(None), Customer.seen_at < row.excluded.seen_at), row.excluded.seen_at),
        else_=Customer.seen_at,
    )
    await session.execute(
        row.on_conflict_do_update(index_elements=[Customer.id], set_={"seen_at": newest}),
        [{"id": id_, "seen_at": at} for id_, at in sorted(times.items())],
    )


async def set_profile(session: AsyncSession, customer: str, profile: Profile, at: datetime) -> None:
    """`at` is the broker's time: what was written before an erasure stays forgotten."""
    row = insert(session, Customer).values(
        id=customer, profile=msgspec.to_builtins(profile), name=profile.name, email=profile.email, seen_at=at
    )
    new: dict[str, Any] = {name: row.excluded[name] for name in ("profile", "name", "email")}
    not_erased_since = or_(Customer.erased_at.is_(None), Customer.erased_at < at)
    await session.execute(
        row.on_conflict_do_update(index_elements=[Customer.id], set_=new, where=not_erased_since)
    )


async def erase(session: AsyncSession, customer: str, at: datetime) -> None:
    """Deletes all of the customer's; an erasure that was done already does not touch what came after it."""
    known = select(Customer.erased_at).where(Customer.id == customer)
    before = (await session.execute(known)).scalar_one_or_none()
    if before is not None and before >= at:
        return
    own_tickets = select(TicketRow.id).where(TicketRow.customer == customer)
    await session.execute(delete(EntryRow).where(EntryRow.ticket.in_(own_tickets)))
    for whose in (
        TicketRow.customer, Signal.customer, Alert.customer, AlertStep.customer, Message.customer, Fate.customer,
        OutboxRow.customer, Answer.customer, Customer.id,
    ):  # fmt: skip
        await session.execute(delete(whose.class_).where(whose == customer))
    await session.execute(insert(session, Customer).values(id=customer, erased_at=at))
    log.info("customer erased")
