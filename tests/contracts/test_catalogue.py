"""The catalogue finds mistakes in known types, and lets unknown ones pass."""

import pytest

from contracts.catalogue import CATALOGUE, problems_of


def found(type_name, data, customer="c1"):
    return {each.field: each.problem for each in problems_of(type_name, customer, data)}


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_the_example_of_a_type_is_valid(kind):
    customer = None if kind.concerns == "nobody" else "c1"
    assert problems_of(kind.name, customer, kind.example) == []


def test_every_wrong_field_is_named_and_no_value_is_told():
    data = {
        "amount": -1,
        "currency": "euro",
        "order_id": "",
        "card": {"last4": "4242424242424242"},
        "reason": 7,
    }
    problems = found("payment.failed", data)
    assert set(problems) == {
        "/data/amount", "/data/currency", "/data/order_id", "/data/card/last4", "/data/reason",
    }  # fmt: skip
    assert not any("4242" in says or "euro" in says for says in problems.values())
    assert "at least 0" in problems["/data/amount"]


@pytest.mark.parametrize(
    ("type_name", "data", "field"),
    [
        ("order.placed", None, "/data/order_id"),
        ("order.placed", {}, "/data/order_id"),
        ("order.placed", [], "/data"),
        ("order.placed", {"order_id": "o", "promised_at": "2026-02-30T00:00:00Z"}, "/data/promised_at"),
        ("order.placed", {"order_id": "o", "promised_at": "2026-02-01T00:00:00"}, "/data/promised_at"),
        ("order.placed", {"order_id": "o", "promised_at": "tomorrow"}, "/data/promised_at"),
        ("order.placed", {"order_id": "o", "items": [{}, 7]}, "/data/items/1"),
        ("payment.failed", {"amount": 10**400}, "/data/amount"),
        ("payment.failed", {"amount": True}, "/data/amount"),
        ("service.request", {"service": "s", "status": 99, "ms": 1}, "/data/status"),
        ("usage.step", {"step": "s", "outcome": "stuck"}, "/data/outcome"),
        ("customer.updated", {"address": {"lines": "Main St 1"}}, "/data/address/lines"),
    ],
)
def test_a_mistake_is_found_where_it_is(type_name, data, field):
    assert set(found(type_name, data)) == {field}


def test_fields_that_nobody_knows_are_welcome():
    assert found("order.placed", {"order_id": "o", "gift": True}) == {}


def test_unknown_types_carry_anything_but_concern_a_customer():
    assert found("subscription.paused", {"anything": [1]}) == {}
    assert found("subscription.paused", None) == {}
    assert set(found("subscription.paused", None, customer=None)) == {"/customerid"}


def test_only_some_types_may_concern_nobody():
    assert found("service.request", {"service": "s", "status": 200, "ms": 1}, customer=None) == {}
    assert "customer" in found("order.delivered", {"order_id": "o"}, customer=None)["/customerid"]
