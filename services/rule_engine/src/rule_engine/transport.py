"""Faust's transport of ours: one event per fetched slice of a partition, and the broker's word when there is nothing.

Faust spends about 80 µs on each event that it delivers, so it is given one event for up to `max_batch` records, and
aiokafka's own Cython records are handed out in lists, without an object of Python's for each (benchmarks/engine).
The names of aiokafka and Faust that are not public, and that this leans on, are listed in
tests/rule_engine/lanes/test_private_names.py, which says after an upgrade which one is gone.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CorruptRecordException
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import SchedulingStrategyT
from yarl import URL

from contracts.kafka import ClientOptions

SILENCE_GAP_US = 2_000_000  # without an answer for longer than this, a row of empty answers is over


class Record(Protocol):
    """What aiokafka's own record has and we need; `timestamp` is the broker's, in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Slice(list[Record]):
    """Records of one partition, and all that was committed there from offset `start` up to, not including, `end`.

    Offsets without a record (transaction markers, aborted transactions, what compaction took) are covered as well: a
    slice whose `start` is not the `end` of the one before tells that something was read again, or lost.
    """

    __slots__ = ("end", "start")

    def __init__(self, records: list[Record], start: int, end: int) -> None:
        super().__init__(records)
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Silence:
    """The broker's word that a partition holds nothing beyond `read_to`, the end of the last slice handed out.

    `at_us` is when it was last asked, not when its answer was read: a process that was stopped in between has not
    heard of what came meanwhile. `since_us` is when the unbroken row of such answers began. Wall clock, µs.
    """

    since_us: int
    at_us: int
    read_to: int


class Lanes(Protocol):
    """Who is told which partitions this worker has."""

    async def assigned(self, partitions: set[TP], generation: int) -> None: ...
    async def revoked(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the group's consumer reads."""

    kafka: ClientOptions
    group: str
    max_batch: int
    session_timeout_s: float
    fetch_wait_ms: int = 250  # a silent partition is asked about this often
    fetch_bytes: int = 4 << 20  # of each partition


class FetchWatch:
    """Sees each answer to a fetch as it arrives: has its records handed out as slices, and keeps the silences.

    Works in the thread of Faust's consumer; `silences` and `ends`, the last known high watermarks, may be read from any.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self.silences: dict[tuple[str, int], Silence] = {}
        self.ends: dict[tuple[str, int], int] = {}
        self._fetcher = fetcher
        self._assignment: Any = None
        self._places: dict[TopicPartition, _Place] = {}
        self._fetch: Callable[[Any, int, Any], Awaitable[bool]] = fetcher._proc_fetch_request  # noqa: SLF001
        fetcher._proc_fetch_request = self._watched_fetch  # noqa: SLF001

    async def _watched_fetch(self, assignment: Any, node_id: int, request: Any) -> bool:
        asked_us = time.time_ns() // 1000
        if assignment is not self._assignment:
            self._assignment = assignment
            self._places.clear()
        asked: dict[TopicPartition, int] = {}
        for topic, partitions in request.topics:
            for partition, offset, *_ in partitions:
                tp = TopicPartition(topic, partition)
                asked[tp] = offset
                # aiokafka sets it with every answer without an error: what is still None then was not answered
                assignment.state_value(tp).lso = None
        woken = await self._fetch(assignment, node_id, request)
        if assignment.active:
            for tp, offset in asked.items():
                self._answered(assignment.state_value(tp), tp, offset, asked_us)
        return woken

    def _answered(self, state: Any, tp: TopicPartition, offset: int, asked_us: int) -> None:
        place = self._places.get(tp)
        if place is None or place.covered_to != offset:
            place = self._places[tp] = _Place(offset, offset)  # the first answer, or somebody sought
        if state.highwater is not None:
            self.ends[tp] = state.highwater
        found = self._fetcher._records.get(tp)  # noqa: SLF001
        if type(found) is FetchResult:
            found.getall = _Slices(self._fetcher, found, place).getall
        elif found is None and state.lso is not None and state.position == state.highwater == offset:
            before = self.silences.get(tp)
            unbroken = before is not None and asked_us - before.at_us <= SILENCE_GAP_US
            since_us = before.since_us if before is not None and unbroken else asked_us
            self.silences[tp] = Silence(since_us, asked_us, place.handed_to)
            return
        self.silences.pop(tp, None)


@dataclass(slots=True)
class _Place:
    """How far a partition was read: records were handed out up to `handed_to`, and up to `covered_to` there are no more."""

    handed_to: int
    covered_to: int


class _Slices:
    """Hands out what one answer holds of a partition, in place of FetchResult.getall."""

    def __init__(self, fetcher: Fetcher, result: FetchResult, place: _Place) -> None:
        self._fetcher = fetcher
        self._result = result
        self._place = place
        self._rest: list[Record] = []
        unread = result._partition_records  # noqa: SLF001
        unread._records_iterator = None  # noqa: SLF001 - its generator holds it in a cycle, with all the bytes
        self._unpacked_to = unread.next_fetch_offset
        self._batches = self._unpack(unread)

    def getall(self, max_records: int | None = None) -> list[Record]:
        """At most so many records, as a Slice; empty when all is read, or when the position is no longer this answer's."""
        result = self._result
        tp = result._topic_partition  # noqa: SLF001
        if not result.has_more() or not result.check_assignment(tp):
            return []
        unread = result._partition_records  # noqa: SLF001
        records, self._rest = self._rest, []
        exhausted = False
        while max_records is None or len(records) < max_records:
            batch = next(self._batches, None)
            if batch is None:
                exhausted = True
                break
            records = records + batch if records else batch
        unread.next_fetch_offset = self._unpacked_to
        if max_records is not None and len(records) > max_records:
            records, self._rest = records[:max_records], records[max_records:]
            unread.next_fetch_offset = records[-1].offset + 1
        result._update_position()  # noqa: SLF001
        if exhausted:
            result._partition_records = None  # noqa: SLF001
            del result.getall, self._batches  # cycles
        else:
            self._fetcher._records.move_to_end(tp)  # noqa: SLF001 - next time the other partitions go first
        place = self._place
        start, place.covered_to = place.handed_to, unread.next_fetch_offset
        if not records:
            return []
        place.handed_to = place.covered_to
        return Slice(records, start, place.handed_to)

    def _unpack(self, unread: PartitionRecords) -> Iterator[list[Record]]:
        """The committed records of each record batch, as aiokafka unpacks them, but in lists."""
        batches = unread._records  # noqa: SLF001
        committed_only = unread._isolation_level == READ_COMMITTED  # noqa: SLF001
        aborted = unread._aborted_producers  # noqa: SLF001
        while batches.has_next():
            batch = batches.next_batch()
            if unread._check_crcs and not batch.validate_crc():  # noqa: SLF001
                raise CorruptRecordException(f"invalid CRC in {unread._tp}")  # noqa: SLF001
            skipped = batch.is_control_batch
            if committed_only and batch.producer_id is not None:
                unread._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
                if batch.is_control_batch and unread._contains_abort_marker(batch):  # noqa: SLF001
                    aborted.discard(batch.producer_id)
                skipped = skipped or (batch.is_transactional and batch.producer_id in aborted)
            records = [] if skipped else list(batch)
            if records and records[0].offset < self._unpacked_to:
                records = [record for record in records if record.offset >= self._unpacked_to]
            self._unpacked_to = batch.next_offset
            if records:
                yield records


class Scheduler(SchedulingStrategyT):
    """Hands each slice on as it is (Faust's own would take it apart)."""

    @classmethod
    def map_from_records(cls, records: Mapping[TP, list[Any]]) -> Any:
        return records

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        for tp, found in records.items():
            yield TP(*tp), found

    records_iterator = iterate


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's thread that fetches, reading committed records only, and watched."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        reading = cast("Transport", transport).reading
        return AIOKafkaConsumer(
            **reading.kafka,
            group_id=reading.group,
            client_id=reading.group,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=reading.max_batch,
            max_partition_fetch_bytes=reading.fetch_bytes,
            fetch_max_wait_ms=reading.fetch_wait_ms,
            max_poll_interval_ms=600_000,
            rebalance_timeout_ms=30_000,  # within it every lane has finished its transaction
            session_timeout_ms=int(reading.session_timeout_s * 1000),
            heartbeat_interval_ms=int(reading.session_timeout_s * 1000 / 10),
        )

    async def on_start(self) -> None:
        await super().on_start()
        cast("Transport", self.transport).watch = FetchWatch(self._ensure_consumer()._fetcher)  # noqa: SLF001


class Consumer(driver.Consumer):
    """Faust's consumer; what it fetches becomes one message per slice, and lanes open and close with assignments."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        last: Record = record[-1]
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000, 1, None, None, record, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def on_buffer_full(self, tp: TP) -> None:
        """A full queue blocks whoever puts into it, which is all the backpressure needed; Faust would sleep a second."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        transport = cast("Transport", self.transport)
        if transport.watch is not None:
            transport.watch.silences.clear()
        await transport.lanes.assigned(assigned, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        # first: Faust empties its queues now, and what comes through afterwards would come after a gap
        await cast("Transport", self.transport).lanes.revoked()
        await super().on_partitions_revoked(revoked)


class Transport(driver.Transport):
    """`watch` is there once the consumer has started."""

    Consumer = Consumer

    def __init__(self, app: faust.App, reading: Reading, lanes: Lanes) -> None:
        super().__init__([URL(f"kafka://{reading.kafka['bootstrap_servers']}")], app)
        self.reading = reading
        self.lanes = lanes
        self.watch: FetchWatch | None = None


class SliceSchema(faust.Schema[Any, Any]):
    """A slice is its own value: nothing is to be decoded."""

    def __init__(self) -> None:
        super().__init__(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    def loads_key(self, app: Any, message: Any, **options: Any) -> Any:  # noqa: ARG002
        return message.key

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:  # noqa: ARG002
        return message.value
