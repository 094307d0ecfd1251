"""What the page says of values, times and fates; and whose form and cookie it believes."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.records import Message
from ticket_api.session import LASTS, Sessions, from_own_page
from ticket_api.story import AlertItem, SignalItem, StepShown, message_item
from ticket_api.words import alert_facts, by_day, clock_of, course, facts, fate

NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
BERLIN = clock_of({"time_zone": "Europe/Berlin"}, NOON)


def test_fields_are_read_as_people_write_them():
    data = {
        "order_id": "o1", "amount": 1259.9, "currency": "EUR", "promised_at": "2026-01-09T18:00:00Z", "reason": None,
        "card": {"brand": "visa", "last4": "4242"}, "items": [], "vip": True, "count": 3, "share": 0.0512345,
    }  # fmt: skip
    assert facts(data, BERLIN) == [
        ("order", "o1"), ("amount", "1,259.90 EUR"), ("promised", "9 Jan, 19:00"), ("card", "brand visa, last4 4242"),
        ("vip", "yes"), ("count", "3"), ("share", "0.05123"),
    ]  # fmt: skip
    assert facts("no object", BERLIN) == []


def test_days_are_the_customers_own():
    items = [
        SignalItem(at=NOON - timedelta(hours=h), source="/s", id=str(h), type="x", says="X", data={})
        for h in (0, 12, 14)
    ]
    days = [(day, [item.id for item in found]) for day, found in by_day(items, BERLIN)]
    assert days == [("Today, Saturday 10 January", ["0", "12"]), ("Yesterday, Friday 9 January", ["14"])]


@pytest.mark.parametrize(
    "profile", [None, {}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc/passwd"}, {"time_zone": 7}]
)
def test_an_unknown_zone_is_utc(profile):
    assert clock_of(profile, NOON).zone_name == "UTC"


def told(*fates, **fields):
    records = [Message(message="m1", fate=one, at=NOON, channel="email", recipient="c1") for one in fates]
    return message_item(
        [
            *records[:-1],
            Message(message="m1", fate=fates[-1], at=NOON, channel="email", recipient="c1", **fields),
        ]
    )


def test_a_late_receipt_takes_nothing_back_and_a_new_try_does():
    assert told("queued", "delivered", "sent").fate == "delivered"
    assert told("sent", "failed", reason="mailbox full").reason == "mailbox full"
    assert told("failed", "sent").fate == "sent"
    assert fate(told("sent", possibly_twice=True)) == "sent, possibly twice"


def test_an_alerts_steps_stand_before_the_messages_that_tell_of_them():
    alert = AlertItem(
        at=NOON, id="a1", rule="order-late", title="Order late", state="resolved", firing=False, severity="info", mode="live", key="o1",
        value=2, vars={"order_id": "o1"}, description=None, owner=None, runbook=None, evidence=[], tickets=[],
        steps=[StepShown(seq=seq, state=state, at=NOON, how=None, value=None) for seq, state in ((1, "firing"), (2, "resolved"))],
        messages=[told("sent", seq=2), told("sent", seq=1), told("sent"), told("delivered", seq=1)],
    )  # fmt: skip
    assert [(step and step.state, [one.seq for one in messages]) for step, messages in course(alert)] == [
        ("firing", [1, 1]), ("resolved", [2]), (None, [None]),
    ]  # fmt: skip
    assert alert_facts(alert, "c1", BERLIN) == [("value", "2"), ("order", "o1")]
    assert alert_facts(alert.model_copy(update={"vars": {}}), "c1", BERLIN) == [
        ("concerns", "o1"),
        ("value", "2"),
    ]


def test_a_session_ends_in_time_and_with_its_key():
    sessions = Sessions("the-desk-key-of-these-tests")
    cookie = sessions.begin(NOON)
    assert sessions.opens("the-desk-key-of-these-tests\n")
    assert not sessions.opens("another key")
    assert sessions.holds(cookie, NOON + LASTS - timedelta(seconds=1))
    assert not sessions.holds(cookie, NOON + LASTS)
    assert not Sessions("another-desk-key-of-tests").holds(cookie, NOON)
    later = cookie.replace(cookie.split(".")[0], str(int(cookie.split(".")[0]) + 9999))
    assert not any(sessions.holds(forged, NOON) for forged in (None, "", ".", "x.y", later, cookie + "0"))


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8404", "host": "127.0.0.1:8404"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "http://127.0.0.1:8404", "host": "127.0.0.1:8404"}, True),
        ({"origin": "http://127.0.0.1:8405", "host": "127.0.0.1:8404"}, False),
        ({"origin": "null", "host": "127.0.0.1:8404"}, False),
        ({"host": "127.0.0.1:8404"}, False),
    ],
)
def test_a_form_counts_only_from_a_page_of_this_port(headers, own):
    assert from_own_page(headers) is own
