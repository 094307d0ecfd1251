"""What a worker does with rules and signals, on a real broker."""

import signal
from datetime import UTC, datetime

RULES = """
version: 1
rules:
  - id: payment-failed
    title: A payment failed
    on: payment.failed
    match: {}
"""


def test_a_signal_becomes_an_alert_and_sigterm_ends_the_worker_in_time(house, eventually):
    house.push("rules.yaml", RULES)
    worker = house.worker().wait_ready()
    house.send(("c1", "payment.failed", {"order_id": "o1"}, datetime.now(UTC)))
    alerts = eventually("the alert", house.transitions)
    assert [(each.rule, each.customer, each.state) for each in alerts] == [("payment-failed", "c1", "firing")]
    worker.signal(signal.SIGTERM)
    assert worker.wait(10) == 0
