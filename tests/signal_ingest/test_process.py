"""The process: how it starts, stops, forgets nothing, and bears Kafka's absence."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from beforehand.kafka.broker import EmbeddedKafka
from beforehand.ports import free_port
from signal_ingest.__main__ import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command with settings that keep it from serving: exit code, what it said, what it complained of."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["signal_ingest", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_help_lists_every_setting(run):
    code, said, _ = run("--help")
    assert code == 0
    for name in ("BEFOREHAND_KAFKA", "BEFOREHAND_INGEST_KEYS_FILE", "BEFOREHAND_HTTP_PORT", "required"):
        assert name in said


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "BEFOREHAND_INGEST_KEYS_FILE"),
        ({"BEFOREHAND_INGEST_KEYS_FILE": "/nowhere/keys.json"}, "/nowhere/keys.json"),
        ({"BEFOREHAND_INGEST_KEYS_FILE": "x", "BEFOREHAND_HTTP_PORT": "many"}, "BEFOREHAND_HTTP_PORT"),
    ],
)
def test_a_wrong_setting_is_named_and_ends_it(run, environment, says):
    code, _, complained = run(**environment)
    assert code == 2
    assert says in complained


def test_a_new_process_knows_what_others_wrote_before_and_write_now(service, new_service, an_event, until):
    service.post(an_event("before"))
    other = new_service(service.kafka, prefix=service.prefix)
    other.start()
    other.wait_ready()
    assert other.post(an_event("before")).json()["status"] == "duplicate"

    known = remembered(other)
    assert service.post(an_event("now")).json()["status"] == "accepted"
    until(lambda: remembered(other) == known + 1)
    assert other.post(an_event("now")).json()["status"] == "duplicate"
    assert sorted(s.id for s in service.signals() if s.id in {"before", "now"}) == ["before", "now"]

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(other.post, an_event(f"last-{number}")) for number in range(4)]
        answers[0].result()
        assert other.stop() == 0
        told = {answer.result().json()["id"] for answer in answers if answer.exception() is None}
    assert told <= {signal.id for signal in service.signals()}


def remembered(service) -> int:
    (line,) = [
        x
        for x in service.http.get("/metrics").text.splitlines()
        if x.startswith("beforehand_ingest_remembered")
    ]
    return int(float(line.split()[1]))


def test_without_kafka_it_waits_says_why_and_neither_loses_nor_doubles(
    tmp_path, new_service, an_event, until
):
    broker = EmbeddedKafka(tmp_path / "kafka", free_port(), heap_mb=384)
    service = new_service(broker.bootstrap, prefix="", BEFOREHAND_INGEST_PUBLISH_TIMEOUT_S="1")
    service.start()
    until(lambda: service.status("/readyz") == 503)
    assert service.post(an_event("early")).status_code == 503

    with broker:
        until(lambda: "the topics customers, events, events.dead, signals do not exist" in why(service))
        service.make_topics()
        service.wait_ready()
        assert service.post(an_event("calm")).status_code == 202

        broker.kill()
        began = time.monotonic()
        away = service.post(an_event("storm-1"))
        assert time.monotonic() - began < 5
        assert away.status_code == 503
        assert int(away.headers["retry-after"]) > 0
        assert away.headers["content-type"] == "application/problem+json"
        until(lambda: service.status("/readyz") == 503)
        assert service.post(an_event("storm-2")).status_code == 503
        assert service.status("/healthz") == 200

        broker.start()
        service.wait_ready()
        for each in ("storm-1", "storm-2", "calm"):
            until(lambda each=each: service.post(an_event(each)).status_code == 202)
        assert sorted(signal.id for signal in service.signals()) == ["calm", "storm-1", "storm-2"]
        assert service.stop() == 0


def why(service) -> str:
    return service.http.get("/readyz").json().get("why", "")
