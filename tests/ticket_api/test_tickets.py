"""What a ticket may do, and which tickets an alert orders."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.alerts import NotifyEntry, RuleWords, TicketOrder, Transition
from ticket_api.tickets import NotAllowed, Ticket, closed, noted, opened, replied, tickets_of

NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ticket():
    return Ticket(
        id="t1", customer="c1", subject="Where is my order?", opened_at=NOON, changed_at=NOON, number=7
    )


def firing(**fields):
    order = NotifyEntry(index=1, ticket=TicketOrder("billing", "high"))
    given = {
        "alert": "37486c7d-5ac0-53fa-b145-971a5da0b0d8", "seq": 1, "rule": "payment-failed", "version": "v1", "state": "firing",
        "at": NOON, "fired_at": NOON, "key": "o1", "severity": "warning", "customer": "c1", "words": RuleWords("A payment failed"),
        "vars": {"amount": 59.9, "card": "4242", "nothing": None}, "evidence": ["e1", "e2"], "notify": (order,),
    } | fields  # fmt: skip
    return Transition(**given)


def test_a_ticket_goes_to_and_fro_between_desk_and_customer(ticket):
    ticket, entry = opened(ticket, "customer", "It has not come.")
    assert (ticket.state, entry.what, entry.seq) == ("open", "opened", 1)
    ticket, entry = replied(ticket, "agent", "Tomorrow.", LATER)
    assert (ticket.state, entry.what, entry.seq) == ("waiting", "replied", 2)
    ticket, entry = replied(ticket, "customer", "Thanks.", LATER)
    assert (ticket.state, entry.what, entry.seq) == ("open", "replied", 3)
    ticket, entry = closed(ticket, "agent", LATER)
    assert (ticket.state, entry.what, entry.seq, ticket.changed_at) == ("closed", "closed", 4, LATER)


def test_only_the_customers_reply_opens_a_closed_ticket_again(ticket):
    done, _ = closed(ticket, "agent", LATER)
    with pytest.raises(NotAllowed, match="a reply of the customer opens it again"):
        replied(done, "agent", "One more thing.", LATER)
    with pytest.raises(NotAllowed, match="ticket 7 is closed already"):
        closed(done, "agent", LATER)
    again, entry = replied(done, "customer", "It broke again.", LATER)
    assert (again.state, entry.what, entry.text) == ("open", "reopened", "It broke again.")


def test_a_note_leaves_the_state_and_a_slow_clock_never_turns_time_back(ticket):
    waiting, _ = replied(ticket, "agent", "Tomorrow.", LATER)
    after, entry = noted(waiting, "The alert resolved.", NOON)
    assert (after.state, entry.what, entry.by, entry.at) == ("waiting", "noted", "alert", LATER)


def test_an_alert_orders_a_ticket_with_its_evidence_and_always_the_same():
    [(ticket, entry)] = tickets_of(firing(), LATER)
    assert (ticket.subject, ticket.queue, ticket.priority, ticket.channel) == (
        "A payment failed",
        "billing",
        "high",
        "alert",
    )
    assert (ticket.customer, ticket.alert, ticket.opened_at, entry.by) == (
        "c1",
        firing().alert,
        LATER,
        "alert",
    )
    assert entry.text.splitlines() == [
        "Rule: payment-failed (warning)", "Fired: 2026-01-10T12:00:00Z", "Concerns: o1", "amount: 59.9", "card: 4242",
        "Evidence: e1, e2",
    ]  # fmt: skip
    assert tickets_of(firing(), LATER + timedelta(hours=1))[0][0].id == ticket.id
    assert tickets_of(firing(seq=2, state="due"), LATER)[0][0].id != ticket.id


@pytest.mark.parametrize(
    "fields",
    [
        {"words": RuleWords("A payment failed", mode="shadow")},
        {"state": "resolved"},
        {"customer": None},
        {"at": NOON - timedelta(days=4)},
        {"notify": (NotifyEntry(index=0, template="payment-failed", channels=("email",)),)},
    ],
    ids=["shadow", "resolved", "concerns nobody", "expired", "no ticket entry"],
)
def test_no_ticket_comes_of_it(fields):
    assert tickets_of(firing(**fields), LATER) == []


def test_two_entries_order_two_tickets():
    orders = tuple(
        NotifyEntry(index=index, ticket=TicketOrder(queue))
        for index, queue in enumerate(("billing", "fraud"))
    )
    made = tickets_of(firing(notify=orders), NOON)
    assert [ticket.queue for ticket, _ in made] == ["billing", "fraud"]
    assert made[0][0].id != made[1][0].id
    assert replace(made[0][0], id="", queue="") == replace(made[1][0], id="", queue="")
