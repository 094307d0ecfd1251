"""State is bounded: what can no longer matter is forgotten, in memory and in the changelog; and a customer who asks is."""

from hypothesis import given
from lanes import Lane, happened
from reference.told import Event
from streams import START, S, event_at, streams
from written.clause import Written, source_of
from written.rules import rules

from rule_engine.rules.load import load_text

DAY = 86_400 * S


@given(
    rules().filter(lambda each: not any(entry.every for entry in each.spec.entries)),
    streams(),
)
def test_when_all_is_over_no_row_is_left(written: Written, events: list[Event]) -> None:
    lane = Lane({"rules.yaml": source_of([written])})
    tombstones = []
    for each in events:
        lane.run([each])
        tombstones += [key for key, value in lane.take().rows if value is None]
    known = set(lane.state)
    lane.engine.silent(START + 400 * DAY)
    tombstones += [key for key, value in lane.take().rows if value is None]
    assert not lane.state
    assert known <= set(tombstones)
    assert lane.engine.machine.next_due_us > START + 400 * DAY
    assert not any(plan.rows for plan in lane.engine.machine.plans.values())


FILES = {
    "rules.yaml": load_text(
        """
version: 1
rules:
  - {id: open, on: a, match: {}, resolve_on: r, vars: {plan: "customer.?plan.orValue('none')"}}
  - {id: once, on: a, match: {}, notify: [{to: operations, template: t, after: 1h}]}
  - {id: late, on: a, absence: {expect: e, within: 1h}}
""",
        "rules.yaml",
    )
}


def test_an_erased_customer_leaves_nothing_and_their_alerts_end_silently() -> None:
    lane = Lane(FILES)
    lane.run(
        [
            event_at(0, "customer.updated", plan="pro"),
            event_at(0, "customer.updated", customer="c2", plan="free"),
        ]
    )
    lane.run([event_at(1, "a"), event_at(1, "a", customer="c2")])
    lane.take()
    assert b'["profile","c1"]' in lane.changelog
    lane.run([event_at(2, "customer.erased")])
    lane.take()
    assert not any(b'"c1"' in key for key in lane.changelog)
    assert b'["profile","c2"]' in lane.changelog
    assert [(each.rule, each.state) for each in lane.transitions if each.customer == "c1"] == [
        ("open", "firing"), ("once", "firing"), ("open", "ended"),
    ]  # fmt: skip
    lane.crash()
    lane.run([event_at(3, "a")])
    lane.take()
    assert lane.transitions[-2].vars == {"plan": "none"}
    lane.until(START + 3_600 * S + 2 * S)
    after = [(each.rule, each.customer, each.state) for each in lane.transitions[-2:]]
    assert sorted(after) == [("late", "c2", "firing"), ("once", "c2", "due")]


def test_a_key_that_comes_back_in_the_batch_that_forgot_it_is_kept() -> None:
    lane = Lane(FILES)
    lane.run([event_at(0, "a")])
    lane.take()
    lane.run([event_at(1, "customer.erased"), event_at(2, "a")])
    lane.take()
    lane.crash()
    lane.run([event_at(3, "r")])
    assert happened(lane)[-1] == (3, "resolved")


def test_the_profile_is_that_before_the_event() -> None:
    lane = Lane(
        {
            "rules.yaml": load_text(
                "version: 1\nrules:\n  - {id: moved, on: customer.updated, where: data.plan != customer.plan, match: {}}\n", "rules.yaml"
            )
        }
    )  # fmt: skip
    lane.run([event_at(0, "customer.updated", plan="free"), event_at(1, "customer.updated", plan="free")])
    lane.take()
    lane.crash()
    lane.run([event_at(2, "customer.updated", plan="pro"), event_at(3, "customer.updated", plan="pro")])
    assert happened(lane) == [(2, "firing")]
