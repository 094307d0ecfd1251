"""The command line: help that always comes, errors of one sentence, and dead letters."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner
from kafka import KafkaConsumer, TopicPartition

from beforehand import __main__ as command
from contracts.dead import DeadLetter
from contracts.topics import SIGNALS

ROOT = Path(__file__).resolve().parents[2]


def test_a_command_that_can_not_be_imported_takes_no_other_down(monkeypatch, capsys):
    monkeypatch.setitem(command.OWN, "broken", "beforehand.nowhere:broken")
    shown = CliRunner().invoke(command.beforehand, ["--help"])
    assert shown.exit_code == 0
    assert "up " in shown.output
    assert "(not available: its package can't be imported)" in shown.output
    monkeypatch.setattr(sys, "argv", ["beforehand", "broken", "--anything", "x"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1
    assert "beforehand.nowhere:broken can't be imported: ModuleNotFoundError" in capsys.readouterr().err


def up(*arguments: str, command: str = "up") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "beforehand", command, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_up_names_a_port_that_is_taken_in_one_sentence_with_an_exit_code(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with up("--data", str(tmp_path / "var"), "--port", f"kafka={port}") as started:
            _, errors = started.communicate(timeout=30)
    assert started.returncode == 3
    assert errors == (
        f"Error: port {port} on 127.0.0.1, asked for with --port kafka={port}, is taken: stop the program that has it, "
        "or ask for another\n"
    )


@pytest.mark.parametrize("name", ["up", "demo"])
def test_ctrl_c_even_if_it_comes_twice_stops_it_cleanly(tmp_path, name):
    with up("--data", str(tmp_path / "var"), command=name) as started:
        assert started.stdout is not None
        assert "starting" in started.stdout.readline()
        started.send_signal(signal.SIGINT)
        started.send_signal(signal.SIGINT)  # as `timeout` and `make` do it
        started.send_signal(signal.SIGTERM)
        output, errors = started.communicate(timeout=30)
    assert started.returncode == 0
    assert output.splitlines()[-1].endswith("| stopped")
    assert errors == ""


OWN_HEADERS = [("ce_id", b"1"), ("topic", b"of its own"), ("empty", None)]


async def bury(topics):
    """With aiokafka: kafka-python writes no null as a header's value."""
    async with AIOKafkaProducer(bootstrap_servers=topics.bootstrap, acks="all") as producer:
        for offset, value in ((7, b'{"not": "an event"}'), (9, b"\xff\x00")):
            reason, at = f"no good: {offset}", datetime(2026, 1, 2, tzinfo=UTC)
            letter = DeadLetter(topics.name(SIGNALS), 1, offset, reason, "rule_engine", at)
            headers = [*OWN_HEADERS, *letter.headers()]
            await producer.send_and_wait(topics.dead(SIGNALS), key=b"c1", value=value, headers=headers)


@pytest.fixture
def buried(topics):
    """Topics with two dead letters of `signals` in them; the second has no text in it."""
    asyncio.run(bury(topics))
    return topics


def dead(topics, *arguments: str) -> str:
    options = ["--kafka", topics.bootstrap, "--topic-prefix", topics.prefix]
    result = CliRunner().invoke(command.beforehand, ["dead", *options, *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_dead_letters_are_listed_shown_and_replayed_as_they_came(buried):
    home = buried.dead(SIGNALS)
    listed = dead(buried, "list").splitlines()
    assert listed == [
        f"{home}:0:0  2026-01-02T00:00:00Z  rule_engine: no good: 7",
        f"{home}:0:1  2026-01-02T00:00:00Z  rule_engine: no good: 9",
    ]
    assert dead(buried, "list", "--topic", "events") == "no dead letters\n"
    shown = dead(buried, "show", f"{home}:0:1")
    assert "reason: no good: 9" in shown
    assert f"was: {buried.name(SIGNALS)}:1:9" in shown
    assert r"b'\xff\x00'" in shown
    assert 'headers: {"ce_id": "1", "topic": "of its own", "empty": null}' in shown

    assert dead(buried, "replay", f"{home}:0:1") == "replayed 1 dead letter\n"
    assert dead(buried, "replay", "--all") == "replayed 2 dead letters\n"
    assert dead(buried, "replay", "--all") == "replayed 0 dead letters\n"
    newest = [json.loads(line) for line in dead(buried, "list", "--format", "ndjson").splitlines()]
    assert [letter["replayed"] for letter in newest] == [True, True]

    consumer = KafkaConsumer(
        bootstrap_servers=buried.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    places = [TopicPartition(buried.name(SIGNALS), n) for n in range(buried.customer_partitions)]
    consumer.assign(places)
    came = [record for records in consumer.poll(timeout_ms=20_000).values() for record in records]
    consumer.close()
    assert [(r.key, r.value) for r in came] == [
        (b"c1", b"\xff\x00"),
        (b"c1", b'{"not": "an event"}'),
        (b"c1", b"\xff\x00"),
    ]
    assert {tuple(r.headers) for r in came} == {(*OWN_HEADERS[:2], ("empty", b""))}


def test_a_dead_letter_that_is_not_there_is_named(buried):
    options = ["--kafka", buried.bootstrap, "--topic-prefix", buried.prefix]
    result = CliRunner().invoke(command.beforehand, ["dead", *options, "show", f"{buried.dead(SIGNALS)}:0:5"])
    assert "there is no dead letter" in str(result.exception)
