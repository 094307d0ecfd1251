"""`beforehand rules push` and `backtest --topic` against a real broker, and a real engine."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from contracts.envelope import decode, encode, event
from contracts.records import RuleFile, RuleFileStatus
from contracts.topics import ENGINE_STATUS, RULES, SIGNALS

GOOD = "rules:\n  - {id: late, on: order.placed, group_by: data.order_id, absence: {expect: order.delivered, within: 1h}}\n"
LONGER = GOOD.replace("1h", "2h")
ID_TAKEN = GOOD.replace("order.delivered", "order.shipped")


def published(house):
    """(key, file) of everything on the topic `rules`."""
    consumer = KafkaConsumer(
        bootstrap_servers=house.bootstrap, isolation_level="read_committed", group_id=None
    )
    place = TopicPartition(house.name(RULES), 0)
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    end = consumer.end_offsets([place])[place]
    found = []
    while consumer.position(place) < end:
        for records in consumer.poll(timeout_ms=500).values():
            found += [
                (record.key.decode(), msgspec.convert(decode(record.value).data, RuleFile))
                for record in records
            ]
    consumer.close()
    return found


def written(house):
    """How many records each topic of the house holds."""
    consumer = KafkaConsumer(bootstrap_servers=house.bootstrap, group_id=None)
    topics = [topic for topic in consumer.topics() if topic.startswith(house.prefix)]
    ends = {
        topic: sum(
            consumer.end_offsets(
                [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
            ).values()
        )
        for topic in topics
    }
    consumer.close()
    return ends


def send(house, topic, *messages):
    producer = KafkaProducer(bootstrap_servers=house.bootstrap, acks="all")
    for key, value in messages:
        producer.send(house.name(topic), key=key, value=value).get(timeout=10)
    producer.close()


def placed(order, ago):
    at = datetime.now(UTC) - ago
    placed = event(
        id=order, source="shop", type="order.placed", time=at, data={"order_id": order}, customerid=order
    )
    return order.encode(), encode(placed)


@contextmanager
def engine(house, tmp_path):
    environment = os.environ | {"BEFOREHAND_HTTP_PORT": "0", "BEFOREHAND_ENGINE_IDLE_TIMEOUT_S": "1"}
    with (tmp_path / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "rule_engine"], env=environment, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_push_is_published_under_the_files_name_and_taken_by_the_engine(
    new_topics, monkeypatch, run, tmp_path
):
    house = new_topics()
    monkeypatch.setenv("BEFOREHAND_TOPIC_PREFIX", house.prefix)
    monkeypatch.setenv("BEFOREHAND_KAFKA", house.bootstrap)
    with engine(house, tmp_path):
        first = run("push", "shop.yaml", "--why", "a trial", "--wait", "60s", rules_text=GOOD)
        assert "+ late: new, live" in first.stdout
        assert "✓ shop.yaml: the engine runs 1 rule of it" in first.stdout
        assert first.exit_code == 0
        again = run("push", "shop.yaml")
        assert again.stdout == "shop.yaml: unchanged\n"
        send(house, SIGNALS, *(placed(order, timedelta()) for order in ("o1", "o2")))
        deadline = time.monotonic() + 30
        while "2 keys armed" not in (diff := run("push", "shop.yaml", "--diff", rules_text=LONGER).stdout):
            assert time.monotonic() < deadline, diff
        assert diff.splitlines() == [
            "shop.yaml",
            "  ~ late: what fires goes on, its windows and waits begin anew",
            "      now: 0 alerts fire, 2 keys armed",
        ]
        changed = run("push", "shop.yaml")
        assert "~ late: what fires goes on, its windows and waits begin anew" in changed.stdout
        assert changed.exit_code == 0
        gone = run("push", "shop.yaml", rules_text="rules: []\n")
        assert "- late: gone; its alerts end, and nobody is told" in gone.stdout
        assert "the engine runs 0 rules of it" in gone.stdout
    files = published(house)
    assert [key for key, _ in files] == ["shop.yaml"] * 3
    assert (files[0][1].text, files[0][1].why, files[0][1].file) == (GOOD, "a trial", "shop.yaml")


def test_a_diff_publishes_nothing(house, run):
    result = run("push", "shop.yaml", "--diff", rules_text=GOOD)
    assert result.stdout.splitlines() == ["shop.yaml", "  + late: new, live"]
    assert (result.exit_code, published(house)) == (0, [])


def test_without_an_engine_it_says_so(house, run):
    result = run("push", "shop.yaml", "--wait", "200ms", rules_text=GOOD)
    assert "no word from the engine on shop.yaml within 0.2 s: is rule_engine running?" in result.stderr
    assert (result.exit_code, len(published(house))) == (1, 1)
    assert run("push", "shop.yaml", "--wait", "0s", rules_text=GOOD + "# more\n").exit_code == 0


def test_a_refusal_of_the_engine_is_told(house, run):
    run("push", "shop.yaml", "--wait", "0s", rules_text=GOOD)
    [(_, file)] = published(house)
    now = datetime.now(UTC)
    status = RuleFileStatus(
        "shop.yaml", file.version, taken=False, at=now, problems=["shop.yaml:2:1: error: not today"]
    )
    said = event(id="1", source="/engine", type="rules.refused", time=now, data=status)
    send(house, ENGINE_STATUS, (b"shop.yaml", encode(said)))
    run("push", "shop.yaml", "--wait", "0s", rules_text="rules: []\n")
    result = run("push", "shop.yaml", rules_text=GOOD)
    assert (
        "✗ shop.yaml: refused, what it had before goes on\n  shop.yaml:2:1: error: not today" in result.stderr
    )
    assert result.exit_code == 1


def test_an_id_of_another_file_is_found_before_anything_is_published(house, run, tmp_path):
    run("push", "shop.yaml", "--wait", "0s", rules_text=GOOD)
    (tmp_path / "other.yaml").write_text(ID_TAKEN)
    result = run("push", "other.yaml")
    assert (
        "other.yaml:2:10: error: rule late: the id is taken: shop.yaml:2:10 has it already" in result.stderr
    )
    assert (result.exit_code, len(published(house))) == (2, 1)


def test_a_failing_test_keeps_it_back(house, run):
    text = GOOD + (
        "tests:\n  - {name: wrong, rule: late, start: 2026-01-01T00:00:00Z, events: [], until: 1h, expect: [{state: firing}]}\n"
    )
    result = run("push", "shop.yaml", rules_text=text)
    assert "nothing was published: 1 test failed" in result.stderr
    assert (result.exit_code, published(house)) == (1, [])


def test_without_a_broker_it_says_what_to_do(tmp_path):
    (tmp_path / "shop.yaml").write_text(GOOD)
    # in a process of its own: kafka-python leaves the sockets of vain attempts open
    result = subprocess.run(
        [sys.executable, "-c", "from rule_engine.commands import rules; rules()", "push", "shop.yaml", "--kafka", "127.0.0.1:1"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "no Kafka answers at 127.0.0.1:1" in result.stderr
    assert "beforehand up" in result.stderr
    assert result.returncode == 3


def test_a_backtest_reads_a_topic_back_to_a_time(house, run):
    orders = [placed(f"o{number}", timedelta(hours=5, minutes=-number)) for number in range(20)]
    send(house, SIGNALS, *orders, placed("last", timedelta()))
    before = written(house)
    result = run(
        "backtest", "shop.yaml", "--topic", "signals", "--since", "1h", "--format", "ndjson", rules_text=GOOD
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["key"] for line in lines] == [f"o{number}" for number in range(20)]
    assert written(house) == before, "it delivers nothing"
    time.sleep(0.002)
    later = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert (
        run("backtest", "shop.yaml", "--topic", "signals", "--since", later, "--format", "ndjson").stdout
        == ""
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say where the events are"),
        (("--topic", "signals"), "--topic needs --since"),
        (("--topic", "signals", "--since", "yesterday"), "'yesterday' is not a time"),
    ],
)
def test_a_backtest_without_events_is_refused(run, arguments, said):
    result = run("backtest", "shop.yaml", *arguments, rules_text=GOOD)
    assert said in result.stderr
    assert result.exit_code == 2
