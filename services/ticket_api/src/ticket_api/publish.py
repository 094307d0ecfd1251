"""Relays the outbox to Kafka: in order per customer, acks=all, idempotent; a row goes once the broker has its record."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

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
Connect = Callable[[], AbstractAsyncContextManager[AIOKafkaProducer]]
_Waiting = tuple[int, str, str, bytes]


async def relay(database: Database, connect: Connect, prefix: str, relayed: Counter) -> None:
    """For ever. What the broker does not take is tried again by a new producer: one that failed may be of no more use."""
    while True:
        async with connect() as producer:
            while await _relay_some(database, producer, prefix, relayed):
                pass
        await asyncio.sleep(_LOOK_EVERY_S)


async def _relay_some(database: Database, producer: AIOKafkaProducer, prefix: str, relayed: Counter) -> bool:
    """What waits now, or a moment later; False if the broker did not take all of it."""
    database.written.clear()
    async with database.alone(_ALONE):
        waiting = await _waiting(database)
        sent = await _send(producer, prefix, waiting, relayed)
        if sent:
            await _forget(database, sent)
    if not waiting:
        try:
            await asyncio.wait_for(database.written.wait(), _LOOK_EVERY_S)
        except TimeoutError:
            pass
    return len(sent) == len(waiting)


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
