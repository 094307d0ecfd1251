"""What `beforehand up` does, with small services in the place of the real ones."""

import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from beforehand.errors import AlreadyRunningError, NotReadyError, PortTakenError, UsageError
from beforehand.ports import PortClaims, free_port
from beforehand.runner.addresses import choose_ports
from beforehand.runner.installation import Installation, Options
from beforehand.runner.secrets import provide_secrets


@pytest.fixture
def ports() -> dict[str, int]:
    """Free ones for what an installation has of its own, away from an installation that someone runs beside."""
    chosen: dict[str, int] = {}
    for name in ("inbox", "phone", "smtp"):
        chosen[name] = free_port(frozenset(chosen.values()))
    return chosen


def wait_until(condition: Callable[[], object], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_everything_runs_until_stopped_and_what_dies_comes_back(
    kafka, tmp_path, fake_service, ports, capsys, is_alive
):
    services = [fake_service("alpha", free_port(), key="ingest"), fake_service("beta", free_port())]
    data = tmp_path / "var"
    options = Options(data=data, kafka=kafka, ports=ports, topic_prefix=f"{tmp_path.name}.")
    with Installation(options, services=services) as installation:
        installation.start()
        assert not installation.endpoints_file.exists()
        installation.wait_ready()

        endpoints = json.loads(installation.endpoints_file.read_text())
        assert endpoints == {
            "kafka": kafka,
            "alpha": {"url": installation.url("alpha"), "key": installation.secrets.ingest_key},
            "beta": {"url": installation.url("beta")},
            **{
                name: {
                    "page": f"http://127.0.0.1:{ports[name]}/",
                    "messages": f"http://127.0.0.1:{ports[name]}/messages",
                }
                for name in ("inbox", "phone")
            },
        }
        assert stat.S_IMODE(installation.endpoints_file.stat().st_mode) == 0o600
        for name in ("inbox", "phone"):
            with urlopen(endpoints[name]["messages"]) as answer:
                assert json.load(answer) == []
        with urlopen(endpoints["alpha"]["url"]) as answer:
            told = json.load(answer)
        assert told["BEFOREHAND_KAFKA"] == kafka
        assert told["BEFOREHAND_SMTP_URL"] == f"smtp://127.0.0.1:{ports['smtp']}"
        assert not any(installation.secrets.ingest_key in value for value in told.values())

        with pytest.raises(AlreadyRunningError, match=rf"running already in .* \(process {os.getpid()}\)"):
            Installation(options, services=services).start()
        assert installation.endpoints_file.exists()

        before = installation.processes()["beta"]
        before.kill()
        wait_until(lambda: installation.processes().get("beta", before).pid != before.pid)
        installation.wait_ready()
        running = installation.processes()
        assert set(running) == {"alpha", "beta", "inbox", "phone"}

    assert not any(is_alive(process.pid) for process in running.values())
    assert not installation.endpoints_file.exists()
    said = capsys.readouterr().out
    assert "beta died (signal 9): starting it again in 0.5 s" in said
    assert "beta is ready again" in said
    assert said.count("stopped gracefully") == 2
    assert "\x1b" not in said


def test_a_service_that_does_not_come_up_is_named_with_its_last_words(kafka, tmp_path, fake_service, ports):
    options = Options(data=tmp_path / "var", kafka=kafka, ports=ports, topic_prefix=f"{tmp_path.name}.")
    with Installation(options, services=[fake_service("gamma", free_port(), bad=True)]) as installation:
        installation.start()
        with pytest.raises(
            NotReadyError, match=r"gamma died 3 times .*exit code 1.*: the setting X is wrong"
        ):
            installation.wait_ready()


PROGRAM = """
import sys, time
from pathlib import Path
from beforehand.runner.installation import Installation, Options
from contracts.service import Service
data, *ports = sys.argv[1:]
ports = dict(zip(["alpha", "kafka", "inbox", "phone", "smtp"], map(int, ports)))
with Installation(Options(data=Path(data), ports=ports), services=[Service("alpha", "alpha", 1)]) as installation:
    installation.start()
    installation.wait_ready()
    print(*(p.pid for p in installation.processes().values()), flush=True)
    time.sleep(600)
"""


def test_kill_9_of_everything_important_leaves_no_orphan_and_the_next_start_works(
    tmp_path, fake_service, ports, is_alive
):
    fake_service("alpha", 1)
    data = tmp_path / "var"
    taken: list[int] = list(ports.values())
    while len(taken) < 5:
        taken.insert(0, free_port(frozenset(taken)))
    command = [sys.executable, "-c", PROGRAM, str(data), *map(str, taken)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        pids = _pids(up.stdout)
        broker = pids[0]
        os.kill(broker, signal.SIGKILL)
        assert any("kafka died (signal 9)" in line for line in up.stdout)
        assert any("kafka is ready again" in line for line in up.stdout)
        up.kill()
        up.stdout.read()
    # at once: the old ones may still be ending
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        again = _pids(up.stdout)
        assert not any(is_alive(pid) for pid in pids)
        assert json.loads((data / "endpoints.json").read_text())["kafka"] == f"127.0.0.1:{taken[1]}"
        up.kill()
    wait_until(lambda: not any(is_alive(pid) for pid in again))
    assert not (data / "endpoints.json").exists()


def _pids(lines) -> list[int]:
    """Of the line that PROGRAM prints when all is ready; kafka's first."""
    for line in lines:
        if all(word.isdigit() for word in line.split()):
            return [int(word) for word in line.split()]
    raise AssertionError("it ended before it was ready")


def test_a_taken_default_port_gives_way_and_a_taken_one_that_was_asked_for_does_not():
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as other,
        closing_claims() as somebody,
        closing_claims() as we,
    ):
        taken = other.getsockname()[1]
        claimed = next(port for port in iter(free_port, 0) if somebody.claim(port))
        free = free_port(frozenset({claimed}))
        chosen, told = choose_ports({"a": taken, "b": free, "c": claimed}, {}, we.claim)
        assert chosen["b"] == free
        assert len({*chosen.values(), taken, claimed}) == 5
        assert told == [
            f"port {taken} is taken by another program: a gets {chosen['a']}",
            f"port {claimed} is taken by another program: c gets {chosen['c']}",
        ]
        for port in (taken, claimed):
            with pytest.raises(PortTakenError, match=rf"--port a={port}, is taken"):
                choose_ports({"a": free}, {"a": port}, we.claim)
        with pytest.raises(UsageError, match=r"no port 'c'; there are a"):
            choose_ports({"a": free}, {"c": free}, we.claim)


@contextmanager
def closing_claims() -> Iterator[PortClaims]:
    claims = PortClaims()
    try:
        yield claims
    finally:
        claims.release()


def test_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path):
    first = provide_secrets(tmp_path / "secrets")
    assert provide_secrets(tmp_path / "secrets") == first
    files = list(Path(tmp_path / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    [grant] = json.loads(first.ingest_keys_file.read_text())
    assert grant == {
        "source": "*",
        "types": ["*"],
        "sha256": hashlib.sha256(first.ingest_key.encode()).hexdigest(),
    }
    assert first.desk_key != first.ingest_key
