"""The HTTP interface as a backend team meets it: a running service and a real Kafka."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.envelope import CONTENT_TYPE, decode
from contracts.partition import partition_of
from contracts.topics import CUSTOMERS, SIGNALS

PROBLEM = "application/problem+json"
BATCH = "application/cloudevents-batch+json"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def signals_by_id(service) -> dict:
    return {signal.id: signal for signal in service.signals()}


def told(response) -> dict[str, str]:
    """The wrong fields that an answer names."""
    assert response.headers["content-type"] == PROBLEM
    assert response.json()["status"] == response.status_code
    return {each["pointer"]: each["detail"] for each in response.json()["errors"]}


def test_an_accepted_event_lies_on_signals_under_its_customer(service, an_event):
    answer = service.post(an_event("placed", customerid="c-7"), traceparent=TRACE)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    (record,) = [r for r in service.records(SIGNALS) if decode(r.value).id == "placed"]
    assert record.key == b"c-7"
    assert record.partition == partition_of(b"c-7", 3)
    assert record.headers == [("content-type", CONTENT_TYPE.encode())]
    assert decode(record.value).extensions == {"traceparent": TRACE}


def test_a_repeated_event_is_accepted_and_written_once(service, an_event):
    event = an_event("again")
    answers = [service.post(event), service.post(event)]
    with ThreadPoolExecutor(8) as pool:
        answers += pool.map(lambda _: service.post(event), range(8))
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.json()["status"] for answer in answers].count("accepted") == 1
    assert service.post(an_event("again", source="/shop/other")).json()["status"] == "accepted"
    assert sorted(s.source for s in service.signals() if s.id == "again") == ["/shop/orders", "/shop/other"]


def test_many_at_once_are_each_written_once(service, an_event):
    events = [an_event(f"crowd-{number}", customerid=f"c{number % 5}") for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(service.post, events))
    assert {answer.status_code for answer in answers} == {202}
    written = [signal.id for signal in service.signals() if signal.id.startswith("crowd-")]
    assert sorted(written) == sorted(event["id"] for event in events)


def test_binary_mode(service):
    answer = service.post(
        {"order_id": "o-ü"}, "application/json",
        **{"ce-specversion": "1.0", "ce-id": "binary", "ce-source": "/shop/orders", "ce-type": "order.delivered",
           "ce-customerid": "c%C3%BC", "ce-time": "2026-01-09T12:00:00+01:00"},
    )  # fmt: skip
    assert answer.status_code == 202
    signal = signals_by_id(service)["binary"]
    assert (signal.customerid, signal.data) == ("cü", {"order_id": "o-ü"})
    assert signal.time.isoformat() == "2026-01-09T11:00:00+00:00"


def test_a_list_is_answered_event_by_event_and_keeps_its_order(service, an_event):
    service.post(an_event("list-1"))
    events = [an_event(f"list-{number}", data={"order_id": f"{number}"}) for number in (3, 1, 2, 3)]
    answer = service.post(events, BATCH)
    assert answer.status_code == 202
    assert [(each["id"], each["status"]) for each in answer.json()] == [
        ("list-3", "accepted"), ("list-1", "duplicate"), ("list-2", "accepted"), ("list-3", "duplicate"),
    ]  # fmt: skip
    assert [s.id for s in service.signals() if s.id.startswith("list-")] == ["list-1", "list-3", "list-2"]


def test_one_mistake_leaves_a_list_unwritten_and_is_named_with_its_index(service, an_event):
    bad = an_event("half-2", type="payment.failed", data={"amount": -1})
    answer = service.post([an_event("half-1"), bad, 7], BATCH)
    assert answer.status_code == 422
    assert set(told(answer)) == {"/1/data/amount", "/2"}
    assert not [signal for signal in service.signals() if signal.id.startswith("half-")]


def test_an_empty_list_is_nothing_to_do(service):
    assert (service.post([], BATCH).status_code, service.post([], BATCH).json()) == (202, [])


def test_a_profile_is_split_and_an_erasure_leaves_a_null(service, an_event):
    profile = {"email": "ada@example.com", "phone": "+4915112345678", "name": "Ada", "locale": "de-DE"}
    assert (
        service.post(an_event("profile", type="customer.updated", customerid="ada", data=profile)).status_code
        == 202
    )
    assert (
        service.post(an_event("erase", type="customer.erased", customerid="ada", data=...)).status_code == 202
    )
    whole, null = [record for record in service.records(CUSTOMERS) if record.key == b"ada"]
    assert decode(whole.value).data == profile
    assert null.value is None
    signals = signals_by_id(service)
    assert signals["profile"].data == {"channels": ["email", "sms"], "locale": "de-DE"}
    assert (signals["erase"].type, signals["erase"].customerid) == ("customer.erased", "ada")


def test_every_example_of_the_openapi_page_is_taken(service):
    page = service.http.get("/openapi.json").json()
    body = page["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    for name, example in body[CONTENT_TYPE]["examples"].items():
        assert service.post(example["value"]).status_code == 202, name
    assert service.post(body[BATCH]["example"], BATCH).status_code == 202


def test_the_root_says_how_to_post_and_what_it_says_works(service):
    text = service.http.get("/").text
    assert f"{service.http.base_url}/v1/events" in text.replace("//v1", "/v1")
    body = text[text.index("{", text.index("-d '")) : text.index("}}'") + 2]
    assert service.post(json.loads(body)).status_code == 202


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"id": ...}, 422, "/id"),
        ({"source": 7}, 422, "/source"),
        ({"specversion": "0.3"}, 422, "/specversion"),
        ({"customerid": ...}, 422, "/customerid"),
        ({"time": "2099-01-01T00:00:00Z"}, 422, "/time"),
        ({"time": "yesterday"}, 422, "/time"),
        ({"data": {"order_id": 5}}, 422, "/data/order_id"),
        ({"data": {"order_id": "o", "items": [1] * 500_000}}, 413, ""),
        ({"data": {"order_id": "o", "items": [1] * 200_000}}, 422, "/data/items/0"),
        ({"UPPER": "x"}, 422, "/UPPER"),
    ],
    ids=range(10),
)
def test_a_wrong_event_is_refused_under_the_name_of_its_field(service, an_event, changes, status, pointer):
    answer = service.post(an_event(**({"id": "wrong"} | changes)))
    assert answer.status_code == status
    assert pointer in told(answer)
    assert len(answer.content) < 30_000
    assert "wrong" not in signals_by_id(service)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "name"),
    [
        (b"hello", CONTENT_TYPE, 400, "not-json"),
        (b"", CONTENT_TYPE, 400, "not-json"),
        (b"\xff\xfe", CONTENT_TYPE, 400, "not-json"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported-content"),
        (b"x" * 2_000_000, CONTENT_TYPE, 413, "too-large"),
        (b"x" * 6_000_000, BATCH, 413, "too-large"),
        (b"[" * 100_000, CONTENT_TYPE, 422, "invalid-event"),
        (b"[]", CONTENT_TYPE, 415, "unsupported-content"),
        (b"7", CONTENT_TYPE, 422, "invalid-event"),
    ],
    ids=range(9),
)
def test_a_body_that_is_no_event_is_refused_as_what_it_is(service, body, content_type, status, name):
    answer = service.post(body, content_type)
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:beforehand:problem:{name}"
    assert told(answer)


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic a2V5", "key-of-everything"]
)
def test_without_a_known_key_nothing_is_read(service, an_event, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    client = service.http
    request = client.build_request("POST", "/v1/events", json=an_event("stranger"), headers=headers)
    if authorization is None:
        del request.headers["Authorization"]
    answer = client.send(request)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == PROBLEM
    assert "stranger" not in signals_by_id(service)


def test_a_key_is_for_its_sources_and_types_alone(service, an_event):
    shop = {"Authorization": "Bearer key-of-the-shop"}
    assert service.post(an_event("shop-1"), **shop).status_code == 202
    other_source = service.post(an_event("shop-2", source="/bank"), **shop)
    assert other_source.status_code == 403
    assert "'/bank'" in other_source.json()["detail"]
    other_type = service.post(an_event("shop-3", type="order-payments.failed", customerid="c"), **shop)
    assert other_type.status_code == 403
    assert "'order-payments.failed'" in other_type.json()["detail"]
    mixed = service.post([an_event("shop-4"), an_event("shop-5", source="/bank")], BATCH, **shop)
    assert mixed.status_code == 403
    assert set(told(mixed)) == {"/1"}
    assert [s.id for s in service.signals() if s.id.startswith("shop-")] == ["shop-1"]


def test_wrong_paths_and_methods_are_problems_too(service):
    for answer, status in [
        (service.http.get("/v1/events"), 405),
        (service.http.get("/nothing"), 404),
        (service.http.post("/"), 405),
    ]:
        assert answer.status_code == status
        assert answer.headers["content-type"] == PROBLEM
        assert "/v1/events" in answer.json()["detail"]


def test_it_says_how_it_is_and_counts(service, an_event):
    service.post(an_event("counted"))
    assert service.http.get("/healthz").status_code == 200
    assert service.http.get("/readyz").json() == {"ready": True}
    page = service.http.get("/metrics").text
    for line in (
        'beforehand_ingest_accepted_total{via="http"}',
        'beforehand_ingest_duplicates_total{via="http"}',
        'beforehand_ingest_rejected_total{reason="not_json",via="http"}',
        "beforehand_ingest_publish_seconds_bucket",
        "beforehand_ingest_duplicate_window_seconds 86400.0",
    ):
        assert line in page


def test_no_customers_data_and_no_key_is_in_the_log(service, an_event):
    service.post(an_event(type="customer.updated", data={"email": "secret@example.com", "phone": 7}))
    service.post(an_event(), Authorization="Bearer wrong-secret")
    log = service.log.read_text()
    assert "secret" not in log
    assert "key-of-everything" not in log
