"""Engine workers as processes on a real broker, and what they wrote."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from kafka import KafkaProducer

from beforehand.ports import free_port
from contracts.alerts import Transition, from_data
from contracts.envelope import decode, encode, event
from contracts.partition import partition_of
from contracts.records import RuleFile
from contracts.topics import ALERTS, ENGINE_STATUS, RULES, SIGNALS, Topic, topic_name

WITHIN_S = 40.0


def eventually(what: str, holds: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """The first true value; fails with `what` after the time."""
    deadline = time.monotonic() + within_s
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.05)


@dataclass
class Worker:
    """One `python -m rule_engine`."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path

    def get(self, page: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def state(self) -> dict[str, Any]:
        status, body = self.get("/readyz")
        return json.loads(body) if status else {"ready": False, "lanes": []}

    def ready(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the worker ended with {self.process.returncode}:\n{self.log()}")
        return bool(self.state()["ready"])

    def wait_ready(self) -> "Worker":
        eventually("the worker is ready", self.ready)
        return self

    def partitions(self) -> int:
        """How many partitions of signals it runs."""
        lanes = self.state()["lanes"]
        return sum(lane["topic"] == "signals" and lane["stage"] == "running" for lane in lanes)

    def generation(self) -> int:
        """Of the group, when it was last given partitions."""
        found = [
            json.loads(line)["generation"]
            for line in self.log().splitlines()
            if '"event": "assigned"' in line
        ]
        return found[-1] if found else 0

    def metric(self, name: str) -> float:
        return sum(
            float(line.split()[-1]) for line in self.get("/metrics")[1].splitlines() if line.startswith(name)
        )

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As told to: the group knows at once, and need not wait for the end of its session."""
        self.signal(signal.SIGTERM)
        assert self.wait(10) == 0

    def wait(self, within_s: float = WITHIN_S) -> int:
        return self.process.wait(within_s)

    def log(self) -> str:
        return self.log_file.read_text()


@dataclass
class House:
    """Topics of a test's own, what is put on them and read from them, and the workers that run on them."""

    topics: Any
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    _producer: KafkaProducer | None = None

    def worker(self, **settings: Any) -> Worker:
        port = free_port()
        log_file = self.folder / f"worker{len(self.workers)}.log"
        environment = os.environ | {
            "BEFOREHAND_KAFKA": self.topics.bootstrap,
            "BEFOREHAND_TOPIC_PREFIX": self.topics.prefix,
            "BEFOREHAND_HTTP_PORT": str(port),
            "BEFOREHAND_ENGINE_SESSION_TIMEOUT_S": "6",
        }
        environment |= {f"BEFOREHAND_ENGINE_{name.upper()}": str(value) for name, value in settings.items()}
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "rule_engine"], env=environment, stdout=log, stderr=log
            )
        worker = Worker(process, port, log_file)
        self.workers.append(worker)
        return worker

    @property
    def producer(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self.topics.bootstrap, acks="all", linger_ms=5, max_request_size=2_000_000
            )
        return self._producer

    def push(self, file: str, text: str, version: str = "v1") -> None:
        pushed = RuleFile(file, text, version, datetime.now(UTC), "test")
        said = event(id=f"{file}/{version}", source="/test", type="rules.pushed", time=pushed.at, data=pushed)
        self.producer.send(self.topics.name(RULES), encode(said), file.encode()).get(10)

    def status(self, file: str) -> dict[str, Any] | None:
        found = [each for each in self.read(self.topics.name(ENGINE_STATUS)) if each.key == file.encode()]
        return decode(found[-1].value).data if found and found[-1].value is not None else None

    def send(self, *signals: tuple[str, str, dict[str, Any], datetime]) -> None:
        """(customer, type, data, time) each; on `signals`, all of them, when this returns."""
        sent = []
        for number, (customer, kind, data, at) in enumerate(signals):
            raw = encode(
                event(
                    id=f"{at.timestamp():.6f}-{number}",
                    source="/test",
                    type=kind,
                    time=at,
                    data=data,
                    customerid=customer,
                )
            )
            sent.append(self.producer.send(self.topics.name(SIGNALS), raw, customer.encode()))
        self.producer.flush()
        for each in sent:
            each.get(10)

    def read(self, topic: str) -> list[Any]:
        """All committed records of a topic."""
        return asyncio.run(_read(self.topics.bootstrap, topic))

    def transitions(self) -> list[Transition]:
        return [from_data(decode(record.value).data) for record in self.read(self.topics.name(ALERTS))]

    def told(self) -> Counter[tuple[str, int]]:
        """(alert, seq) of each record on `alerts`, and how often it stands there."""
        return Counter((each.alert, each.seq) for each in self.transitions())

    def partition(self, customer: str) -> int:
        return partition_of(customer.encode(), self.topics.customer_partitions)

    def customers_of(self, partition: int, count: int) -> list[str]:
        """So many customers whose signals are on this partition."""
        found: list[str] = []
        number = 0
        while len(found) < count:
            name = f"c{number}"
            if self.partition(name) == partition:
                found.append(name)
            number += 1
        return found

    def hang_up(self) -> None:
        """Leave the broker alone until the next record is sent."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def close(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.signal(signal.SIGCONT)
                worker.kill()
        self.hang_up()


async def _read(bootstrap: str, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


@dataclass(frozen=True)
class Place:
    """The topics of a house that is alone on its broker."""

    bootstrap: str
    prefix: str
    customer_partitions: int

    def name(self, topic: Topic) -> str:
        return topic_name(topic, self.prefix)


@pytest.fixture
def house(topics: Any, tmp_path: Path) -> Iterator[House]:
    house = House(topics, tmp_path)
    yield house
    house.close()


@pytest.fixture
def house_on(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(bootstrap: str, prefix: str, customer_partitions: int) -> House:
        houses.append(House(Place(bootstrap, prefix, customer_partitions), tmp_path))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually
