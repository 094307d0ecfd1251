"""Slices and silences, over what a real broker answers."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from contracts.topics import ENGINE_STATE, SIGNALS
from rule_engine.config import Settings
from rule_engine.publish import LaneProducer
from rule_engine.transport import FetchWatch, Slice


@asynccontextmanager
async def reading(bootstrap: str, tp: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        fetch_max_wait_ms=100, max_partition_fetch_bytes=20_000,
    )  # fmt: skip
    await consumer.start()
    consumer.assign([tp])
    try:
        yield consumer
    finally:
        await consumer.stop()


async def write(producer: AIOKafkaProducer, tp: TopicPartition, numbers: range) -> None:
    for number in numbers:
        await producer.send(tp.topic, b"%d" % number, b"k", partition=tp.partition)
    await producer.flush()


async def slices_of(consumer: AIOKafkaConsumer, tp: TopicPartition, at_most: int) -> list[Slice]:
    """All up to the present end, polled so many at a time."""
    found = []
    end = (await consumer.end_offsets([tp]))[tp]
    async with asyncio.timeout(20):
        while await consumer.position(tp) < end:
            found += (await consumer.getmany(tp, timeout_ms=100, max_records=at_most)).values()
    return found


async def test_slices_hold_what_aiokafka_itself_would_hand_out_and_leave_no_gap(topics):
    tp = TopicPartition(topics.name(ENGINE_STATE), 0)
    async with (
        AIOKafkaProducer(
            bootstrap_servers=topics.bootstrap, transactional_id=uuid.uuid4().hex
        ) as transactional,
        AIOKafkaProducer(bootstrap_servers=topics.bootstrap) as plain,
    ):
        numbers = itertools.count(step=40)
        for aborted in (True, False, True, False, True):
            await transactional.begin_transaction()
            await write(transactional, tp, range(start := next(numbers), start + 40))
            await write(plain, tp, range(-start - 40, -start))
            await (transactional.abort_transaction() if aborted else transactional.commit_transaction())
    async with reading(topics.bootstrap, tp) as consumer:
        wanted = [record for part in await slices_of(consumer, tp, 500) for record in part]
    assert len(wanted) == 5 * 40 + 2 * 40
    for at_most in (7, 40, 500):
        async with reading(topics.bootstrap, tp) as consumer:
            FetchWatch(consumer._fetcher)
            slices = await slices_of(consumer, tp, at_most)
            end = (await consumer.end_offsets([tp]))[tp]
        found = [
            (record.offset, record.key, record.value, record.timestamp) for part in slices for record in part
        ]
        assert found == [(record.offset, record.key, record.value, record.timestamp) for record in wanted]
        assert [part.start for part in slices] == [0, *(part.end for part in slices[:-1])]
        assert slices[-1].end <= end  # what is left are markers and an aborted transaction
        assert all(part.start <= part[0].offset and part[-1].offset < part.end for part in slices)


async def test_a_partition_is_silent_only_on_the_brokers_word_that_nothing_is_unread(topics):
    tp = TopicPartition(topics.name(SIGNALS), 0)

    async def until(holds) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await consumer.getmany(tp, timeout_ms=20)

    async with (
        AIOKafkaProducer(bootstrap_servers=topics.bootstrap) as producer,
        reading(topics.bootstrap, tp) as consumer,
    ):
        watch = FetchWatch(consumer._fetcher)
        await until(lambda: tp in watch.silences)
        first = watch.silences[tp]
        assert first.read_to == 0
        await until(lambda: watch.silences[tp].at_us > first.at_us)
        assert watch.silences[tp].since_us == first.since_us  # one unbroken row of answers

        await producer.send_and_wait(tp.topic, b"1", b"k", partition=0)
        while tp in watch.silences:  # noqa: ASYNC110 - it is fetched, though nobody polls for it
            await asyncio.sleep(0.01)
        await until(lambda: tp in watch.silences)
        assert watch.silences[tp].read_to == 1
        assert watch.silences[tp].since_us > first.at_us


async def test_an_open_transaction_is_something_unread(topics):
    tp = TopicPartition(topics.name(SIGNALS), 1)
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, transactional_id=uuid.uuid4().hex)
    async with producer, reading(topics.bootstrap, tp) as consumer:
        await producer.begin_transaction()
        await write(producer, tp, range(1))
        watch = FetchWatch(consumer._fetcher)
        asked = []
        fetch = watch._fetch
        watch._fetch = lambda *request: asked.append(request) or fetch(*request)
        async with asyncio.timeout(20):
            while len(asked) < 4:
                await consumer.getmany(tp, timeout_ms=20)
        assert tp not in watch.silences
        await producer.abort_transaction()
        async with asyncio.timeout(20):
            while tp not in watch.silences:
                await consumer.getmany(tp, timeout_ms=20)


async def test_who_was_fenced_commits_nothing(topics, house):
    settings = Settings(kafka=topics.bootstrap, topic_prefix=topics.prefix)
    source = TopicPartition(topics.name(SIGNALS), 0)
    rows = TopicPartition(topics.name(ENGINE_STATE), 0)
    former, owner = (LaneProducer(settings, f"{settings.group}-signals-0") for _ in range(2))
    await former.fence()
    await former.commit({rows: [(b"a", b"1", [])]}, source, 1)
    await owner.fence()
    with pytest.raises(KafkaError):
        await former.commit({rows: [(b"a", b"2", [])]}, source, 2)
    await owner.commit({rows: [(b"a", b"3", [])]}, source, 2)
    found = await asyncio.to_thread(house.read, rows.topic)
    assert [record.value for record in found] == [b"1", b"3"]
    for producer in (former, owner):
        await producer.stop()
