"""A customer's timeline out of the database, a page at a time: newest first, whatever kind it is."""

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import CATALOGUE
from contracts.records import Message as MessageRecord
from contracts.times import from_micros, to_micros
from ticket_api import ticket_store
from ticket_api.story import (
    AlertItem,
    CustomerShown,
    Evidence,
    Item,
    MessageItem,
    SignalItem,
    StepShown,
    TicketItem,
    TicketLink,
    Timeline,
    message_item,
    shown,
)  # fmt: skip
from ticket_api.tables import Alert, AlertStep, Customer, Fate, Message, Moment, Signal, TicketRow
from ticket_api.tickets import Ticket

FIRING = and_(Alert.state.in_(("firing", "due")), Alert.momentary.is_(False))


_Name = tuple[str, str]
_Arm = Select[str, datetime, str, str]


class BadCursor(ValueError):  # noqa: N818 - says what it is
    pass


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands. `part` is the source of a signal, whose id alone is not unique."""

    at: datetime
    kind: str
    id: str
    part: str

    def cursor(self) -> str:
        told = msgspec.json.encode([to_micros(self.at), self.kind, self.id, self.part])
        return base64.urlsafe_b64encode(told).decode().rstrip("=")

    @staticmethod
    def of(cursor: str) -> "Place":
        """Raises BadCursor."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            at, kind, id_, part = msgspec.json.decode(raw, type=tuple[int, str, str, str])
            return Place(from_micros(at), kind, id_, part)
        except (ValueError, OverflowError):
            raise BadCursor("is none that a page gave") from None


async def timeline(session: AsyncSession, customer: str, cursor: str | None, limit: int) -> Timeline:
    """Raises BadCursor."""
    places = await _places(session, customer, Place.of(cursor) if cursor else None, limit + 1)
    page = places[:limit]
    items: dict[tuple[str, str, str], Item] = {}
    for kind, load in (
        ("signal", _signals),
        ("alert", _alerts),
        ("message", _messages),
        ("ticket", _tickets),
    ):
        of_kind = [place for place in page if place.kind == kind]
        if of_kind:
            items |= {(kind, *name): item for name, item in (await load(session, customer, of_kind)).items()}
    firing = select(func.count()).select_from(Alert).where(Alert.customer == customer, FIRING)
    return Timeline(
        customer=CustomerShown(id=customer, profile=await profile(session, customer)),
        firing=(await session.execute(firing)).scalar_one(),
        items=[items[place.kind, place.id, place.part] for place in page],
        next=page[-1].cursor() if len(places) > limit else None,
    )


async def profile(session: AsyncSession, customer: str) -> dict[str, Any] | None:
    return (
        await session.execute(select(Customer.profile).where(Customer.id == customer))
    ).scalar_one_or_none()


async def firing(session: AsyncSession, customer: str) -> list[AlertItem]:
    """The customer's alerts that are not over, newest first, at most 50."""
    query = (
        select(Alert.id).where(Alert.customer == customer, FIRING).order_by(Alert.fired_at.desc()).limit(50)
    )
    return list((await _alert_items(session, customer, list(await session.scalars(query)))).values())


async def ticket_items(session: AsyncSession, tickets: Sequence[Ticket]) -> list[TicketItem]:
    """In the order of `tickets`."""
    ids = [ticket.id for ticket in tickets]
    history = await ticket_store.entries(session, ids)
    messages = await _message_items(session, Message.ticket.in_(ids))
    return [
        TicketItem(
            at=ticket.opened_at,
            ticket=shown(ticket, history[ticket.id]),
            messages=[one for one in messages.values() if one.ticket == ticket.id],
        )
        for ticket in tickets
    ]


async def alert(session: AsyncSession, customer: str, id_: str) -> AlertItem | None:
    return (await _alert_items(session, customer, [id_])).get(id_)


async def _places(session: AsyncSession, customer: str, before: Place | None, limit: int) -> list[Place]:
    of_alert = exists().where(Alert.id == Message.alert, Alert.customer == Message.customer)
    of_ticket = exists().where(TicketRow.id == Message.ticket, TicketRow.customer == Message.customer)
    alone = not_(or_(of_alert, of_ticket))
    nothing = literal("", Text)
    arms = [
        _arm("signal", Signal.at, Signal.id, Signal.source).where(Signal.customer == customer),
        _arm("alert", Alert.fired_at, Alert.id, nothing).where(Alert.customer == customer),
        _arm("message", Message.at, Message.id, nothing).where(Message.customer == customer, alone),
        _arm("ticket", TicketRow.opened_at, TicketRow.id, nothing).where(TicketRow.customer == customer),
    ]
    newest = union_all(*(select(_newest(arm, before, limit).subquery()) for arm in arms)).subquery()
    kind, at, id_, part = newest.c
    query = select(kind, at, id_, part).order_by(at.desc(), kind.desc(), id_.desc(), part.desc()).limit(limit)
    return [Place(at, kind, id_, part) for kind, at, id_, part in await session.execute(query)]


def _arm(
    kind: str,
    at: SQLColumnExpression[datetime],
    id_: SQLColumnExpression[str],
    part: SQLColumnExpression[str],
) -> _Arm:
    return select(literal(kind, Text).label("kind"), at.label("at"), id_.label("id"), part.label("part"))


def _newest(arm: _Arm, before: Place | None, limit: int) -> _Arm:
    kind, at, id_, part = arm.selected_columns
    if before is not None:
        stand = (
            literal(before.at, Moment), literal(before.kind, Text), literal(before.id, Text), literal(before.part, Text)
        )  # fmt: skip
        # the first is for the index, the second for those of the same moment
        arm = arm.where(at <= before.at, tuple_(at, kind, id_, part) < tuple_(*stand))
    return arm.order_by(at.desc(), id_.desc(), part.desc()).limit(limit)


async def _signals(session: AsyncSession, customer: str, places: Sequence[Place]) -> dict[_Name, Item]:
    named = tuple_(Signal.id, Signal.source).in_([(place.id, place.part) for place in places])
    return {
        (row.id, row.source): SignalItem(
            at=row.at, source=row.source, id=row.id, type=row.type, says=_says(row.type), data=row.data
        )
        for row in await session.scalars(select(Signal).where(named, Signal.customer == customer))
    }


async def _alerts(session: AsyncSession, customer: str, places: Sequence[Place]) -> dict[_Name, Item]:
    found = await _alert_items(session, customer, [place.id for place in places])
    return {(id_, ""): item for id_, item in found.items()}


async def _alert_items(session: AsyncSession, customer: str, ids: Sequence[str]) -> dict[str, AlertItem]:
    """In the order of `ids`."""
    rows = {
        row.id: row
        for row in await session.scalars(select(Alert).where(Alert.id.in_(ids), Alert.customer == customer))
    }
    steps: dict[str, list[StepShown]] = defaultdict(list)
    query = select(AlertStep).where(AlertStep.alert.in_(ids)).order_by(AlertStep.alert, AlertStep.seq)
    for step in await session.scalars(query):
        steps[step.alert].append(StepShown.model_validate(step))
    messages = await _message_items(session, and_(Message.customer == customer, Message.alert.in_(ids)))
    tickets: dict[str, list[TicketLink]] = defaultdict(list)
    for ticket in await ticket_store.of_alerts(session, ids):
        tickets[ticket.alert or ""].append(TicketLink.model_validate(ticket))
    evidence = await _evidence(session, customer, {id_ for row in rows.values() for id_ in row.evidence})
    return {
        id_: AlertItem(
            at=row.fired_at, id=row.id, rule=row.rule, title=row.words["title"], state=row.state,  # type: ignore[arg-type]
            firing=row.state in {"firing", "due"} and not row.momentary, severity=row.severity,  # type: ignore[arg-type]
            mode=row.words.get("mode", "live"), key=row.key, value=row.value, vars=row.vars,
            description=row.words.get("description"), owner=row.words.get("owner"), runbook=row.words.get("runbook"),
            evidence=[evidence.get(event, Evidence(id=event, says=None, at=None)) for event in row.evidence],
            steps=steps[id_], messages=[one for one in messages.values() if one.alert == id_], tickets=tickets[id_],
        )
        for id_ in ids if (row := rows.get(id_)) is not None
    }  # fmt: skip


async def _evidence(session: AsyncSession, customer: str, ids: set[str]) -> dict[str, Evidence]:
    query = select(Signal.id, Signal.type, Signal.at).where(Signal.customer == customer, Signal.id.in_(ids))
    return {
        id_: Evidence(id=id_, says=_says(type_), at=at) for id_, type_, at in await session.execute(query)
    }


async def _messages(session: AsyncSession, customer: str, places: Sequence[Place]) -> dict[_Name, Item]:
    named = Message.id.in_([place.id for place in places])
    found = await _message_items(session, and_(Message.customer == customer, named))
    return {(id_, ""): item for id_, item in found.items()}


async def _message_items(session: AsyncSession, which: ColumnElement[bool]) -> dict[str, MessageItem]:
    """In the order in which they were first heard of."""
    query = (
        select(Message.id, Fate.record)
        .join(Fate, Fate.message == Message.id)
        .where(which)
        .order_by(Message.at, Message.id, Fate.position)
    )
    records: dict[str, list[MessageRecord]] = defaultdict(list)
    for id_, record in await session.execute(query):
        records[id_].append(msgspec.convert(record, MessageRecord))
    return {id_: message_item(told) for id_, told in records.items()}


async def _tickets(session: AsyncSession, _customer: str, places: Sequence[Place]) -> dict[_Name, Item]:
    found = await ticket_store.by_ids(session, [place.id for place in places])
    return {(item.ticket.id, ""): item for item in await ticket_items(session, found)}


def _says(type_: str) -> str:
    known = CATALOGUE.get(type_)
    return (known.timeline if known else None) or type_
