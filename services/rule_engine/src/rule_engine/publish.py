"""What lanes write to Kafka: all that one step caused, in one transaction with the offset of what caused it."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition

from contracts.alerts import Transition, to_event
from contracts.dead import DeadLetter
from contracts.envelope import HEADERS, MAX_BYTES, encode
from contracts.partition import partition_of
from contracts.topics import ALERTS, ENGINE_GLOBALS, ENGINE_REGROUPED, SIGNALS, Topic, dead_name
from rule_engine.config import Settings
from rule_engine.machine import Output
from rule_engine.transport import Record, Slice

log = structlog.get_logger()

TRANSACTION_TIMEOUT_MS = 30_000
_LARGEST = 1_040_000  # bytes of a record: beyond a little more the topics take none, and the lane would fail for ever
_NO_HEADERS: list[tuple[str, bytes]] = []

# key, value (None: a tombstone), headers
Letter = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
Letters = Mapping[TopicPartition, Sequence[Letter]]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where each kind of letter goes. The numbers are those of the topics' partitions."""

    settings: Settings
    alerts_partitions: int
    regrouped_partitions: int

    def letters(
        self, output: Output, changelog: TopicPartition, source: TopicPartition, read: Sequence[Slice],
        clock: tuple[bytes, bytes] | None,
    ) -> Letters:  # fmt: skip
        """`read` are the slices that caused the output, for the bytes of what is poison; `clock` goes to every partition
        of engine.regrouped.
        """
        letters: dict[TopicPartition, list[Letter]] = defaultdict(list)
        if output.rows:
            letters[changelog] = [(key, value, _NO_HEADERS) for key, value in output.rows]
        for transition in output.transitions:
            key = _key_of(transition)
            place = self._at(ALERTS, partition_of(key, self.alerts_partitions))
            letters[place].append((key, _encoded(transition), HEADERS))
        for key, value in output.partials:
            place = self._at(ENGINE_REGROUPED, partition_of(key, self.regrouped_partitions))
            letters[place].append((key, value, _NO_HEADERS))
        if clock is not None:
            for partition in range(self.regrouped_partitions):
                letters[self._at(ENGINE_REGROUPED, partition)].append((*clock, _NO_HEADERS))
        if output.verdicts:
            letters[self._at(ENGINE_GLOBALS, 0)] = [
                (key, value, _NO_HEADERS) for key, value in output.verdicts
            ]
        if output.poison:
            dead = TopicPartition(dead_name(SIGNALS, self.settings.topic_prefix), 0)
            letters[dead] = list(_dead_letters(output.poison, source, read))
        return {place: fitting for place, each in letters.items() if (fitting := _fitting(place, each))}

    def _at(self, topic: Topic, partition: int) -> TopicPartition:
        return TopicPartition(self.settings.name(topic), partition)


def _fitting(place: TopicPartition, letters: Sequence[Letter]) -> Sequence[Letter]:
    """Without what no broker would take: the engine bounds what it writes, but for customers' ids as long as an event."""
    sizes = [len(key or b"") + len(value or b"") for key, value, _ in letters]
    if max(sizes) <= _LARGEST:
        return letters
    for size in sizes:
        if size > _LARGEST:
            log.error("record left out: too large", topic=place.topic, bytes=size)
    return [letter for letter, size in zip(letters, sizes, strict=True) if size <= _LARGEST]


def _key_of(transition: Transition) -> bytes:
    return (transition.rule if transition.customer is None else transition.customer).encode()


def _encoded(transition: Transition) -> bytes:
    """Without its `vars` if with them no broker would take it: a person can be told without them."""
    raw = encode(to_event(transition))
    if len(raw) > MAX_BYTES:
        log.error("vars left out: too large", rule=transition.rule, alert=transition.alert, bytes=len(raw))
        raw = encode(to_event(msgspec.structs.replace(transition, vars={})))
    return raw


def _dead_letters(
    poison: Iterable[tuple[int, str]], source: TopicPartition, read: Sequence[Slice]
) -> Iterable[Letter]:
    offsets = {offset for offset, _ in poison}
    records: dict[int, Record] = {
        each.offset: each for part in read for each in part if each.offset in offsets
    }
    now = datetime.now(UTC)
    for offset, reason in poison:
        record = records[offset]
        key, value = record.key, record.value
        if len(key or b"") + len(value or b"") > MAX_BYTES:
            # with its headers it might be too large for the topic
            key, value = key and key[:1000], value and value[:MAX_BYTES]
            why = f"{reason} (cut off after {MAX_BYTES:,} bytes)"
        else:
            why = reason
        letter = DeadLetter(source.topic, source.partition, offset, why, "rule_engine", now)
        yield key, value, letter.headers()


class LaneProducer:
    """The transactional producer of one input partition: whoever starts it last is the only one who can commit."""

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        self._group = settings.group
        self._producer = AIOKafkaProducer(
            **settings.kafka_client(),
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=TRANSACTION_TIMEOUT_MS,
            acks="all",
            compression_type="snappy",  # aiokafka would compress lz4 at level 9
            linger_ms=0,
            retry_backoff_ms=20,  # the broker asks for it whenever the transaction before is still being completed
            max_batch_size=900_000,
            max_request_size=1_000_000,
        )

    async def fence(self) -> None:
        """End a former owner's open transaction, and lock it out."""
        await self._producer.start()

    async def commit(self, letters: Letters, source: TopicPartition, read_to: int | None) -> None:
        """All of it, or nothing; returns when it is done. `read_to` None: no record was read for this.

        Raises KafkaError: then what came of it is unknown, and whoever has this partition must begin anew.
        """
        producer = self._producer
        await producer.begin_transaction()
        waiting = [await each for place, batch in letters.items() for each in self._send(place, batch)]
        if read_to is not None:
            await producer.send_offsets_to_transaction({source: read_to}, self._group)
        await asyncio.gather(*waiting)
        await producer.commit_transaction()

    async def stop(self) -> None:
        await self._producer.stop()

    def _send(
        self, place: TopicPartition, letters: Sequence[Letter]
    ) -> Iterable[Coroutine[Any, Any, asyncio.Future[Any]]]:
        """In as few batches as their size allows: each yielded coroutine hands one over and returns its future."""
        batch = self._producer.create_batch()
        for key, value, headers in letters:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                yield self._producer.send_batch(batch, place.topic, partition=place.partition)
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        batch.close()
        yield self._producer.send_batch(batch, place.topic, partition=place.partition)
