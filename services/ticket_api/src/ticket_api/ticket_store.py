"""Tickets in the database. What changes one locks it, writes the entry and tells the outbox, all in the caller's transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.records import TicketState
from ticket_api import outbox
from ticket_api.database import insert
from ticket_api.tables import EntryRow, TicketRow
from ticket_api.tickets import Entry, Ticket

Step = Callable[[Ticket], tuple[Ticket, Entry]]


@dataclass(frozen=True, slots=True)
class Filters:
    customer: str | None = None
    state: TicketState | None = None
    queue: str | None = None


class NoSuchTicket(LookupError):  # noqa: N818 - says what it is
    """Its text is what was asked for."""


async def add(
    session: AsyncSession, ticket: Ticket, entry: Entry, traceparent: str | None = None
) -> Ticket | None:
    """Stores a new ticket, with its number; None, and nothing is done, if a ticket with its id is there."""
    values = {field: getattr(ticket, field) for field in _FIELDS}
    row = insert(session, TicketRow).values(**values).on_conflict_do_nothing().returning(TicketRow.number)
    number = (await session.execute(row)).scalar_one_or_none()
    if number is None:
        return None
    stored = replace(ticket, number=number)
    _write(session, stored, entry, traceparent)
    return stored


async def change(
    session: AsyncSession, name: str, step: Step, traceparent: str | None = None
) -> tuple[Ticket, Entry]:
    """Does `step` to a ticket, whom nobody else changes meanwhile. Raises NoSuchTicket, and what `step` raises."""
    ticket, entry = step(await read(session, name, lock=True))
    await session.execute(
        update(TicketRow)
        .where(TicketRow.id == ticket.id)
        .values(state=ticket.state, changed_at=ticket.changed_at, entries=ticket.entries)
    )
    _write(session, ticket, entry, traceparent)
    return ticket, entry


async def read(session: AsyncSession, name: str, *, lock: bool = False) -> Ticket:
    """A ticket by its id, or by its number. Raises NoSuchTicket."""
    query = _select().where(_named(name))
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NoSuchTicket(name)
    return _ticket(row)


async def page(session: AsyncSession, filters: Filters, before: int | None, limit: int) -> list[Ticket]:
    """The newest tickets first, with numbers below `before`."""
    query = _select().order_by(TicketRow.number.desc()).limit(limit)
    for column, wanted in (
        (TicketRow.customer, filters.customer),
        (TicketRow.state, filters.state),
        (TicketRow.queue, filters.queue),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(TicketRow.number < before)
    return [_ticket(row) for row in await session.execute(query)]


async def by_ids(session: AsyncSession, ids: Iterable[str]) -> list[Ticket]:
    return [_ticket(row) for row in await session.execute(_select().where(TicketRow.id.in_(ids)))]


async def of_alerts(session: AsyncSession, alerts: Iterable[str]) -> list[Ticket]:
    query = _select().where(TicketRow.alert.in_(alerts)).order_by(TicketRow.number)
    return [_ticket(row) for row in await session.execute(query)]


async def entries(session: AsyncSession, tickets: Iterable[str]) -> dict[str, list[Entry]]:
    """What happened to each of these, in order."""
    found: dict[str, list[Entry]] = {ticket: [] for ticket in tickets}
    query = select(EntryRow).where(EntryRow.ticket.in_(found)).order_by(EntryRow.ticket, EntryRow.seq)
    for row in await session.scalars(query):
        found[row.ticket].append(
            Entry(ticket=row.ticket, seq=row.seq, at=row.at, by=row.by, what=row.what, text=row.text)  # type: ignore[arg-type]
        )
    return found


_FIELDS = (
    "id", "customer", "subject", "state", "queue", "priority", "channel", "topic", "alert", "opened_at", "changed_at",
    "entries",
)  # fmt: skip
_Columns = tuple[int, str, str, str, str, str, str, str, str | None, str | None, datetime, datetime, int]


def _select() -> Select[*_Columns]:
    columns = (getattr(TicketRow, field) for field in ("number", *_FIELDS))
    return select(*columns)


def _ticket(row: Row[*_Columns]) -> Ticket:
    return Ticket(**row._mapping)  # noqa: SLF001


def _named(name: str) -> ColumnElement[bool]:
    if name.isascii() and name.isdigit() and len(name) <= 18:
        return TicketRow.number == int(name)
    return TicketRow.id == name.lower()


def _write(session: AsyncSession, ticket: Ticket, entry: Entry, traceparent: str | None) -> None:
    session.add(
        EntryRow(**{field: getattr(entry, field) for field in ("ticket", "seq", "at", "by", "what", "text")})
    )
    outbox.tell(session, ticket, entry, traceparent)
