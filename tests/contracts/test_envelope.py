"""The envelope: what is written can be read, and what is wrong is named, all of it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import EnvelopeError, decode, encode, event

GOOD = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "order.placed",
    "time": "2026-01-09T12:00:00Z",
}


def read(**changes):
    return decode(json.dumps({k: v for k, v in (GOOD | changes).items() if v is not ...}).encode())


def problems(raw: bytes | None = None, **changes) -> dict[str, str]:
    with pytest.raises(EnvelopeError) as caught:
        decode(raw) if raw is not None else read(**changes)
    return {each.field: each.problem for each in caught.value.problems}


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    id=texts,
    source=texts,
    type=texts,
    time=st.datetimes(timezones=st.just(UTC)),
    data=json_values,
    customerid=texts | st.none(),
    subject=texts | st.none(),
    traceparent=texts,
    sequence=st.integers(-(2**31), 2**31 - 1),
    urgent=st.booleans(),
)
def test_what_is_written_is_read_again_as_it_was(**fields):
    written = event(**fields)
    assert decode(encode(written)) == written


def test_every_wrong_field_is_named_at_once():
    found = problems(
        specversion="0.3", id=..., source="", type=7, time="yesterday", Color="red", shades=["x"]
    )
    assert set(found) == {"/specversion", "/id", "/source", "/type", "/time", "/Color", "/shades"}
    assert "2026-01-31T09:30:00Z" in found["/time"]
    assert "missing" in found["/id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"datacontenttype": "text/csv"}, "/datacontenttype"),
        ({"data_base64": "AAAA"}, "/data_base64"),
        ({"id": "x" * 1025}, "/id"),
        ({"id": "a\0b"}, "/id"),
        ({"customerid": ""}, "/customerid"),
        ({"customerid": 42}, "/customerid"),
        ({"time": 1767960000}, "/time"),
        ({"time": ...}, "/time"),
        ({"a/b~c": "x"}, "/a~1b~0c"),
    ],
)
def test_a_field_that_cannot_be_taken_is_refused_under_its_pointer(changes, field):
    assert set(problems(**changes)) == {field}


@pytest.mark.parametrize(
    "raw", [b"", b"not json", b"\xff\xfe", b'{"id": "\xff"}', b"[" * 100_000, b"{}x", b"[1e999]"]
)
def test_bytes_that_are_no_json_are_refused_as_that(raw):
    assert "not JSON" in problems(raw)[""]


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"7"])
def test_json_that_is_no_object_is_refused_as_that(raw):
    assert "object" in problems(raw)[""]


def test_a_missing_time_is_the_time_of_arrival_where_the_reader_has_one():
    arrived = datetime(2026, 1, 9, tzinfo=UTC)
    assert decode(json.dumps(GOOD | {"time": None}).encode(), now=arrived).time == arrived


def test_a_null_attribute_counts_as_left_out():
    assert read(subject=None, customerid=None, traceparent=None, dataschema=None) == read()


def test_extensions_pass_as_they_came():
    assert read(traceparent="00-1", sequence=7, urgent=True).extensions == {
        "traceparent": "00-1",
        "sequence": 7,
        "urgent": True,
    }


def test_json_content_types_are_taken():
    for content in (
        "application/json",
        "application/json; charset=utf-8",
        "application/vnd.shop+json",
        "APPLICATION/JSON",
    ):
        assert read(datacontenttype=content).data is None


def test_the_key_is_the_customer_else_the_source():
    assert read(customerid="c-ü").key == "c-ü".encode()
    assert read().key == b"/shop"
