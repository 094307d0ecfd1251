"""What a lane takes of what it is handed, and when it gives up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from contracts.envelope import encode, event
from contracts.topics import EMBEDDED_PARTITIONS
from rule_engine.config import Settings
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.lane import LostRecordsError, SignalsLane, World
from rule_engine.publish import Addresses, LaneProducer
from rule_engine.rulebook import Rules
from rule_engine.transport import Slice


@dataclass
class Record:
    offset: int
    key: bytes
    value: bytes
    timestamp: int = 1_790_000_000_000


def slice_of(start: int, end: int) -> Slice:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    raw = encode(event(id="1", source="/test", type="order.placed", time=at, data={}, customerid="c1"))
    return Slice([Record(offset, b"c1", raw) for offset in range(start, end)], start, end)


@pytest.fixture
async def lane(topics) -> AsyncIterator[SignalsLane]:
    """Lane 0, open; `lane.died` is set with what it gave up for."""
    settings = Settings(kafka=topics.bootstrap, topic_prefix=topics.prefix)
    ready = asyncio.Event()
    ready.set()
    died: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    world = World(
        settings=settings,
        addresses=Addresses(settings, EMBEDDED_PARTITIONS, EMBEDDED_PARTITIONS),
        news=SimpleNamespace(ready=ready, rules=Rules({}, frozenset()), verdicts=[]),
        die=lambda _, error: died.set_result(error),
        observer=SimpleNamespace(committed=lambda *_: None),
    )
    found = SignalsLane(0, 1, LaneEngine(0, Counters()), world)
    found.died = died
    async with asyncio.timeout(30):
        await found.opened.wait()
    yield found
    await found.close()


async def test_a_lane_evaluates_each_record_once_and_never_goes_on_after_a_gap(lane):
    await lane.feed(slice_of(0, 5))
    await lane.feed(slice_of(0, 5))  # read again
    await lane.feed(slice_of(3, 8))  # in part
    assert lane.engine.counters.events == 8
    assert lane.read_to == 8
    with pytest.raises(LostRecordsError, match="offsets 8 to 9"):
        await lane.feed(slice_of(9, 10))
    assert lane.engine.counters.events == 8


async def test_a_lane_that_was_fenced_gives_up(lane):
    await lane.feed(slice_of(0, 5))
    settings = lane._world.settings
    owner = LaneProducer(settings, f"{settings.group}-signals-0")
    await owner.fence()
    await lane.feed(slice_of(5, 10))
    async with asyncio.timeout(30):
        error = await lane.died
    assert "Fenced" in repr(error) or "Epoch" in repr(error)
    await owner.stop()


async def test_a_closed_lane_drops_what_still_comes(lane):
    await lane.feed(slice_of(0, 5))
    await lane.close()
    await lane.feed(slice_of(5, 10))
    assert lane.engine.counters.events == 5
