"""A running notifier, and what is around it: the topics, a mail server, and a text message provider."""

import copy
import email
import email.message
import email.policy
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import msgspec
import psycopg
import pytest
from aiosmtpd.controller import Controller
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from contracts import alerts, envelope, topics
from contracts.alerts import Destination, NotifyEntry, RuleWords, Transition
from contracts.envelope import event
from contracts.records import Message, Profile, TicketRecord

BEFOREHAND = str(Path(sys.executable).with_name("beforehand"))
ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, TOKEN = "AC00000000000000000000000000000001", "an-auth-token"
WAIT_S = 30


def until(condition, what, within_s=WAIT_S):
    """The first true value of `condition`; fails, naming `what`, if there is none in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.03)
    pytest.fail(f"waited {within_s} s in vain for {what}")


class MailServer:
    """A real SMTP server. `answer` is what it says to a mail; `on_mail` is called with it before it says so."""

    def __init__(self):
        self.port = free_port()
        self.mails: list[email.message.EmailMessage] = []
        self.answer = "250 OK"
        self.on_mail = lambda mail: None
        self._controller = None
        self.start()

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self):
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        answer = self.answer
        if answer.startswith("250"):
            self.mails.append(mail)
        self.on_mail(mail)
        return answer

    def to(self, address):
        return [mail for mail in self.mails if mail["To"] == address]


class Phone:
    """Twilio's endpoint for messages. `answer` is the status and the JSON that it gives; None takes the message."""

    def __init__(self):
        self.texts: list[dict[str, str]] = []
        self.answer: tuple[int, str] | None = None
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                status, body = phone.answer or (201, json.dumps({"sid": f"SM{len(phone.texts):032d}"}))
                if status == 201:
                    phone.texts.append(form | {"path": self.path})
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def to(self, number):
        return [text for text in self.texts if text["To"] == number]


class House:
    """The other services around one notifier: they write to the topics and read from them."""

    def __init__(self, kafka, database_url, folder, templates=ROOT / "rules" / "templates"):
        self.kafka = kafka
        self.prefix = f"t{uuid.uuid4().hex[:10]}."
        create_topics(kafka, prefix=self.prefix, topics=topics.TOPICS, customer_partitions=4)
        self.mail, self.phone = MailServer(), Phone()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "notifier.log"
        (folder / "secret").write_text("a secret that signs links")
        (folder / "token").write_text(TOKEN)
        # compiled files halve the time of each start
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.environment = inherited | {
            "BEFOREHAND_KAFKA": kafka,
            "BEFOREHAND_TOPIC_PREFIX": self.prefix,
            "BEFOREHAND_HTTP_PORT": str(self.port),
            "BEFOREHAND_DATABASE_URL": database_url,
            "BEFOREHAND_SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "BEFOREHAND_MAIL_FROM": "Harbour Shop <hello@harbour.example>",
            "BEFOREHAND_SMS_URL": self.phone.url,
            "BEFOREHAND_SMS_ACCOUNT_SID": ACCOUNT,
            "BEFOREHAND_SMS_AUTH_TOKEN_FILE": str(folder / "token"),
            "BEFOREHAND_SMS_FROM": "+15005550006",
            "BEFOREHAND_OPERATIONS_EMAIL": "ops@harbour.example",
            "BEFOREHAND_TEMPLATES": str(templates),
            "BEFOREHAND_PUBLIC_URL": self.url,
            "BEFOREHAND_LINK_SECRET_FILE": str(folder / "secret"),
        }
        self._producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
        self._seen: list = []
        self._reader = KafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed", group_id=None)
        parts = [
            TopicPartition(self.prefix + t.name, p)
            for t in (topics.MESSAGES, topics.EVENTS)
            for p in range(4)
        ]
        parts += [
            TopicPartition(topics.dead_name(t, self.prefix), 0) for t in (topics.ALERTS, topics.CUSTOMERS)
        ]
        self._reader.assign(parts)
        self._reader.seek_to_beginning(*parts)
        self.process = None

    def another(self):
        """A second notifier in the same house."""
        other = copy.copy(self)
        other.port = free_port()
        other.url = f"http://127.0.0.1:{other.port}"
        other.environment = self.environment | {"BEFOREHAND_HTTP_PORT": str(other.port)}
        return other

    # the notifier's life

    def start(self):
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notifier"], env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        until(self.ready, "the notifier to be ready", 120)

    def ready(self):
        assert self.process.poll() is None, self.log()
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        self.terminate()
        assert self.process.wait(15) == 0, self.log()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.mail.stop()
        self.phone.stop()
        self._reader.close()
        self._producer.close()

    def stored(self, query):
        """Rows of the notifier's own database."""
        url = self.environment["BEFOREHAND_DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(url) as connection:
            return connection.execute(query).fetchall()

    def metric(self, name):
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def log(self):
        return self._log.read_text()

    # what others write

    def put(self, topic, key, value):
        self._producer.send(self.prefix + topic.name, key=key.encode(), value=value).get(timeout=10)

    def customer(self, id_=None, **profile):
        """A customer of the test's own; returns id and e-mail address."""
        id_ = id_ or f"c-{uuid.uuid4().hex[:8]}"
        given = Profile(**({"email": f"{id_}@example.com", "name": "Ada"} | profile))
        said = event(
            id=str(uuid.uuid4()),
            source="/shop",
            type="customer.updated",
            time=now(),
            data=given,
            customerid=id_,
        )
        self.put(topics.CUSTOMERS, id_, envelope.encode(said))
        return id_, given.email

    def transition(self, customer, *entries, state="firing", traceparent=None, **fields):
        """Writes a transition of an alert of the rule payment-failed; fields replace its own."""
        given = {
            "alert": str(uuid.uuid4()), "seq": 1, "rule": "payment-failed", "version": "v1", "state": state, "at": now(),
            "fired_at": now(), "key": "o1", "severity": "warning", "words": RuleWords("A payment failed"),
            "customer": customer, "vars": {"amount": 59.9, "currency": "EUR"}, "notify": entries or (entry(),),
        } | fields  # fmt: skip
        told = Transition(**given)
        self.put(
            topics.ALERTS, told.customer or told.rule, envelope.encode(alerts.to_event(told, traceparent))
        )
        return told

    def goes_on(self, told, state, seq=2, **fields):
        """Writes the next transition of an alert."""
        more = {"state": state, "seq": seq, "at": now()} | fields
        following = msgspec.structs.replace(told, **more)
        self.put(
            topics.ALERTS, following.customer or following.rule, envelope.encode(alerts.to_event(following))
        )

    def erase(self, customer):
        self.put(topics.CUSTOMERS, customer, None)

    def ticket_reply(self, customer, *, by, text):
        told = TicketRecord(
            ticket="6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10", number=12, subject="Where is my order?", state="waiting", at=now(),
            by=by, text=text,
        )  # fmt: skip
        said = event(
            id=str(uuid.uuid4()),
            source="/desk",
            type="ticket.replied",
            time=now(),
            data=told,
            customerid=customer,
        )
        self.put(topics.TICKETS, customer, envelope.encode(said))

    def fill_alerts(self, customer, count):
        """Writes so many transitions that tell nobody."""
        for number in range(count):
            other = Transition(
                alert=f"other-{number}", seq=1, rule="other", version="v1", state="firing", at=now(), fired_at=now(),
                key="o1", severity="info", words=RuleWords("Other"), customer=customer,
            )  # fmt: skip
            value = envelope.encode(alerts.to_event(other))
            self._producer.send(self.prefix + "alerts", key=customer.encode(), value=value)
        self._producer.flush()

    def command(self, *words):
        """Runs the command line on this house's topics."""
        run = subprocess.run(
            [BEFOREHAND, *words], capture_output=True, text=True, env=self.environment, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def forget_offsets(self):
        file = self.environment["BEFOREHAND_DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("DELETE FROM offsets")
            connection.commit()

    def looked_at(self, customer):
        """Waits until all that was written so far for the customer has been looked at: what was to go out is out."""
        marker = self.transition(customer, entry(to="operations", channels=["webhook"]))
        self.fate("suppressed", alert=marker.alert)
        sending = f"SELECT id FROM messages WHERE customer = '{customer}' AND state = 'sending'"
        until(lambda: not self.stored(sending), "what is on its way")

    # what others read

    def records(self, topic):
        """All records on a topic so far, in order for each key."""
        for batch in self._reader.poll(timeout_ms=50).values():
            self._seen += batch
        return [record for record in self._seen if record.topic == self.prefix + topic]

    def fates(self, *, alert=None, customer=None):
        """The fates of an alert's or a customer's messages, in order."""
        messages = (envelope.decode(record.value).data for record in self.records("messages"))
        found = [Message(**message) for message in messages]
        return [m for m in found if m.alert == alert or (customer is not None and m.customer == customer)]

    def fate(self, fate, *, alert=None, customer=None):
        """Waits for a message of this fate."""
        return until(
            lambda: next((m for m in self.fates(alert=alert, customer=customer) if m.fate == fate), None),
            f"fate {fate}",
        )

    def mail_to(self, address, count=1):
        """Waits for so many mails to the address; returns the last."""
        until(lambda: len(self.mail.to(address)) >= count, f"mail {count} to {address}")
        return self.mail.to(address)[count - 1]


def now():
    return datetime.now(UTC)


@pytest.fixture(name="now", scope="session")
def _now():
    return now


@pytest.fixture(name="until", scope="session")
def _until():
    return until


@pytest.fixture(name="entry", scope="session")
def _entry():
    return entry


def entry(index=0, template="payment-failed", channels=("email",), to="customer", address=None, **more):
    return NotifyEntry(
        index=index,
        to=Destination(to, address),
        template=template,
        channels=tuple(channels),
        **({"category": "billing"} | more),
    )


@pytest.fixture(params=["sqlite", "postgresql"], scope="session")
def house(request, kafka, tmp_path_factory):
    """One notifier for all tests, for each kind of database; tests keep apart by their customers."""
    folder = tmp_path_factory.mktemp("house")
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{folder}/notifier.db" if sqlite else request.getfixturevalue("new_database")()
    with closing(House(kafka, url, folder)) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def restarted(kafka, tmp_path_factory):
    """A notifier on SQLite for the tests that stop it and start it again; its templates are in a folder of its own."""
    folder = tmp_path_factory.mktemp("restarted")
    shutil.copytree(ROOT / "rules" / "templates", folder / "templates")
    with closing(House(kafka, f"sqlite:///{folder}/notifier.db", folder, folder / "templates")) as made:
        made.start()
        yield made


@pytest.fixture
def shared_house(kafka, new_database, tmp_path):
    """A notifier of the test's own, on PostgreSQL; the test starts it."""
    with closing(House(kafka, new_database(), tmp_path)) as made:
        yield made
