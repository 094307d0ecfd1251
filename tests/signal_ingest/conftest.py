"""The service as a process of its own, on topics of its own; and what lies on a topic."""

import hashlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition

from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from contracts.envelope import Event, decode
from contracts.topics import CUSTOMERS, EVENTS, SIGNALS, TOPICS, Topic, dead_name, topic_name

KEY = "key-of-everything"
SHOP_KEY = "key-of-the-shop"
PARTITIONS = 3


def sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class Service:
    """A running signal_ingest."""

    kafka: str
    prefix: str
    keys_file: Path
    settings: dict[str, str] = field(default_factory=dict)
    log: Path = field(init=False)
    port: int = field(init=False)
    process: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        self.port = free_port()
        self.log = self.keys_file.parent / f"signal_ingest-{self.port}.log"
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {KEY}"}, timeout=20
        )

    def make_topics(self) -> None:
        make_topics(self.kafka, self.prefix)

    def start(self) -> None:
        environment = os.environ | {
            "BEFOREHAND_KAFKA": self.kafka,
            "BEFOREHAND_TOPIC_PREFIX": self.prefix,
            "BEFOREHAND_HTTP_PORT": str(self.port),
            "BEFOREHAND_INGEST_KEYS_FILE": str(self.keys_file),
            **self.settings,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "signal_ingest"], env=environment, stdout=log, stderr=log
            )

    def wait_ready(self, within_s: float = 60) -> None:
        until(lambda: self.status("/readyz") == 200, within_s, lambda: self.log.read_text()[-3000:])

    def status(self, path: str) -> int:
        try:
            return self.http.get(path).status_code
        except httpx.TransportError:
            return 0

    def post(
        self, body, content_type: str = "application/cloudevents+json", **headers: str
    ) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post("/v1/events", content=raw, headers={"Content-Type": content_type, **headers})

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=15)

    def topic(self, topic: Topic) -> str:
        return topic_name(topic, self.prefix)

    def records(self, topic: Topic | str) -> list:
        return records(self.kafka, self.topic(topic) if isinstance(topic, Topic) else topic)

    def signals(self) -> list[Event]:
        return [decode(record.value) for record in self.records(SIGNALS)]

    def dead(self) -> list:
        return self.records(dead_name(EVENTS, self.prefix))


def until(condition: Callable[[], bool], within_s: float = 40, why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s. {why()}"
        time.sleep(0.02)


def records(kafka: str, topic: str) -> list:
    """All records of a topic by now, partition by partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list = []
        while any(consumer.position(p) < ends[p] for p in partitions):
            for batch in consumer.poll(timeout_ms=200).values():
                found += batch
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        consumer.close()


def make_topics(kafka: str, prefix: str) -> None:
    names = {EVENTS.name, SIGNALS.name, CUSTOMERS.name, dead_name(EVENTS)}
    mine = [topic for topic in TOPICS if topic.name in names]
    create_topics(kafka, topics=mine, prefix=prefix, customer_partitions=PARTITIONS)


def make_event(id: str | None = None, **changes) -> dict:
    fields = {
        "specversion": "1.0",
        "id": uuid.uuid4().hex if id is None else id,
        "source": "/shop/orders",
        "type": "order.placed",
        "time": "2026-01-09T12:00:00Z",
        "customerid": "c1",
        "data": {"order_id": "o1"},
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


@pytest.fixture(scope="session")
def an_event() -> Callable[..., dict]:
    """Makes a good event with an id of its own and the changes given; `...` leaves an attribute out."""
    return make_event


@pytest.fixture(scope="session", name="until")
def until_() -> Callable[..., None]:
    """Waits for a condition, with a deadline."""
    return until


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("signal_ingest") / "keys.json"
    path.write_text(
        json.dumps(
            [
                {"source": "*", "sha256": sha256(KEY), "types": ["*"]},
                {"source": "/shop/*", "sha256": sha256(SHOP_KEY), "types": ["order.*", "payment.failed"]},
            ]
        )
    )
    return path


@pytest.fixture(scope="session")
def new_service(keys_file) -> Iterator[Callable[..., Service]]:
    """Makes a service with topics of its own on a broker; it is started by the caller and ended after the run."""
    made: list[Service] = []

    def make(kafka: str, prefix: str | None = None, **settings: str) -> Service:
        if prefix is None:
            prefix = f"t{uuid.uuid4().hex[:10]}."
            make_topics(kafka, prefix)
        service = Service(kafka, prefix, keys_file, settings)
        made.append(service)
        return service

    yield make
    for service in made:
        service.http.close()
        if service.process is not None and service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.fixture(scope="session")
def service(kafka, new_service) -> Service:
    """One that runs, for all tests that do not need one of their own."""
    service = new_service(kafka)
    service.start()
    service.wait_ready()
    return service
