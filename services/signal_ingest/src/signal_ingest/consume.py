"""In from Kafka: records of the topic `events`, judged as those over HTTP are; what is refused becomes a dead letter."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from contracts.dead import DeadLetter
from contracts.envelope import MAX_BYTES
from contracts.kafka import ClientOptions
from contracts.times import format_time, from_micros, to_micros
from contracts.topics import EVENTS, topic_name
from signal_ingest.accept import Accepted, Rejected, accept
from signal_ingest.metrics import Metrics
from signal_ingest.modes import from_kafka
from signal_ingest.publish import Gate, Unavailable

_REJECTED_BY = "signal_ingest"
_AT_ONCE = 500  # records
_REASON_CHARACTERS = 2000  # of a dead letter
_LETTER_BYTES = 2 * MAX_BYTES - 20_000  # of a refused record; the reason's headers are to fit beside it

T = TypeVar("T")

log = structlog.get_logger()


class Consumer:
    """Reads `events` as one of the group. Offsets are committed when all before them is in `signals` or dead.

    A crash in between delivers records again; the gate knows those that were written.
    """

    def __init__(
        self, *, kafka: ClientOptions, prefix: str, gate: Gate, metrics: Metrics, max_future: timedelta
    ) -> None:
        self._kafka = kafka
        self._topic = topic_name(EVENTS, prefix)
        self._group = f"{prefix}signal_ingest"
        self._gate = gate
        self._metrics = metrics
        self._max_future = max_future
        self.is_reading = False

    async def run(self) -> None:
        """Reads, and begins again at the last commit when Kafka fails, until it is cancelled."""
        while True:
            await self._gate.wait_open()
            consumer = AIOKafkaConsumer(
                self._topic, **self._kafka, group_id=self._group, enable_auto_commit=False,
                isolation_level="read_committed", auto_offset_reset="earliest", max_poll_records=_AT_ONCE,
                session_timeout_ms=6_000, heartbeat_interval_ms=2_000,
            )  # fmt: skip
            try:
                await consumer.start()
                self.is_reading = True
                await self._read(consumer)
            except KafkaError as error:
                log.warning(
                    "reading events again from the last commit", why=str(error) or type(error).__name__
                )
            finally:
                self.is_reading = False
                await _leave(consumer)
            await asyncio.sleep(1)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await self._gate.wait_open()
            fetched = await consumer.getmany(timeout_ms=500)
            for partition, records in fetched.items():
                await self._take(records)
                await consumer.commit({partition: records[-1].offset + 1})

    async def _take(self, records: Iterable[ConsumerRecord]) -> None:
        accepted: list[Accepted] = []
        refused: list[tuple[ConsumerRecord, Rejected]] = []
        for record in records:
            try:
                accepted.append(self._accept(record))
            except Rejected as rejected:
                refused.append((record, rejected))
        await self._until_taken(lambda: asyncio.gather(*(self._bury(*each) for each in refused)))
        repeated = await self._until_taken(lambda: self._gate.publish(accepted))
        self._metrics.duplicates.labels("kafka").inc(sum(repeated))
        self._metrics.accepted.labels("kafka").inc(len(repeated) - sum(repeated))

    async def _until_taken(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Tries again for as long as the gate is closed or full; what was written meanwhile, the gate knows."""
        while True:
            try:
                return await attempt()
            except Unavailable:
                await asyncio.sleep(1)
                await self._gate.wait_open()

    def _accept(self, record: ConsumerRecord) -> Accepted:
        content = from_kafka(record.headers, record.value or b"")
        now = datetime.now(UTC)
        fields = content.events[0]
        if isinstance(fields, dict) and fields.get("time") is None:
            # when it was written, not when it is read: the same at each reading
            written_ms = min(max(record.timestamp, 0), to_micros(now) // 1000)
            fields = {**fields, "time": format_time(from_micros(written_ms * 1000))}
        traceparent = dict(record.headers).get("traceparent")
        return accept(
            fields,
            now=now,
            max_future=self._max_future,
            traceparent=traceparent.decode("latin-1") if traceparent else None,
        )

    async def _bury(self, record: ConsumerRecord, rejected: Rejected) -> None:
        """With its own headers, where binary mode has half of the event, so that it can be replayed as it came."""
        key, value, own, reason = record.key, record.value, record.headers, str(rejected)[:_REASON_CHARACTERS]
        if _size(key, value, *(part for name, header in own for part in (name, header))) > _LETTER_BYTES:
            # it was compressed on its way here, else its own topic would not have taken it
            key, value, own = key and key[:1000], value and value[:MAX_BYTES], ()
            reason = f"{reason} (cut off after {MAX_BYTES:,} bytes, and without its headers)"
        letter = DeadLetter(
            topic=record.topic, partition=record.partition, offset=record.offset, reason=reason,
            rejected_by=_REJECTED_BY, at=datetime.now(UTC),
        )  # fmt: skip
        await self._gate.bury(key, value, [*own, *letter.headers()])
        self._metrics.rejected.labels("kafka", rejected.reason).inc()
        log.warning(
            "event refused", topic=record.topic, partition=record.partition, offset=record.offset,
            reason=rejected.reason.value, fields=[problem.field for problem in rejected.problems],
        )  # fmt: skip


def _size(*parts: bytes | str | None) -> int:
    return sum(len(part) + 10 for part in parts if part)  # and the lengths


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leaves the group; without Kafka that is given up after 2 s, and the group finds out by itself."""
    try:
        await asyncio.wait_for(consumer.stop(), timeout=2)
    except TimeoutError:
        log.warning("left the readers of events without telling Kafka")
