"""Events from the topic `events`: the same gate, and dead letters for what it refuses."""

import json

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from contracts.dead import DeadLetter
from contracts.envelope import decode
from contracts.topics import EVENTS, SIGNALS


@pytest.fixture(scope="module")
def producer(kafka):
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=2_000_000)
    yield producer
    producer.close()


def write(producer, service, value, *, key=b"any", headers=(), partition=0):
    raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    future = producer.send(service.topic(EVENTS), raw, key=key, headers=list(headers), partition=partition)
    return future.get(timeout=10).offset


def ids(service) -> list[str]:
    return [signal.id for signal in service.signals()]


def letter(service, partition: int, offset: int):
    """What was told of the record that lay there, and the dead letter itself; None if there is none."""
    told = ((DeadLetter.from_headers(record.headers), record) for record in service.dead())
    return next((each for each in told if (each[0].partition, each[0].offset) == (partition, offset)), None)


def test_both_modes_become_signals_under_their_customers_key(service, producer, an_event, until):
    write(
        producer,
        service,
        an_event("k-structured"),
        headers=[("content-type", b"application/cloudevents+json")],
    )
    write(producer, service, an_event("k-bare", customerid="c-ü"))
    binary = {
        "specversion": "1.0",
        "id": "k-binary",
        "source": "/s",
        "type": "order.delivered",
        "customerid": "c1",
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in binary.items()]
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers += [("content-type", b"application/json"), ("traceparent", trace.encode())]
    write(producer, service, {"order_id": "o"}, key=None, headers=headers)
    until(lambda: {"k-structured", "k-bare", "k-binary"} <= set(ids(service)))
    found = {decode(record.value).id: record for record in service.records(SIGNALS)}
    assert found["k-bare"].key == "c-ü".encode()
    signal = decode(found["k-binary"].value)
    assert (signal.data, signal.extensions) == ({"order_id": "o"}, {"traceparent": trace})
    # without a time of its own an event happened when it was written to Kafka
    assert 0 <= found["k-binary"].timestamp - signal.time.timestamp() * 1000 < 30_000


def test_what_is_refused_is_a_dead_letter_with_its_reason_and_the_stream_goes_on(
    service, producer, an_event, until
):
    poison = {
        b"not json": "not JSON",
        b"[1]": "JSON object",
        json.dumps(an_event(data={})).encode(): "/data/order_id is missing",
        json.dumps(an_event(customerid=...)).encode(): "customerid",
        json.dumps(an_event(time="2099-01-01T00:00:00Z")).encode(): "ahead",
        b'"' + b"x" * 1_040_000 + b'"': "1,000,000",
    }
    reasons = {}
    for value, reason in poison.items():
        reasons[
            write(
                producer,
                service,
                value,
                key=b"k",
                headers=[("content-type", b"application/json")],
                partition=1,
            )
        ] = reason
    reasons[write(producer, service, None, partition=1)] = "not JSON"
    write(producer, service, an_event("after-poison"), partition=1)
    until(lambda: "after-poison" in ids(service) and len(service.dead()) >= len(reasons))
    dead = {DeadLetter.from_headers(record.headers).offset: record for record in service.dead()}
    assert dead.keys() == reasons.keys()
    for offset, record in dead.items():
        letter = DeadLetter.from_headers(record.headers)
        assert reasons[offset] in letter.reason
        assert (letter.topic, letter.partition, letter.rejected_by) == (
            service.topic(EVENTS),
            1,
            "signal_ingest",
        )
        assert record.value in poison or record.value is None


def test_a_refused_record_keeps_the_headers_that_hold_half_of_it(service, producer, an_event, until):
    attributes = an_event("k-early", time="2099-01-01T00:00:00Z", data=...)
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    headers += [("content-type", b"application/json"), ("topic", b"the backend's own")]
    offset = write(producer, service, {"order_id": "o"}, key=b"k", headers=headers)

    until(lambda: letter(service, 0, offset) is not None)
    told, record = letter(service, 0, offset)
    assert record.headers[: len(headers)] == headers
    assert told.topic == service.topic(EVENTS)


def test_a_record_that_is_larger_than_any_dead_letter_is_cut_and_stops_nothing(
    kafka, service, producer, an_event, until
):
    compressing = KafkaProducer(bootstrap_servers=kafka, compression_type="gzip", max_request_size=20_000_000)
    offset = write(compressing, service, b'"' + b"x" * 5_000_000, headers=[("h", b"y" * 3000)], partition=2)
    compressing.close()
    write(producer, service, an_event("after-the-giant"), partition=2)
    until(lambda: "after-the-giant" in ids(service))
    told, record = letter(service, 2, offset)
    assert "cut off after 1,000,000 bytes" in told.reason
    assert len(record.value) == 1_000_000


def test_http_and_kafka_know_each_others_events(service, producer, an_event, until):
    service.post(an_event("both"))
    write(producer, service, an_event("both"))
    write(producer, service, an_event("both-after"))
    until(lambda: "both-after" in ids(service))
    assert service.post(an_event("both-after")).json()["status"] == "duplicate"
    assert sorted(each for each in ids(service) if each.startswith("both")) == ["both", "both-after"]


def test_records_delivered_again_after_a_crash_are_not_written_again(service, producer, an_event, until):
    for number in range(50):
        write(producer, service, an_event(f"crash-{number}"), partition=number % 3)
    until(lambda: sum(each.startswith("crash-") for each in ids(service)) == 50)
    before = len(service.signals())
    service.stop()
    # as if it had died after writing and before committing
    consumer = KafkaConsumer(
        bootstrap_servers=service.kafka, group_id=f"{service.prefix}signal_ingest", enable_auto_commit=False
    )
    partitions = [TopicPartition(service.topic(EVENTS), partition) for partition in range(3)]
    consumer.assign(partitions)
    consumer.commit({partition: OffsetAndMetadata(0, "", -1) for partition in partitions})
    write(producer, service, an_event("crash-after"), partition=0)
    service.start()
    service.wait_ready()
    ends = consumer.end_offsets(partitions)
    until(lambda: all(consumer.committed(partition) == ends[partition] for partition in partitions))
    consumer.close()
    assert len(service.signals()) == before + 1
