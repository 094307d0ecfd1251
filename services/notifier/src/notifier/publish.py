"""Out to Kafka: the outbox, relayed in order; a record leaves it only when the broker has it (acks=all)."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from contracts.kafka import ClientOptions
from notifier.metrics import OUTBOX
from notifier.tables import OutboxRow

log = structlog.get_logger()

BATCH = 500
GATHER_S = 0.1  # between looks into the outbox, unless it holds more than a batch


class Relay:
    """Relays what `partitions` caused; a record may come twice after a crash, with the same event id."""

    def __init__(
        self,
        kafka: ClientOptions,
        sessions: async_sessionmaker[AsyncSession],
        partitions: Callable[[], Collection[int]],
    ) -> None:
        self._kafka = kafka
        self._sessions = sessions
        self._partitions = partitions

    async def run(self) -> None:
        """Until cancelled. A broker or a database that fails for a while is waited for."""
        while True:
            producer = AIOKafkaProducer(
                **self._kafka, client_id="notifier", acks="all", enable_idempotence=True,
                linger_ms=2,
            )  # fmt: skip
            try:
                await producer.start()
                while True:
                    if await self._relay(producer) < BATCH:
                        await asyncio.sleep(GATHER_S)
            except (KafkaError, SQLAlchemyError) as error:
                log.warning("outbox waits", error=type(error).__name__)
            finally:
                await producer.stop()
            await asyncio.sleep(1)

    async def _relay(self, producer: AIOKafkaProducer) -> int:
        async with self._sessions.begin() as session:
            wanted = select(OutboxRow).where(OutboxRow.partition.in_(self._partitions()))
            rows = (await session.scalars(wanted.order_by(OutboxRow.id).limit(BATCH))).all()
        if not rows:
            return 0
        sent = [
            await producer.send(row.topic, row.value, key=row.key, headers=_headers(row.headers))
            for row in rows
        ]
        await asyncio.gather(*sent)
        async with self._sessions.begin() as session:
            await session.execute(delete(OutboxRow).where(OutboxRow.id.in_([row.id for row in rows])))
        for row in rows:
            OUTBOX.labels(row.topic).inc()
        return len(rows)


def _headers(stored: bytes) -> Any:
    return msgspec.msgpack.decode(stored, type=list[tuple[str, bytes]])
