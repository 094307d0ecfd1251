"""CloudEvents' content modes over HTTP and Kafka."""

import json

import pytest

from signal_ingest.accept import Reason, Rejected
from signal_ingest.modes import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, from_http, from_kafka

EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}
RAW = json.dumps(EVENT).encode()
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}


def http(body: bytes, content_type: str | None = None, **headers: str):
    names = {} if content_type is None else {"content-type": content_type}
    names |= {name.replace("_", "-"): value for name, value in headers.items()}
    return from_http([(name.encode(), value.encode("latin-1")) for name, value in names.items()], body)


def refused(*arguments, **headers) -> Rejected:
    with pytest.raises(Rejected) as caught:
        http(*arguments, **headers)
    return caught.value


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
        "Application/CloudEvents+JSON",
        "application/json",
        None,
    ],
)
def test_structured(content_type):
    content = http(RAW, content_type)
    assert (content.events, content.batch) == ((EVENT,), False)


def test_binary():
    content = http(b'{"a": 1}', "application/json", **BINARY, ce_customerid="c1")
    assert content.events == (EVENT | {"customerid": "c1"},)


def test_binary_without_data_needs_no_content_type():
    assert http(b"", **BINARY).events == ({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"},)


@pytest.mark.parametrize(
    ("header", "means"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # the example of the HTTP binding
        ("%e2%82%ac", "€"),
        ("100%25", "100%"),
        ("%2541", "%41"),  # decoded once
        ("50% off", "50% off"),
        ('"a \\"quoted\\" text"', 'a "quoted" text'),  # as senders of earlier versions write it
        ("  padded ", "padded"),
    ],
)
def test_header_values_are_decoded_as_the_binding_has_it(header, means):
    assert http(b"", **BINARY, ce_subject=header).events[0]["subject"] == means


def test_a_header_that_is_no_utf8_is_named():
    assert [each.field for each in refused(b"", **BINARY, ce_subject="%ff").problems] == ["/subject"]


@pytest.mark.parametrize("name", ["ce_datacontenttype", "ce_data"])
def test_what_the_body_says_may_not_be_said_in_headers(name):
    assert refused(b"", **BINARY, **{name: "x"}).problems[0].field == f"/{name[3:]}"


def test_batch():
    content = http(json.dumps([EVENT, 7]).encode(), "application/cloudevents-batch+json")
    assert (content.events, content.batch) == ((EVENT, 7), True)
    assert http(b"[]", "application/cloudevents-batch+json").events == ()


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "reason", "says"),
    [
        (b"hello", "application/cloudevents+json", {}, Reason.NOT_JSON, "not JSON"),
        (b"", "application/json", {}, Reason.NOT_JSON, "not JSON"),
        (b'{"a": "\xff"}', "application/json", {}, Reason.NOT_JSON, "UTF-8"),
        (b"[" * 5000, "application/json", {}, Reason.INVALID, "inside each other"),
        (RAW, "text/plain", {}, Reason.UNSUPPORTED, "application/cloudevents+json"),
        (RAW, "application/x-www-form-urlencoded", {}, Reason.UNSUPPORTED, "application/cloudevents+json"),
        (RAW, "application/cloudevents+avro", {}, Reason.UNSUPPORTED, "application/cloudevents+json"),
        (RAW, "application/json; charset=latin1", {}, Reason.UNSUPPORTED, "UTF-8"),
        (b"[]", "application/json", {}, Reason.UNSUPPORTED, "application/cloudevents-batch+json"),
        (b"{}", "application/cloudevents-batch+json", {}, Reason.INVALID, "list"),
        (b"<a/>", "application/xml", BINARY, Reason.UNSUPPORTED, "application/json"),
        (b"{}", None, BINARY, Reason.UNSUPPORTED, "application/json"),
        (b"{", "application/json", BINARY, Reason.NOT_JSON, "/data"),
        (b'"' + b"x" * 1_000_000 + b'"', "application/json", {}, Reason.TOO_LARGE, "1,000,000"),
        (b" " * MAX_BATCH_BYTES + b"[]", "application/cloudevents-batch+json", {}, Reason.TOO_LARGE, "5,000,000"),
        (
            json.dumps([0] * (MAX_BATCH_EVENTS + 1)).encode(), "application/cloudevents-batch+json", {},
            Reason.TOO_LARGE, "at most 1000",
        ),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_what_to_send(body, content_type, headers, reason, says):
    rejected = refused(body, content_type, **headers)
    assert rejected.reason is reason
    assert says in str(rejected)


def test_kafka_structured_with_or_without_its_header():
    assert from_kafka([("content-type", b"application/cloudevents+json")], RAW).events == (EVENT,)
    assert from_kafka([], RAW).events == (EVENT,)


def test_kafka_binary_takes_values_as_they_are():
    headers = [(name.replace("ce-", "ce_"), value.encode()) for name, value in BINARY.items()]
    headers += [("ce_subject", "100%25 ü".encode()), ("content-type", b"application/json")]
    assert from_kafka(headers, b'{"a": 1}').events == (EVENT | {"subject": "100%25 ü"},)


def test_kafka_has_no_lists():
    with pytest.raises(Rejected, match="not taken"):
        from_kafka([("content-type", b"application/cloudevents-batch+json")], b"[]")
