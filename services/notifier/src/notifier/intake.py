"""What a record does to the database: profiles, alerts, replies, and the messages that come due.

Rejected
└── a record that can't be taken: it goes to `<topic>.dead` with this text, and the partition goes on
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from contracts import topics
from contracts.alerts import Transition
from contracts.envelope import EnvelopeError, Event, decode
from contracts.records import Fate, Profile, TicketRecord
from notifier import fates, recipients
from notifier.fates import Record
from notifier.metrics import FATES, RECORDS, REJECTED
from notifier.recipients import Planned, Told
from notifier.tables import AlertRow, MessageRow, OptOutRow, ProfileRow, ReadOffset, RecordRow

log = structlog.get_logger()

UNSENT = ("queued", "held")
PERHAPS_SENT = ("sending", "sent", "delivered", "read")

# what a record's content, and nothing else, brings about
_REFUSED = (DataError, IntegrityError, OverflowError, UnicodeError)


_T = TypeVar("_T")


class Rejected(Exception):  # noqa: N818 - a verdict on the record, not an error of ours
    pass


class Intake:
    """Takes records of `customers`, `alerts` and `tickets`, each once: effect and offset share a transaction."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], *, prefix: str, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._prefix = prefix
        self._clock = clock

    async def next_offset(self, topic: str, partition: int) -> int | None:
        """Where to go on reading; None for a partition that was never read."""
        async with self._sessions.begin() as session:
            row = await session.get(ReadOffset, (topic, partition))
            return None if row is None else row.next_offset

    async def take(self, records: Sequence[Record], expected: int | None) -> bool:
        """Takes a partition's records, in order, and moves its stored offset from `expected` to behind the last.

        False, and nothing is done, if somebody else moved it meanwhile. A record that the database refuses becomes a dead
        letter like one that can't be read, and does not take its neighbours with it.
        """
        try:
            return await self._take(records, expected)
        except _REFUSED:
            pass  # which one of them it was shows when they are taken one by one
        for record in records:
            try:
                taken = await self._take([record], expected)
            except _REFUSED as error:
                taken = await self._take(
                    [record], expected, refused=f"can't be stored: {type(error).__name__}"
                )
            if not taken:
                return False
            expected = record.offset + 1
        return True

    async def reject_decision(self, record: Record, why: str) -> None:
        """A record of `controls`, which is read whole at each start, becomes a dead letter only the first time."""
        async with self._sessions.begin() as session:
            row = await session.get(ReadOffset, (record.topic, record.partition))
            if row is None or row.next_offset <= record.offset:
                await session.merge(
                    ReadOffset(topic=record.topic, partition=record.partition, next_offset=record.offset + 1)
                )
                self._reject(session, record, why)

    async def _take(
        self, records: Sequence[Record], expected: int | None, refused: str | None = None
    ) -> bool:
        async with self._sessions.begin() as session:
            if not await _move_offset(session, records, expected):
                return False
            for record in records:
                RECORDS.labels(record.topic).inc()
                try:
                    if refused is not None:
                        raise Rejected(refused)
                    await self._apply(session, record)
                except Rejected as rejected:
                    self._reject(session, record, str(rejected))
            return True

    async def _apply(self, session: AsyncSession, record: Record) -> None:
        match record.topic:
            case topics.CUSTOMERS.name if record.value is None:
                await self._erase(session, _customer_id(record.key))
            case topics.CUSTOMERS.name:
                event = _event(record)
                await self._profile(session, event, _converted(event, Profile))
            case topics.ALERTS.name:
                event = _event(record)
                await self._transition(session, record, event, _converted(event, Transition))
            case topics.TICKETS.name:
                event = _event(record)
                await self._ticket(session, record, event, _converted(event, TicketRecord))

    async def _profile(self, session: AsyncSession, event: Event, profile: Profile) -> None:
        if event.customerid is None:
            raise Rejected("/customerid: is missing; it must be the customer's id")
        await session.merge(ProfileRow(customer=event.customerid, profile=msgspec.json.encode(profile)))
        await session.execute(
            update(MessageRow)
            .where(MessageRow.customer == event.customerid, MessageRow.state == "queued")
            .values(ready_at=self._clock())
        )

    async def _erase(self, session: AsyncSession, customer: str) -> None:
        """Forgets name, addresses, wishes and every text; that there was a message, and its fate, stays."""
        waiting = select(MessageRow).where(MessageRow.customer == customer, MessageRow.state.in_(UNSENT))
        for row in (await session.scalars(waiting)).all():
            row.reason = "the customer was erased"
            self._give(session, row, "suppressed")
        for table in (ProfileRow, OptOutRow, RecordRow):
            await session.execute(delete(table).where(table.customer == customer))
        await session.execute(update(MessageRow).where(MessageRow.customer == customer).values(summary=None))

    async def _transition(
        self, session: AsyncSession, record: Record, event: Event, transition: Transition
    ) -> None:
        alert = await session.get(AlertRow, transition.alert)
        if alert is not None and transition.seq <= alert.seq:
            await self._try_mended(session, record, event)
            return
        if alert is None:
            alert = AlertRow(alert=transition.alert, customer=transition.customer, rule=transition.rule)
            session.add(alert)
        alert.state, alert.seq, alert.momentary = transition.state, transition.seq, transition.momentary
        alert.updated_at = self._clock()
        if transition.state in {"firing", "due"}:
            await self._queue(session, record, event, transition, recipients.of_firing(transition))
            return
        await self._look_again(session, transition.alert)
        if transition.state == "resolved":
            told = await _told(session, transition.alert)
            await self._queue(session, record, event, transition, recipients.of_resolved(transition, told))

    async def _ticket(
        self, session: AsyncSession, record: Record, event: Event, ticket: TicketRecord
    ) -> None:
        if event.type == "ticket.replied" and ticket.by == "agent" and event.customerid is not None:
            reply = recipients.of_reply(ticket, event.id, event.customerid)
            await self._queue(session, record, event, ticket, [reply])

    async def _queue(
        self, session: AsyncSession, record: Record, event: Event, about: Transition | TicketRecord,
        planned: Iterable[Planned],
    ) -> None:  # fmt: skip
        now = self._clock()
        for message in planned:
            if await session.get(MessageRow, message.id) is not None:
                continue
            row = MessageRow(
                id=message.id, kind=message.kind, record=_record_id(record, event), partition=record.partition,
                entry=message.entry, customer=event.customerid, recipient=message.recipient,
                channel=message.channel, after_failing=msgspec.json.encode(message.after_failing),
                template=message.template, category=message.category, due_at=message.due_at, ready_at=now,
                expires_at=message.expires_at, expires_s=message.expires_s, created_at=now, updated_at=now,
                attempts=0, possibly_twice=False, traceparent=_traceparent(event),
            )  # fmt: skip
            if isinstance(about, Transition):
                row.alert, row.seq, row.rule = about.alert, about.seq, about.rule
            else:
                row.ticket = about.ticket
            session.add(row)
            self._give(session, row, "queued")
            source = RecordRow(
                id=row.record, topic=record.topic, partition=record.partition, offset=record.offset,
                key=record.key, value=record.value or b"", customer=event.customerid, read_at=now,
            )  # fmt: skip
            await session.merge(source)

    async def _look_again(self, session: AsyncSession, alert: str) -> None:
        """An end may mean that what waits is not to be told any more: the pipeline decides."""
        await session.execute(
            update(MessageRow)
            .where(MessageRow.alert == alert, MessageRow.state.in_(UNSENT))
            .values(state="queued", ready_at=self._clock())
        )

    async def _try_mended(self, session: AsyncSession, record: Record, event: Event) -> None:
        """A record that comes once more sends nothing twice; but what failed before it was ever tried gets its try.

        So a dead letter that is replayed, after its template was mended, gives its message.
        """
        await session.execute(
            update(MessageRow)
            .where(
                MessageRow.record == _record_id(record, event),
                MessageRow.state == "failed",
                MessageRow.attempts == 0,
            )
            .values(state="queued", reason=None, ready_at=self._clock())
        )

    def _give(self, session: AsyncSession, row: MessageRow, fate: Fate) -> None:
        row.state, row.updated_at = fate, self._clock()
        FATES.labels(row.channel, fate).inc()
        session.add_all(fates.of_message(row, fate, row.updated_at, self._prefix))

    def _reject(self, session: AsyncSession, record: Record, why: str) -> None:
        log.warning(
            "record rejected", topic=record.topic, partition=record.partition, offset=record.offset, why=why
        )
        REJECTED.labels(record.topic).inc()
        session.add(fates.dead_letter(record, why, self._clock(), self._prefix))


async def _move_offset(session: AsyncSession, records: Sequence[Record], expected: int | None) -> bool:
    topic, partition, next_offset = records[0].topic, records[0].partition, records[-1].offset + 1
    if expected is None:
        if await session.get(ReadOffset, (topic, partition)) is not None:
            return False
        session.add(ReadOffset(topic=topic, partition=partition, next_offset=next_offset))
        return True
    moved = await session.execute(
        update(ReadOffset)
        .where(
            ReadOffset.topic == topic, ReadOffset.partition == partition, ReadOffset.next_offset == expected
        )
        .values(next_offset=next_offset)
    )
    assert isinstance(moved, CursorResult)
    return moved.rowcount == 1


async def _told(session: AsyncSession, alert: str) -> list[Told]:
    rows = await session.scalars(
        select(MessageRow)
        .where(
            MessageRow.alert == alert,
            MessageRow.kind == "firing",
            or_(MessageRow.state.in_(PERHAPS_SENT), MessageRow.possibly_twice),
        )
        .order_by(MessageRow.created_at)
    )
    return [Told(row.entry or 0, row.recipient, row.channel) for row in rows]  # type: ignore[arg-type]


def _event(record: Record) -> Event:
    if record.value is None:
        raise Rejected("it has no value")
    try:
        return decode(record.value)
    except EnvelopeError as error:
        raise Rejected(str(error)) from None


def _converted(event: Event, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError as error:
        raise Rejected(f"/data: {error}") from None


def _traceparent(event: Event) -> str | None:
    value = event.extensions.get("traceparent")
    return value if isinstance(value, str) else None


def _customer_id(key: bytes | None) -> str:
    try:
        return (key or b"").decode() or _no_key()
    except UnicodeDecodeError:
        return _no_key()


def _no_key() -> str:
    raise Rejected("a null that erases a customer needs the customer's id, in UTF-8, as its key")


def _record_id(record: Record, event: Event) -> str:
    return f"{record.topic}:{event.id}"
