"""A running ticket_api, and what other services would write for it and read from it."""

import os
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

import httpx
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from contracts import alerts, envelope, topics
from contracts.alerts import RuleWords, Transition
from contracts.envelope import event
from contracts.records import Message, Profile

KEY = "the-desk-key-of-these-tests"
NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


class House:
    """The other services: they write to the topics, and read from them."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.prefix = f"t{uuid.uuid4().hex[:10]}."
        create_topics(bootstrap, prefix=self.prefix, topics=topics.TOPICS, customer_partitions=4)
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")

    def close(self):
        self._producer.close()

    def put(self, topic, key, value):
        self._producer.send(self.prefix + topic.name, key=key.encode(), value=value).get(timeout=10)

    def signal(self, customer, type_, data=None, at=NOON, id_=None):
        found = event(
            id=id_ or str(uuid.uuid4()),
            source="/shop",
            type=type_,
            time=at,
            data=data or {},
            customerid=customer,
        )
        self.put(topics.SIGNALS, customer, envelope.encode(found))

    def transition(self, **fields):
        """One transition of an alert on late orders; fields replace its own."""
        given = {
            "seq": 1, "rule": "order-late", "version": "v1", "state": "firing", "at": NOON, "fired_at": NOON, "key": "o1",
            "severity": "warning", "words": RuleWords("Order late"),
        } | fields  # fmt: skip
        told = Transition(**given)
        self.put(topics.ALERTS, told.customer or told.rule, envelope.encode(alerts.to_event(told)))
        return told

    def message(self, customer, fate, at=NOON, **fields):
        given = {"message": str(uuid.uuid4()), "channel": "email", "recipient": customer} | fields
        told = Message(fate=fate, at=at, customer=customer, **given)
        found = event(
            id=str(uuid.uuid4()),
            source="/beforehand/notifier",
            type=f"message.{fate}",
            time=at,
            data=told,
            customerid=customer,
        )
        self.put(topics.MESSAGES, customer, envelope.encode(found))
        return told

    def profile(self, customer, **fields):
        found = event(
            id=str(uuid.uuid4()),
            source="/shop",
            type="customer.updated",
            time=NOON,
            data=Profile(**fields),
            customerid=customer,
        )
        self.put(topics.CUSTOMERS, customer, envelope.encode(found))

    def erase(self, customer):
        self.put(topics.CUSTOMERS, customer, None)

    def read(self, topic_name, count, customer=None):
        """The first `count` records on a topic, of this customer, as (key, event or bytes, headers); waits for them."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, isolation_level="read_committed"
        )
        name = self.prefix + topic_name
        partitions = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name))]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        found, end = [], time.monotonic() + 30
        try:
            # one more look after the last: whoever waits for two must see a third
            while time.monotonic() < end:
                enough = len(found) >= count
                for records in consumer.poll(timeout_ms=300).values():
                    found += [r for r in records if customer is None or r.key == customer.encode()]
                if enough:
                    break
        finally:
            consumer.close()
        return found

    def events(self, topic, count, customer):
        return [envelope.decode(record.value) for record in self.read(topic.name, count, customer)]


class Desk:
    """A process of ticket_api, and a client of its API that has the key."""

    def __init__(self, house, folder, database_url, **environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        key_file = folder / "desk.key"
        key_file.write_text(KEY)
        self.environment = os.environ | {
            "BEFOREHAND_KAFKA": house.bootstrap, "BEFOREHAND_TOPIC_PREFIX": house.prefix, "BEFOREHAND_HTTP_PORT": str(self.port),
            "BEFOREHAND_DATABASE_URL": database_url, "BEFOREHAND_DESK_KEY_FILE": str(key_file), **environment,
        }  # fmt: skip
        self.process = None
        self.api = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)

    def start(self, *, ready=True, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ticket_api"], env=self.environment | environment
        )
        if ready:
            self.until(self.is_ready, within_s=90)
        return self

    def is_ready(self):
        assert self.process.poll() is None, "ticket_api ended"
        try:
            return self.api.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(timeout=30) in {0, -9}
            self.process = None

    def answers(self):
        try:
            return self.api.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def close(self):
        self.stop()
        self.api.close()

    @staticmethod
    def until(look, within_s=30):
        """The first result of `look` that is true; fails when the time is over."""
        end = time.monotonic() + within_s
        while not (found := look()):
            assert time.monotonic() < end, f"did not happen within {within_s} s; the last look gave {found!r}"
            time.sleep(0.05)
        return found

    def open(self, customer, text="It has not come.", **fields):
        answer = self.api.post(
            "/v1/tickets",
            json={"customer": customer, "subject": "Where is my order?", "text": text, **fields},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def timeline(self, customer, **query):
        answer = self.api.get(f"/v1/customers/{customer}/timeline", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, customer, count, kind=None):
        """The customer's items, once there are that many."""

        def look():
            found = [item for item in self.timeline(customer)["items"] if kind in {None, item["kind"]}]
            return found if len(found) >= count else None

        found = self.until(look)
        assert len(found) == count
        return found


@pytest.fixture(scope="session")
def house(kafka):
    made = House(kafka)
    yield made
    made.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def desk(request, house, tmp_path_factory):
    """A running service on each kind of database, for all tests that use customers of their own."""
    folder = tmp_path_factory.mktemp("desk")
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/ticket_api.db"
    else:
        url = request.getfixturevalue("new_database")()
    made = Desk(house, folder, url)
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture
def house_of_its_own(kafka):
    """Topics that no other test uses."""
    made = House(kafka)
    yield made
    made.close()


@pytest.fixture
def start_desk():
    """start_desk(house, folder, database_url) makes a service that is not running yet; it is stopped after the test."""
    made = []

    def make(house, folder, database_url):
        made.append(Desk(house, folder, database_url))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def customer():
    return f"c{uuid.uuid4().hex[:8]}"


@pytest.fixture
def alert_id():
    return str(uuid.uuid4())
