"""What a rule file means: defaults, kinds of values, what its rules are identified by, its tests written out."""

import pytest

from contracts.alerts import Destination, TicketOrder
from rule_engine.rules.durations import format_duration, parse_duration
from rule_engine.rules.load import load_paths, load_text
from rule_engine.rules.model import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    Absence,
    EventCount,
    Match,
    Ratio,
    RuleFileError,
)

PAYMENT = """
rules:
  - id: payment-failed
    title: A payment failed
    on: payment.failed
    where: data.amount > 0
    group_by: data.order_id
    match: {}
    resolve_on: [payment.succeeded, order.cancelled]
    vars: {amount: data.amount}
    notify:
      - {to: customer, template: payment-failed, channels: [email], category: billing, after: 10m}
      - {to: operations, template: payment-failed, after: 40d, expires: 1h, severity: critical, on: [firing]}
      - {to: {email: a@example.com}, template: payment-failed, every: 1d}
      - {ticket: {queue: billing, priority: high}, after: 7d}
"""


def one(rule, head=""):
    [loaded] = load_text(f"{head}rules:\n  - {rule}\n", "f.yaml").rules
    return loaded


def errors(text):
    with pytest.raises(RuleFileError) as caught:
        load_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_an_entry_of_notify_says_whom_how_and_when():
    [rule] = load_text(PAYMENT, "f.yaml").rules
    first, second, third, ticket = rule.notify
    assert (first.entry.to, first.entry.channels, first.after_us) == (
        Destination("customer"),
        ("email",),
        10 * MINUTE_US,
    )
    assert (first.entry.category, first.entry.expires_s, first.entry.resolves) == ("billing", 72 * 3600, True)
    assert (second.entry.to, second.entry.expires_s, second.entry.severity) == (
        Destination("operations"),
        3600,
        "critical",
    )
    assert not second.entry.resolves
    assert (third.entry.to, third.every_us) == (Destination("email", "a@example.com"), DAY_US)
    assert (ticket.entry.ticket, ticket.entry.index, ticket.entry.resolves) == (
        TicketOrder("billing", "high"),
        3,
        False,
    )


def test_an_alert_does_not_end_by_itself_before_its_last_entry_is_due():
    [rule] = load_text(PAYMENT, "f.yaml").rules
    assert rule.resolve_after_us == 40 * DAY_US
    assert one("{id: a, on: x, match: {}}").resolve_after_us == 30 * DAY_US
    assert one("{id: a, on: x, absence: {expect: y, within: 1h}}").resolve_after_us == 365 * DAY_US
    assert one("{id: a, on: x, match: {}, resolve_on: y, resolve_after: 2h}").resolve_after_us == 2 * HOUR_US


def test_conditions():
    assert one("{id: a, on: x, match: {}}").condition == Match()
    assert one("{id: a, on: x, event_count: {gte: 3, within: 1d12h}}").condition == EventCount(
        3, 36 * HOUR_US
    )
    ratio = one(
        "{id: a, on: x, ratio: {of: data.bad, gte: 1, within: 5m, every: 30s, no_data: 1h}}"
    ).condition
    assert isinstance(ratio, Ratio)
    assert (ratio.gte, ratio.every_us, ratio.min_events, ratio.no_data_us, ratio.forget_us) == (
        1.0,
        30 * SECOND_US,
        1,
        HOUR_US,
        7 * DAY_US,
    )
    absence = one(
        "{id: a, on: x, absence: {expect: [y, z*], within: duration(data.d), cancel_on: c, rearm: false}}"
    ).condition
    assert isinstance(absence, Absence)
    assert [selector.type for selector in absence.expect] == ["y", "z*"]
    assert absence.within.source == "duration(data.d)"
    assert (absence.cancel_on[0].type, absence.rearm, absence.deadline) == ("c", False, None)


def test_a_default_stands_for_what_a_rule_leaves_out_and_is_replaced_whole():
    head = "defaults: {owner: payments, labels: {a: x, b: y}, cooldown: 1h, category: billing, on: seen, vars: {n: data.n}}\n"
    plain = one("{id: a, match: {}, notify: [{to: customer, template: t, channels: [email]}]}", head)
    assert (plain.words.owner, plain.words.labels, plain.cooldown_us) == (
        "payments",
        {"a": "x", "b": "y"},
        HOUR_US,
    )
    assert (plain.on[0].type, plain.notify[0].entry.category) == ("seen", "billing")
    own = one("{id: a, match: {}, labels: {c: z}, cooldown: 0s, on: other}", head)
    assert (own.words.labels, own.cooldown_us, own.on[0].type) == ({"c": "z"}, 0, "other")


def test_yaml_is_read_by_the_core_schema():
    rule = one(
        "{id: a, on: on, title: off, owner: no, description: 2026-01-01, runbook: 1:30, match: {}, where: true, vars: {n: null, i: 7}}"
    )
    assert rule.on[0].type == "on"
    assert (rule.words.title, rule.words.owner, rule.words.description, rule.words.runbook) == (
        "off",
        "no",
        "2026-01-01",
        "1:30",
    )
    assert rule.where.holds(None, None, None, None, None) is True
    assert [expression.source for _, expression in rule.vars] == ["null", "7"]


def test_the_key_is_a_text_or_a_list():
    assert one("{id: a, on: x, match: {}}").group_by == ()
    text, listed = (
        one("{id: a, on: x, match: {}, group_by: data.a}"),
        one("{id: a, on: x, match: {}, group_by: [data.a]}"),
    )
    assert (len(text.group_by), text.key_is_list, text.words.group_by) == (1, False, ("data.a",))
    assert (len(listed.group_by), listed.key_is_list) == (1, True)


def test_a_selector_may_say_what_the_key_is_called_there():
    rule = one(
        "{id: a, on: {on: [x, y], where: data.ok}, group_by: data.a, match: {}, resolve_on: {on: z, group_by: data.b}}"
    )
    assert [(selector.type, selector.where.source) for selector in rule.on] == [
        ("x", "data.ok"),
        ("y", "data.ok"),
    ]
    assert rule.resolve_on[0].group_by[0].source == "data.b"


@pytest.mark.parametrize(
    ("glob", "type_name", "selected"),
    [
        ("payment.*", "payment.failed", True), ("payment.*", "payment.", True), ("payment.*", "payments", False),
        ("*", "", True), ("*.failed", "a.b.failed", True), ("a*b*c", "abc", True), ("a*b*c", "acb", False),
        ("a*a", "a", False), ("order.placed", "order.placed", True), ("order.placed", "order_placed", False),
    ],
)  # fmt: skip
def test_a_glob_stands_for_any_characters(glob, type_name, selected):
    assert one(f"{{id: a, on: '{glob}', match: {{}}}}").on[0].selects(type_name) is selected


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("500ms", 500_000),
        ("90s", 90_000_000),
        ("10m", 600_000_000),
        ("1d12h", 129_600_000_000),
        ("0s", 0),
        ("1m1ms", 60_001_000),
    ],
)
def test_durations_are_integers_with_units_in_order(text, micros):
    assert parse_duration(text) == micros
    assert parse_duration(format_duration(micros)) == micros


@pytest.mark.parametrize(
    "text", ["", "10", "1.5h", "1h2d", "1h1h", "10 m", "-1h", "+1h", "1w", "1H", "١m", "h"]
)
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="integers with d, h, m, s, ms"):
        parse_duration(text)


LIKE_PAYMENT = """
# the same, written otherwise
version: 1
defaults:
  title: "A payment failed"
rules:
- match: {}
  id: payment-failed
  on:
    - payment.failed
  where: |
    data.amount>0     // more than nothing
  group_by: 'data.order_id'
  resolve_on: [order.cancelled, payment.succeeded]
  vars: {amount: data . amount}
  notify:
  - {template: payment-failed, to: customer, category: billing, channels: [email], after: 600s}
  - {to: operations, template: payment-failed, after: 960h, expires: 60m, severity: critical, on: [firing]}
  - {to: {email: a@example.com}, template: payment-failed, every: 24h}
  - {ticket: {queue: billing, priority: high}, after: 168h}
"""


def test_formatting_changes_neither_version_nor_meaning():
    [one], [other] = (load_text(text, "f.yaml").rules for text in (PAYMENT, LIKE_PAYMENT))
    expected = [each.source.strip() for each in one.group_by]
    assert [each.source.strip() for each in other.group_by] == expected
    assert other.meaning == one.meaning
    assert other.version == one.version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A payment failed", "Oh no"), ("after: 10m", "after: 11m"), ("amount: data.amount", "amount: data.total"),
        ("order.cancelled]", "order.returned]"), ("[email]", "[sms]"),
    ],
)  # fmt: skip
def test_what_is_told_and_when_changes_the_version_alone(old, new):
    [before], [after] = (load_text(text, "f.yaml").rules for text in (PAYMENT, PAYMENT.replace(old, new)))
    assert before.version != after.version
    assert before.meaning == after.meaning


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data.amount > 0", "data.amount > 1"), ("on: payment.failed", "on: payment.*"), ("group_by: data.order_id", "group_by: [data.order_id]"),
        ("match: {}", "event_count: {gte: 1, within: 1h}"),
    ],
)  # fmt: skip
def test_what_decides_when_it_fires_changes_the_meaning(old, new):
    [before], [after] = (load_text(text, "f.yaml").rules for text in (PAYMENT, PAYMENT.replace(old, new)))
    assert before.version != after.version
    assert before.meaning != after.meaning


TEST = """
rules: [{id: a, on: x, event_count: {gte: 3, within: 1m}}]
tests:
  - name: repeats
    rule: a
    start: 2026-01-01T01:00:00+01:00
    until: 1m
    settings: {allowed_lateness: 2s}
    events:
      - {at: 0s, type: x, every: 10s, times: 4, customer: c}
      - {at: 10s, type: y}
      - {at: 25s, type: z, every: 2s, times: 3}
      - {at: 5s, type: late, id: own, source: shop, subject: s, data: {on: no, n: 1, t: 2026-01-01}}
    expect:
      - {at: 20s, state: firing, notify: [email, operations], key: "", customer: null, value: 3}
"""


def test_a_repeated_event_stands_before_the_first_later_line():
    [test] = load_text(TEST, "f.yaml").tests
    happened = [((event.at_us - test.start_us) // SECOND_US, event.type, event.id) for event in test.events]
    assert happened == [
        (0, "x", "e1"), (10, "y", "e2"), (10, "x", "e3"), (20, "x", "e4"), (25, "z", "e5"), (5, "late", "own"),
        (27, "z", "e7"), (29, "z", "e8"), (30, "x", "e9"),
    ]  # fmt: skip
    late = test.events[5]
    assert (late.source, late.subject, late.data) == ("shop", "s", {"on": "no", "n": 1, "t": "2026-01-01"})


def test_what_a_test_leaves_out_is_not_compared():
    [test] = load_text(TEST, "f.yaml").tests
    [expected] = test.expect
    assert expected.fields == {
        "state": "firing",
        "notify": {"email", "operations"},
        "key": "",
        "customer": None,
        "value": 3,
    }
    assert (expected.at_us - test.start_us, test.until_us - test.start_us) == (20 * SECOND_US, MINUTE_US)
    assert (test.allowed_lateness_us, test.rules, str(test.place)) == (2 * SECOND_US, ("a",), "f.yaml:4:5")


def test_folders_are_read_whole_but_templates(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "more").mkdir()
    (tmp_path / "templates" / "x.yaml").write_text("no rules")
    (tmp_path / "more" / "b.yml").write_text("rules: [{id: b, on: x, match: {}}]")
    (tmp_path / "a.yaml").write_text("rules: [{id: a, on: x, match: {}}]")
    (tmp_path / "notes.txt").write_text("no rules")
    assert [rule.id for source in load_paths([tmp_path]) for rule in source.rules] == ["a", "b"]


def test_the_errors_of_all_files_come_at_once_and_ids_are_unique_over_them(tmp_path):
    (tmp_path / "a.yaml").write_text("rules: [{id: a, on: x, match: {}}]")
    (tmp_path / "b.yaml").write_text("rules: [{id: a, on: x, match: {}}]")
    (tmp_path / "c.yaml").write_text("rules: 3")
    with pytest.raises(RuleFileError) as caught:
        load_paths([tmp_path, tmp_path / "gone.yaml"])
    said = "\n".join(map(str, caught.value.problems)).replace(f"{tmp_path}/", "")
    assert said.splitlines() == [
        "gone.yaml:1:1: error: there is no such file or folder",
        "c.yaml:1:8: error: expected a list of rules, found 3",
        "b.yaml:1:14: error: rule a: the id is taken: a.yaml:1:14 has it already",
    ]


def test_an_empty_file_has_no_rules():
    assert load_text("# nothing yet\n", "f.yaml").rules == ()


def test_a_word_of_the_language_that_is_not_built_is_never_passed_over():
    [said] = errors("rules:\n  - {id: a, on: x, match: {}, limit: {}}\n")
    assert (
        said
        == "f.yaml:2:31: error: rule a: 'limit' belongs to the language, but this version does not have it yet"
    )
