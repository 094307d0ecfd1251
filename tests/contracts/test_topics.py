"""The table of topics is whole: nothing is written that nobody reads, nor read that nobody writes."""

import pytest

from contracts.topics import EVENTS, SIGNALS, TOPICS, dead_name, topic_name

SERVICES = {"signal_ingest", "rule_engine", "notifier", "ticket_api"}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_writers_and_readers(topic):
    assert topic.written_by
    assert topic.read_by
    strangers = {
        who for who in topic.written_by + topic.read_by if who not in SERVICES and "beforehand" not in who
    }
    assert strangers <= {"backends"}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_compacted_or_ends(topic):
    config = topic.kafka_config()
    assert ("retention.ms" in config) == (config["cleanup.policy"] == "delete")


def test_signals_has_one_writer_and_the_brokers_time():
    assert SIGNALS.written_by == ("signal_ingest",)
    assert SIGNALS.kafka_config()["message.timestamp.type"] == "LogAppendTime"


def test_topics_keyed_by_customer_have_the_same_number_of_partitions():
    counts = {topic.name: topic.partition_count(12) for topic in TOPICS}
    assert {counts[name] for name in ("signals", "customers", "alerts", "messages", "tickets", "events")} == {
        12
    }
    assert counts["rules"] == counts["events.dead"] == 1


def test_each_topic_that_a_service_reads_of_others_has_a_place_for_dead_letters():
    names = {topic.name for topic in TOPICS}
    assert len(names) == len(TOPICS)
    read = {
        topic.name
        for topic in TOPICS
        if not topic.name.startswith("engine.") and not topic.name.endswith(".dead")
    }
    assert {f"{name}.dead" for name in read} <= names


def test_a_prefix_keeps_installations_apart():
    assert topic_name(EVENTS, "eu.") == "eu.events"
    assert dead_name(EVENTS, "eu.") == "eu.events.dead"
