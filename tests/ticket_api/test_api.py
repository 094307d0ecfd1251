"""Tickets over HTTP, on each kind of database."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def test_a_ticket_from_its_opening_to_its_end(desk, customer):
    ticket = desk.open(customer, queue="billing", topic="refund")
    at = f"/v1/tickets/{ticket['number']}"
    assert (
        desk.api.post(f"{at}/replies", json={"by": "agent", "text": "Tomorrow."}).json()["state"] == "waiting"
    )
    assert desk.api.post(f"{at}/close", json={}).json()["state"] == "closed"
    refused = desk.api.post(f"{at}/replies", json={"by": "agent", "text": "And another thing."})
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith("a reply of the customer opens it again, or open a new ticket")
    assert (
        desk.api.post(f"{at}/replies", json={"by": "customer", "text": "It broke."}).json()["state"] == "open"
    )
    read = desk.api.get(f"/v1/tickets/{ticket['id']}").json()
    assert [(entry["by"], entry["what"], entry["text"]) for entry in read["history"]] == [
        ("customer", "opened", "It has not come."),
        ("agent", "replied", "Tomorrow."),
        ("agent", "closed", None),
        ("customer", "reopened", "It broke."),
    ]
    assert desk.api.get("/v1/tickets/no-such").json()["type"] == "urn:beforehand:problem:no-such-ticket"


def test_lists_are_filtered_and_go_on_page_by_page(desk, customer):
    numbers = [desk.open(customer, queue=f"q-{customer}" if n % 2 else "support")["number"] for n in range(5)]
    desk.api.post(f"/v1/tickets/{numbers[3]}/close", json={})

    def listed(**query):
        found, cursor = [], None
        while True:
            page = desk.api.get(
                "/v1/tickets", params=query | {"limit": 2} | ({"cursor": cursor} if cursor else {})
            ).json()
            found += [ticket["number"] for ticket in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    assert listed(customer=customer) == numbers[::-1]
    assert listed(queue=f"q-{customer}") == [numbers[3], numbers[1]]
    assert listed(customer=customer, state="closed") == [numbers[3]]


def test_every_wrong_field_is_named_and_no_value_comes_back(desk, customer):
    body = {
        "customer": "",
        "subject": "s" * 201,
        "by": "nobody",
        "colour": "red",
        "text": "secret\u0000words",
    }
    answer = desk.api.post("/v1/tickets", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert {wrong["pointer"]: wrong["detail"] for wrong in answer.json()["errors"]} == {
        "/customer": "must not be empty",
        "/subject": "must have at most 200 characters",
        "/by": "must be one of 'customer' or 'agent'",
        "/colour": "is not known here",
        "/text": "must not contain NUL",
    }
    assert "secret" not in answer.text
    assert desk.api.get("/v1/tickets?limit=0&state=lost").json()["errors"] == [
        {"parameter": "state", "detail": "must be one of 'open', 'waiting' or 'closed'"},
        {"parameter": "limit", "detail": "must be greater than or equal to 1"},
    ]
    for path in ("/v1/tickets?cursor=zzz", f"/v1/customers/{customer}/timeline?cursor=zzz"):
        assert desk.api.get(path).json()["errors"] == [
            {"parameter": "cursor", "detail": "is none that a page gave"}
        ]


@pytest.mark.parametrize(
    ("content", "status", "name"),
    [(b"{", 422, "invalid-request"), (b"[1]", 422, "invalid-request"), (b"x" * 200_001, 413, "too-long")],
)
def test_a_body_that_is_none_is_refused(desk, content, status, name):
    answer = desk.api.post("/v1/tickets", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:beforehand:problem:{name}")


def test_nobody_reads_without_the_key(desk, customer):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ü".encode()}):
        for path in ("/v1/tickets", f"/v1/customers/{customer}/timeline"):
            answer = httpx.get(desk.url + path, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_repeated_request_is_done_once_even_at_the_same_time(desk, customer):
    def ask(body):
        return desk.api.post("/v1/tickets", json=body, headers={"Idempotency-Key": f"key-{customer}"})

    body = {"customer": customer, "subject": "Help", "text": "Please."}
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(ask, [body] * 4))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "no") for answer in answers) == [
        "no",
        "true",
        "true",
        "true",
    ]
    assert len(desk.api.get("/v1/tickets", params={"customer": customer}).json()["items"]) == 1
    other = ask(body | {"text": "Something else."})
    assert (other.status_code, other.json()["type"]) == (422, "urn:beforehand:problem:idempotency-key-reused")


def test_what_is_described_is_what_is_there(desk):
    described = desk.api.get("/openapi.json").json()
    assert sorted(described["paths"]) == [
        "/v1/customers/{customer}/timeline", "/v1/tickets", "/v1/tickets/{ticket}", "/v1/tickets/{ticket}/close",
        "/v1/tickets/{ticket}/replies",
    ]  # fmt: skip
    for name in ("OpenTicket", "Reply", "Close"):
        assert described["components"]["schemas"][name]["examples"]
    example = described["components"]["schemas"]["OpenTicket"]["examples"][0]
    assert desk.api.post("/v1/tickets", json=example).status_code == 201
    errors = described["paths"]["/v1/tickets"]["post"]["responses"]
    assert {status for status in errors if "application/problem+json" in errors[status]["content"]} == {
        "401",
        "422",
    }


def test_what_watches_over_it_is_told(desk):
    assert desk.api.get("/healthz").json() == {"status": "alive"}
    assert desk.api.get("/readyz").json() == {
        "ready": True,
        "database": True,
        "kafka": True,
        "caught_up": True,
        "behind": 0,
    }
    told = desk.api.get("/metrics").text
    assert 'beforehand_ticket_api_behind{partition="0",topic="alerts"} 0.0' in told
    assert 'beforehand_ticket_api_request_seconds_count{route="/readyz",status="200"}' in told
