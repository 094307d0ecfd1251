"""`beforehand rules eval`."""

import json

import pytest

EVENT = {
    "specversion": "1.0", "id": "1", "source": "/shop", "type": "payment.failed", "time": "2026-03-29T01:30:00Z", "customerid": "c1",
    "data": {"amount": 120, "items": [{"p": 3}, {"p": 9}], "name": "日本"},
}  # fmt: skip


def line(type, data):
    return json.dumps(EVENT | {"type": type, "data": data})


def test_the_value_of_the_whole_comes_first_then_that_of_each_part(run):
    result = run(
        "eval", 'data.amount > 100 && data.name.startsWith("日")', "--event", "-", stdin=json.dumps(EVENT)
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "true",
        "",
        "  data.amount > 100           true",
        "    data.amount               120",
        '  data.name.startsWith("日")  true',
        '    data.name                 "日本"',
    ]  # fmt: skip


def test_a_macros_body_has_a_value_for_each_element(run):
    result = run("eval", "data.items.exists(i, i.p > 5)", "--event", "-", stdin=json.dumps(EVENT))
    assert "i.p > 5     for each: [false, true]" in result.stdout
    assert "i.p       for each: [3, 9]" in result.stdout


def test_an_error_stands_over_carets_at_the_place_where_it_began(run):
    source = 'data.amount > 100 &&\n  "x" + data.name in [data.nam]'
    result = run("eval", source, "--event", "-", stdin=json.dumps(EVENT))
    assert result.exit_code == 1
    assert "data.nam                   error: no such key: nam" in result.stdout
    assert result.stderr.splitlines() == [
        "error: no such key: nam",
        '    "x" + data.name in [data.nam]',
        "                        ^^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("source", "said", "caret"),
    [
        ("sized(data.items) > 3", "unknown function 'sized'; did you mean 'size'?", 0),
        ("data.name == '日本' && dat.x", "unknown name 'dat'; did you mean 'data'?", 23),
        ("1 + ", "", 4),
    ],
)
def test_what_is_no_expression_is_shown_with_a_caret_under_the_place(run, source, said, caret):
    result = run("eval", source)
    assert (result.exit_code, result.stdout) == (2, "")
    message, text, pointer = result.stderr.splitlines()
    assert message.startswith("error: ")
    assert said in message
    assert text == f"  {source}"
    assert pointer == f"  {' ' * caret}^"


def test_of_several_events_the_last_one_is_meant(run):
    lines = [line("customer.updated", {"plan": "pro"}), line("payment.failed", {"amount": 1}), line("payment.failed", {"amount": 2})]  # fmt: skip
    given = "[customer.plan, previous.amount, data.amount, event.id, string(now)]"
    result = run("eval", given, "--event", "-", stdin="\n".join(lines))
    assert result.stdout.splitlines()[0] == '["pro", 1, 2, "1", "2026-03-29T01:30:00Z"]'


def test_without_an_event_there_is_no_data(run):
    assert run("eval", "data == {} && customer == {}").stdout.splitlines()[0] == "true"
    assert run("eval", 'duration("1d") + duration("2h")').stdout.splitlines()[0] == "93600s"


@pytest.mark.parametrize(
    "text", ["", "[]", "no JSON", '{"a": 1}', "{}\n{}", "[" * 100_000, '{"type": "x", "time": "now"}', "\x00"]
)
def test_what_is_no_event_is_an_error(run, text):
    result = run("eval", "true", "--event", "-", stdin=text)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert result.stderr
