"""The events: a shop's, 300 to 600 bytes each, of 50,000 customers, a millisecond of event time apart."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from aiokafka import AIOKafkaProducer
from twenty_rules import TYPES

from contracts.partition import partition_of

Kind = Literal["all", "mix"]
CUSTOMERS = 50_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
UNWANTED = (
    "page.viewed", "cart.updated", "session.started", "search.performed", "invoice.viewed", "profile.updated",
    "item.rated", "help.opened",
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_encode = msgspec.json.Encoder().encode


def time_of(index: int) -> datetime:
    return BEGIN + timedelta(milliseconds=index)


def events(count: int, kind: Kind) -> Iterator[tuple[bytes, bytes]]:
    """(key, value); `all`: every event is of a type that rules want, `mix`: one in five. Always the same."""
    draw, padding = random.Random(1), random.Random(2)
    for index in range(count):
        customer = f"customer-{draw.randrange(CUSTOMERS)}"
        type_name = draw.choice(TYPES)
        if kind == "mix" and padding.random() >= 0.2:
            type_name = padding.choice(UNWANTED)
        items = [
            {"sku": "".join(padding.choices(_LETTERS, k=10)), "qty": padding.randrange(1, 9)}
            for _ in range(padding.randrange(1, 6))
        ]
        yield customer.encode(), _encode({
            "specversion": "1.0", "id": str(index), "source": "/shop", "type": type_name,
            "time": f"{time_of(index):%Y-%m-%dT%H:%M:%S.%f}Z", "customerid": customer,
            "datacontenttype": "application/json",
            "data": {
                "order_id": f"order-{index % 10_000}", "amount": draw.random() * 100, "currency": "EUR",
                "status": draw.randrange(200, 600), "channel": "web", "items": items,
            },
        })  # fmt: skip


async def produce(bootstrap: str, topic: str, partitions: int, count: int, kind: Kind) -> float:
    """Put them on the topic, each customer on its own partition. The mean size in bytes."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", compression_type="snappy", max_batch_size=500_000
    )
    await producer.start()
    total = 0
    try:
        batches = [producer.create_batch() for _ in range(partitions)]
        on_the_way: set[asyncio.Future[object]] = set()
        for key, value in events(count, kind):
            total += len(value)
            place = partition_of(key, partitions)
            if batches[place].append(key=key, value=value, timestamp=None) is None:
                on_the_way.add(await producer.send_batch(batches[place], topic, partition=place))
                batches[place] = producer.create_batch()
                batches[place].append(key=key, value=value, timestamp=None)
                if len(on_the_way) > 16:
                    _, on_the_way = await asyncio.wait(on_the_way, return_when=asyncio.FIRST_COMPLETED)
        for place, batch in enumerate(batches):
            on_the_way.add(await producer.send_batch(batch, topic, partition=place))
        await asyncio.gather(*on_the_way)
    finally:
        await producer.stop()
    return total / count
