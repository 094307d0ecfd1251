"""Kafka's jars: fetched once, never anything but what is locked. The Maven repository here is one of our own."""

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from beforehand.errors import DataFolderError, JarsError
from beforehand.kafka.jars import provide_jars
from beforehand.kafka.lock import ROOTS, Jar, locked

CONTENT = {"a": b"first jar" * 1000, "b": b"second jar" * 1000}
JARS = [
    Jar(f"org.example:{name}:1.0", hashlib.sha256(content).hexdigest(), len(content))
    for name, content in CONTENT.items()
]


class Repository:
    """A Maven repository on this machine, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        for name, content in CONTENT.items():
            self.path(name).parent.mkdir(parents=True)
            self.path(name).write_bytes(content)
        repository = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                repository.asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.repositories = {"ours": f"http://127.0.0.1:{self.server.server_port}"}

    def path(self, name: str) -> Path:
        return self.folder / "org" / "example" / name / "1.0" / f"{name}-1.0.jar"


@pytest.fixture
def repository(tmp_path) -> Iterator[Repository]:
    made = Repository(tmp_path / "repository")
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_the_first_start_downloads_and_tells_and_the_second_asks_nobody(tmp_path, repository):
    told: list[tuple[int, int]] = []
    provide = partial(
        provide_jars, folder=tmp_path / "cache", jars=JARS, repositories=repository.repositories
    )
    paths = provide(lambda done, total: told.append((done, total)))
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    size = sum(jar.size for jar in JARS)
    assert told[-1] == (size, size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    repository.asked.clear()
    assert provide() == paths
    assert repository.asked == []


def test_a_jar_that_is_not_the_locked_one_is_thrown_away(tmp_path, repository):
    repository.path("b").write_bytes(b"x" * len(CONTENT["b"]))
    with pytest.raises(JarsError, match=r"org\.example:b:1\.0 came with the SHA-256 sum .* thrown away"):
        provide_jars(folder=tmp_path / "cache", jars=JARS, repositories=repository.repositories)
    assert [path.name for path in (tmp_path / "cache").iterdir()] in ([], ["a-1.0.jar"])


def test_a_jar_damaged_in_the_cache_is_fetched_again(tmp_path, repository):
    provide = partial(
        provide_jars, folder=tmp_path / "cache", jars=JARS, repositories=repository.repositories
    )
    [path, _] = provide()
    path.write_bytes(b"y" * len(CONTENT["a"]))
    repository.asked.clear()
    provide()
    assert path.read_bytes() == CONTENT["a"]
    assert not any("/b/" in asked for asked in repository.asked)


def test_a_first_start_without_network_says_what_to_do(tmp_path):
    with pytest.raises(JarsError, match=r"can't be had from http://127\.0\.0\.1:1 \(no connection\).*mirror"):
        provide_jars(folder=tmp_path / "cache", jars=JARS, repositories={"none": "http://127.0.0.1:1"})


def test_a_cache_that_can_not_be_written_says_what_to_do(tmp_path, repository):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataFolderError, match=r"cache folder .* XDG_CACHE_HOME"):
        provide_jars(folder=tmp_path / "cache", jars=JARS, repositories=repository.repositories)


def test_the_lock_file_is_of_these_roots_and_has_one_version_of_each_artifact():
    from beforehand.kafka import lock

    assert tuple(json.loads(lock.LOCK_FILE.read_text())["roots"]) == ROOTS
    names = [jar.coordinate.rpartition(":")[0] for jar in locked()]
    assert len(names) == len(set(names)) > 40
    assert {jar.coordinate for jar in locked()} >= set(ROOTS)
