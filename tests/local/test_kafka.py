"""The embedded broker, as a user meets it: it starts, dies, comes back, and says what is wrong."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from beforehand.errors import BrokerError, DataFolderError, PortTakenError, TopicMismatchError
from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.topics import create_topics, wait_for_broker
from contracts.topics import SIGNALS, TOPICS


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One for these tests alone: they kill it."""
    with EmbeddedKafka(tmp_path_factory.mktemp("broker")) as started:
        yield started


def test_what_was_written_is_there_after_kill_9_and_a_new_start(broker):
    create_topics(broker.bootstrap, topics=[SIGNALS])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    producer.send("signals", key=b"c1", value=b"first", partition=2).get(10)
    producer.close()
    address = broker.bootstrap

    broker.kill()
    assert not broker.running
    broker.start()

    assert broker.bootstrap == address
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    place = TopicPartition("signals", 2)
    consumer.assign([place])
    [record] = consumer.poll(timeout_ms=20_000)[place]
    consumer.close()
    assert (record.key, record.value) == (b"c1", b"first")


def test_topics_are_made_as_contracts_say_and_those_of_another_shape_are_refused(broker):
    create_topics(broker.bootstrap, prefix="a.", customer_partitions=3)
    create_topics(broker.bootstrap, prefix="a.", customer_partitions=3)  # once more changes nothing
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    found = {t["name"]: len(t["partitions"]) for t in admin.describe_topics() if t["name"].startswith("a.")}
    admin.close()
    assert found == {f"a.{topic.name}": topic.partition_count(3) for topic in TOPICS}
    with pytest.raises(TopicMismatchError, match=r"a\.signals has 3, not 4.*set --partitions"):
        create_topics(broker.bootstrap, prefix="a.", customer_partitions=4)


def test_a_second_broker_on_the_same_folder_is_refused(broker):
    with pytest.raises(DataFolderError, match="in use by another Kafka"):
        EmbeddedKafka(broker.data_dir).start()


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        broker = EmbeddedKafka(tmp_path / "kafka", port)
        with pytest.raises(PortTakenError, match=rf"port {port} .* is taken by another program.*--kafka"):
            broker.start()
        broker.stop()


def test_an_address_without_a_broker_is_named():
    with pytest.raises(BrokerError, match=r"no Kafka broker answers at 127\.0\.0\.1:1:"):
        wait_for_broker("127.0.0.1:1", within_s=0.2)
    with pytest.raises(BrokerError, match=r"'localhost' is not a Kafka broker's address.* HOST:PORT"):
        create_topics("localhost")


def _of_another_cluster(folder: Path) -> None:
    (folder / "cluster.id").write_text("mine\n")
    (folder / "data").mkdir()
    (folder / "data" / "meta.properties").write_text("version=1\ncluster.id=theirs\nnode.id=1\n")


def _garbled(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "meta.properties").write_text("\0\0\0")


def _of_something_else(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "holiday.jpg").write_bytes(b"")


def _not_a_folder(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("a file")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_of_another_cluster, "belongs to another Kafka cluster"),
        (_garbled, r"meta\.properties that is damaged"),
        (_of_something_else, r"has no meta\.properties"),
        (_not_a_folder, "can't be used for Kafka's data"),
    ],
)
def test_a_broken_data_folder_is_named_and_left_alone(tmp_path, spoil, reason):
    folder = tmp_path / "kafka"
    folder.mkdir()
    spoil(folder)
    before = sorted((folder / "data").rglob("*"))
    broker = EmbeddedKafka(folder)
    with pytest.raises(DataFolderError, match=f"{reason}.*--data"):
        broker.start()
    broker.stop()
    assert sorted((folder / "data").rglob("*")) == before


def test_data_that_a_broker_can_not_read_end_in_one_sentence(tmp_path):
    broker = EmbeddedKafka(tmp_path / "kafka")
    broker.launch()
    broker.kill()
    for snapshot in (tmp_path / "kafka" / "data" / "__cluster_metadata-0").glob("*.log"):
        snapshot.unlink()
    for checkpoint in (tmp_path / "kafka" / "data" / "__cluster_metadata-0").glob("*.checkpoint"):
        checkpoint.chmod(0o600)
        checkpoint.write_bytes(b"\xff" * 400)
    with pytest.raises(BrokerError, match=r"Kafka ended while it started .*broker\.log.*move .* away"):
        broker.start()
    broker.stop()


def test_a_parent_killed_with_kill_9_leaves_no_java(tmp_path, is_alive):
    program = (
        "import sys, time; from pathlib import Path; from beforehand.kafka.broker import EmbeddedKafka\n"
        "broker = EmbeddedKafka(Path(sys.argv[1])); broker.launch()\n"
        "print(broker.process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "kafka")], stdout=subprocess.PIPE, text=True
    ) as parent:
        java = int(parent.stdout.readline())
        assert is_alive(java)
        parent.kill()
    deadline = time.monotonic() + 20
    while is_alive(java):
        assert time.monotonic() < deadline, "java lives on"
        time.sleep(0.05)
