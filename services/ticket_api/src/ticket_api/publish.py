"""Relays the outbox to Kafka: in order per customer, acks=all, idempotent; a row goes once the broker has its record."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from sqlalchemy import Row, delete, select

from contracts import envelope
from ticket_api.database import Database
from ticket_api.tables import OutboxRow

log = structlog.get_logger()

_AT_ONCE = 500
_LOOK_EVERY_S = 1.0  # for what another process on the same database wrote
_ALONE = 7_404_002
_Waiting = tuple[int, str, str, bytes]


async def relay(database: Database, producer: AIOKafkaProducer, prefix: str, relayed: Counter) -> None:
    """For ever. What the broker does not take is tried again, with what comes after it for that customer behind it."""
    while True:
        database.written.clear()
        pause_s = _LOOK_EVERY_S
        async with database.alone(_ALONE):
            waiting = await _waiting(database)
            if waiting:
                sent = await _send(producer, prefix, waiting, relayed)
                await _forget(database, sent)
                pause_s = 0.0 if len(sent) == len(waiting) else _LOOK_EVERY_S
        if pause_s:
            try:
                await asyncio.wait_for(database.written.wait(), pause_s)
            except TimeoutError:
                pass


async def _waiting(database: Database) -> Sequence[Row[*_Waiting]]:
    query = select(OutboxRow.id, OutboxRow.topic, OutboxRow.customer, OutboxRow.value)
    async with database.reading() as session:
        return (await session.execute(query.order_by(OutboxRow.id).limit(_AT_ONCE))).all()


async def _send(
    producer: AIOKafkaProducer, prefix: str, waiting: Sequence[Row[*_Waiting]], relayed: Counter
) -> list[int]:
    """The ids of those that the broker has."""
    by_customer: dict[str, list[Row[*_Waiting]]] = defaultdict(list)
    for row in waiting:
        by_customer[row.customer].append(row)
    sent: list[int] = []

    async def one_customers(rows: list[Row[*_Waiting]]) -> None:
        for id_, topic, customer, value in rows:
            try:
                await producer.send_and_wait(
                    prefix + topic, value, key=customer.encode(), headers=envelope.HEADERS
                )
            except KafkaError as error:
                log.warning("outbox not relayed", topic=topic, reason=type(error).__name__)
                return
            relayed.labels(topic).inc()
            sent.append(id_)

    await asyncio.gather(*(one_customers(rows) for rows in by_customer.values()))
    return sent


async def _forget(database: Database, sent: list[int]) -> None:
    async with database.writing() as session:
        await session.execute(delete(OutboxRow).where(OutboxRow.id.in_(sent)))
