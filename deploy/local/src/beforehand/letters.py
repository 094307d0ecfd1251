"""Dead letters on the broker: reading them, and sending them once more."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from beforehand.errors import BrokerError, UsageError
from beforehand.kafka.topics import wait_for_broker
from contracts.dead import SUFFIX, DeadLetter
from contracts.kafka import ClientOptions
from contracts.times import from_micros
from contracts.topics import TOPICS, topic_name

READ_WITHIN_S = 60.0
DEAD_LETTER_HEADERS = frozenset({"topic", "partition", "offset", "reason", "rejected_by", "at"})


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: what was told about the record, and the record as it came.

    `id` is where it lies: topic, partition and offset. `headers` are the record's own, as far as they were kept.
    """

    id: str
    home: str
    told: DeadLetter
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    replayed: bool


class LetterBox:
    """All dead-letter topics of an installation. A context manager; its methods raise BrokerError."""

    def __init__(self, kafka: ClientOptions, topic_prefix: str = "") -> None:
        self._client = kafka
        self._kafka = kafka["bootstrap_servers"]
        self._prefix = topic_prefix
        self._topics = [topic_name(topic, topic_prefix) for topic in TOPICS if topic.name.endswith(SUFFIX)]
        # Its committed offsets say what was replayed; nobody subscribes with it.
        self._group = f"{topic_prefix}beforehand-dead-replay"
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        wait_for_broker(self._client)
        self._consumer = KafkaConsumer(
            **self._client,
            group_id=self._group,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        self._closing.callback(self._consumer.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def letters(self, topic: str | None = None) -> Iterator[Letter]:
        """All of them, or those of records that were meant for `topic`, by topic, partition and age.

        Raises UsageError for a topic that has no dead letters' topic.
        """
        partitions = self._partitions(topic)
        replayed = self._replayed(partitions)
        yield from self._read(dict.fromkeys(partitions, 0), replayed)

    def letter(self, letter_id: str) -> Letter:
        """Raises UsageError if there is none with this id."""
        home, _, rest = letter_id.partition(":")
        partition, _, offset = rest.partition(":")
        if home in self._topics and partition.isdecimal() and offset.isdecimal():
            place = TopicPartition(home, int(partition))
            if place in self._partitions(self._meant_for(home)):
                for letter in self._read({place: int(offset)}, self._replayed([place]), at_most=1):
                    if letter.id == letter_id:
                        return letter
        raise UsageError(f"there is no dead letter {letter_id!r}; `beforehand dead list` has the ids")

    def replay(self, letters: Iterable[Letter]) -> int:
        """Send them to the topics that they were meant for; returns how many, when the broker has them all."""
        producer = KafkaProducer(**self._client, acks="all")
        try:
            sent = [
                producer.send(
                    letter.home.removesuffix(SUFFIX),
                    key=letter.key,
                    value=letter.value,
                    # kafka-python writes no null for a header's value; ours read it as empty
                    headers=[(name, value or b"") for name, value in letter.headers],
                    # By its key, as always; one without goes where it was.
                    partition=letter.told.partition if letter.key is None else None,
                )
                for letter in letters
            ]
            for future in sent:
                future.get(timeout=READ_WITHIN_S)
        except KafkaError as error:
            raise BrokerError(f"not all dead letters could be sent to {self._kafka}: {error}") from error
        finally:
            producer.close()
        return len(sent)

    def replay_new(self, topic: str | None = None) -> int:
        """Replay those that this has not replayed before, and remember that; returns how many."""
        partitions = self._partitions(topic)
        replayed = self._replayed(partitions)
        ends = self._consumer.end_offsets(partitions)
        sent = self.replay(self._read(replayed, replayed))
        # After the broker has them: a crash in between sends them twice, which every reader takes.
        self._consumer.commit({place: OffsetAndMetadata(end, "", -1) for place, end in ends.items()})
        return sent

    def _meant_for(self, home: str) -> str:
        return home.removeprefix(self._prefix).removesuffix(SUFFIX)

    def _partitions(self, topic: str | None) -> list[TopicPartition]:
        wanted = self._topics
        if topic is not None:
            wanted = [name for name in self._topics if name == self._prefix + topic + SUFFIX]
            if not wanted:
                known = ", ".join(self._meant_for(name) for name in self._topics)
                raise UsageError(f"{topic!r} is no topic with dead letters; these are: {known}")
        existing = self._consumer.topics()
        return [
            TopicPartition(name, number)
            for name in wanted
            if name in existing
            for number in sorted(self._consumer.partitions_for_topic(name) or ())
        ]

    def _replayed(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each partition that was not replayed yet."""
        self._consumer.assign(partitions)
        return {place: self._consumer.committed(place) or 0 for place in partitions}

    def _read(
        self,
        starts: dict[TopicPartition, int],
        replayed: dict[TopicPartition, int],
        at_most: int | None = None,
    ) -> Iterator[Letter]:
        """One partition after the other, from its start to where it ends now."""
        ends = self._consumer.end_offsets(list(starts))
        firsts = self._consumer.beginning_offsets(list(starts))
        for place, start in starts.items():
            self._consumer.assign([place])
            self._consumer.seek(place, max(start, firsts[place]))
            deadline = time.monotonic() + READ_WITHIN_S
            # The position, not the last record: an aborted transaction's marker may be the last thing there.
            while self._consumer.position(place) < ends[place]:
                if time.monotonic() > deadline:
                    raise BrokerError(f"the dead letters in {place.topic} can't be read to their end")
                for record in self._consumer.poll(timeout_ms=500, max_records=at_most).get(place, []):
                    yield _letter(record, replayed=record.offset < replayed[place])
                    if at_most == 1:
                        return


def _letter(record: Any, *, replayed: bool) -> Letter:
    try:
        told = DeadLetter.from_headers(record.headers)
    except ValueError as error:
        # Somebody else put it there; it is shown all the same.
        told = DeadLetter(
            topic=record.topic.removesuffix(SUFFIX),
            partition=record.partition,
            offset=-1,
            reason=str(error),
            rejected_by="unknown",
            at=from_micros(record.timestamp * 1000),
        )
    return Letter(
        id=f"{record.topic}:{record.partition}:{record.offset}",
        home=record.topic,
        told=told,
        key=record.key,
        value=record.value,
        headers=_own(record.headers),
        replayed=replayed,
    )


def _own(headers: Sequence[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes | None], ...]:
    """Without the letter's, which are the last of their names: a record may have a header `topic` of its own."""
    the_letters = set(DEAD_LETTER_HEADERS)
    own = []
    for name, value in reversed(headers):
        if name in the_letters:
            the_letters.remove(name)
        else:
            own.append((name, value))
    return tuple(reversed(own))
