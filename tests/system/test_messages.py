"""An event becomes a message; what is wrong is told or put aside, and the next good event gets its message."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import House, customers, event, wait_for

RULE = """
version: 1
rules:
  - id: {name}
    title: Something went wrong
    on: {name}.failed
    group_by: data.order
    match: {{}}
    vars: {{order: data.order}}
    notify: [{{to: customer, template: {template}, channels: [email]}}]
"""


@pytest.fixture
def rule(house: House, name: str, tmp_path: Path) -> str:
    """A pushed rule that mails the customer at each event of the type `<rule>.failed`."""
    house.push(tmp_path / f"{name}.yaml", RULE.format(name=name, template="notice"))
    return name


def addresses(house: House, domain: str) -> list[str]:
    return sorted(mail["to"] for mail in house.mails() if mail["to"].endswith(domain))


def next_good_one_arrives(house: House, rule: str, customer: str) -> None:
    house.publish(*customers(customer, domain=rule), event(f"{rule}.failed", customer, {"order": "good"}))
    wait_for(lambda: house.mails(f"{customer}@{rule}"), bool)


def test_an_event_over_http_becomes_a_mail_by_a_rule_of_ones_own(house: House, rule: str) -> None:
    house.publish(*customers("ada", domain=rule), event(f"{rule}.failed", "ada", {"order": "o-17"}))
    mail = wait_for(lambda: house.mails(f"ada@{rule}"), bool)[0]
    assert mail["subject"]
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"
    sent = wait_for(lambda: [fate for fate in house.fates("ada") if fate["fate"] == "sent"], bool)
    assert sent[0]["rule"] == rule


def test_an_event_that_a_backend_writes_to_kafka_becomes_a_mail(house: House, rule: str) -> None:
    house.publish(*customers("kim", domain=rule))
    house.write("events", b"", json.dumps(event(f"{rule}.failed", "kim", {"order": "o-1"})).encode())
    wait_for(lambda: house.mails(f"kim@{rule}"), bool)


def test_the_same_order_of_two_customers_and_two_orders_of_one_in_one_second_each_get_a_mail(
    house: House, rule: str
) -> None:
    now = datetime.now(UTC).isoformat()
    house.publish(
        *customers("a", "b", domain=rule),
        event(f"{rule}.failed", "a", {"order": "o1"}, time=now),
        event(f"{rule}.failed", "b", {"order": "o1"}, time=now),
        event(f"{rule}.failed", "a", {"order": "o2"}, time=now),
    )
    wait_for(lambda: addresses(house, rule), lambda found: found == [f"a@{rule}", f"a@{rule}", f"b@{rule}"])


def test_an_event_a_second_older_than_the_one_before_it_is_not_lost(house: House, rule: str) -> None:
    now = datetime.now(UTC)
    people = [f"p{number}" for number in range(12)]  # so that some share a partition
    late = (now - timedelta(seconds=1)).isoformat()
    house.publish(
        *customers("first", *people, domain=rule),
        event(f"{rule}.failed", "first", {"order": "o1"}, time=now.isoformat()),
        *(event(f"{rule}.failed", person, {"order": "o1"}, time=late) for person in people),
    )
    wait_for(lambda: addresses(house, rule), lambda found: len(found) == 13)


def test_a_repeated_event_is_accepted_and_told_once(house: House, rule: str) -> None:
    failed = event(f"{rule}.failed", "rae", {"order": "o1"})
    house.publish(*customers("rae", domain=rule), failed, failed)
    house.publish(failed)
    next_good_one_arrives(house, rule, "rae2")
    assert addresses(house, rule) == [f"rae2@{rule}", f"rae@{rule}"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"not json", 400, "JSON"),
        (b'{"pad": "' + b"x" * 2_000_000 + b'"}', 413, "bytes"),
        (b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "order.placed", "data": {}}', 422, "/customerid"),
        (b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "order.placed", "customerid": "c", "data": {}}', 422, "/data/order_id"),
        (b'{"specversion": "0.3", "source": "/s", "type": "x", "customerid": "c"}', 422, "/specversion"),
    ],
    ids=["not JSON", "2 MB", "no customer", "no order", "no id, old version"],
)  # fmt: skip
def test_a_bad_event_gets_a_clear_answer_and_the_next_good_one_its_mail(
    house: House, rule: str, body: bytes, status: int, says: str
) -> None:
    answer = house.post(body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert says in answer.text
    next_good_one_arrives(house, rule, "next")


def test_a_rule_with_an_unknown_key_is_refused_with_its_place(
    house: House, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(RULE.format(name=name, template="notice").replace("group_by", "gruop_by"))
    done = house.command("rules", "push", str(path))
    assert done.returncode in (1, 2)
    assert "wrong.yaml:7:5" in done.stdout + done.stderr
    assert "did you mean 'group_by'" in done.stdout + done.stderr


def test_poison_on_events_and_signals_goes_to_dead_letters_with_its_reason(house: House, rule: str) -> None:
    poison = f"poison {rule}".encode()
    for topic in ("events", "signals", "alerts", "customers"):
        house.write(topic, b"somebody", poison)
        dead = wait_for(
            lambda topic=topic: [r for r in house.records(f"{topic}.dead") if r.value == poison], bool
        )  # fmt: skip
        assert dict(dead[0].headers)["reason"]
    assert "signals" in house.command("dead", "list").stdout
    next_good_one_arrives(house, rule, "after-poison")


def test_a_template_that_fails_is_a_fate_with_its_reason_and_the_next_rule_goes_on(
    house: House, rule: str, name: str, tmp_path: Path
) -> None:
    broken = f"{name}x"
    house.push(tmp_path / f"{broken}.yaml", RULE.format(name=broken, template="no-such-template"))
    house.publish(*customers("tom", domain=rule), event(f"{broken}.failed", "tom", {"order": "o1"}))
    failed = wait_for(lambda: [fate for fate in house.fates("tom") if fate["fate"] == "failed"], bool)
    assert "no-such-template" in failed[0]["reason"]
    next_good_one_arrives(house, rule, "after-template")


def test_a_mail_server_that_is_down_delays_a_mail_and_loses_none(house: House, rule: str) -> None:
    house.inbox_behaves("down")
    try:
        house.publish(*customers("dora", domain=rule), event(f"{rule}.failed", "dora", {"order": "o1"}))
        alerts = wait_for(lambda: house.alerts(rule), bool)
        assert alerts[0]["customer"] == "dora"
        assert house.mails(f"dora@{rule}") == []
    finally:
        house.inbox_behaves("accept")
    assert len(wait_for(lambda: house.mails(f"dora@{rule}"), bool)) == 1


def test_nothing_goes_out_while_paused_and_all_of_it_after(house: House, rule: str) -> None:
    assert house.command("pause", "--rule", rule, "--why", "a test").returncode == 0
    house.publish(*customers("pia", domain=rule), event(f"{rule}.failed", "pia", {"order": "o1"}))
    wait_for(lambda: [fate["fate"] for fate in house.fates("pia")], lambda fates: "held" in fates)
    assert house.mails(f"pia@{rule}") == []
    assert house.command("resume", "--rule", rule).returncode == 0
    wait_for(lambda: house.mails(f"pia@{rule}"), bool)
