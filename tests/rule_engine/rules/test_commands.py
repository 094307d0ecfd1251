"""`beforehand rules check, test, backtest` as people and continuous integration meet them."""

import json
from xml.etree import ElementTree as ET

import pytest

from contracts.envelope import encode, event
from contracts.times import parse_time
from rule_engine.commands.changes import changes_between
from rule_engine.rules.load import load_text

SHOP = """
rules:
  - id: not-shipped
    on: order.placed
    group_by: data.order_id
    absence: {expect: order.shipped, within: 48h}
    vars: {order: data.order_id}
    notify:
      - {to: customer, template: t, channels: [email, sms]}
      - {to: operations, template: t, after: 1h, on: [firing]}
      - {ticket: {queue: q}, after: 2h}
tests:
  - name: told after 48 h, and when it ships
    rule: not-shipped
    start: 2026-01-01T00:00:00Z
    events:
      - {at: 0s, type: order.placed, customer: c1, data: {order_id: o1}}
      - {at: 60h, type: order.shipped, customer: c1, data: {order_id: o1}}
    until: 72h
    expect:
      - {at: 48h, state: firing, key: o1, customer: c1, vars: {order: o1}, evidence: [e1], notify: [sms, email], value: null}
      - {at: 49h, state: due, notify: [operations]}
      - {at: 50h, state: due, notify: [ticket]}
      - {at: 60h, state: resolved, key: o1, notify: [email, sms]}
"""


def test_check_says_what_is_wrong_to_people_programs_and_pull_requests(run):
    bad = "rules:\n  - {id: a, on: order.placed, match: {}, cooldwn: 1h}\n"
    text = run("check", "shop.yaml", rules_text=bad)
    assert (
        text.stdout
        == "shop.yaml:2:42: error: rule a: unknown key 'cooldwn' in a rule; did you mean 'cooldown'?\n"
    )
    assert text.exit_code == 1
    assert json.loads(run("check", "shop.yaml", "--format", "json").stdout) == [
        {
            "file": "shop.yaml", "line": 2, "column": 42, "level": "error", "rule": "a", "code": "unknown-key",
            "message": "unknown key 'cooldwn' in a rule; did you mean 'cooldown'?",
        }
    ]  # fmt: skip
    github = run("check", "shop.yaml", "--format", "github").stdout
    assert (
        github
        == "::error file=shop.yaml,line=2,col=42,title=unknown-key::rule a: unknown key 'cooldwn' in a rule; did you mean 'cooldown'?\n"
    )


def test_warnings_alone_are_no_failure(run):
    result = run("check", "shop.yaml", rules_text="rules:\n  - {id: a, on: nobody.knows, match: {}}\n")
    assert result.exit_code == 0
    assert "warning: rule a: the catalogue does not know the event type 'nobody.knows'" in result.stdout
    assert run("check", "shop.yaml", "--format", "json", rules_text=SHOP).stdout == "[]\n"


def test_tests_that_pass(run):
    result = run("test", "shop.yaml", rules_text=SHOP)
    assert "✓ not-shipped: told after 48 h, and when it ships" in result.stdout
    assert "1 of 1 test passed" in result.stdout
    assert result.exit_code == 0


def test_a_difference_is_shown_side_by_side_on_a_time_line(run):
    wrong = SHOP.replace("at: 49h", "at: 49h1s").replace(
        "key: o1, notify: [email, sms]", "key: o2, notify: [email]"
    )
    result = run("test", "shop.yaml", rules_text=wrong)
    shown = result.stdout[result.stdout.index("expected") :].splitlines()
    table = [line.split() for line in shown[1:7]]
    assert result.exit_code == 1
    assert table == [
        ["48h", "firing", "o1", "(c1)", "[email,", "sms]", "firing", "o1", "(c1)", "[email,", "sms]"],
        ["✗", "49h", "–", "due", "o1", "(c1)", "[operations]"],
        ["✗", "49h1s", "due", "[operations]", "–"],
        ["50h", "due", "[ticket]", "due", "o1", "(c1)", "[ticket]"],
        ["✗", "60h", "resolved", "o2", "[email]", "resolved", "o1", "(c1)", "[email,", "sms]"],
        ["key:", "expected", "o2,", "was", "o1"],
    ]
    assert "notify: expected [email], was [email, sms]" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("vars: {order: o1}", "vars: {order: o2}", "vars: expected {'order': 'o2'}, was {'order': 'o1'}"),
        ("evidence: [e1]", "evidence: [e1, e2]", "evidence: expected ['e1', 'e2'], was ['e1']"),
        ("value: null", "value: 0", "value: expected 0, was null"),
        ("customer: c1, vars", "customer: null, vars", "customer: expected null, was c1"),
        ("state: resolved", "state: firing", "✗"),
    ],
)
def test_every_field_that_is_named_is_compared(run, old, new, said):
    result = run("test", "shop.yaml", rules_text=SHOP.replace(old, new))
    assert result.exit_code == 1
    assert said in result.stdout


def test_what_was_expected_and_did_not_happen_and_the_other_way_round(run):
    more = SHOP + "      - {at: 61h, state: firing, key: o9}\n"
    assert "✗  61h  firing o9" in run("test", "shop.yaml", rules_text=more).stdout
    nothing = SHOP[: SHOP.index("    expect:")] + "    expect: []\n"
    result = run("test", "shop.yaml", rules_text=nothing)
    assert result.exit_code == 1
    assert result.stdout.count("✗") == 5


def test_a_test_of_numbers_forgives_the_last_bits(run):
    rule = "rules:\n  - {id: r, on: x, ratio: {of: data.bad, gte: 0.1, within: 1m}}\n"
    body = (
        "tests:\n  - name: n\n    rule: r\n    start: 2026-01-01T00:00:00Z\n    until: 30s\n    events:\n"
        "      - {at: 0s, type: x, customer: c, data: {bad: false}, every: 1s, times: 2}\n      - {at: 2s, type: x, customer: c, data: {bad: true}}\n"
        "    expect: [{at: 2s, state: firing, key: c, value: %s}]\n"
    )
    assert run("test", "shop.yaml", rules_text=rule + body % "0.3333333333").exit_code == 0
    assert run("test", "shop.yaml", rules_text=rule + body % "0.333333").exit_code == 1


def test_a_percentile_compares_within_1_percent_and_nothing_else_does(run):
    text = (
        "rules:\n  - {id: r, on: x, aggregate: {%s: data.ms, gte: 100, within: 1m}, vars: {v: value}}\n"
        "tests:\n  - name: n\n    rule: r\n    start: 2026-01-01T00:00:00Z\n    until: 30s\n"
        "    events: [{at: 0s, type: x, customer: c, data: {ms: 100}}]\n"
        "    expect: [{at: 0s, state: firing, key: c, %s}]\n"
    )
    assert run("test", "shop.yaml", rules_text=text % ("p95", "value: 101")).exit_code == 0
    assert run("test", "shop.yaml", rules_text=text % ("p95", "value: 101.1")).exit_code == 1
    assert run("test", "shop.yaml", rules_text=text % ("max", "value: 101")).exit_code == 1
    assert run("test", "shop.yaml", rules_text=text % ("p95", "vars: {v: 101}")).exit_code == 1


def test_a_silent_end_is_left_out(run):
    text = (
        "rules:\n  - {id: r, on: x, match: {}, resolve_on: y, resolve_after: 1h}\n"
        "tests:\n  - name: n\n    rule: r\n    start: 2026-01-01T00:00:00Z\n    until: 2h\n    events: [{at: 0s, type: x, customer: c}]\n"
        "    expect: [{at: 0s, state: firing, key: c}]\n"
    )
    assert run("test", "shop.yaml", rules_text=text).exit_code == 0
    happened = past(("2026-01-01T00:00:00Z", "x", "c", "o"), ("2026-01-01T02:00:00Z", "z", "c", "o"))
    result = run("backtest", "shop.yaml", "--events", "-", "--format", "ndjson", stdin=happened)
    assert [json.loads(line)["state"] for line in result.stdout.splitlines()] == ["firing"]


def test_files_that_do_not_load_are_exit_code_2(run):
    result = run("test", "shop.yaml", rules_text="rules: 3\n")
    assert result.exit_code == 2
    assert "shop.yaml:1:8: error" in result.stderr
    assert run("backtest", "shop.yaml", "--events", "-", stdin="").exit_code == 2


def test_junit(run, tmp_path):
    wrong = SHOP.replace("at: 49h", "at: 49h1s")
    run("test", "shop.yaml", "--junit", "out/report.xml", rules_text=wrong)
    suites = ET.parse(tmp_path / "out" / "report.xml").getroot()
    [suite] = suites
    [case] = suite
    assert (suites.tag, suite.get("tests"), suite.get("failures")) == ("testsuites", "1", "1")
    assert (case.get("classname"), case.get("name"), case.get("line")) == (
        "not-shipped",
        "told after 48 h, and when it ships",
        "13",
    )
    assert "49h1s" in case.find("failure").text


def past(*happened):
    """NDJSON of (time, type, customer, order)."""
    return b"\n".join(
        encode(
            event(
                id=f"e{number}",
                source="shop",
                type=type_name,
                time=parse_time(time),
                data={"order_id": order},
                customerid=customer,
            )
        )
        for number, (time, type_name, customer, order) in enumerate(happened)
    )


PAST = past(
    ("2026-01-01T00:00:00Z", "order.placed", "c1", "o1"),
    ("2026-01-01T00:00:00Z", "order.placed", "c2", "o2"),
    ("2026-01-01T12:00:00.5Z", "order.placed", "c1", "o3"),
    ("2026-01-03T06:00:00Z", "order.shipped", "c1", "o1"),
)


def test_backtest_ends_at_the_last_event(run):
    result = run("backtest", "shop.yaml", "--events", "-", "--format", "ndjson", rules_text=SHOP, stdin=PAST)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["at"], line["state"], line["key"], line["customer"], line["notify"]) for line in lines] == [
        ("2026-01-03T00:00:00Z", "firing", "o1", "c1", ["email", "sms"]),
        ("2026-01-03T00:00:00Z", "firing", "o2", "c2", ["email", "sms"]),
        ("2026-01-03T01:00:00Z", "due", "o1", "c1", ["operations"]),
        ("2026-01-03T01:00:00Z", "due", "o2", "c2", ["operations"]),
        ("2026-01-03T02:00:00Z", "due", "o1", "c1", ["ticket"]),
        ("2026-01-03T02:00:00Z", "due", "o2", "c2", ["ticket"]),
        ("2026-01-03T06:00:00Z", "resolved", "o1", "c1", ["email", "sms"]),
    ]
    assert lines[0].keys() == {"rule", "key", "customer", "state", "at", "id", "value", "evidence", "notify"}
    assert (lines[0]["rule"], lines[0]["value"], lines[0]["evidence"]) == ("not-shipped", None, ["e0"])


def test_backtest_until_moves_the_clock_just_past_it(run):
    def firing(until):
        result = run(
            "backtest",
            "shop.yaml",
            "--events",
            "-",
            "--until",
            until,
            "--format",
            "ndjson",
            rules_text=SHOP,
            stdin=PAST,
        )
        return [
            line["key"] for line in map(json.loads, result.stdout.splitlines()) if line["state"] == "firing"
        ]

    assert firing("2026-01-03T12:00:00.4Z") == ["o1", "o2"]
    assert firing("2026-01-03T12:00:00.5Z") == ["o1", "o2", "o3"]


def test_backtest_until_before_the_last_event_is_refused(run):
    result = run(
        "backtest",
        "shop.yaml",
        "--events",
        "-",
        "--until",
        "2026-01-02T00:00:00Z",
        rules_text=SHOP,
        stdin=PAST,
    )
    assert result.exit_code == 2
    assert "--until lies before the last event, which is of 2026-01-03T06:00:00Z" in result.stderr


def test_backtest_summary(run):
    result = run("backtest", "shop.yaml", "--events", "-", rules_text=SHOP, stdin=PAST)
    assert result.stdout.splitlines()[8:] == [
        "not-shipped",
        "  alerts          2, 1 resolved",
        "  customers told  2, most often c1: 4 messages",
        "  limit           1,000 customers an hour: never reached, 2 at most",
        "  tickets         2",
        "  messages        8, 2.7 a day over 3 days",
        "    2026-01-01  0",
        "    2026-01-02  0",
        f"    2026-01-03  {'█' * 40} 8",
        "    messages of each day",
        "",
        result.stdout.splitlines()[-1],
    ]
    assert result.stdout.splitlines()[-1].startswith(
        "4 events, 2026-01-01T00:00:00Z to 2026-01-03T06:00:00Z, "
    )


def test_backtest_says_when_the_limit_would_have_held(run):
    text = "rules: [{id: a, on: x, match: {}, notify: [{to: customer, template: t, channels: [email]}]}]"
    seconds = [
        *range(1000),
        *range(3600, 4700),
    ]  # a second event of each of a hundred, who are not counted twice
    events = past(
        *((f"2026-01-01T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}Z", "x", f"c{n % 1000 if n < 1100 else n}", "o")
          for n, s in enumerate(seconds))
    )  # fmt: skip
    lines = run("backtest", "shop.yaml", "--events", "-", rules_text=text, stdin=events).stdout.splitlines()
    [said] = [line for line in lines if line.startswith("  limit")]
    assert said == (
        "  limit           1,000 customers an hour: held from 2026-01-01T01:16:40Z on, until a person approves; 1,100 at most"
    )


def test_backtest_over_months_has_a_bar_for_each_day(run):
    events = past(
        *((f"2026-{month:02}-01T00:00:00Z", "order.placed", "c1", f"o{month}") for month in (1, 3)),
        ("2026-03-31T00:00:00Z", "x", "c", "o"),
    )
    lines = run("backtest", "shop.yaml", "--events", "-", rules_text=SHOP, stdin=events).stdout.splitlines()
    march = next(line for line in lines if line.startswith("    2026-03"))
    assert march == f"    2026-03  ··█{'·' * 28}       3"
    assert "    a bar for each day, the highest 3 messages on 2026-03-03" in lines


def test_a_line_that_is_no_event_is_named(run, tmp_path):
    (tmp_path / "past.ndjson").write_bytes(PAST + b'\n\n{"specversion": "1.0", "id": "x"}\n')
    result = run("backtest", "shop.yaml", "--events", "past.ndjson", rules_text=SHOP)
    assert result.exit_code == 2
    assert "past.ndjson:6: no CloudEvent in JSON: /source: is missing" in result.stderr


def test_what_a_push_changes_and_what_becomes_of_the_state():
    def loaded(text):
        return load_text(text, "f.yaml").rules

    before = loaded(
        "rules: [{id: a, on: x, match: {}}, {id: b, on: x, match: {}}, {id: c, on: x, event_count: {gte: 2, within: 1h}}, {id: d, on: x, match: {}}, {id: e, on: x, match: {}, mode: off}]"
    )
    after = loaded(
        "rules: [{id: a, on: x, match: {}}, {id: b, on: x, match: {}, title: T}, {id: c, on: x, event_count: {gte: 3, within: 1h}}, {id: d, on: x, group_by: data.x, match: {}}, {id: e, on: x, match: {}}, {id: f, on: x, match: {}}]"
    )
    said = {change.rule: (change.kind, change.says) for change in changes_between(before, after)}
    assert said == {
        "b": ("changed", "what fires, its windows and its waits go on"),
        "c": ("changed", "what fires goes on, its windows and waits begin anew"),
        "d": (
            "changed",
            "another scope, group_by or condition: its alerts end, nobody is told, and it begins anew",
        ),
        "e": ("changed", "turned on, begins anew"),
        "f": ("added", "new, live"),
    }
    assert [(change.rule, change.kind) for change in changes_between(after, before)][-1] == ("f", "removed")


def test_the_bars_of_a_rule_that_tells_nobody_count_its_alerts(run):
    rules = "version: 1\nrules:\n  - {id: quiet, title: Quiet, on: order.placed, group_by: data.order_id, match: {}}\n"
    result = run("backtest", "shop.yaml", "--events", "-", rules_text=rules, stdin=PAST)
    assert f"    2026-01-01  {'█' * 40} 3" in result.stdout
    assert "    alerts of each day" in result.stdout
