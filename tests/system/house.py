"""A whole installation, as `beforehand up` starts it, and what somebody outside can do with it. Imports nothing of a service."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from beforehand.runner.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 90.0


T = TypeVar("T")


def wait_for(get: Callable[[], T], until: Callable[[T], bool], within_s: float = WITHIN_S) -> T:
    """What `get` gives as soon as `until` is true of it; fails with the last it gave."""
    deadline = time.monotonic() + within_s
    while not until(found := get()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s; the last seen: {str(found)[:2000]}"
        time.sleep(0.1)
    return found


class House:
    """The installation as seen from outside: HTTP, Kafka, the command line, the inbox and the phone."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.endpoints: dict[str, Any] = json.loads(installation.endpoints_file.read_text())
        self.kafka: str = self.endpoints["kafka"]
        self.prefix = installation.options.topic_prefix

    def post(
        self, body: bytes, content_type: str = "application/cloudevents+json", **headers: str
    ) -> httpx.Response:
        there = self.endpoints["signal_ingest"]
        head = {"Authorization": f"Bearer {there['key']}", "Content-Type": content_type} | headers
        return httpx.post(f"{there['url']}/v1/events", content=body, headers=head, timeout=30)

    def publish(self, *events: dict[str, Any]) -> None:
        for start in range(0, len(events), 100):
            body = json.dumps(events[start : start + 100]).encode()
            answer = self.post(body, "application/cloudevents-batch+json")
            assert answer.status_code == 202, answer.text

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "beforehand", *words], check=False, capture_output=True, text=True, timeout=120, cwd=ROOT,
            env=os.environ | {"BEFOREHAND_KAFKA": self.kafka, "BEFOREHAND_TOPIC_PREFIX": self.prefix, "NO_COLOR": "1"},
        )  # fmt: skip

    def push(self, path: Path, text: str) -> None:
        path.write_text(text)
        done = self.command("rules", "push", str(path))
        assert done.returncode == 0, done.stdout + done.stderr

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        found = httpx.get(self.endpoints["inbox"]["messages"], timeout=30).json()
        return [mail for mail in found if to is None or mail["to"] == to]

    def texts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(self.endpoints["phone"]["messages"], timeout=30).json()
        return found

    def inbox_behaves(self, smtp: str) -> None:
        url = self.endpoints["inbox"]["page"] + "behaviour"
        httpx.post(url, json={"smtp": smtp}, timeout=30).raise_for_status()

    def records(self, topic: str) -> list[Any]:
        """Every committed record of a topic."""
        topic = self.prefix + topic
        consumer = KafkaConsumer(
            bootstrap_servers=self.kafka, isolation_level="read_committed", auto_offset_reset="earliest", enable_auto_commit=False
        )  # fmt: skip
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            found: list[Any] = []
            while any(consumer.position(place) < ends[place] for place in places):
                for batch in consumer.poll(timeout_ms=500).values():
                    found += batch
            return found
        finally:
            consumer.close()

    def alerts(self, rule: str) -> list[dict[str, Any]]:
        events = [
            json.loads(record.value) for record in self.records("alerts") if record.value.startswith(b"{")
        ]
        return [event["data"] for event in events if event["data"]["rule"] == rule]

    def fates(self, message_to: str) -> list[dict[str, Any]]:
        events = [json.loads(record.value) for record in self.records("messages")]
        return [event["data"] for event in events if event["data"].get("customer") == message_to]

    def write(self, topic: str, key: bytes, value: bytes) -> None:
        producer = KafkaProducer(bootstrap_servers=self.kafka, acks="all")
        producer.send(self.prefix + topic, value, key=key).get(timeout=30)
        producer.close()

    def kill(self, name: str) -> None:
        """kill -9; the runner starts another in its place."""
        process = self.installation.processes()[name]
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

    def ready(self, name: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.endpoints[name]['url']}/readyz", timeout=5).status_code == 200
        return False


def event(type_name: str, customer: str | None, data: Any, **more: Any) -> dict[str, Any]:
    """A CloudEvent as a backend would send it, now unless a `time` is given."""
    return {
        "specversion": "1.0", "id": uuid.uuid4().hex, "source": "/tests", "type": type_name,
        "time": datetime.now(UTC).isoformat(), **({} if customer is None else {"customerid": customer}), "data": data,
    } | more  # fmt: skip


def customers(*names: str, domain: str) -> Iterable[dict[str, Any]]:
    for name in names:
        yield event("customer.updated", name, {"email": f"{name}@{domain}", "name": name, "locale": "en"})
