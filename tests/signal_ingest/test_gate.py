"""The gate by itself, where the moment matters: what is on its way when something else comes."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from signal_ingest.accept import accept
from signal_ingest.metrics import Metrics
from signal_ingest.publish import Gate, Unavailable


@pytest.fixture
def new_gate(kafka, new_service):
    """Makes an open gate on fresh topics; yields it with a way to read what lies on signals."""

    @asynccontextmanager
    async def make(**settings):
        topics = new_service(kafka)
        defaults = {"timeout_s": 5, "max_pending_bytes": 10**6, "remembered": 1000}
        gate = Gate(
            kafka={"bootstrap_servers": kafka},
            prefix=topics.prefix,
            metrics=Metrics(),
            **(defaults | settings),
        )
        running = asyncio.create_task(gate.run())
        try:
            await asyncio.wait_for(gate.wait_open(), 20)
            yield gate, topics
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return make


@pytest.fixture
def accepted(an_event):
    return lambda event_id: accept(
        an_event(event_id), now=datetime.now(UTC), max_future=timedelta(minutes=10)
    )


async def test_an_event_on_its_way_is_waited_for_and_not_written_again(new_gate, accepted):
    async with new_gate() as (gate, topics):
        both = await asyncio.gather(
            gate.publish([accepted("1")]), gate.publish([accepted("1"), accepted("2")])
        )
        assert both == [[False], [True, False]]
        assert sorted(signal.id for signal in topics.signals()) == ["1", "2"]


async def test_more_on_its_way_than_allowed_is_refused_at_once(new_gate, accepted):
    async with new_gate(max_pending_bytes=1) as (gate, _):
        first = asyncio.create_task(gate.publish([accepted("1")]))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await gate.publish([accepted("2")])
        assert refused.value.retry_after_s >= 1
        assert await first == [False]
        assert await gate.publish([accepted("2")]) == [False]


async def test_an_event_that_nobody_waits_for_any_more_is_written_all_the_same(new_gate, accepted):
    async with new_gate() as (gate, topics):
        first = asyncio.create_task(gate.publish([accepted("1")]))
        await asyncio.sleep(0)
        first.cancel()
        assert await gate.publish([accepted("1")]) == [True]
        assert [signal.id for signal in topics.signals()] == ["1"]
