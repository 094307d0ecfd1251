"""What may enter, and as which records."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import CATALOGUE
from contracts.envelope import MAX_BYTES, decode
from contracts.topics import CUSTOMERS, SIGNALS
from signal_ingest.accept import MAX_DEPTH, Accepted, Reason, Rejected, accept

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def taken(fields, **settings) -> Accepted:
    return accept(fields, now=NOW, max_future=timedelta(minutes=10), **settings)


def refused(fields) -> Rejected:
    with pytest.raises(Rejected) as caught:
        taken(fields)
    return caught.value


def test_an_event_becomes_one_signal_keyed_by_its_customer(an_event):
    (record,) = taken(an_event("1")).records
    assert (record.topic, record.key) == (SIGNALS, b"c1")
    assert json.loads(record.value) == an_event("1") | {"datacontenttype": "application/json"}


def test_an_event_of_nobody_is_keyed_by_its_source(an_event):
    health = an_event(type="service.request", customerid=..., data={"service": "pay", "status": 503, "ms": 9})
    (record,) = taken(health).records
    assert record.key == b"/shop/orders"


def test_a_profile_goes_whole_to_customers_and_without_addresses_to_signals(an_event):
    profile = {
        "email": "ada@example.com",
        "phone": "+4915112345678",
        "name": "Ada L",
        "address": {"city": "Ulm"},
        "locale": "de-DE",
        "plan": "pro",
        "attributes": {"vip": True},
        "shoe_size": 38,
    }
    whole, signal = taken(an_event("1", type="customer.updated", data=profile)).records
    assert (whole.topic, whole.key, signal.topic, signal.key) == (CUSTOMERS, b"c1", SIGNALS, b"c1")
    assert decode(whole.value).data == profile
    assert decode(signal.value).data == {
        "channels": ["email", "sms"],
        "locale": "de-DE",
        "plan": "pro",
        "attributes": {"vip": True},
    }
    for secret in (b"ada@", b"+49", b"Ada", b"Ulm"):
        assert secret not in signal.value
    assert decode(whole.value).id == decode(signal.value).id == "1"


def test_an_empty_profile_is_a_profile(an_event):
    whole, signal = taken(an_event(type="customer.updated", data=...)).records
    assert decode(whole.value).customerid == "c1"
    assert decode(signal.value).data == {}


def test_an_erasure_is_a_null_on_customers_and_an_event_on_signals(an_event):
    null, signal = taken(an_event(type="customer.erased", data=...)).records
    assert (null.topic, null.key, null.value) == (CUSTOMERS, b"c1", None)
    assert decode(signal.value).type == "customer.erased"


def test_time_is_the_arrival_where_it_is_missing(an_event):
    assert taken(an_event(time=...)).event.time == NOW


def test_a_time_too_far_ahead_is_refused_and_history_is_not(an_event):
    assert taken(an_event(time="2026-01-09T12:10:00Z"))
    assert taken(an_event(time="1999-12-31T00:00:00Z"))
    (problem,) = refused(an_event(time="2026-01-09T12:10:01Z")).problems
    assert problem.field == "/time"
    assert "601 s ahead" in problem.problem


def test_wrong_attributes_and_wrong_data_are_named_together(an_event):
    wrong = refused(
        an_event(type="payment.failed", id="", time="noon", customerid=..., data={"amount": "ten"})
    )
    assert wrong.reason is Reason.INVALID
    assert [each.field for each in wrong.problems] == ["/id", "/time", "/customerid", "/data/amount"]


def nested(levels: int):
    return json.loads('{"a":' * levels + "1" + "}" * levels)


def test_data_may_be_deep_but_not_without_end(an_event):
    assert taken(an_event(data={"order_id": "o", "deep": nested(MAX_DEPTH - 1)}))
    (problem,) = refused(an_event(data={"order_id": "o", "deep": nested(MAX_DEPTH)})).problems
    assert (problem.field, str(MAX_DEPTH) in problem.problem) == ("/data", True)


def test_numbers_that_grow_beyond_the_limit_when_written_are_refused(an_event):
    grown = an_event(data={"order_id": "o", "n": [1e15] * 60_000})
    assert len(json.dumps(grown).replace("1000000000000000.0", "1e15")) < MAX_BYTES
    assert refused(grown).reason is Reason.TOO_LARGE


def test_the_callers_trace_goes_on_unless_the_event_has_its_own(an_event):
    assert taken(an_event(), traceparent=TRACE).event.extensions == {"traceparent": TRACE}
    own = TRACE.replace("4bf9", "0000")
    assert taken(an_event(traceparent=own), traceparent=TRACE).event.extensions["traceparent"] == own
    assert taken(an_event(), traceparent="nonsense").event.extensions == {}


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
words = st.text(max_size=5) | st.sampled_from(
    ["order_id", "amount", "card", "last4", "address", "lines", "promised_at"]
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)


@given(
    type=st.sampled_from([*CATALOGUE, "some.type"]),
    data=anything,
    more=st.dictionaries(
        st.sampled_from(["time", "subject", "id", "x", "X", "data_base64"]), anything, max_size=2
    ),
)
def test_whatever_comes_is_taken_or_refused_with_its_reasons(an_event, type, data, more):
    outcome = taken_or_refused(an_event("1", type=type, data=data) | more)
    if isinstance(outcome, Rejected):
        assert outcome.problems
        assert str(outcome).encode()
    else:
        assert all(record.value is None or json.loads(record.value) for record in outcome.records)


def taken_or_refused(fields) -> Accepted | Rejected:
    try:
        return taken(fields)
    except Rejected as rejected:
        return rejected
