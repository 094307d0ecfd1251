"""A worker: Faust hands it partitions and their slices, each partition has its lane, and all lanes hear the same news."""

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import faust
import structlog
from faust.types import TP
from faust.types.auth import CredentialsT

from contracts.kafka import ClientOptions
from contracts.records import LaneRules
from contracts.topics import (
    ALERTS,
    ENGINE_REGROUPED,
    SIGNALS,
    Topic,
)
from rule_engine.config import Settings
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.globals import GlobalEngine
from rule_engine.lane import GlobalLane, Lane, SignalsLane, World
from rule_engine.metrics import LaneFigures, Metrics
from rule_engine.news import News
from rule_engine.publish import Addresses
from rule_engine.rulebook import Rules
from rule_engine.topology import partitions_of
from rule_engine.transport import Reading, Scheduler, SliceSchema, Transport

log = structlog.get_logger()

TICK_S = 0.1
STOP_WITHIN_S = 8.0
ALIVE_WITHIN_S = 30.0


class Worker:
    """Runs from run() until `stop` is set. `die` ends the process when the state of a lane is in doubt."""

    def __init__(self, settings: Settings, die: Callable[[str, BaseException], None]) -> None:
        self._settings = settings
        self._die = die
        self._counters = Counters()
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._assigned = False
        self._seen_alive_s = time.monotonic()
        self._partitions: dict[str, int] = {}
        self._world: World | None = None
        self._transport: Transport | None = None
        self.metrics = Metrics(self._counters, self._figures)
        self.news = News(
            settings, on_rules=self._adopt, on_verdicts=self._hear, speaks=self._speaks, running=self._running
        )  # fmt: skip

    async def run(self, stop: asyncio.Event) -> None:
        """Raises UnavailableError if Kafka or the topics do not come."""
        ticking = asyncio.create_task(self._guarded("ticking failed", self._tick_on_and_on()))
        try:
            self._partitions = await partitions_of(self._settings, stop)
            if stop.is_set():
                return
            self._world = World(
                settings=self._settings,
                addresses=Addresses(
                    self._settings, self._count(ALERTS), regrouped_partitions=self._count(ENGINE_REGROUPED)
                ),
                news=self.news,
                die=self._die,
                observer=self,
            )
            reading = asyncio.create_task(self._guarded("news failed", self.news.run()))
            await self._run_faust(stop)
            reading.cancel()
            await asyncio.wait({reading})
        finally:
            ticking.cancel()

    # what Faust's consumer tells

    async def assigned(self, partitions: set[TP], generation: int) -> None:
        """Every lane begins anew, also one that this worker had before: it can't know what happened in between."""
        await self.revoked()
        for tp in sorted(partitions):
            self._lanes[tp.topic, tp.partition] = self._lane(tp, generation)
        self._assigned = True
        log.info(
            "assigned",
            partitions=[f"{tp.topic}/{tp.partition}" for tp in sorted(partitions)],
            generation=generation,
        )
        asyncio.create_task(self._settle_memory(list(self._lanes.values())))  # noqa: RUF006 - ends by itself

    async def revoked(self) -> None:
        closing, self._lanes = self._lanes, {}
        await asyncio.gather(*(lane.close() for lane in closing.values()))

    def committed(self, lane: Lane, records: int, seconds: float) -> None:
        self.metrics.batch_records.labels(lane.source.name).observe(records)
        self.metrics.transaction_seconds.labels(lane.source.name).observe(seconds)

    # what the pages tell

    def alive(self) -> bool:
        return time.monotonic() - self._seen_alive_s < ALIVE_WITHIN_S

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Ready when the rules are read and every lane runs; else how far each is."""
        lanes = list(self._lanes.values())
        ready = self._assigned and self.news.ready.is_set() and all(lane.stage == "running" for lane in lanes)
        return ready, {
            "topics": bool(self._partitions),
            "rules_read": self.news.ready.is_set(),
            "assigned": self._assigned,
            "lanes": [
                {
                    "topic": lane.source.name,
                    "partition": lane.partition,
                    "stage": lane.stage,
                    "rows_read": lane.recovery.records_read if lane.recovery else 0,
                    "offsets_left": lane.recovery.offsets_left if lane.recovery else None,
                }
                for lane in lanes
            ],
        }

    def _figures(self) -> list[LaneFigures]:
        figures = []
        for (topic, partition), lane in list(self._lanes.items()):
            end = self._watched("ends").get((topic, partition))
            lag = None if end is None else max(0, end - lane.read_to)
            clock_us = lane.engine.clock_us if isinstance(lane, SignalsLane) else None
            figures.append(LaneFigures(lane.source.name, partition, lane.stage == "running", lag, clock_us))
        return figures

    # inside

    async def _run_faust(self, stop: asyncio.Event) -> None:
        with tempfile.TemporaryDirectory(prefix="beforehand-faust-") as folder:
            app = self._faust_app(folder)
            running = asyncio.create_task(self._guarded("Faust failed", _until_stopped(app)))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await self.revoked()
            try:
                await asyncio.wait_for(app.stop(), STOP_WITHIN_S)
            except TimeoutError:
                log.warning(
                    "Faust did not stop in time; the group will miss this worker only after its session"
                )
            running.cancel()
            await asyncio.wait({running})

    def _faust_app(self, folder: str) -> faust.App:
        settings = self._settings
        kafka = settings.kafka_client()
        app = faust.App(
            settings.group,
            broker=[f"kafka://{each}" for each in settings.kafka.split(",")],
            broker_credentials=_credentials(kafka),
            datadir=folder,
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            worker_redirect_stdouts=False,
            ConsumerScheduler=Scheduler,
        )
        reading = Reading(
            kafka=kafka, group=settings.group, max_batch=settings.engine_max_batch,
            session_timeout_s=settings.engine_session_timeout_s,
        )  # fmt: skip
        app.transport = self._transport = Transport(app, reading, self)
        for topic in (SIGNALS, ENGINE_REGROUPED):
            channel = app.topic(settings.name(topic), schema=SliceSchema(), acks=False, maxsize=8)
            app.agent(channel, name=f"rule_engine.{topic.name}")(self._deliver)
        return app

    async def _deliver(self, stream: Any) -> None:
        """Each slice to its lane. Faust is told nothing of what was done: the offset is in the lane's transactions."""
        try:
            async for event in stream.events():
                tp, generation = event.message.tp, event.message.generation_id
                lane = self._lanes.get((tp.topic, tp.partition))
                if lane is not None and lane.generation == generation:
                    await lane.feed(event.value)
        except Exception as error:
            self._die("evaluation failed", error)

    def _lane(self, tp: TP, generation: int) -> Lane:
        assert self._world is not None
        settings = self._settings
        if tp.topic == settings.name(SIGNALS):
            lateness_us = round(settings.engine_allowed_lateness_s * 1e6)
            engine = LaneEngine(tp.partition, self._counters, allowed_lateness_us=lateness_us)
            return SignalsLane(tp.partition, generation, engine, self._world)
        return GlobalLane(
            tp.partition, generation, GlobalEngine(self._count(SIGNALS), self._counters), self._world
        )

    async def _settle_memory(self, lanes: Sequence[Lane]) -> None:
        """What recovery made stays: out of the collector's sight it costs nothing. A quarter to almost half of the CPU."""
        for lane in lanes:
            await lane.opened.wait()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)

    async def _tick_on_and_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._seen_alive_s = time.monotonic()
            silences = self._watched("silences")
            for place, lane in self._lanes.items():
                if isinstance(lane, SignalsLane):
                    lane.tick(silences.get(place))

    def _watched(self, what: Literal["silences", "ends"]) -> Mapping[tuple[str, int], Any]:
        watch = None if self._transport is None else self._transport.watch
        return {} if watch is None else getattr(watch, what)

    def _adopt(self, rules: Rules) -> None:
        for lane in self._lanes.values():
            lane.adopt(rules)

    def _hear(self, verdicts: Sequence[bytes]) -> None:
        for lane in self._lanes.values():
            if isinstance(lane, SignalsLane):
                lane.hear(verdicts)

    def _speaks(self) -> bool:
        return (self._settings.name(SIGNALS), 0) in self._lanes

    def _running(self) -> list[LaneRules]:
        now = datetime.now(UTC)
        return [
            LaneRules(lane.source.name, lane.partition, lane.versions, now)
            for lane in self._lanes.values()
            if lane.stage == "running"
        ]

    def _count(self, topic: Topic) -> int:
        return self._partitions[self._settings.name(topic)]

    async def _guarded(self, what: str, running: Any) -> None:
        try:
            await running
        except Exception as error:
            self._die(what, error)


def _credentials(kafka: ClientOptions) -> CredentialsT | None:
    """As Faust has them, for its producer, which we do not write with, but which it connects."""
    context = kafka.get("ssl_context")
    if "sasl_mechanism" in kafka:
        return faust.SASLCredentials(
            mechanism=kafka["sasl_mechanism"], username=kafka["sasl_plain_username"], password=kafka["sasl_plain_password"],
            ssl_context=context,
        )  # fmt: skip
    return None if context is None else faust.SSLCredentials(context)


async def _until_stopped(app: faust.App) -> None:
    """Raises what Faust crashed with."""
    await app.start()
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        raise app.crash_reason
