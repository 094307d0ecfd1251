"""`beforehand rules explain`, and `why` of a topic, against a real broker."""

from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaProducer

from contracts import alerts
from contracts.envelope import encode, event
from contracts.records import Message, RuleFile, TicketRecord, text_version
from contracts.topics import ALERTS, ENGINE_STATUS, MESSAGES, RULES, SIGNALS, TICKETS
from rule_engine.replay import Bytes, Replay
from rule_engine.rules.load import load_text

TEXT = """rules:
  - id: big-failure
    title: A payment failed
    on: payment.failed
    where: data.amount > 100 && customer.plan == "pro"
    group_by: data.order_id
    match: {}
    resolve_on: payment.succeeded
    vars: {amount: data.amount, card: data.card}
    notify:
      - {to: customer, template: payment-failed, channels: [email]}
"""
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def signal(number, type, data, minutes):
    at = NOW + timedelta(minutes=minutes)
    return event(id=f"e{number}", source="/shop", type=type, time=at, data=data, customerid="c1")


EVENTS = [
    signal(1, "customer.updated", {"plan": "pro"}, -9),
    signal(2, "payment.failed", {"amount": 150, "order_id": "o1"}, 0),
    signal(3, "payment.failed", {"amount": 20, "order_id": "o2"}, 1),
    signal(4, "payment.succeeded", {"order_id": "o1"}, 5),
]


@pytest.fixture
def house(new_topics, monkeypatch):
    topics = new_topics(RULES, ENGINE_STATUS, SIGNALS, ALERTS, MESSAGES, TICKETS)
    monkeypatch.setenv("BEFOREHAND_TOPIC_PREFIX", topics.prefix)
    monkeypatch.setenv("BEFOREHAND_KAFKA", topics.bootstrap)
    producer = KafkaProducer(bootstrap_servers=topics.bootstrap, acks="all")

    def send(topic, key, record):
        producer.send(topics.name(topic), key=key.encode(), value=encode(record)).get(timeout=10)

    yield send
    producer.close()


def push(send, text):
    file = RuleFile("shop.yaml", text, text_version(text), NOW, "ann")
    send(RULES, "shop.yaml", event(id="1", source="/rules", type="rules.pushed", time=NOW, data=file))


def transitions():
    replay = Replay({"shop.yaml": load_text(TEXT, "shop.yaml")})
    replay.feed([Bytes(encode(each)) for each in EVENTS])
    return replay.transitions


@pytest.fixture
def alert(house):
    """One alert's id, with all that topics hold of it."""
    push(house, TEXT)
    for each in EVENTS:
        house(SIGNALS, "c1", each)
    happened = transitions()
    for each in happened:
        house(ALERTS, "c1", alerts.to_event(each))
    fired = happened[0]
    for minutes, fate, reason in ((0, "queued", None), (1, "failed", "550 no such mailbox")):
        at = NOW + timedelta(minutes=minutes)
        message = Message(
            "m1", fate, at, "email", "c1", customer="c1", alert=fired.alert, template="payment-failed", locale="de",
            summary="Ihre Zahlung", reason=reason,
        )  # fmt: skip
        house(
            MESSAGES,
            "c1",
            event(
                id=fate, source="/notifier", type=f"message.{fate}", time=at, data=message, customerid="c1"
            ),
        )
    ticket = TicketRecord(
        "t1", 1041, "A payment failed", "open", NOW, "alert", queue="billing", alert=fired.alert
    )
    house(
        TICKETS,
        "c1",
        event(id="t1", source="/tickets", type="ticket.opened", time=NOW, data=ticket, customerid="c1"),
    )
    return fired.alert


def test_it_tells_the_version_the_evidence_the_values_and_each_messages_fate(house, alert, run):
    result = run("explain", alert)
    assert result.exit_code == 0
    told = result.stdout
    version = load_text(TEXT, "shop.yaml").rules[0].version
    assert told.startswith(
        f"alert {alert}\n  A payment failed\n  rule      big-failure, version {version}\n  customer  c1\n  key       o1\n"
    )
    assert "  amount    150\n  card      null\n" in told
    at = NOW.isoformat().replace("+00:00", "Z")
    assert f"  {at}  firing    by the event e2 of /shop; due: email\n" in told
    assert "  resolved  by the event e4 of /shop; due: email\n" in told
    assert 'customer.plan == "pro"                     true\n' in told
    assert (
        "data.amount > 100                          true\n          data.amount                              150\n"
        in told
    )
    assert "    vars: card:\n      data.card  error: no such key: card\n" in told
    assert "  email to c1 (payment-failed, de): failed, 550 no such mailbox\n    “Ihre Zahlung”\n" in told
    assert f"    {at}  queued\n" in told
    assert "  #1041 in billing: open, “A payment failed”" in told

    push(house, TEXT.replace("data.amount > 100", "data.amount > 99"))
    told = run("explain", alert).stdout
    assert f"rule      big-failure, version {version}; it has changed since, to version " in told
    assert "the values are those of the rule as it is now" in told


def test_an_alert_that_is_not_there_is_told(house, run):
    result = run("explain", "37486c7d-5ac0-53fa-b145-971a5da0b0d8")
    assert "no transition of an alert '37486c7d-5ac0-53fa-b145-971a5da0b0d8' is on" in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_why_reads_the_topic_and_the_rules_that_were_pushed(house, alert, run):
    result = run("why", "big-failure", "--customer", "c1", "--since", "1d")
    assert "4 events of c1, 3 of a type that the rule names" in result.stdout
    assert f"it fired once; `beforehand rules explain {alert}`" in result.stdout
    assert run("why", "big-failure", "--customer", "c1", "--since", "2099-01-01T00:00:00Z").stdout.endswith(
        "it did not fire: the customer has no event in this time\n"
    )
    assert (
        "did you mean 'big-failure'" in run("why", "big-failur", "--customer", "c1", "--since", "1d").stderr
    )
