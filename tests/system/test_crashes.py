"""kill -9 of a service, or of the broker, in the middle of work: no message lost; one in flight may come twice, marked."""

from pathlib import Path

import pytest
from house import House, customers, event, wait_for

RULE = """
version: 1
rules:
  - id: {name}
    title: Twice in a row
    on: {name}.failed
    group_by: data.order
    event_count: {{gte: 2, within: 1h}}
    notify: [{{to: customer, template: notice, channels: [email]}}]
"""
PEOPLE = [f"p{number}" for number in range(40)]


@pytest.mark.parametrize("victim", ["rule_engine", "notifier", "kafka"])
def test_kill_9_loses_no_message_and_doubles_none_unmarked(
    house: House, name: str, tmp_path: Path, victim: str
) -> None:
    house.push(tmp_path / f"{name}.yaml", RULE.format(name=name))
    people = [f"{person}-{name}" for person in PEOPLE]
    house.publish(*customers(*people, domain=name))
    house.publish(*(event(f"{name}.failed", person, {"order": "o1"}) for person in people))
    seconds = [event(f"{name}.failed", person, {"order": "o1"}) for person in people]
    house.publish(*seconds[:20])
    wait_for(lambda: mails_to(house, name), bool)  # some are out, others on their way
    house.kill(victim)
    wait_for(lambda: published(house, seconds[20:]), bool)
    got = wait_for(
        lambda: mails_to(house, name),
        lambda mails: {m["to"] for m in mails} >= {f"{p}@{name}" for p in people},
    )
    seen: set[str] = set()
    for mail in got:
        assert mail["to"] not in seen or "X-Beforehand-Possibly-Twice" in mail["headers"], mail["headers"]
        seen.add(mail["to"])
    fired = [alert for alert in house.alerts(name) if alert["state"] == "firing"]
    assert sorted(alert["customer"] for alert in fired) == sorted(people)


def mails_to(house: House, domain: str) -> list[dict[str, object]]:
    return [mail for mail in house.mails() if mail["to"].endswith(f"@{domain}")]


def published(house: House, events: list[dict[str, object]]) -> bool:
    """Whether the gate took them; while the broker is away it answers 503, and a backend tries again."""
    try:
        house.publish(*events)
    except AssertionError:
        return False
    return True
