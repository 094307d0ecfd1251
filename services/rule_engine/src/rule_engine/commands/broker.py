"""The command line's own way to Kafka: where it is, and reading topics."""

from __future__ import annotations

import heapq
import json
import os
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from contracts.kafka import kafka_client
from contracts.partition import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.kafka import ClientOptions
    from contracts.topics import Topic

DEFAULT = "127.0.0.1:9092"
BOOTSTRAP_MS = 5_000  # a broker that is there answers within this
ENDPOINTS = Path("var/endpoints.json")

kafka_option: Callable[[Any], Any] = click.option(
    "--kafka", metavar="HOST:PORT",
    help="Kafka's bootstrap servers. Default: $BEFOREHAND_KAFKA, else those of a running `beforehand up`, else 127.0.0.1:9092.",
)  # fmt: skip


class NoBroker(click.ClickException):
    exit_code = 3


@contextmanager
def reaching(bootstrap: list[str]) -> Iterator[None]:
    """What Kafka refuses inside is told as NoBroker."""
    try:
        yield
    except KafkaError as error:
        raise NoBroker(f"Kafka at {', '.join(bootstrap)} did not do it: {error!r}") from None


def servers(given: str | None) -> list[str]:
    """The bootstrap servers that are meant."""
    named = given or os.environ.get("BEFOREHAND_KAFKA") or _running() or DEFAULT
    return [server.strip() for server in named.split(",") if server.strip()]


def topic_name(topic: Topic) -> str:
    return os.environ.get("BEFOREHAND_TOPIC_PREFIX", "") + topic.name


def _running() -> str | None:
    try:
        kafka = json.loads(ENDPOINTS.read_text(encoding="utf-8")).get("kafka")
    except (OSError, ValueError, AttributeError):
        return None
    return kafka if isinstance(kafka, str) else None


def producer(bootstrap: list[str]) -> Any:
    """Raises NoBroker."""
    try:
        return KafkaProducer(
            **_client(bootstrap),
            acks="all",
            enable_idempotence=True,
            bootstrap_timeout_ms=BOOTSTRAP_MS,
        )
    except KafkaError as error:
        raise _unreachable(bootstrap, error) from None


def consumer(bootstrap: list[str]) -> Any:
    """One that reads committed records only, of partitions that are assigned to it. Raises NoBroker."""
    try:
        return KafkaConsumer(
            **_client(bootstrap), isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", group_id=None, bootstrap_timeout_ms=BOOTSTRAP_MS,
        )  # fmt: skip
    except KafkaError as error:
        raise _unreachable(bootstrap, error) from None


def _client(bootstrap: list[str]) -> ClientOptions:
    try:
        return kafka_client(",".join(bootstrap))
    except ValueError as error:
        raise NoBroker(str(error)) from None


def _unreachable(bootstrap: list[str], error: KafkaError) -> NoBroker:
    return NoBroker(
        f"no Kafka answers at {', '.join(bootstrap)} ({type(error).__name__}): start one with `beforehand up`, "
        "or say where it is with --kafka or BEFOREHAND_KAFKA"
    )


def newest_by_key(bootstrap: list[str], topic: str) -> dict[str, bytes]:
    """What a compacted topic of one partition holds now."""
    found: dict[str, bytes] = {}
    with closing(consumer(bootstrap)) as reading:
        place = TopicPartition(topic, 0)
        for record in _to_the_end(reading, place, 0):
            name = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                found.pop(name, None)
            else:
                found[name] = record.value
    return found


def records_of(bootstrap: list[str], topic: str) -> Iterator[tuple[int, bytes, bytes | None]]:
    """(partition, key, value) of all that a topic's partitions hold, one partition after the other; none if there is no topic."""
    with closing(consumer(bootstrap)) as reading:
        for number in sorted(reading.partitions_for_topic(topic) or ()):
            for record in _to_the_end(reading, TopicPartition(topic, number), 0):
                yield number, record.key or b"", record.value


def values_since(
    bootstrap: list[str], topic: str, since_ms: int, *, key: str | None = None
) -> Iterator[bytes]:
    """The values that the topic's partitions hold since then, merged in the order in which the broker stored them.

    `key`: only those of the partition that the key belongs to.
    """
    with closing(consumer(bootstrap)) as asking:
        numbers = sorted(asking.partitions_for_topic(topic) or ())
        if not numbers:
            raise NoBroker(f"there is no topic {topic} at {', '.join(bootstrap)}")
        if key:
            numbers = [partition_of(key.encode(), len(numbers))]
        places = [TopicPartition(topic, number) for number in numbers]
        starts = asking.offsets_for_times(dict.fromkeys(places, since_ms))
    readings = [consumer(bootstrap) for place in places if starts.get(place) is not None]
    try:
        began = [(place, starts[place].offset) for place in places if starts.get(place) is not None]
        streams = [_to_the_end(reading, *each) for reading, each in zip(readings, began, strict=True)]
        for record in heapq.merge(*streams, key=lambda each: (each.timestamp, each.partition, each.offset)):
            if record.value is not None:
                yield record.value
    finally:
        for reading in readings:
            reading.close()


def _to_the_end(reading: Any, place: TopicPartition, start: int) -> Iterator[Any]:
    """Records from `start` to where the partition ends now. The end is the reader's position, since the last thing in a
    partition may be a transaction's marker, which is never delivered.
    """
    reading.assign([place])
    end = reading.end_offsets([place])[place]
    reading.seek(place, start)
    while reading.position(place) < end:
        for records in reading.poll(timeout_ms=500).values():
            yield from records
