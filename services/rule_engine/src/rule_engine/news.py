"""The topics that every worker reads whole and keeps in sight: rule files, verdicts on global alerts, what was said of rules."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from contracts.envelope import HEADERS, EnvelopeError, decode, encode, event
from contracts.records import LaneRules, RuleFileStatus
from contracts.times import format_time
from contracts.topics import ENGINE_GLOBALS, ENGINE_LANES, ENGINE_STATUS, RULES
from rule_engine.config import Settings
from rule_engine.consume import WholeReading, reader
from rule_engine.rulebook import Rulebook, Rules

log = structlog.get_logger()

SOURCE = "/beforehand/rule_engine"


class News:
    """Calls `on_rules` and `on_verdicts` with each change after `ready` is set; before that, nothing is final.

    Each worker reads all of it; `speaks` says whether this one tells what became of rule files (one of them is enough).
    `running` gives what the worker's own lanes are judged by: it is told as well, whenever it changes.
    """

    def __init__(
        self, settings: Settings, *, on_rules: Callable[[Rules], None], on_verdicts: Callable[[Sequence[bytes]], None],
        speaks: Callable[[], bool], running: Callable[[], Sequence[LaneRules]],
    ) -> None:  # fmt: skip
        self.ready = asyncio.Event()
        self.reading: WholeReading | None = None
        self.rulebook = Rulebook()
        self._settings = settings
        self._on_rules = on_rules
        self._on_verdicts = on_verdicts
        self._speaks = speaks
        self._running = running
        self._rules = settings.name(RULES)
        self._globals = settings.name(ENGINE_GLOBALS)
        self._status = settings.name(ENGINE_STATUS)
        self._lanes = settings.name(ENGINE_LANES)
        self._told: dict[str, RuleFileStatus] = {}
        self._told_running: dict[tuple[str, int], dict[str, str]] = {}
        self._verdicts: dict[bytes, bytes] = {}
        self._first: dict[str, bytes] = {}  # rule files of the first reading, in the topic's order
        self._producer: AIOKafkaProducer | None = None

    @property
    def rules(self) -> Rules:
        return self.rulebook.rules

    @property
    def verdicts(self) -> Sequence[bytes]:
        """The newest on each global alert, in the topic's order."""
        return list(self._verdicts.values())

    async def run(self) -> None:
        """Until cancelled."""
        consumer = reader(self._settings)
        await consumer.start()
        try:
            topics = (self._rules, self._globals, self._status)
            self.reading = WholeReading(consumer, [TopicPartition(topic, 0) for topic in topics])
            await self.reading.to_the_end(self._take_first)
            self.rulebook.begin(self._first.items(), self._told, datetime.now(UTC))
            self._first.clear()
            self.ready.set()
            log.info("rules read", files=len(self.rules.good), refused=sorted(self.rules.refused))
            while True:
                await self._tell()
                await self._tell_running()
                for place, records in (await consumer.getmany(timeout_ms=1000)).items():
                    self._take(place.topic, records)
        finally:
            await consumer.stop()
            if self._producer is not None:
                await self._producer.stop()

    def _take_first(self, record: ConsumerRecord) -> None:
        if record.topic == self._rules:
            name = _name(record)
            self._first.pop(name, None)
            if record.value is not None:
                self._first[name] = record.value
        else:
            self._take_other(record)

    def _take(self, topic: str, records: list[ConsumerRecord]) -> None:
        if topic == self._rules:
            now = datetime.now(UTC)
            for record in records:
                self.rulebook.take(_name(record), record.value, now)
                status = self.rulebook.statuses.get(_name(record))
                log.info("rule file", file=_name(record), removed=status is None,
                         taken=status is not None and status.taken, problems=status.problems if status else [])  # fmt: skip
            self._on_rules(self.rules)
        else:
            for record in records:
                self._take_other(record)
            if topic == self._globals:
                self._on_verdicts([record.value for record in records if record.value is not None])

    def _take_other(self, record: ConsumerRecord) -> None:
        if record.topic == self._globals:
            self._verdicts.pop(record.key, None)
            if record.value is not None:
                self._verdicts[record.key] = record.value
            return
        self._told.pop(_name(record), None)
        if record.value is not None:
            try:
                self._told[_name(record)] = msgspec.convert(decode(record.value).data, RuleFileStatus)
            except (EnvelopeError, msgspec.ValidationError) as error:
                log.warning("status not understood", file=_name(record), error=str(error))

    async def _tell(self) -> None:
        """Put what became of the newest versions on engine.status, where that is not said there already."""
        if not self._speaks():
            return
        known = {name: _said(status) for name, status in self._told.items()}
        news = {
            name: status
            for name, status in self.rulebook.statuses.items()
            if known.get(name) != _said(status)
        }
        gone = self._told.keys() - self.rulebook.statuses.keys()
        if not news and not gone:
            return
        for name, status in news.items():
            kind = "rules.taken" if status.taken else "rules.refused"
            said = event(
                id=f"{name}/{status.version}/{kind}",
                source=SOURCE,
                type=kind,
                time=status.at,
                data=status,
                subject=name,
            )
            await self._send(self._status, name, encode(said))
            self._told[name] = status
        for name in gone:
            await self._send(self._status, name, None)
            del self._told[name]

    async def _tell_running(self) -> None:
        running = {(each.topic, each.partition): each for each in self._running()}
        for place in self._told_running.keys() - running.keys():
            del self._told_running[place]  # another worker's now
        for place, lane in running.items():
            if self._told_running.get(place) == lane.files:
                continue
            name = f"{lane.topic}/{lane.partition}"
            said = event(
                id=f"{name}/{format_time(lane.at)}", source=SOURCE, type="rules.running", time=lane.at, data=lane, subject=name
            )  # fmt: skip
            await self._send(self._lanes, name, encode(said))
            self._told_running[place] = lane.files

    async def _send(self, topic: str, key: str, value: bytes | None) -> None:
        if self._producer is None:
            self._producer = AIOKafkaProducer(**self._settings.kafka_client(), enable_idempotence=True)
            await self._producer.start()
        await self._producer.send_and_wait(topic, value, key.encode(), 0, headers=HEADERS if value else None)


def _said(status: RuleFileStatus) -> tuple[str, bool, list[str]]:
    return status.version, status.taken, status.problems


def _name(record: ConsumerRecord) -> str:
    return "" if record.key is None else record.key.decode("utf-8", "replace")
