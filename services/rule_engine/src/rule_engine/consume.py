"""Topics read whole: a lane's rows before it runs, and the topics that every worker keeps in sight."""

from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from rule_engine.config import Settings

POLL_MS = 200


def reader(settings: Settings, *, group: str | None = None) -> AIOKafkaConsumer:
    """A consumer of committed records that belongs to no group's rounds; `group` only to ask for its offsets."""
    return AIOKafkaConsumer(
        **settings.kafka_client(),
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=32 << 20,
        max_partition_fetch_bytes=8 << 20,
    )


class WholeReading:
    """Reads partitions from their beginnings to where they end now; how far it is, is known meanwhile."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = list(partitions)
        self.records_read = 0
        self.offsets_left: int | None = None

    async def to_the_end(self, take: Callable[[ConsumerRecord], None]) -> None:
        """Every committed record to `take`, in order.

        The end is where the consumer's position reaches the last stable offset: the last thing there is often the marker
        of a transaction, which is never delivered.
        """
        consumer = self._consumer
        consumer.assign(self._partitions)
        await consumer.seek_to_beginning(*self._partitions)
        ends = await consumer.end_offsets(self._partitions)
        while await self._left(ends):
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                self.records_read += len(records)
                for record in records:
                    take(record)

    async def _left(self, ends: dict[TopicPartition, int]) -> int:
        left = 0
        for partition, end in ends.items():
            left += max(0, end - await self._consumer.position(partition))
        self.offsets_left = left
        return left
