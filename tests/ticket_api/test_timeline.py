"""What comes from the topics, and what is told on them, on each kind of database."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from contracts import topics
from contracts.alerts import NotifyEntry, RuleWords, TicketOrder
from contracts.dead import DeadLetter

NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def now():
    return datetime.now(UTC).replace(microsecond=0)


def test_a_timeline_shows_all_kinds_newest_first_each_alert_with_its_messages(
    house, desk, customer, alert_id
):
    house.signal(customer, "order.placed", {"order_id": "o1"}, at=NOON - 3 * MINUTE, id_=f"e-{customer}")
    house.signal(customer, "service.request", {"service": "shop", "status": 500, "ms": 1}, at=NOON)
    house.message(
        customer, "sent", at=NOON + MINUTE, alert=alert_id, message=f"m-{customer}", summary="It is late"
    )
    house.message(
        customer,
        "failed",
        at=NOON + 2 * MINUTE,
        message=f"n-{customer}",
        channel="sms",
        reason="no such number",
    )
    found = {
        "alert": alert_id,
        "customer": customer,
        "evidence": [f"e-{customer}", "gone"],
        "vars": {"days": 2},
        "value": 7,
    }
    house.transition(**found)
    house.transition(**found, seq=2, state="due", at=NOON + MINUTE)
    house.message(customer, "delivered", at=NOON + 3 * MINUTE, alert=alert_id, message=f"m-{customer}")

    def all_there():
        items = {item["kind"]: item for item in desk.timeline(customer)["items"]}
        told = items.get("alert", {"messages": [], "steps": []})
        return (
            len(items) == 3
            and len(told["steps"]) == 2
            and sum(len(one["fates"]) for one in told["messages"]) == 2
        )

    desk.until(all_there)
    message, alert, signal = desk.items(customer, 3)
    assert (signal["kind"], signal["says"], signal["data"]) == ("signal", "Order placed", {"order_id": "o1"})
    assert (message["kind"], message["fate"], message["reason"]) == ("message", "failed", "no such number")
    assert (alert["title"], alert["firing"], alert["state"], alert["value"]) == ("Order late", True, "due", 7)
    assert [(one["id"], one["says"]) for one in alert["evidence"]] == [
        (f"e-{customer}", "Order placed"),
        ("gone", None),
    ]
    assert [(one["fate"], one["summary"]) for one in alert["messages"]] == [("delivered", "It is late")]
    assert desk.timeline(customer)["firing"] == 1

    house.transition(**found | {"value": None}, seq=3, state="resolved", at=NOON + 9 * MINUTE, how="event")
    [over] = desk.until(
        lambda: [one for one in desk.items(customer, 1, "alert") if one["state"] == "resolved"]
    )
    assert (over["firing"], over["value"], over["vars"], over["steps"][-1]["how"]) == (
        False,
        7,
        {"days": 2},
        "event",
    )


def test_pages_of_a_timeline_leave_nothing_out_and_repeat_nothing(house, desk, customer):
    for number in range(5):
        house.signal(customer, "order.placed", {"order_id": str(number)}, id_=f"{customer}-{number}")
        house.message(customer, "sent", message=f"{customer}-m{number}")
    desk.items(customer, 10)
    seen, cursor = [], None
    while True:
        page = desk.timeline(customer, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(
        [f"{customer}-{n}" for n in range(5)] + [f"{customer}-m{n}" for n in range(5)]
    )


def test_a_customer_of_any_name_and_one_nobody_knows(house, desk):
    house.signal("acme/42 ü?#", "order.placed", {"order_id": "o1"})
    desk.until(lambda: desk.api.get("/v1/customers/acme%2F42%20%C3%BC%3F%23/timeline").json()["items"])
    assert desk.timeline("nobody") == {
        "customer": {"id": "nobody", "profile": None},
        "firing": 0,
        "items": [],
        "next": None,
    }


def test_an_alert_opens_one_ticket_and_says_on_it_when_it_is_over(house, desk, customer, alert_id):
    at = now()
    order = NotifyEntry(index=1, ticket=TicketOrder("logistics", "high"))
    found = {"alert": alert_id, "customer": customer, "fired_at": at, "evidence": ["e1"]}
    house.transition(**found, at=at, notify=(order,))
    house.transition(**found, at=at, notify=(order,))  # as a reader sees it again
    house.transition(**found, at=at, seq=2, state="resolved", how="condition")
    [item] = desk.items(customer, 1, "ticket")
    ticket = item["ticket"]
    assert (ticket["subject"], ticket["queue"], ticket["priority"], ticket["alert"]) == (
        "Order late",
        "logistics",
        "high",
        alert_id,
    )
    ticket = desk.until(
        lambda: len((t := desk.api.get(f"/v1/tickets/{ticket['id']}").json())["history"]) == 2 and t
    )
    assert (ticket["state"], ticket["history"][0]["by"], ticket["history"][1]["what"]) == (
        "open",
        "alert",
        "noted",
    )
    assert ticket["history"][1]["text"].startswith("The alert resolved at ")
    [alert] = desk.items(customer, 1, "alert")
    assert [link["number"] for link in alert["tickets"]] == [ticket["number"]]
    [told] = house.events(topics.TICKETS, 1, customer)
    assert (told.type, told.data["by"], told.data["alert"]) == ("ticket.opened", "alert", alert_id)


def test_a_reply_that_went_out_stands_with_its_ticket(house, desk, customer):
    ticket = desk.open(customer)
    house.message(customer, "sent", at=now(), ticket=ticket["id"], summary="Re: Where is my order?")
    [item] = desk.until(lambda: [item for item in desk.items(customer, 1) if item["messages"]])
    assert (item["kind"], item["messages"][0]["summary"]) == ("ticket", "Re: Where is my order?")


def test_a_shadow_alert_is_shown_and_opens_no_ticket(house, desk, customer, alert_id):
    order = NotifyEntry(index=0, ticket=TicketOrder("logistics"))
    at = now()
    house.transition(
        alert=alert_id,
        customer=customer,
        at=at,
        words=RuleWords("Order late", mode="shadow"),
        notify=(order,),
    )
    [alert] = desk.items(customer, 1)
    assert (alert["mode"], alert["tickets"]) == ("shadow", [])


def test_what_happens_to_tickets_is_told_in_order_whole_and_as_facts(house, desk, customer):
    ticket = desk.open(customer, text="My secret words.", topic="delivery")
    at = f"/v1/tickets/{ticket['id']}"
    desk.api.post(f"{at}/replies", json={"by": "agent", "text": "Tomorrow."})
    desk.api.post(f"{at}/close", json={"text": "Done."})  # a last reply, and then the end
    desk.api.post(
        f"{at}/replies",
        json={"by": "customer", "text": "Not done."},
        headers={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"},
    )
    types = ["ticket.opened", "ticket.replied", "ticket.replied", "ticket.closed", "ticket.reopened"]
    told = house.events(topics.TICKETS, 5, customer)
    facts = house.events(topics.EVENTS, 5, customer)
    assert [event.type for event in told] == [event.type for event in facts] == types
    assert (
        [event.id for event in told]
        == [event.id for event in facts]
        == [f"{ticket['id']}/{n}" for n in (1, 2, 3, 4, 5)]
    )
    assert [(event.data["state"], event.data["by"], event.data.get("text")) for event in told] == [
        ("open", "customer", "My secret words."), ("waiting", "agent", "Tomorrow."), ("waiting", "agent", "Done."),
        ("closed", "agent", None), ("open", "customer", "Not done."),
    ]  # fmt: skip
    assert {event.source for event in facts} == {"/beforehand/ticket_api"}
    assert facts[0].data == {
        "ticket": ticket["id"],
        "queue": "support",
        "priority": "normal",
        "channel": "portal",
        "topic": "delivery",
        "alert": None,
        "by": "customer",
    }
    assert [fact.data["by"] for fact in facts] == ["customer", "agent", "agent", "agent", "customer"]
    assert facts[4].extensions["traceparent"].startswith("00-aaaa")
    assert not any("words" in str(event.data) for event in facts)


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (topics.SIGNALS, b"no JSON", "is not JSON"),
        (topics.SIGNALS, None, "has a value"),
        (topics.ALERTS, b'{"specversion":"1.0","id":"1","source":"/x","type":"alert.firing","time":"2026-01-10T12:00:00Z","data":{"alert":7}}', "$.alert"),
        (topics.CUSTOMERS, b'{"specversion":"1.0","id":"1","source":"/x","type":"customer.updated","time":"2026-01-10T12:00:00Z","customerid":"other","data":{}}', "the same customer's"),
    ],
    ids=["no JSON", "null", "wrong field", "another's key"],
)  # fmt: skip
def test_a_poison_record_goes_to_the_dead_letters_and_the_stream_goes_on(
    house, desk, customer, topic, value, reason
):
    house.put(topic, customer, value)
    house.signal(customer, "order.placed", {"order_id": "after"})
    house.profile(customer, name="Ada")
    desk.items(customer, 1)
    desk.until(lambda: desk.timeline(customer)["customer"]["profile"])
    # each kind of database has its own service, and each rejects it
    [record, *_] = house.read(f"{topic.name}.dead", 1, customer)
    letter = DeadLetter.from_headers(record.headers)
    assert (record.value, letter.topic, letter.rejected_by) == (value, topic.name, "ticket_api")
    assert reason in letter.reason


def test_a_record_that_no_row_can_hold_is_poison_and_those_beside_it_are_not(house, desk, customer, alert_id):
    good, huge = str(uuid.uuid4()), 2**70
    house.transition(alert=good, customer=customer)
    house.transition(alert=alert_id, customer=customer, seq=huge)
    house.signal(customer, "order.placed", {"order_id": "o1"})
    assert [item["id"] for item in desk.items(customer, 1, "alert")] == [good]
    [record, *_] = house.read("alerts.dead", 1, customer)
    assert DeadLetter.from_headers(record.headers).reason.startswith("it can't be stored: ")


def test_an_erased_customer_is_forgotten_whatever_comes_late(house, desk, customer, alert_id):
    house.profile(customer, name="Ada", email="ada@example.com")
    house.signal(customer, "order.placed", {"order_id": "o1"})
    house.transition(alert=alert_id, customer=customer)
    ticket = desk.open(customer)
    desk.items(customer, 3)
    house.erase(customer)
    desk.until(lambda: not desk.timeline(customer)["items"])
    assert desk.timeline(customer)["customer"]["profile"] is None
    assert desk.api.get(f"/v1/tickets/{ticket['id']}").status_code == 404
    house.message(
        customer, "suppressed", alert=alert_id, reason="the customer was erased", summary="Dear Ada"
    )
    house.signal(customer, "order.placed", {"order_id": "o2"})
    house.signal(other := f"other-{customer}", "order.placed", {"order_id": "o3"})
    house.message(other, "sent")
    desk.items(other, 2)
    desk.until(lambda: desk.api.get("/readyz").json()["behind"] == 0)
    assert desk.timeline(customer)["items"] == []
    house.profile(customer, name="Ada again")
    desk.until(lambda: desk.timeline(customer)["customer"]["profile"])
    house.signal(customer, "order.placed", {"order_id": "o4"})
    assert [item["data"] for item in desk.items(customer, 1)] == [{"order_id": "o4"}]
    assert desk.open(customer)["number"] > ticket["number"]
