"""What the desk's first page shows out of the database: what fires, which tickets wait, who was heard of last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.records import TicketState
from ticket_api import ticket_store
from ticket_api.tables import Alert, Customer, TicketRow
from ticket_api.ticket_store import Filters
from ticket_api.tickets import Ticket
from ticket_api.timeline import FIRING

_ROWS = 30
_LIKE = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


@dataclass(frozen=True, slots=True)
class FiringRule:
    """A rule with alerts that are not over: how many, since when the newest, and whom they concern, if they are few."""

    rule: str
    title: str
    severity: str
    count: int
    newest: datetime
    customers: list[str]


@dataclass(frozen=True, slots=True)
class CustomerLine:
    id: str
    name: str | None
    email: str | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Glance:
    firing: list[FiringRule]
    tickets: list[Ticket]
    counts: dict[str, int]
    customers: list[CustomerLine]


async def glance(session: AsyncSession, state: TicketState | None, sought: str) -> Glance:
    counts = select(TicketRow.state, func.count()).group_by(TicketRow.state)
    return Glance(
        firing=await _firing(session),
        tickets=await ticket_store.page(session, Filters(state=state), None, _ROWS),
        counts=dict((await session.execute(counts)).tuples().all()),
        customers=await _customers(session, sought),
    )


async def is_customer(session: AsyncSession, id_: str) -> bool:
    """Whether something is known of them."""
    query = select(Customer.id).where(Customer.id == id_, Customer.seen_at.is_not(None))
    return (await session.execute(query)).first() is not None


async def _firing(session: AsyncSession) -> list[FiringRule]:
    newest = func.max(Alert.fired_at)
    rules = (
        select(Alert.rule, func.count(), newest).where(FIRING).group_by(Alert.rule).order_by(newest.desc())
    )
    found = []
    for rule, count, last in (await session.execute(rules.limit(_ROWS))).all():
        query = select(Alert).where(FIRING, Alert.rule == rule).order_by(Alert.fired_at.desc()).limit(3)
        alerts = list(await session.scalars(query))
        customers = [alert.customer for alert in alerts if alert.customer is not None]
        first = alerts[0]
        found.append(FiringRule(rule, first.words["title"], first.severity, count, last, customers))
    return found


async def _customers(session: AsyncSession, sought: str) -> list[CustomerLine]:
    query = select(Customer.id, Customer.name, Customer.email, Customer.seen_at).where(
        Customer.seen_at.is_not(None)
    )
    if sought:
        within = f"%{sought.translate(_LIKE)}%"
        query = query.where(
            or_(
                *(
                    column.ilike(within, escape="\\")
                    for column in (Customer.id, Customer.name, Customer.email)
                )
            )
        )
    rows = await session.execute(query.order_by(Customer.seen_at.desc()).limit(_ROWS))
    return [CustomerLine(*row) for row in rows]
