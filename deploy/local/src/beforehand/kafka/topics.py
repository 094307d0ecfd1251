"""The topics of contracts/, made on a broker."""

import ssl
import time
from collections.abc import Iterable

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, TopicAlreadyExistsError

from beforehand.errors import BrokerError, TopicMismatchError
from beforehand.kafka.probe import answers
from contracts.kafka import ClientOptions
from contracts.topics import EMBEDDED_PARTITIONS, TOPICS, Topic, topic_name

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_MS = 30_000


def create_topics(
    kafka: str | ClientOptions,
    *,
    customer_partitions: int = EMBEDDED_PARTITIONS,
    prefix: str = "",
    topics: Iterable[Topic] = TOPICS,
) -> None:
    """Make what is missing of `topics`, and return when every partition takes records.

    `kafka`: bootstrap servers, or all that a client has to be told. Raises BrokerError if there is no broker, TopicMismatchError if a topic is there with another number of
    partitions: a customer's records would then be on other partitions than the services expect.
    """
    wanted = {topic_name(topic, prefix): topic for topic in topics}
    client = {"bootstrap_servers": kafka} if isinstance(kafka, str) else kafka
    bootstrap = client["bootstrap_servers"]
    wait_for_broker(client)
    admin = _admin(client)
    try:
        found = _partitions(admin, wanted)
        mismatched = [
            f"{name} has {count}, not {wanted[name].partition_count(customer_partitions)}"
            for name, count in sorted(found.items())
            if count != wanted[name].partition_count(customer_partitions)
        ]
        if mismatched:
            raise TopicMismatchError(
                f"topics at {bootstrap} exist with other numbers of partitions ({', '.join(mismatched)}): "
                "a topic's number can't be changed; set --partitions to what is there, use another broker or data "
                "folder, or delete these topics if what is in them is not needed"
            )
        missing = {name: topic for name, topic in wanted.items() if name not in found}
        if missing:
            _create(admin, missing, customer_partitions)
    except KafkaError as error:
        raise BrokerError(f"the topics can't be made at {bootstrap}: {error}") from error
    finally:
        admin.close()
    if missing:
        _wait_for_leaders(
            client, {name: t.partition_count(customer_partitions) for name, t in missing.items()}
        )


def wait_for_broker(kafka: str | ClientOptions, within_s: float = CONNECT_WITHIN_S) -> None:
    """Returns when one of these brokers (host:port,host:port) answers. Raises BrokerError if none does in time."""
    client = {"bootstrap_servers": kafka} if isinstance(kafka, str) else kafka
    bootstrap = client["bootstrap_servers"]
    deadline = time.monotonic() + within_s
    while not any(_answers(server, client) for server in bootstrap.split(",")):
        if time.monotonic() > deadline:
            raise BrokerError(
                f"no Kafka broker answers at {bootstrap}: look whether it runs, and whether host and port are right"
            )
        time.sleep(0.1)


def _answers(server: str, client: ClientOptions) -> bool:
    try:
        return answers(*_address(server), client.get("ssl_context"))
    except ssl.SSLError as error:
        raise BrokerError(
            f"there is no TLS with the Kafka broker at {server}: {error.reason or error}; look at "
            "BEFOREHAND_KAFKA_SECURITY, _CA_FILE, _CERT_FILE and _KEY_FILE"
        ) from None


def _admin(client: ClientOptions) -> KafkaAdminClient:
    try:
        return KafkaAdminClient(
            **client,
            request_timeout_ms=ANSWER_WITHIN_MS,
            bootstrap_timeout_ms=int(CONNECT_WITHIN_S * 1000),
        )
    except KafkaError as error:
        user = client.get("sasl_plain_username")
        by = f" as {user} by {client['sasl_mechanism']}: is that right, and the password?" if user else ""
        raise BrokerError(
            f"Kafka at {client['bootstrap_servers']} does not let us in{by} ({error})"
        ) from None


def _address(server: str) -> tuple[str, int]:
    host, _, port = server.strip().rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise BrokerError(
            f"{server!r} is not a Kafka broker's address: that is HOST:PORT, such as 127.0.0.1:9092"
        )
    return host.strip("[]"), int(port)


def _partitions(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Numbers of partitions by topic, of those that exist."""
    existing = set(admin.list_topics()) & set(names)
    if not existing:
        return {}
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(sorted(existing))}


def _create(admin: KafkaAdminClient, missing: dict[str, Topic], customer_partitions: int) -> None:
    try:
        admin.create_topics(
            {
                name: {
                    "num_partitions": topic.partition_count(customer_partitions),
                    "replication_factor": -1,  # the broker's own default: 1 for the embedded one
                    "configs": topic.kafka_config(),
                }
                for name, topic in missing.items()
            },
            timeout_ms=ANSWER_WITHIN_MS,
        )
    except TopicAlreadyExistsError:
        pass  # somebody else made one in the meantime; the others are made all the same


def _wait_for_leaders(client: ClientOptions, partitions: dict[str, int]) -> None:
    """A partition just made refuses requests for a moment; one that tells its end takes records too."""
    consumer = KafkaConsumer(**client, request_timeout_ms=ANSWER_WITHIN_MS)
    try:
        consumer.end_offsets(
            [TopicPartition(name, p) for name, count in partitions.items() for p in range(count)]
        )
    except KafkaError as error:
        raise BrokerError(
            f"the topics made at {client['bootstrap_servers']} do not become ready: {error}"
        ) from error
    finally:
        consumer.close()
