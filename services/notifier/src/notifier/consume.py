"""Bytes in from Kafka: `customers`, `alerts` and `tickets` into the database, `controls` into memory.

Kafka shares the partitions out to the processes; where to go on in each stands in the database, beside what it caused.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from contracts import topics
from contracts.kafka import ClientOptions
from contracts.topics import topic_name
from notifier.controls import Controls
from notifier.delivery_log import DeliveryLog
from notifier.dispatch import Dispatch
from notifier.fates import Record
from notifier.intake import Intake
from notifier.metrics import LAG

log = structlog.get_logger()

POLL_MS = 200
MAX_RECORDS = 500
SESSION_MS = 6_000  # the least that brokers allow: so long nobody sends for a process that was killed
SETTLE_S = 10.0
READ_UP_S = 10.0  # after that long we say that we can't tell, and are asked again
BY_CUSTOMER = (topics.ALERTS, topics.CUSTOMERS, topics.TICKETS)
REQUIRED = (*BY_CUSTOMER, topics.CONTROLS, topics.MESSAGES, topics.EVENTS)


class Consumption(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads for this process; `partitions` are those whose messages it sends."""

    partitions: frozenset[int] = frozenset()
    caught_up = False  # true once all has been read that was there when we first were given partitions

    def __init__(
        self,
        kafka: ClientOptions,
        prefix: str,
        *,
        intake: Intake,
        delivery_log: DeliveryLog,
        controls: Controls,
    ) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._intake = intake
        self._log = delivery_log
        self._controls = controls
        self._dispatch: Dispatch | None = None
        self._done: dict[TopicPartition, int] = {}
        self._expected: dict[TopicPartition, int | None] = {}
        self._progress = asyncio.Condition()
        self._decisions_partition = TopicPartition(topic_name(topics.CONTROLS, prefix), 0)
        self._consumer = self._client(
            group_id=f"{prefix}beforehand.notifier",
            partition_assignment_strategy=(
                RangePartitionAssignor,
            ),  # the same partitions of each topic together
        )
        self._decisions = self._client()
        # asks how far partitions reach: on the others' connections a question waits behind the waiting for records
        self._ends = self._client()

    async def run(self, dispatch: Dispatch) -> None:
        """Reads until cancelled, for `dispatch` to send. Waits for a broker or topics that are not there yet."""
        self._dispatch = dispatch
        await self._topics_exist()
        clients = (self._ends, self._decisions, self._consumer)
        try:
            for client in clients:
                await client.start()
            self._decisions.assign([self._decisions_partition])
            self._consumer.subscribe(
                [topic_name(topic, self._prefix) for topic in BY_CUSTOMER], listener=self
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read_records())
                group.create_task(self._read_decisions())
                group.create_task(self._catch_up())
        finally:
            for client in clients:
                await client.stop()

    @property
    def behind(self) -> int | None:
        """How many records of our partitions are not taken yet; None while that's not known."""
        ends = {where: self._consumer.highwater(where) for where in self._expected}
        if not ends or any(end is None for end in ends.values()):
            return None
        return sum(max(0, (end or 0) - self._done.get(where, 0)) for where, end in ends.items())

    async def read_up_to_now(self) -> bool:
        """Waits until all is taken that our partitions and the decisions hold at this call; False if it can't be said."""
        partitions = [*self._expected, self._decisions_partition]
        try:
            ends = await asyncio.wait_for(self._ends.end_offsets(partitions), READ_UP_S)
            async with asyncio.timeout(READ_UP_S), self._progress:
                await self._progress.wait_for(
                    lambda: all(self._done.get(where, -1) >= end for where, end in ends.items())
                )
        except (KafkaError, TimeoutError) as error:
            log.warning("not read up to now", error=type(error).__name__)
            return False
        return bool(self.partitions)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        self.partitions = frozenset()
        if self._dispatch is not None:
            await self._dispatch.settle(SETTLE_S)
        self._expected.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        assert self._dispatch is not None
        assigned = list(assigned)
        while True:
            try:
                return await self._begin(assigned, self._dispatch)
            except SQLAlchemyError as error:
                log.warning("database failed", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _begin(self, assigned: list[TopicPartition], dispatch: Dispatch) -> None:
        for where in assigned:
            offset = await self._intake.next_offset(self._topic(where), where.partition)
            self._expected[where] = offset
            self._done.pop(where, None)
            if offset is not None:
                self._consumer.seek(where, offset)
        partitions = frozenset(where.partition for where in assigned)
        left = await self._log.recover(partitions, dispatch.in_flight)
        await self._log.let_go(partitions)
        log.info("partitions assigned", partitions=sorted(partitions), possibly_twice=left)
        self.partitions = partitions
        dispatch.wake()

    async def _catch_up(self) -> None:
        while not (self.partitions and await self.read_up_to_now()):  # noqa: ASYNC110 - it depends on the broker too
            await asyncio.sleep(0.2)
        self.caught_up = True

    async def _read_records(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            for where, records in fetched.items():
                await self._take(where, records)
                await asyncio.sleep(
                    0
                )  # whoever waits for the one connection to SQLite comes before our next batch
            if fetched and self._dispatch is not None:
                self._dispatch.wake()
            await self._note_progress(self._consumer, list(self._expected))

    async def _take(self, where: TopicPartition, fetched: list[ConsumerRecord]) -> None:
        """Until it's stored, however long the database is away; or until the partition is another process's."""
        topic = self._topic(where)
        records = [Record(topic, r.partition, r.offset, r.key, r.value) for r in fetched]
        while where in self._expected:
            try:
                if await self._intake.take(records, self._expected[where]):
                    self._expected[where] = records[-1].offset + 1
                elif where in self._expected:
                    self._expected[where] = offset = await self._intake.next_offset(topic, where.partition)
                    log.warning(
                        "partition was read by another process", topic=topic, partition=where.partition
                    )
                    self._consumer.seek(where, offset or 0)
                return
            except SQLAlchemyError as error:
                log.warning("database failed", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _read_decisions(self) -> None:
        while True:
            fetched = await self._decisions.getmany(timeout_ms=POLL_MS)
            let_go = False
            for record in (record for records in fetched.values() for record in records):
                try:
                    let_go |= self._controls.take(record.key, record.value)
                except ValueError as error:
                    await self._intake.reject_decision(
                        Record(
                            topics.CONTROLS.name, record.partition, record.offset, record.key, record.value
                        ),
                        str(error),
                    )
            if let_go and self._dispatch is not None:
                await self._log.let_go(self.partitions)
                self._dispatch.wake()
            await self._note_progress(self._decisions, [self._decisions_partition])

    async def _note_progress(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        for where in partitions:
            if where in consumer.assignment():
                # behind the last record, and behind what is no record: a transaction's marker, a compacted gap
                self._done[where] = await consumer.position(where)
                if (end := consumer.highwater(where)) is not None:
                    LAG.labels(self._topic(where), where.partition).set(max(0, end - self._done[where]))
        async with self._progress:
            self._progress.notify_all()

    async def _topics_exist(self) -> None:
        """Asks without naming them: to ask for a topic by name may make it, with the wrong number of partitions."""
        wanted = {topic_name(topic, self._prefix) for topic in REQUIRED}
        while True:
            admin = AIOKafkaAdminClient(**self._kafka)
            try:
                await admin.start()
                if not (missing := wanted - set(await admin.list_topics())):
                    return
                log.warning("topics missing", topics=sorted(missing))
            except KafkaError as error:
                where = self._kafka["bootstrap_servers"]
                log.warning("broker unreachable", bootstrap=where, error=type(error).__name__)
            finally:
                await admin.close()
            await asyncio.sleep(1)

    def _topic(self, where: TopicPartition) -> str:
        name: str = where.topic
        return name.removeprefix(self._prefix)

    def _client(self, **more: Any) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._kafka, client_id="notifier", enable_auto_commit=False,
            auto_offset_reset="earliest", isolation_level="read_committed", **more,
        )  # fmt: skip
