"""All that speaks to Kafka does so over TLS and with a password, where the settings say so."""

import re
import subprocess
import sys

import pytest
from aiokafka import AIOKafkaProducer
from house import House, customers, event, wait_for
from kafka import KafkaConsumer, TopicPartition

from beforehand.errors import BrokerError
from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from beforehand.runner.console import Console
from beforehand.runner.installation import Installation, Options
from contracts.kafka import kafka_client
from contracts.topics import RULES

NAMES = ("inbox", "phone", "smtp", "signal_ingest", "rule_engine", "notifier", "ticket_api")
RULE = """
version: 1
rules:
  - {id: failed, title: It failed, on: it.failed, group_by: data.order, match: {}, vars: {order: data.order},
     notify: [{to: customer, template: notice, channels: [email]}]}
  - {id: many, title: Many failed, scope: global, on: it.failed, ratio: {of: "true", gte: 1, within: 1s, every: 1s},
     notify: [{to: operations, template: notice}]}
"""


@pytest.fixture
def house(environment, tmp_path):
    """A whole installation, as `beforehand up --kafka`, that has to show a password over TLS."""
    ports: dict[str, int] = {}
    for name in NAMES:
        ports[name] = free_port(frozenset(ports.values()))
    options = Options(data=tmp_path / "var", kafka=environment("SECRET"), ports=ports)
    with Installation(options, console=Console(list(NAMES), passes_logs=False)) as installation:
        installation.start()
        installation.wait_ready()
        yield House(installation)


def test_an_event_becomes_a_mail_and_every_command_works_over_tls_with_a_password(house, tmp_path):
    house.push(tmp_path / "rules.yaml", RULE)
    house.publish(*customers("ada", domain="example.com"), event("it.failed", "ada", {"order": "o1"}))
    wait_for(lambda: house.mails("ada@example.com"), bool)
    wait_for(lambda: house.mails("operations@beforehand.example"), bool)
    for words in (
        ["dead", "list"], ["pause", "--why", "a test"], ["resume"],
        ["rules", "backtest", str(tmp_path / "rules.yaml"), "--topic", "signals", "--since", "1d"],
    ):  # fmt: skip
        done = house.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("listener", "changes"),
    [("SECRET", {}), ("SECRET", {"SASL_MECHANISM": "SCRAM-SHA-256"}), ("OWN", {}), ("CLEAR", {})],
    ids=["password over TLS", "SCRAM-SHA-256", "certificate", "password in the clear"],
)
async def test_both_kinds_of_clients_are_let_in(environment, listener, changes):
    client = kafka_client(environment(listener, **changes))
    create_topics(client, topics=[RULES], prefix=listener)
    async with AIOKafkaProducer(**client) as producer:
        sent = await producer.send_and_wait(listener + RULES.name, listener.encode(), key=b"k")
    reader = KafkaConsumer(**client)
    place = TopicPartition(sent.topic, sent.partition)
    reader.assign([place])
    reader.seek(place, sent.offset)
    [record] = reader.poll(timeout_ms=20_000)[place]
    reader.close()
    assert record.value == listener.encode()


@pytest.mark.parametrize(
    ("listener", "changes", "says"),
    [
        ("SECRET", {"PASSWORD_FILE": "{folder}/broker.pem"}, "does not let us in"),
        ("SECRET", {"CA_FILE": "{folder}/stranger.pem"}, "there is no TLS with the Kafka broker"),
        (
            "OWN",
            {"CERT_FILE": "{folder}/stranger.pem", "KEY_FILE": "{folder}/stranger.key"},
            "there is no TLS",
        ),
    ],
    ids=["a wrong password", "a broker for whom nobody vouches", "a certificate that nobody knows"],
)
def test_who_is_not_let_in_hears_why(environment, secure_broker, monkeypatch, listener, changes, says):
    monkeypatch.setattr("beforehand.kafka.topics.CONNECT_WITHIN_S", 2.0)
    changes = {name: value.format(folder=secure_broker.folder) for name, value in changes.items()}
    with pytest.raises(BrokerError, match=says) as refused:
        create_topics(kafka_client(environment(listener, **changes)), topics=[RULES])
    assert secrets_of(secure_broker).isdisjoint(str(refused.value).split())


def secrets_of(secure_broker):
    return {
        word
        for name in ("password", "broker.pem")
        for word in (secure_broker.folder / name).read_text().split()
    }


@pytest.mark.parametrize(
    ("listener", "changes", "says"),
    [
        ("OWN", {"CA_FILE": "{folder}/password"}, "_CA_FILE: {folder}/password holds no certificates in PEM"),
        ("OWN", {"KEY_FILE": "{folder}/stranger.key"}, "_KEY_FILE: {folder}/stranger.key does not hold the key of {folder}/client.pem"),
        ("OWN", {"CERT_FILE": "{folder}/nowhere"}, "_CERT_FILE: {folder}/nowhere can't be read: No such file"),
        ("SECRET", {"USER": ""}, "_USER: is missing: BEFOREHAND_KAFKA_SECURITY is sasl_ssl"),
        ("SECRET", {"SECURITY": "ssl"}, "_PASSWORD_FILE: is for sasl_plaintext and sasl_ssl: BEFOREHAND_KAFKA_SECURITY is ssl"),
        ("OWN", {"SECURITY": "plaintext"}, "_CA_FILE: is for ssl and sasl_ssl, but BEFOREHAND_KAFKA_SECURITY is plaintext"),
        ("SECRET", {"SECURITY": "tls"}, "_SECURITY: Input should be 'plaintext', 'ssl', 'sasl_plaintext' or 'sasl_ssl'"),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_named(environment, secure_broker, listener, changes, says):
    folder = secure_broker.folder
    with pytest.raises(ValueError, match=re.escape(says.format(folder=folder))) as wrong:
        kafka_client(
            environment(listener, **{name: text.format(folder=folder) for name, text in changes.items()})
        )
    assert secrets_of(secure_broker).isdisjoint(str(wrong.value).split())


def test_a_service_names_the_wrong_setting_and_ends(environment):
    environment("SECRET", PASSWORD_FILE="nowhere")
    for service in ("signal_ingest", "rule_engine", "notifier", "ticket_api"):
        ended = subprocess.run([sys.executable, "-m", service], capture_output=True, text=True, check=False)
        assert ended.returncode in {1, 2}
        assert "BEFOREHAND_KAFKA_PASSWORD_FILE" in ended.stderr
        assert "nowhere can't be read" in ended.stderr
