"""What the cases of the language page say holds for a worker that starts anew after every event, as well."""

from dataclasses import replace
from pathlib import Path

import pytest
from lanes import Lane

from contracts.envelope import encode, event
from contracts.times import from_micros
from rule_engine.commands.transitions import in_order
from rule_engine.replay import Bytes
from rule_engine.rules.load import RuleSource, load_text
from rule_engine.rules.tests import RuleTest

CASES = [
    pytest.param(source, test, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parents[2] / "rule_language" / "cases").glob("*.yaml"))
    for source in [load_text(path.read_text(), path.name)]
    for number, test in enumerate(source.tests, start=1)
    if all(rule.scope == "customer" for rule in source.rules if rule.id in test.rules)
]


@pytest.mark.parametrize(("source", "test"), CASES)
def test_a_crash_after_every_event_makes_no_difference(
    source: RuleSource, test: RuleTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tuple(rule for rule in source.rules if rule.id in test.rules)
    files = {source.file: replace(source, rules=rules)}
    monkeypatch.setattr("rule_engine.machine.load_written", lambda _text, name: files[name])
    once, again = (Lane(files, lateness_us=test.allowed_lateness_us) for _ in range(2))
    for given in test.events:
        record = Bytes(
            encode(
                event(
                    id=given.id, source=given.source, type=given.type, time=from_micros(given.at_us),
                    data=given.data, customerid=given.customer, subject=given.subject,
                )
            )
        )  # fmt: skip
        once.engine.run([record])
        again.engine.run([record])
        again.take()
        again.crash()
    for lane in (once, again):
        if test.until_us is not None:
            lane.until(test.until_us)
        lane.take()
    assert in_order(again.transitions) == in_order(once.transitions)
    assert again.state == once.state
