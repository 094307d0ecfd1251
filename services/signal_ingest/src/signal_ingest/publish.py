"""Out to Kafka: one gate for HTTP and Kafka alike, which writes each event once and says so when Kafka has it.

Unavailable
└── the events were not taken, or Kafka did not answer in time: the sender is to send them again
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from contracts.envelope import HEADERS, MAX_BYTES
from contracts.kafka import ClientOptions
from contracts.topics import CUSTOMERS, EVENTS, SIGNALS, dead_name, topic_name
from signal_ingest.accept import Accepted
from signal_ingest.duplicates import REMEMBERED_S, Written, identity_of
from signal_ingest.metrics import Metrics

log = structlog.get_logger()


class Unavailable(Exception):  # noqa: N818 - a state, not a mistake
    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class _Identity(msgspec.Struct):
    source: str
    id: str


_identity = msgspec.json.Decoder(_Identity).decode


@dataclass(slots=True)
class _Session:
    """A producer and what it has failed at. After a failure that Kafka's client does not mend, both are thrown away."""

    producer: AIOKafkaProducer
    broken: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_exception(error)
            self.broken.exception()  # asked for, even if the process ends before anybody does


class Gate:
    """Writes events to their topics, each (source, id) once within 24 h. `run` keeps it connected.

    It is open once the last day of `signals` has been read, and goes on reading what other processes of this service
    write there; two of them that get the same event within the milliseconds of that delay both write it.
    An event on its way is waited for, not written again. While Kafka is away the gate is closed, and what was on
    its way stays with the idempotent producer, which writes it once when Kafka is back.
    """

    def __init__(
        self, *, kafka: ClientOptions, prefix: str, timeout_s: float, max_pending_bytes: int, remembered: int, metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._max_pending_bytes = max_pending_bytes
        self._metrics = metrics
        self._clock = clock
        self._written = Written(remembered)
        self._positions: dict[TopicPartition, int] = {}
        self._pending: dict[int, asyncio.Future[None]] = {}
        self._pending_bytes = 0
        self._session: _Session | None = None
        self._writers: set[asyncio.Task[None]] = set()
        self._opened = asyncio.Event()
        self.closed_because = "connecting to Kafka"

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    async def wait_open(self) -> None:
        await self._opened.wait()

    async def publish(self, events: Sequence[Accepted]) -> list[bool]:
        """Returns when Kafka has all of them on all its replicas: for each, whether it had been written before.

        Events of one call are written in their order. Raises Unavailable: some may be written then or later, and
        sending all of them again is right.
        """
        session = self._session
        if session is None or not self.is_open:
            raise Unavailable(f"Kafka cannot be written to: {self.closed_because}", retry_after_s=5)
        # a list larger than the limit goes in when nothing else is on its way
        if (
            self._pending_bytes
            and self._pending_bytes + sum(e.bytes for e in events) > self._max_pending_bytes
        ):
            raise Unavailable("too many events are on their way into Kafka", retry_after_s=1)
        began = time.perf_counter()
        repeated: list[bool] = []
        fresh: list[tuple[int, Accepted]] = []
        waits: set[asyncio.Future[None]] = set()
        for each in events:
            identity = identity_of(each.event.source, each.event.id)
            known = identity in self._written
            pending = self._pending.get(identity)
            repeated.append(known or pending is not None)
            if known:
                continue
            if pending is None:
                pending = self._pending[identity] = asyncio.get_running_loop().create_future()
                self._pend(each.bytes)
                fresh.append((identity, each))
            waits.add(pending)
        if fresh:
            # a task of its own: a caller that goes away must not leave its events half written
            writer = asyncio.create_task(self._write(session, fresh))
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        if waits:
            done, late = await asyncio.wait(waits, timeout=self._timeout_s)
            failed = next((error for future in done if (error := future.exception())), None)
            if late or failed:
                self._close(f"no answer within {self._timeout_s:g} s" if late else str(failed))
                raise Unavailable(
                    "Kafka did not confirm the events; they may be written later", retry_after_s=5
                )
            self._metrics.publish_seconds.observe(time.perf_counter() - began)
        return repeated

    async def bury(
        self, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
    ) -> None:
        """A dead letter of the topic `events`; returns when Kafka has it. Raises Unavailable."""
        session = self._session
        if session is None:
            raise Unavailable(self.closed_because, retry_after_s=5)
        if key is None and value is None:
            value = b""  # Kafka's client writes no record that has neither
        try:
            await session.producer.send_and_wait(
                dead_name(EVENTS, self._prefix), value, key=key, headers=list(headers)
            )
        except KafkaError as error:
            raise Unavailable(str(error), retry_after_s=5) from error

    async def run(self) -> None:
        """Connects, and connects again whenever the connection is lost for good, until it is cancelled."""
        while True:
            try:
                await self._connected()
            except (KafkaError, OSError, TimeoutError) as error:
                self._close(f"{type(error).__name__}: {error}".rstrip(": "))
            await asyncio.sleep(1)

    async def _connected(self) -> None:
        async with AsyncExitStack() as stack:
            producer = AIOKafkaProducer(
                **self._kafka, enable_idempotence=True, acks="all", max_request_size=2 * MAX_BYTES,
                request_timeout_ms=10_000,
            )  # fmt: skip
            reader = AIOKafkaConsumer(
                **self._kafka, enable_auto_commit=False, isolation_level="read_committed",
                auto_offset_reset="earliest", request_timeout_ms=10_000,
            )  # fmt: skip
            stack.push_async_callback(reader.stop)
            stack.push_async_exit(partial(_flush, producer))
            await reader.start()
            await self._check_topics(reader)
            await producer.start()
            signals = topic_name(SIGNALS, self._prefix)
            reader.assign([TopicPartition(signals, p) for p in await producer.partitions_for(signals)])
            # after the producer's start: what a producer before it left in Kafka lies before the ends asked for now
            await self._catch_up(reader)
            self._session = session = _Session(producer)
            self._open()
            following = asyncio.ensure_future(self._follow(reader, session))
            try:
                await asyncio.wait({following, session.broken}, return_when=asyncio.FIRST_COMPLETED)
                (session.broken if session.broken.done() else following).result()
            finally:
                self._session = None
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)

    async def _check_topics(self, reader: AIOKafkaConsumer) -> None:
        needed = {topic_name(t, self._prefix) for t in (SIGNALS, CUSTOMERS, EVENTS)} | {
            dead_name(EVENTS, self._prefix)
        }
        missing = needed - await reader.topics()
        if missing:
            raise KafkaError(
                f"the topics {', '.join(sorted(missing))} do not exist; `beforehand up` makes them"
            )

    async def _catch_up(self, reader: AIOKafkaConsumer) -> None:
        """Reads `signals` from a day ago, or from where an earlier session left off, to its ends of now."""
        partitions = reader.assignment()
        ends = await reader.end_offsets(partitions)
        since_ms = int((self._clock() - REMEMBERED_S) * 1000)
        day_ago = await reader.offsets_for_times(dict.fromkeys(partitions, since_ms))
        begins = {p: self._positions.get(p, day_ago[p].offset if day_ago[p] else ends[p]) for p in partitions}
        for partition, offset in begins.items():
            reader.seek(partition, offset)
        total = sum(ends[p] - begins[p] for p in partitions)
        while left := sum([max(0, ends[p] - await reader.position(p)) for p in partitions]):
            self.closed_because = f"reading the last day of signals, {left:,} of {total:,} records to go"
            self._remember(await reader.getmany(timeout_ms=500))

    async def _follow(self, reader: AIOKafkaConsumer, session: _Session) -> None:
        asked_at = time.monotonic()
        while not session.broken.done():
            self._remember(await reader.getmany(timeout_ms=500))
            if time.monotonic() - asked_at < (5 if self.is_open else 0.5):
                continue
            try:
                await asyncio.wait_for(reader.end_offsets(reader.assignment()), timeout=3)
                if not session.broken.done():
                    self._open()
            except (KafkaError, TimeoutError) as error:
                self._close(f"no answer ({type(error).__name__})")
            asked_at = time.monotonic()

    def _remember(self, fetched: Mapping[TopicPartition, Sequence[Any]]) -> None:
        for partition, records in fetched.items():
            for record in records:
                try:
                    who = _identity(record.value)
                except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
                    continue  # whoever put it there, it is no event of ours
                self._written.add(identity_of(who.source, who.id), record.timestamp / 1000)
            self._positions[partition] = records[-1].offset + 1
        now = self._clock()
        self._written.forget_before(now - REMEMBERED_S)
        self._metrics.remembered.set(len(self._written))
        self._metrics.duplicate_window_seconds.set(self._written.reaches_back_s(now))

    async def _write(self, session: _Session, events: Sequence[tuple[int, Accepted]]) -> None:
        for identity, accepted in events:
            acks: list[asyncio.Future[Any]] = []
            try:
                for record in accepted.records:
                    headers = HEADERS if record.value is not None else None
                    topic = topic_name(record.topic, self._prefix)
                    acks.append(
                        await session.producer.send(topic, record.value, key=record.key, headers=headers)
                    )
            except Exception as error:  # whatever it was, somebody waits for this event's fate
                failed = asyncio.get_running_loop().create_future()
                failed.set_exception(KafkaError(repr(error)))
                acks.append(failed)
            asyncio.gather(*acks).add_done_callback(partial(self._settle, session, identity, accepted))

    def _settle(
        self, session: _Session, identity: int, accepted: Accepted, acks: asyncio.Future[list[Any]]
    ) -> None:
        """Kafka has answered for one event."""
        self._pend(-accepted.bytes)
        pending = self._pending.pop(identity)
        error = acks.exception()
        if error is None:
            self._written.add(identity, self._clock())
        else:
            # what became of it is not known: the next session reads it in `signals`
            session.fail(error)
            self._close(str(error))
        if not pending.done():
            pending.set_exception(error) if error else pending.set_result(None)
            pending.exception()  # a caller may have gone; then nobody else asks

    def _pend(self, bytes: int) -> None:
        self._pending_bytes += bytes
        self._metrics.pending_bytes.set(self._pending_bytes)

    def _open(self) -> None:
        if not self.is_open:
            log.info("gate opened", remembered=len(self._written))
        self._opened.set()
        self._metrics.ready.set(1)

    def _close(self, why: str) -> None:
        if self.is_open or why != self.closed_because:
            log.warning("gate closed", why=why)
        self.closed_because = why
        self._opened.clear()
        self._metrics.ready.set(0)


async def _flush(producer: AIOKafkaProducer, exit_type: type[BaseException] | None, *_: object) -> None:
    """Stops the producer when what it holds is in Kafka. At the process's end this has 3 s, else all the time it takes."""
    limit = 3 if exit_type is asyncio.CancelledError else None
    try:
        await asyncio.wait_for(producer.stop(), limit)
    except TimeoutError:
        log.warning("stopped with events on their way into Kafka; their senders were not told 202")
