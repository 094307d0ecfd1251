"""Types that can't go together, ranges that are empty, windows longer than events are kept, rules that say the same."""

import pytest
from click.testing import CliRunner

from rule_engine.commands import rules
from rule_engine.rules.load import load_text


def warnings(rule):
    return [
        (each.code, each.place.column, each.message)
        for each in load_text(f"rules:\n  - {rule}\n", "f.yaml").warnings
    ]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("data.amount == '12'", "the two are never equal: data.amount is a number, '12' a text"),
        ("data.amount > '12'", "this always ends in an error: data.amount is a number, '12' a text"),
        ("data.order_id > 12", "this always ends in an error: data.order_id is a text, 12 a number"),
        ("now > data.reason", "this always ends in an error: now is a time, data.reason a text: write timestamp(data.reason)"),
        ("now - data.reason > duration('1h')", "this always ends in an error: now is a time, data.reason a text: write timestamp(data.reason)"),
        ("data.card == 'visa'", "the two are never equal: data.card is a mapping, 'visa' a text"),
        ("data.card.last4 == 1234", "the two are never equal: data.card.last4 is a text, 1234 a number"),
        ("size(data.order_id) > 'x'", "this always ends in an error: size(data.order_id) is a number, 'x' a text"),
        ("event.time < '2026-01-01'", "this always ends in an error: event.time is a time, '2026-01-01' a text: write timestamp('2026-01-01')"),
    ],
)  # fmt: skip
def test_sides_that_can_never_go_together(where, said):
    rule = f'{{id: a, on: payment.failed, match: {{}}, where: "{where}"}}'
    assert [(code, message) for code, _, message in warnings(rule)] == [("never-true", said)]


@pytest.mark.parametrize(
    "where",
    [
        "data.amount == 12.0", "data.amount > 12", "data.order_id == null", "timestamp(data.reason) < now",
        "now - timestamp(data.reason) > duration('1h')", "data.items.exists(data, data == 'x')", "data[data.reason] == 3",
        "data.?amount.orValue('none') == 'none'", "string(data.amount) == '12'", "'x' in data", "now + duration('1h') > now",
    ],
)  # fmt: skip
def test_what_may_be_true_is_no_warning(where):
    rule = f'{{id: a, on: payment.failed, match: {{}}, where: "{where}"}}'
    assert [code for code, _, _ in warnings(rule) if code == "never-true"] == []
    assert not warnings(f'{{id: a, on: my.own, match: {{}}, where: "{where}"}}')[1:]


def test_a_word_that_a_field_never_has():
    rule = "{id: a, on: ticket.opened, match: {}, where: \"data.by == 'costumer'\"}"
    assert warnings(rule) == [("never-true", 51, "data.by is never 'costumer'; did you mean 'customer'?")]
    assert (
        warnings(rule.replace("costumer", "xyz"))[0][2]
        == "data.by is never 'xyz'; it is one of agent, alert, customer"
    )
    assert not warnings(rule.replace("costumer", "agent"))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("data.amount > 5 && data.amount < 3", "data.amount > 5 and data.amount < 3 can't both be true"),
        (
            "data.amount >= 5 && data.reason != '' && 5 > data.amount",
            "data.amount >= 5 and 5 > data.amount can't both be true",
        ),
        ("data.amount == 5 && data.amount > 5", "data.amount > 5 and data.amount == 5 can't both be true"),
        ("event.type in ['payment.succeeded', 'order.placed']", "`on` selects no event of these types"),
    ],
)
def test_clauses_that_leave_nothing(where, said):
    found = warnings(f'{{id: a, on: payment.failed, match: {{}}, where: "{where}"}}')
    assert [(code, message) for code, _, message in found] == [
        ("never-fires", f"the rule can never fire: {said}")
    ]


@pytest.mark.parametrize(
    "where", ["data.amount >= 5 && data.amount <= 5", "data.amount > 3 && data.amount < 5", "data.amount > 5 || data.amount < 3",
              "event.type in ['payment.failed', 'x']"],
)  # fmt: skip
def test_clauses_that_leave_something(where):
    assert not warnings(f'{{id: a, on: payment.failed, match: {{}}, where: "{where}"}}')


def test_keys_that_no_two_events_share():
    [(code, column, message)] = warnings(
        "{id: a, on: payment.failed, group_by: event.id, event_count: {gte: 2, within: 1h}}"
    )
    assert (code, column) == ("never-fires", 43)
    assert (
        message
        == "the rule can never fire: by event.id each event has a key of its own, so no more than 1 is counted"
    )
    [(code, *_)] = warnings(
        "{id: a, on: payment.failed, group_by: event.id, absence: {expect: payment.succeeded, within: 1h}}"
    )
    assert code == "never-resolves"
    assert not warnings("{id: a, on: payment.failed, group_by: event.id, match: {}}")
    assert "order.placed" not in str(
        warnings("{id: a, on: {on: x, group_by: data.x}, group_by: event.id, match: {}, resolve_on: y}")
    )
    [(code, _, message)] = warnings("{id: a, on: order.placed, group_by: data.items, match: {}}")
    assert (code, message) == (
        "never-fires",
        "the rule can never fire: data.items is a list, which is no key",
    )


def test_a_window_that_is_longer_than_events_are_kept():
    [(code, column, message)] = warnings("{id: a, on: payment.failed, event_count: {gte: 2, within: 30d}}")
    assert (code, column) == ("beyond-retention", 63)
    assert message.startswith("30d are more than events are kept on signals, 14d: ")
    assert not warnings("{id: a, on: payment.failed, event_count: {gte: 2, within: 14d}}")
    assert not warnings(
        "{id: a, on: payment.failed, group_by: data.order_id, absence: {expect: payment.succeeded, within: 30d}}"
    )


def test_a_fraction_lost_in_what_is_averaged():
    rule = "{id: a, on: my.own, aggregate: {avg: data.used / data.quota, gt: 0.8, within: 5m}}"
    assert [code for code, *_ in warnings(rule)] == ["unknown-type", "int-division"]
    assert len(warnings(rule.replace("0.8", "8"))) == 1


TELL = "notify: [{to: customer, template: t, channels: [email]}]"


def overlaps(tmp_path, *files):
    for number, lines in enumerate(files):
        text = "rules:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
        (tmp_path / f"{number}.yaml").write_text(text)
    result = CliRunner().invoke(rules, ["check", str(tmp_path)])
    assert result.exit_code == 0
    return [
        line.replace(f"{tmp_path}/", "")
        for line in result.stdout.splitlines()
        if "tell the same people" in line
    ]


def test_two_rules_that_are_the_same_in_two_files(tmp_path):
    one = f"id: a, on: payment.failed, where: data.amount > 1, match: {{}}, {TELL}"
    two = f"id: b, on: payment.failed, where: data.amount>1, match: {{}}, {TELL}"
    assert overlaps(tmp_path, [one], [two]) == [
        "1.yaml:2:10: warning: rule b: it is the same as a (0.yaml:2:10): on, where, group_by and condition; they tell the same people twice"
    ]
    assert not overlaps(tmp_path, [one], [two.replace("on: payment.failed", "on: payment.succeeded")])
    assert not overlaps(tmp_path, [one], [two.replace("[email]", "[sms]")])
    assert not overlaps(tmp_path, [one], [two + ", mode: shadow"])


@pytest.mark.parametrize(
    ("narrow", "wide", "together"),
    [
        ("on: payment.failed, where: data.amount > 1 && data.reason == 'x', match: {}", "on: payment.*, where: data.reason == 'x', match: {}", True),
        ("on: payment.failed, event_count: {gte: 3, within: 1h}", "on: payment.failed, event_count: {gte: 2, within: 2h}", True),
        ("on: payment.failed, event_count: {gte: 3, within: 1h}", "on: payment.failed, event_count: {gte: 4, within: 2h}", False),
        ("on: payment.failed, match: {}", "on: payment.failed, group_by: data.order_id, match: {}", False),
        ("on: [payment.failed, order.placed], match: {}", "on: payment.failed, match: {}", False),
        ("on: payment.failed, where: data.amount > 1, match: {}", "on: payment.failed, where: data.amount > 2, match: {}", False),
    ],
)  # fmt: skip
def test_a_rule_that_only_fires_when_another_does(tmp_path, narrow, wide, together):
    said = overlaps(tmp_path, [f"id: narrow, {narrow}, {TELL}", f"id: wide, {wide}, {TELL}"])
    expected = "0.yaml:2:10: warning: rule narrow: whenever it fires, so does wide (0.yaml:3:10), and they tell the same people twice"
    assert (expected in said) is together
    if not together:
        assert "rule narrow" not in str(said)
