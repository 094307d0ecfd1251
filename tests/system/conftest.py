"""One installation for all system tests, on ports of its own."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from house import House

from beforehand.ports import free_port
from beforehand.runner.console import Console
from beforehand.runner.installation import Installation, Options

NAMES = ("inbox", "phone", "smtp", "signal_ingest", "rule_engine", "notifier", "ticket_api")


@contextmanager
def installed(data: Path, **options: Any) -> Iterator[House]:
    """As `beforehand up`, on ports of its own."""
    ports: dict[str, int] = {}
    for name in NAMES if "kafka" in options else ("kafka", *NAMES):
        ports[name] = free_port(frozenset(ports.values()))
    quiet = Console(["kafka", *NAMES], passes_logs=False)
    with Installation(Options(data=data, ports=ports, **options), console=quiet) as installation:
        installation.start()
        installation.wait_ready()
        yield House(installation)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with installed(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def new_house(house: House, tmp_path: Path) -> Iterator[House]:
    """Another one on the same broker, in which nothing has happened yet."""
    prefix = f"{uuid.uuid4().hex[:8]}."
    with installed(tmp_path / "new", kafka=house.kafka, topic_prefix=prefix) as fresh:
        yield fresh


@pytest.fixture
def name() -> str:
    """A word that no other test uses: for rules, customers and domains."""
    return f"t{uuid.uuid4().hex[:8]}"
