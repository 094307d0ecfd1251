"""Reads the topics: committed records only, a partition's batch in one database transaction with its offset.

The offset in the database decides, not the group's: whatever crashes or is read twice, a record has its effect once.
A record that can't be taken goes to its topic's dead letters with the reason, before the offset moves past it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)  # fmt: skip
from aiokafka.errors import KafkaError
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.dead import SUFFIX, DeadLetter
from contracts.times import EPOCH
from ticket_api import effects
from ticket_api.database import Database, insert
from ticket_api.effects import Found
from ticket_api.facts import READ_TOPICS, Unreadable, fact_of
from ticket_api.metrics import Metrics
from ticket_api.tables import Offset

log = structlog.get_logger()

_AT_ONCE = 2000
_SILENT_S = 15
_RETRY_S = (0.2, 10.0)  # first and longest pause
# PostgreSQL's classes of errors that pass: connection, rollback, resources, in use, intervention, system
_PASSING = ("08", "40", "53", "55", "57", "58")


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Takes what comes, for ever. `behind` is None until partitions are assigned, then what is not taken yet of each;
    `caught_up` once all of them were read to their end.
    """

    def __init__(
        self,
        database: Database,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        prefix: str,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._consumer = consumer
        self._producer = producer
        self._prefix = prefix
        self._metrics = metrics
        self.behind: dict[TopicPartition, int | None] | None = None
        self.caught_up = False

    async def run(self) -> None:
        self._consumer.subscribe([self._prefix + topic.name for topic in READ_TOPICS], listener=self)
        while True:
            batches = await self._consumer.getmany(timeout_ms=500, max_records=_AT_ONCE)
            for partition, records in batches.items():
                await _in_time(partition.topic, partial(self._take, partition, records))
            await self._measure()

    @property
    def hears(self) -> bool:
        """Whether the broker answered within the last seconds, if only that there is nothing new."""
        polls = (self._consumer.last_poll_timestamp(partition) for partition in self._consumer.assignment())
        return max((poll for poll in polls if poll), default=0) > (time.time() - _SILENT_S) * 1000

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """A batch in work commits or rolls back by itself; the row of the offset is locked meanwhile."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self._consumer.pause(*assigned)  # else it fetches from the beginning while we look where to go on
        await _in_time("assignment", lambda: self._go_on(assigned))
        self._consumer.resume(*assigned)
        self.behind = dict.fromkeys(assigned)
        self.caught_up = False

    async def _go_on(self, assigned: list[TopicPartition]) -> None:
        starts = await self._consumer.beginning_offsets(assigned)
        ends = await self._consumer.end_offsets(assigned)
        async with self._database.writing() as session:
            for partition in assigned:
                at = await _next_of(session, partition)
                if at > ends[partition]:
                    log.warning("topic begun anew", topic=partition.topic, partition=partition.partition)
                    at = 0
                    await _advance(session, partition, at)
                self._consumer.seek(partition, max(at, starts[partition]))

    async def _take(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        try:
            await self._take_together(partition, records)
        except (KafkaError, OSError):
            raise
        except Exception as error:
            if _passes(error):
                raise
            # One of them is not what any row can hold, such as a NUL in a text: find it, and on.
            if len(records) > 1:
                for record in records:
                    await self._take(partition, [record])
                return
            reason = f"it can't be stored: {type(getattr(error, 'orig', None) or error).__name__}"
            async with self._database.writing() as session:
                if records[0].offset >= await _next_of(session, partition):
                    await self._bury(records[0], reason)
                    await _advance(session, partition, records[0].offset + 1)

    async def _take_together(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        topic = partition.topic.removeprefix(self._prefix)
        found: list[Found] = []
        unreadable: list[tuple[ConsumerRecord, str]] = []
        for record in records:
            try:
                fact = fact_of(topic, record.key, record.value)
            except Unreadable as error:
                unreadable.append((record, str(error)))
            else:
                if fact is not None:
                    found.append(Found(fact, EPOCH + timedelta(milliseconds=record.timestamp), record.offset))
        async with self._database.writing() as session:
            first = await _next_of(session, partition)
            await effects.apply(session, [one for one in found if one.offset >= first], datetime.now(UTC))
            for record, reason in unreadable:
                if record.offset >= first:
                    await self._bury(record, reason)
            await _advance(session, partition, max(first, records[-1].offset + 1))
        self._metrics.records.labels(topic, "taken").inc(len(records) - len(unreadable))

    async def _bury(self, record: ConsumerRecord, reason: str) -> None:
        topic = record.topic.removeprefix(self._prefix)
        letter = DeadLetter(
            topic=topic, partition=record.partition, offset=record.offset, reason=reason, rejected_by="ticket_api",
            at=datetime.now(UTC),
        )  # fmt: skip
        await self._producer.send_and_wait(
            record.topic + SUFFIX, record.value, key=record.key, headers=letter.headers()
        )
        self._metrics.records.labels(topic, "dead").inc()
        log.warning("record rejected", topic=topic, partition=record.partition, offset=record.offset)

    async def _measure(self) -> None:
        if self.behind is None:
            return
        for partition in self._consumer.assignment():
            end = self._consumer.last_stable_offset(partition)
            if end is None or end < 0:
                continue  # no answer for it yet
            # the position moves over transactions' markers, which are never delivered, so it does reach the end
            behind = max(0, end - await self._consumer.position(partition))
            self.behind[partition] = behind
            topic = partition.topic.removeprefix(self._prefix)
            self._metrics.behind.labels(topic, partition.partition).set(behind)
        self.caught_up = self.caught_up or all(count == 0 for count in self.behind.values())


async def _in_time(what: str, act: Callable[[], Awaitable[None]]) -> None:
    """Tries until the database and the broker let it."""
    pause_s, longest_s = _RETRY_S
    while True:
        try:
            return await act()
        except (KafkaError, OSError, DBAPIError) as error:
            log.warning("records wait", what=what, reason=type(error).__name__, retry_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, longest_s)


async def _next_of(session: AsyncSession, partition: TopicPartition) -> int:
    """The next offset to take; locked until the transaction ends."""
    row = insert(session, Offset).values(topic=partition.topic, partition=partition.partition, next=0)
    await session.execute(row.on_conflict_do_nothing())
    query = select(Offset.next).where(*_is(partition)).with_for_update()
    return (await session.execute(query)).scalar_one()


async def _advance(session: AsyncSession, partition: TopicPartition, to: int) -> None:
    await session.execute(update(Offset).where(*_is(partition)).values(next=to))


def _is(partition: TopicPartition) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Offset.topic == partition.topic, Offset.partition == partition.partition


def _passes(error: Exception) -> bool:
    """Whether the same may go well later."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(_PASSING))
