"""The scenario against the rules in rules/, without a broker: what it expects is what they say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beforehand.demo.shop import small_shop
from beforehand.demo.story import Publish
from contracts.catalogue import problems_of
from contracts.envelope import encode, event, from_fields
from contracts.times import to_micros
from rule_engine.replay import Bytes, Replay
from rule_engine.rules.load import load_paths

RULES = Path(__file__).resolve().parents[2] / "rules"
ONE_SECOND = timedelta(seconds=1)


def signals(scenario):
    """(when it is published, the event as a signal), in order; ticket_api's fact for a ticket."""
    for act in scenario.all_acts():
        if isinstance(act, Publish):
            yield from ((act.at, from_fields(fields)) for fields in act.events)
        else:
            body = act.body
            fact = {"ticket": body["subject"], "channel": "portal"}
            yield act.at, event(id=body["subject"], source="/tickets", type="ticket.opened", time=act.at, data=fact, customerid=body["customer"])  # fmt: skip


def told(scenario):
    """Whom the rules tell what by which channel, and when."""
    replay = Replay({source.file: source for source in load_paths([str(RULES)])})
    for at, signal in signals(scenario):
        if replay.clock_us is not None and to_micros(at) > replay.clock_us:
            replay.until(to_micros(at) - 1)
        replay.feed([Bytes(encode(signal))])
    replay.until(to_micros(scenario.ends_at() + 10 * ONE_SECOND))
    return [
        (transition.customer or "operations", channel, max(transition.at, scenario.all_acts()[0].at))
        for transition in sorted(replay.transitions, key=lambda each: each.at)
        for entry in transition.notify
        if entry.to and (entry.to.kind == "operations") == (transition.customer is None)
        for channel in entry.channels
    ]


@pytest.mark.parametrize("speed", [0.5, 1, 3])
def test_the_rules_tell_everybody_what_the_scenario_expects(speed):
    # Windows of the outage's rule end every ten seconds: the demo may start at any time between.
    for second in range(0, 10, 3):
        scenario = small_shop(datetime(2026, 5, 4, 12, 0, second, 700_000, tzinfo=UTC), "004711", speed)
        said = told(scenario)
        for story in scenario.stories:
            came = sorted((channel, at) for who, channel, at in said if who == story.person.id)
            expected = sorted((each.channel, each.due) for each in story.expected)
            assert [channel for channel, _ in came] == [channel for channel, _ in expected], story.title
            for (_, at), (_, due) in zip(came, expected, strict=True):
                assert due <= at <= due + 25 * ONE_SECOND, story.title


def test_its_events_are_as_the_catalogue_has_them():
    for _, signal in signals(small_shop(datetime.now(UTC), "123456")):
        assert problems_of(signal.type, signal.customerid, signal.data) == []


def test_two_runs_have_no_customer_order_or_event_in_common():
    one, other = (small_shop(datetime.now(UTC), tag) for tag in ("000001", "000002"))
    published = [[act for act in each.all_acts() if isinstance(act, Publish)] for each in (one, other)]
    ids = [{fields["id"] for act in acts for fields in act.events} for acts in published]
    assert not ids[0] & ids[1]
    people = [{story.person.profile.email for story in each.stories} - {None} for each in (one, other)]
    assert not people[0] & people[1]
