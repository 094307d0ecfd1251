"""`beforehand rules new`: a first rule, with tests that pass."""

import json

import pytest

from contracts.catalogue import CATALOGUE

PLACED = {
    "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed", "time": "2026-01-01T00:00:00Z", "customerid": "c1",
    "data": {"order_id": "o1", "total": 59.9, "currency": "EUR", "note": "näh: \"x\", #1 'y'", "paid": True, "odd-name": 1},
}  # fmt: skip


def test_three_answers_make_a_rule_with_tests_that_pass(run, tmp_path):
    result = run("new", stdin="order.placed\nno order.shipped in 48h\ncustomer\n")
    assert result.exit_code == 0
    assert "Which event is it about [order.placed]:" in result.stderr
    assert (
        result.stdout.splitlines()[-2]
        == "wrote no-order-shipped.yaml: the rule no-order-shipped, with 2 tests that pass"
    )
    written = (tmp_path / "no-order-shipped.yaml").read_text()
    assert "    absence: {expect: order.shipped, within: 48h}\n" in written
    assert "    group_by: data.order_id\n" in written
    tested = run("test", "no-order-shipped.yaml")
    assert "2 of 2 tests passed" in tested.stdout
    assert "no problems" in run("check", "no-order-shipped.yaml").stdout
    again = run("new", stdin="order.placed\nno order.shipped in 48h\ncustomer\n")
    assert "no-order-shipped.yaml is there already: name another file with --out" in again.stderr
    assert (again.exit_code, (tmp_path / "no-order-shipped.yaml").read_text()) == (2, written)


def test_what_is_not_understood_is_asked_again(run):
    answers = "Order Placed\norder.plaecd\nsometimes\n0 in 5m\n3 in 5 minutes\nno x in 0s\n3 times within 5m\nme\nnobody\n"
    result = run("new", "--out", "-", stdin=answers)
    assert result.exit_code == 0
    assert "expected an event type such as order.placed, found 'Order Placed'" in result.stderr
    assert "the catalogue does not know 'order.plaecd'; did you mean 'order.placed'?" in result.stderr
    assert "expected each, 3 in 10m, or no order.shipped in 48h; found 'sometimes'" in result.stderr
    assert "expected 1 to 10,000 times, found 0" in result.stderr
    assert "expected a duration longer than 0" in result.stderr
    assert "event_count: {gte: 3, within: 5m}" in result.stdout
    assert "notify:\n" not in result.stdout


def test_an_example_is_enough(run, tmp_path):
    result = run("new", "--event", "-", "--out", "mine.yaml", stdin=json.dumps(PLACED))
    assert result.stdout.splitlines()[0] == "wrote mine.yaml: the rule order-placed, with 1 test that passes"
    written = (tmp_path / "mine.yaml").read_text()
    assert (
        "    vars: {total: data.total, currency: data.currency, note: data.note, paid: data.paid}\n"
        in written
    )
    assert "      - {to: customer, template: notice, channels: [email]}\n" in written
    assert "1 of 1 test passed" in run("test", "mine.yaml").stdout


@pytest.mark.parametrize(
    "kind",
    [name for name, kind in CATALOGUE.items() if kind.concerns == "customer" and name != "customer.erased"],
)
@pytest.mark.parametrize(
    "when", ["each", "3 in 10m", "1 in 1s", "no order.shipped in 48h", "no my.own in 1d12h"]
)
def test_of_each_known_event_it_makes_a_rule_that_loads_and_passes(run, kind, when):
    event = PLACED | {"type": kind, "data": CATALOGUE[kind].example}
    result = run(
        "new", "--event", "-", "--when", when, "--tell", "operations", "--out", "-", stdin=json.dumps(event)
    )
    assert result.exit_code == 0
    assert f"    on: {kind}\n" in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no CloudEvent in JSON"),
        ("[]", "expected an object with type, customerid, data"),
        (json.dumps(PLACED | {"data": [1]}), "its data is no object"),
        (json.dumps(PLACED | {"customerid": None}), "it has no customerid"),
        (json.dumps(PLACED | {"type": "Größe"}), "expected an event type"),
        (json.dumps(PLACED | {"type": "customer.erased"}), "after customer.erased nothing is known"),
        ("[" * 100_000, "no CloudEvent in JSON"),
        (json.dumps(PLACED | {"data": {"a": json.loads("[" * 40 + "]" * 40)}}), "of this example no rule can be made"),
    ],
)  # fmt: skip
def test_what_is_no_example_is_told(run, text, said):
    result = run("new", "--event", "-", stdin=text)
    assert said in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")
