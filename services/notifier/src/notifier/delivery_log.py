"""The delivery log: which messages are to be looked at, what is known about each, and what became of it.

`sending` is written before a provider is called and the answer after; each fate and the news of it share a transaction.
"""

import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import InstrumentedAttribute

from contracts.alerts import Channel, Transition
from contracts.envelope import decode
from contracts.records import Fate, Profile, TicketRecord
from notifier import fates, message_id
from notifier.fates import Record
from notifier.links import OptOut
from notifier.metrics import FATES
from notifier.pipeline import Draft, Earlier, Ended, Held, Later, Outcome
from notifier.tables import AlertRow, Base, MessageRow, OptOutRow, ProfileRow, RecordRow

log = structlog.get_logger()

OUT = ("sent", "delivered", "read")
UNFINISHED = ("queued", "held", "sending")

_Row = TypeVar("_Row", bound=Base)
Decide = Callable[[Draft], Draft | Outcome]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is marked as `sending`: ours to send. `attempt` counts from 1, `due_at` is by event time."""

    draft: Draft
    attempt: int
    due_at: datetime
    created_at: datetime
    traceparent: str | None = None


class DeliveryLog:
    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], *, prefix: str, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._prefix = prefix
        self._clock = clock

    async def next_look(self, partitions: Collection[int], closed: Collection[str]) -> datetime | None:
        """When the next queued message of these partitions falls due, but for those of closed channels."""
        async with self._sessions.begin() as session:
            return await session.scalar(
                select(func.min(MessageRow.ready_at)).where(
                    MessageRow.state == "queued",
                    MessageRow.partition.in_(partitions),
                    MessageRow.channel.not_in(closed),
                )
            )

    async def claim(
        self,
        partitions: Collection[int],
        closed: Collection[str],
        until: datetime,
        limit: int,
        decide: Decide,
    ) -> list[Claimed]:
        """Looks at up to `limit` queued messages that fell due by `until`, decides each, and claims what is to go out."""
        async with self._sessions.begin() as session:
            rows = (
                await session.scalars(
                    select(MessageRow)
                    .where(
                        MessageRow.state == "queued",
                        MessageRow.partition.in_(partitions),
                        MessageRow.channel.not_in(closed),
                        MessageRow.ready_at <= until,
                    )
                    .order_by(MessageRow.ready_at, MessageRow.created_at, MessageRow.seq)
                    .limit(limit)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            claimed = []
            for row, draft in zip(rows, await _drafts(session, rows), strict=True):
                result = _decided(draft, decide) if isinstance(draft, Draft) else draft
                if isinstance(result, Draft):
                    claimed.append(self._claim(row, result))
                else:
                    await self._conclude(session, row, result)
            return claimed

    async def sent(self, claimed: Claimed, provider_id: str | None) -> None:
        async with self._sessions.begin() as session:
            if (row := await _ours(session, claimed)) is not None:
                row.sent_at, row.provider_id, row.reason = self._clock(), provider_id, None
                self._give(session, row, "sent")

    async def failed(self, claimed: Claimed, why: str) -> None:
        async with self._sessions.begin() as session:
            if (row := await _ours(session, claimed)) is not None:
                await self._conclude(session, row, Ended("failed", why, elsewhere=True))

    async def again(self, claimed: Claimed, why: str, ready_at: datetime, *, maybe_sent: bool) -> None:
        """Back into the queue, until `ready_at`."""
        async with self._sessions.begin() as session:
            if (row := await _ours(session, claimed)) is not None:
                row.state, row.reason, row.ready_at, row.updated_at = "queued", why, ready_at, self._clock()
                row.possibly_twice = row.possibly_twice or maybe_sent

    async def receipt(self, message: str, fate: Fate, why: str | None) -> bool:
        """Takes the provider's word on a message that it has; False if there is no such message.

        Receipts come in any order, and before our own record of the sending: a later fate is never taken back.
        """
        async with self._sessions.begin() as session:
            row = await session.get(MessageRow, message, with_for_update=True)
            if row is None:
                return False
            if row.state == "sending":
                row.sent_at = self._clock()
                self._give(session, row, "sent")
            if row.state == "sent":
                row.reason = why
                self._give(session, row, fate)
            return True

    async def recover(self, partitions: Collection[int], in_flight: Collection[str]) -> int:
        """What a crash left as `sending` is queued again and marked: it may have gone out. Returns how many those are.

        `in_flight` are those that this process is sending right now.
        """
        async with self._sessions.begin() as session:
            left = (
                await session.scalars(
                    update(MessageRow)
                    .where(
                        MessageRow.state == "sending",
                        MessageRow.partition.in_(partitions),
                        MessageRow.id.not_in(in_flight),
                    )
                    .values(state="queued", possibly_twice=True, ready_at=self._clock())
                    .returning(MessageRow.id)
                )
            ).all()
            return len(left)

    async def let_go(self, partitions: Collection[int]) -> None:
        """Looks anew at all that is held; its time to expire begins again, as nobody could have sent it."""
        now = self._clock()
        async with self._sessions.begin() as session:
            held = select(MessageRow).where(MessageRow.state == "held", MessageRow.partition.in_(partitions))
            for row in (await session.scalars(held)).all():
                row.state, row.reason, row.ready_at = "queued", None, now
                row.expires_at = now + timedelta(seconds=row.expires_s)

    async def forget(self, before: datetime) -> None:
        """Deletes what is over and was last touched before then; what a customer may still hear the end of stays."""
        over = or_(AlertRow.state.in_(("resolved", "ended")), AlertRow.momentary)
        waiting = select(MessageRow.record).where(MessageRow.state.in_(UNFINISHED))
        async with self._sessions.begin() as session:
            await session.execute(delete(AlertRow).where(AlertRow.updated_at < before, over))
            await session.execute(
                delete(MessageRow).where(
                    MessageRow.updated_at < before,
                    MessageRow.state.not_in(UNFINISHED),
                    or_(MessageRow.alert.is_(None), MessageRow.alert.not_in(select(AlertRow.alert))),
                )
            )
            await session.execute(
                delete(RecordRow).where(RecordRow.read_at < before, RecordRow.id.not_in(waiting))
            )

    async def opt_out(self, wish: OptOut) -> None:
        async with self._sessions.begin() as session:
            row = OptOutRow(
                customer=wish.customer, category=wish.category, channel=wish.channel, at=self._clock()
            )
            await session.merge(row)

    async def locale_of(self, customer: str) -> str | None:
        async with self._sessions.begin() as session:
            row = await session.get(ProfileRow, customer)
            return None if row is None else msgspec.json.decode(row.profile, type=Profile).locale

    async def waiting(self) -> dict[str, int]:
        """How many messages are in each state that is not final."""
        async with self._sessions.begin() as session:
            counts = await session.execute(
                select(MessageRow.state, func.count())
                .where(MessageRow.state.in_(UNFINISHED))
                .group_by(MessageRow.state)
            )
            return dict.fromkeys(UNFINISHED, 0) | dict(counts.tuples().all())

    def _claim(self, row: MessageRow, draft: Draft) -> Claimed:
        assert draft.content is not None
        row.state, row.attempts, row.updated_at = "sending", row.attempts + 1, self._clock()
        row.summary, row.locale = draft.content.summary, draft.content.locale
        return Claimed(draft, row.attempts, row.due_at, row.created_at, row.traceparent)

    async def _conclude(self, session: AsyncSession, row: MessageRow, outcome: Outcome) -> None:
        row.reason = outcome.why
        match outcome:
            case Later(until=until):
                row.ready_at = until
                return
            case Held():
                self._give(session, row, "held")
            case Ended():
                if outcome.dead_letter:
                    await self._dead_letter(session, row)
                self._give(session, row, outcome.fate)
                if outcome.elsewhere:
                    await self._try_next_channel(session, row)
        log.info(
            "message concluded", fate=row.state, message=row.id, alert=row.alert, rule=row.rule, channel=row.channel,
            why=row.reason, attempts=row.attempts, traceparent=row.traceparent,
        )  # fmt: skip

    async def _dead_letter(self, session: AsyncSession, row: MessageRow) -> None:
        """Once a record, however many messages it was to give."""
        others = select(func.count()).where(
            MessageRow.record == row.record, MessageRow.state == "failed", MessageRow.attempts == 0
        )
        if await session.scalar(others) == 0 and (source := await session.get(RecordRow, row.record)):
            record = Record(source.topic, source.partition, source.offset, source.key, source.value)
            session.add(fates.dead_letter(record, row.reason or "", self._clock(), self._prefix))

    async def _try_next_channel(self, session: AsyncSession, row: MessageRow) -> None:
        channels = msgspec.json.decode(row.after_failing or b"[]", type=list[Channel])
        if not channels or row.alert is None or row.seq is None or row.entry is None:
            return
        channel, *others = channels
        now = self._clock()
        following = MessageRow(
            id=message_id.of_alert(row.alert, row.seq, row.entry, row.recipient, channel), kind=row.kind,
            record=row.record, partition=row.partition, alert=row.alert, seq=row.seq, rule=row.rule,
            entry=row.entry, customer=row.customer, recipient=row.recipient, channel=channel,
            after_failing=msgspec.json.encode(others), template=row.template, category=row.category,
            due_at=row.due_at, ready_at=now, expires_at=row.expires_at, expires_s=row.expires_s, created_at=now,
            updated_at=now, attempts=0, possibly_twice=False, traceparent=row.traceparent,
        )  # fmt: skip
        if await session.get(MessageRow, following.id) is None:
            session.add(following)
            self._give(session, following, "queued")

    def _give(self, session: AsyncSession, row: MessageRow, fate: Fate) -> None:
        row.state, row.updated_at = fate, self._clock()
        FATES.labels(row.channel, fate).inc()
        session.add_all(fates.of_message(row, fate, row.updated_at, self._prefix))


async def _ours(session: AsyncSession, claimed: Claimed) -> MessageRow | None:
    """The row, if nobody has concluded or retried the message in our place."""
    row = await session.get(MessageRow, claimed.draft.id, with_for_update=True)
    return row if row is not None and row.state == "sending" and row.attempts == claimed.attempt else None


def _decided(draft: Draft, decide: Decide) -> Draft | Outcome:
    try:
        return decide(draft)
    except Exception as error:  # a fault of ours with this message must not stop the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(  # noqa: TRY400 - a traceback's text could hold an address
            "message broke",
            message=draft.id,
            error=type(error).__name__,
            at=f"{place.filename}:{place.lineno}",
        )
        return Ended("failed", f"the notifier broke on it: {type(error).__name__}", dead_letter=True)


async def _drafts(session: AsyncSession, rows: Sequence[MessageRow]) -> list[Draft | Ended]:
    """What is known about each message, in six questions for all of them; where too little is, what becomes of it."""
    customers = {row.customer for row in rows}
    alerts = await _rows(session, AlertRow, AlertRow.alert, {row.alert for row in rows})
    records = await _rows(session, RecordRow, RecordRow.id, {row.record for row in rows})
    profiles = await _rows(session, ProfileRow, ProfileRow.customer, customers)
    wishes = await _rows(session, OptOutRow, OptOutRow.customer, customers)
    others = [
        *await _rows(session, MessageRow, MessageRow.alert, {row.alert for row in rows}),
        *await _rows(session, MessageRow, MessageRow.ticket, {row.ticket for row in rows}),
    ]
    states = {alert.alert: alert.state for alert in alerts}
    values = {record.id: record.value for record in records}
    profile_of = {row.customer: msgspec.json.decode(row.profile, type=Profile) for row in profiles}
    opted_out = {(wish.customer, wish.category, wish.channel) for wish in wishes}

    def draft(row: MessageRow) -> Draft | Ended:
        if row.record not in values:
            return Ended("suppressed", "the customer was erased")
        data = decode(values[row.record]).data
        about: TicketRecord | Transition
        about = (
            msgspec.convert(data, TicketRecord) if row.alert is None else msgspec.convert(data, Transition)
        )
        notify = about.notify if isinstance(about, Transition) else ()
        result = Draft(
            id=row.id, kind=row.kind, channel=row.channel, recipient=row.recipient, customer=row.customer,  # type: ignore[arg-type]
            rule=row.rule, template=row.template, category=row.category, expires_at=row.expires_at, about=about,
            entry=next((entry for entry in notify if entry.index == row.entry), None),
            profile=profile_of.get(row.customer or ""), alert_state=states.get(row.alert or ""),  # type: ignore[arg-type]
            earlier=tuple(_earlier(row, others)), possibly_twice=row.possibly_twice,
        )  # fmt: skip
        return replace(result, opted_out=(row.customer, result.opt_out, row.channel) in opted_out)

    return [draft(row) for row in rows]


def _earlier(row: MessageRow, others: Sequence[MessageRow]) -> Iterator[Earlier]:
    same = [
        other
        for other in others
        if (other.alert, other.ticket, other.recipient, other.channel)
        == (row.alert, row.ticket, row.recipient, row.channel)
        and other.id != row.id
    ]
    for other in sorted(same, key=lambda one: (one.due_at, one.seq or 0, one.entry or 0)):
        yield Earlier(other.id, other.kind, other.state, other.state in OUT or other.possibly_twice)  # type: ignore[arg-type]


async def _rows(
    session: AsyncSession, table: type[_Row], column: InstrumentedAttribute[Any], wanted: set[Any]
) -> Sequence[_Row]:
    wanted.discard(None)
    if not wanted:
        return []
    return (await session.scalars(select(table).where(column.in_(wanted)))).all()
