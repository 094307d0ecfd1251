"""A lane: one input partition from its assignment to its revocation (docs/decisions/0002-lanes.md).

fence → recover → run → close. All state of the partition is made here and thrown away here; nothing outlives a lane.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from contracts.topics import ENGINE_GLOBAL_STATE, ENGINE_REGROUPED, ENGINE_STATE, SIGNALS, Topic
from rule_engine.clock import SilentClock
from rule_engine.config import Settings
from rule_engine.consume import WholeReading, reader
from rule_engine.engine import LaneEngine
from rule_engine.globals import GlobalEngine
from rule_engine.news import News
from rule_engine.publish import Addresses, LaneProducer
from rule_engine.rulebook import Rules
from rule_engine.state import row_key
from rule_engine.transport import Silence, Slice

log = structlog.get_logger()

CLOSE_WITHIN_S = 5.0
CLOCK_EVERY_S = 1.0

Stage = Literal["fencing", "recovering", "waiting for rules", "running", "closed"]


class LostRecordsError(RuntimeError):
    """The transport handed on a slice that does not begin where the one before it ended."""


class Observer(Protocol):
    """Who wants to know of each transaction."""

    def committed(self, lane: "Lane", records: int, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What lanes have in common. `die` ends the process: it is called when what a lane's state is worth is unknown."""

    settings: Settings
    addresses: Addresses
    news: News
    die: Callable[[str, BaseException], None]
    observer: Observer


class Lane:
    """One partition of the topic `source`. `read_to` is the offset up to which its records were evaluated, `versions` are those
    of the rule files that it is judged by.
    """

    source: Topic
    changelog: Topic

    def __init__(
        self, partition: int, generation: int, engine: LaneEngine | GlobalEngine, world: World
    ) -> None:
        settings = world.settings
        self.partition = partition
        self.generation = generation
        self.stage: Stage = "fencing"
        self.read_to = 0
        self.recovery: WholeReading | None = None
        self.versions: dict[str, str] = {}
        self._engine = engine
        self._world = world
        self._source = TopicPartition(settings.name(self.source), partition)
        self._changelog = TopicPartition(settings.name(self.changelog), partition)
        self._producer = LaneProducer(settings, f"{settings.group}-{self.source.name}-{partition}")
        self._read: list[Slice] = []  # evaluated since the last take()
        self._waiting = 0  # their records
        self._uncommitted = 0  # with those of the transaction under way
        self._committed_to = 0
        self._clock_letter: tuple[bytes, bytes] | None = None
        self.opened = asyncio.Event()  # or closed
        self._room = asyncio.Event()
        self._due = asyncio.Event()  # there may be something to commit
        self._full = asyncio.Event()  # and it should not wait for more
        self._transaction = asyncio.Lock()
        self._life = asyncio.create_task(self._live(), name=f"lane {self._source.topic}/{partition}")

    async def feed(self, records: Slice) -> None:
        """Evaluate what the transport read; waits for the lane to be open, and for room. A closed lane drops it."""
        await self.opened.wait()
        limit = self._world.settings.engine_depth * self._world.settings.engine_max_batch
        while self.stage == "running" and self._uncommitted >= limit:
            self._room.clear()
            await self._room.wait()
        if self.stage != "running" or records.end <= self.read_to:
            return
        if records.start > self.read_to:
            raise LostRecordsError(
                f"offsets {self.read_to} to {records.start} of {self._source} were not read"
            )
        if records.start < self.read_to:
            fresh = [record for record in records if record.offset >= self.read_to]
            records = Slice(fresh, self.read_to, records.end)
        self._engine.run(records)  # type: ignore[arg-type]
        self.read_to = records.end
        self._read.append(records)
        self._waiting += len(records)
        self._uncommitted += len(records)
        if self._waiting >= self._world.settings.engine_max_batch:
            self._full.set()
        self._due.set()

    def adopt(self, rules: Rules) -> None:
        """Between two batches; a lane that does not run yet takes what is valid when it does."""
        if self.stage == "running":
            files = rules.for_lane(self._engine.machine.files)
            self._engine.adopt(files)
            self.versions = {name: source.version for name, source in files.items()}
            self._due.set()

    async def close(self) -> None:
        """Finish the transaction under way; what was evaluated after it is dropped, the next owner reads it again."""
        self.stage = "closed"
        self.opened.set()
        self._room.set()
        try:
            await asyncio.wait_for(self._transaction.acquire(), CLOSE_WITHIN_S)
        except TimeoutError:
            log.warning("transaction left open", topic=self._source.topic, partition=self.partition)
        self._life.cancel()
        await asyncio.wait({self._life})
        try:
            await asyncio.wait_for(self._producer.stop(), CLOSE_WITHIN_S)
        except Exception as error:  # whoever comes next fences it
            log.warning(
                "producer not stopped", topic=self._source.topic, partition=self.partition, error=repr(error)
            )

    async def _live(self) -> None:
        try:
            await self._producer.fence()
            self._enter("recovering")
            await self._recover()
            self._enter("waiting for rules")
            await self._world.news.ready.wait()
            self._enter("running")
            self.adopt(self._world.news.rules)
            self._start()
            self.opened.set()
            log.info("lane open", topic=self._source.topic, partition=self.partition, read_to=self.read_to,
                     rows_read=self.recovery.records_read if self.recovery else 0)  # fmt: skip
            self._due.set()
            await self._commit_on_and_on()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._world.die("lane failed", error)

    def _enter(self, stage: Stage) -> None:
        if self.stage == "closed":
            raise asyncio.CancelledError
        self.stage = stage

    def _start(self) -> None:
        """What a kind of lane does before its first batch."""

    async def _recover(self) -> None:
        """Rows and offset as the last transaction left them: none can come any more, we have fenced."""
        consumer = reader(self._world.settings, group=self._world.settings.group)
        await consumer.start()
        try:
            self.recovery = WholeReading(consumer, [self._changelog])
            await self.recovery.to_the_end(self._restore)
            committed = await consumer.committed(self._source)
            beginning = (await consumer.beginning_offsets([self._source]))[self._source]
        finally:
            await consumer.stop()
        self._engine.begin()
        if committed is not None and committed < beginning:
            log.error("records were deleted before they were read", topic=self._source.topic,
                      partition=self.partition, first=committed, last=beginning - 1)  # fmt: skip
        self.read_to = self._committed_to = max(committed or 0, beginning)

    def _restore(self, row: ConsumerRecord) -> None:
        self._engine.restore(row.key, row.value)

    async def _commit_on_and_on(self) -> None:
        gather_s = self._world.settings.engine_gather_ms / 1000
        began = 0.0
        while True:
            await self._due.wait()
            left_s = began + gather_s - time.monotonic()
            if left_s > 0 and not self._full.is_set():
                try:
                    await asyncio.wait_for(self._full.wait(), left_s)
                except TimeoutError:
                    pass
            async with self._transaction:
                began = time.monotonic()
                await self._commit()

    async def _commit(self) -> None:
        """One transaction of everything since the last; more batches are evaluated meanwhile."""
        self._due.clear()
        self._full.clear()
        began = time.monotonic()
        output = self._engine.take()
        read, self._read = self._read, []
        records, self._waiting = self._waiting, 0
        clock, self._clock_letter = self._clock_letter, None
        read_to = self.read_to if self.read_to > self._committed_to else None
        letters = self._world.addresses.letters(output, self._changelog, self._source, read, clock)
        if not letters and read_to is None:
            return
        await self._producer.commit(letters, self._source, read_to)
        if read_to is not None:
            self._committed_to = read_to
        self._uncommitted -= records
        self._room.set()
        self._world.observer.committed(self, records, time.monotonic() - began)


class SignalsLane(Lane):
    """A partition of `signals`: it hears verdicts on global alerts, and goes on with the wall clock when it is silent."""

    source = SIGNALS
    changelog = ENGINE_STATE

    def __init__(self, partition: int, generation: int, engine: LaneEngine, world: World) -> None:
        settings = world.settings
        self.engine = engine
        self._silent_since_us: int | None = None
        self._clock = SilentClock(
            round(settings.engine_idle_timeout_s * 1e6), round(settings.engine_allowed_lateness_s * 1e6)
        )
        self._clock_told_s = 0.0
        super().__init__(partition, generation, engine, world)

    def hear(self, verdicts: Sequence[bytes]) -> None:
        """News of `engine.globals`, in their order."""
        if self.stage == "running":
            self.engine.hear(verdicts)
            self._due.set()

    def tick(self, silence: Silence | None) -> None:
        """Let the wall clock move the partition's, if the broker's last word is that nothing is unread."""
        if self.stage != "running":
            return
        if silence is None or silence.read_to != self.read_to:
            self._silent_since_us = None
            self._clock.fetched_something()
        else:
            if silence.since_us != self._silent_since_us:
                self._silent_since_us = silence.since_us
                self._clock.broken()
                self._clock.fetched_nothing(silence.since_us)
            self._clock.fetched_nothing(silence.at_us)
            reached_us = self._clock.clock(self.engine.delay_us)
            if reached_us is not None:
                self.engine.silent(reached_us)
                self._due.set()
        self._tell_clock()

    def _tell_clock(self) -> None:
        """Once a second, where global rules need to know how far every partition is."""
        now_s = time.monotonic()
        if self.engine.has_global_rules and now_s - self._clock_told_s >= CLOCK_EVERY_S:
            self._clock_told_s = now_s
            value = self.engine.clock_partial(idle=self._clock.idle)
            if value is not None:
                self._clock_letter = (row_key("clock", self.partition), value)
                self._due.set()

    def _start(self) -> None:
        self.hear(self._world.news.verdicts)


class GlobalLane(Lane):
    """A partition of `engine.regrouped`: global keys, over the counts and clocks of all partitions of `signals`."""

    source = ENGINE_REGROUPED
    changelog = ENGINE_GLOBAL_STATE
