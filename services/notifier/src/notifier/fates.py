"""What the other services are told, by the outbox: a message's fate, the fact that rules can use, and dead letters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contracts import topics
from contracts.dead import SUFFIX, DeadLetter
from contracts.envelope import HEADERS, encode, event
from contracts.event_data import MessageFact
from contracts.records import Fate, Message
from contracts.topics import Topic, topic_name
from notifier.tables import MessageRow, OutboxRow

SOURCE = "/beforehand/notifier"
FACTS = frozenset({"sent", "failed"})


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it came from Kafka; `topic` without the installation's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def of_message(row: MessageRow, fate: Fate, at: datetime, prefix: str) -> Iterator[OutboxRow]:
    message = Message(
        message=row.id, fate=fate, at=at, channel=row.channel, recipient=row.recipient, customer=row.customer,  # type: ignore[arg-type]
        alert=row.alert, seq=row.seq, rule=row.rule, entry=row.entry, ticket=row.ticket, template=row.template,
        locale=row.locale, category=row.category, summary=row.summary, reason=row.reason, attempts=row.attempts,
        possibly_twice=row.possibly_twice,
    )  # fmt: skip
    yield _news(topics.MESSAGES, row, fate, at, message, prefix)
    if fate in FACTS and row.recipient == row.customer:
        fact = MessageFact(
            message=row.id, channel=row.channel, occasion=row.kind, rule=row.rule, alert=row.alert, reason=row.reason,  # type: ignore[arg-type]
        )  # fmt: skip
        yield _news(topics.EVENTS, row, fate, at, fact, prefix)


def dead_letter(record: Record, why: str, at: datetime, prefix: str) -> OutboxRow:
    topic = prefix + record.topic
    letter = DeadLetter(topic, record.partition, record.offset, why, rejected_by="notifier", at=at)
    return OutboxRow(
        partition=record.partition, topic=topic + SUFFIX, key=record.key, value=record.value,
        headers=_headers(letter.headers()),
    )  # fmt: skip


def _news(topic: Topic, row: MessageRow, fate: Fate, at: datetime, data: Any, prefix: str) -> OutboxRow:
    trace = {} if row.traceparent is None else {"traceparent": row.traceparent}
    # the attempt keeps ids apart where a message comes to one fate twice; a record that is relayed twice keeps its id
    said = event(
        id=f"{row.id}/{fate}/{row.attempts}", source=SOURCE, type=f"message.{fate}", time=at, data=data,
        customerid=row.customer, subject=row.id, **trace,
    )  # fmt: skip
    return OutboxRow(
        partition=row.partition, topic=topic_name(topic, prefix), key=said.key, value=encode(said),
        headers=_headers(HEADERS),
    )  # fmt: skip


def _headers(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return msgspec.msgpack.encode(list(pairs))
