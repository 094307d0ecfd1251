"""What the rest of the engine sees of an expression."""

from datetime import UTC, datetime

import pytest

from rule_engine.expressions import VARIABLES, EvaluationError, ExpressionSyntaxError, compile_expression


def test_says_what_it_reads_so_that_nobody_builds_the_rest():
    expression = compile_expression("data.x > 1 && has(customer.plan) || [now].all(data, data > now)")
    assert expression.variables == {"data", "customer", "now"}
    assert not expression.constant
    assert compile_expression("[1].all(x, x == 1)").constant


def test_holds_is_true_only_for_true():
    where = compile_expression("data.x")
    assert where.holds({}, {"x": True}, {}, None, {}) is True
    assert where.holds({}, {"x": False}, {}, None, {}) is False
    for value, message in (
        (1, "no bool but int"),
        ("true", "no bool but string"),
        (None, "no bool but null"),
    ):
        with pytest.raises(EvaluationError, match=message):
            where.holds({}, {"x": value}, {}, None, {})
    with pytest.raises(EvaluationError, match="no such key: x"):
        where.holds({}, {}, {}, None, {})
    with pytest.raises(EvaluationError, match="no bool but optional"):
        compile_expression("data.?x").holds({}, {}, {}, None, {})


def test_every_variable_arrives_under_its_name():
    for position, name in enumerate(VARIABLES):
        arguments = [{"at": other} for other in range(len(VARIABLES))]
        assert compile_expression(f"{name}.at", VARIABLES).evaluate(*arguments) == position
    assert compile_expression("value == null && key == null", VARIABLES).holds({}, {}, {}, None, {}) is True


@pytest.mark.parametrize(
    "source",
    ["data.__class__", "data.keys", "data.s.__len__", "data['__class__']", "now.year", "now.tzinfo", "data.f.real",
     "data.items", "data.?s.value.orValue(data.?s.upper)"],
)  # fmt: skip
def test_no_attribute_of_python_is_reached(source):
    expression = compile_expression(source)
    with pytest.raises(EvaluationError):
        expression.evaluate({}, {"s": "a", "f": 1.5}, {}, datetime.now(UTC), {})


@pytest.mark.parametrize(
    "source", ["__import__('os')", "open('x')", "exec('1')", "__builtins__", "None", "print(1)", "t1", "c1"]
)
def test_no_name_of_python_is_known(source):
    with pytest.raises(ExpressionSyntaxError):
        compile_expression(source)


def test_an_expression_runs_the_same_for_ever():
    expression = compile_expression("data.l.map(x, x + 1) == [2, 3] && 'a,b'.split(',').size() == 2")
    for _ in range(3):
        assert expression.holds({}, {"l": [1, 2]}, {}, None, {})
