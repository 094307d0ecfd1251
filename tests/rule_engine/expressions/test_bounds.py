"""Whatever the text and whatever the event: an end in bounded time and memory."""

import json
from time import process_time

import pytest

from rule_engine.expressions import EvaluationError, ExpressionSyntaxError, compile_expression


def nested(opening, inner, closing, times):
    return opening * times + inner + closing * times


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [("(", "1", ")"), ("[", "1", "]"), ("{'a': ", "1", "}"), ("size(", "'a'", ")"), ("data[", "1", "]"),
     ("!(", "true", ")"), ("(1 + ", "1", ")"), ("[1].map(x, ", "1", ")"), ("cel.bind(x, 1, ", "x", ")"),
     ("(true ? false : ", "true", ")"), ("(true && ", "true", ")"), ("math.least(1, ", "1", ")")],
)  # fmt: skip
def test_64_brackets_or_calls_inside_each_other_and_no_more(opening, inner, closing):
    compile_expression(nested(opening, inner, closing, 64))
    with pytest.raises(ExpressionSyntaxError, match="more than 64 brackets or calls"):
        compile_expression(nested(opening, inner, closing, 65))


def test_10_000_characters_and_no_more():
    assert compile_expression("'" + "x" * 9_998 + "'").evaluate({}, {}, {}, None, {}) == "x" * 9_998
    with pytest.raises(ExpressionSyntaxError, match="at most 10,000 characters"):
        compile_expression("'" + "x" * 9_999 + "'")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("+".join(["1"] * 5_000), 5_000),
        ("1" + " in [1, true]" * 700, True),
        ("data.a == 1 || " * 600 + "true", True),
        ("data.a == 1 && " * 600 + "false", False),
        ("false ? 1 : " * 800 + "2", 2),
        ("!" * 9_996 + "true", True),
        ("-" * 9_999 + "1", -1),
        ("{}" + ".?a" * 3_000 + ".hasValue()", False),
        ("'a'" + ".trim()" * 1_400, "a"),
        ("[1]" + ".map(x, x)" * 900, [1]),
        ("'a' + " * 1_600 + "'b'", "a" * 1_600 + "b"),
        ("[" + "1, " * 3_000 + "2].size()", 3_001),
        ("(true ? " * 60 + "1" + " : 2)" * 60, 1),
        ("(1 + 2 * -" * 60 + "1" + ")" * 60, 768614336404564651),
    ],
)
def test_long_chains_compile_and_run(source, value):
    assert compile_expression(source[:10_000]).evaluate({}, {}, {}, None, {}) == value


def test_10_000_runs_of_macros_bodies_and_no_more(value_of, error_of):
    for source in (
        "data.l.all(x, true)",
        "data.l.map(x, true, x).size() == 10000",
        "!data.l.exists(x, false)",
    ):
        assert value_of(source, {"l": [0] * 10_000}) is True
        assert error_of(source, {"l": [0] * 10_001}) == "more than 10,000 runs of a macro's body"
    assert value_of("data.l.all(x, true) || true", {"l": [0] * 10_001}) is True


def test_strings_of_1_mib_and_lists_of_10_000_and_no_more(value_of, error_of):
    assert value_of("size(data.s + 'a')", {"s": "a" * (2**20 - 1)}) == 2**20
    assert error_of("data.s + 'a'", {"s": "a" * 2**20}).startswith("a string longer than 1,048,576")
    assert value_of("size(data.l + [1])", {"l": [0] * 9_999}) == 10_000
    assert error_of("data.l + [1]", {"l": [0] * 10_000}).startswith("a list longer than 10,000")
    assert value_of("size(data.s.split(','))", {"s": "," * 9_999}) == 10_000
    assert error_of("data.s.split(',')", {"s": "," * 10_000}).startswith("a list longer than 10,000")


DIGITS = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
HOSTILE = {
    "runs of nested macros": (nested(f"{DIGITS}.map(a, ", "1", ")", 5), "more than 10,000 runs"),
    "runs that && would go on with": (nested(f"{DIGITS}.all(a, ", "data.x", ")", 8), "more than 10,000 runs"),
    "runs one after the other": (
        f"cel.bind(l, {DIGITS} + {DIGITS}, l.exists(a, l.exists(b, l.exists(c, l.exists(d, false)))))",
        "more than 10,000 runs",
    ),
    "a doubled string": (
        "cel.bind(a, 'aaaaaaaa', " + "cel.bind(a, a + a, " * 40 + "size(a)" + ")" * 41,
        "a string longer than 1,048,576",
    ),
    "a doubled list": (
        "cel.bind(a, [1], " + "cel.bind(a, a + a, " * 40 + "size(a)" + ")" * 41,
        "a list longer than 10,000",
    ),
    "a replaced string": ("data.s.replace('', data.s)", "a string longer than 1,048,576"),
    "a joined list": ("data.l.map(x, data.s).join(data.s)", "a string longer than 1,048,576"),
    "a split string": ("data.s.split('')", "a list longer than 10,000"),
    "a list in lists, compared": (
        "cel.bind(a, [1, 2], " + "cel.bind(a, [a, a, a, a], " * 60 + "a == a" + ")" * 61,
        "too much work",
    ),
    "a list in lists, given out": (
        "cel.bind(a, [1, 2], " + "cel.bind(a, [a, a, a, a], " * 60 + "a" + ")" * 61,
        "the value is too large",
    ),
    "a string in lists, given out": ("data.l.map(x, data.s)", "the value is too large"),
    "long strings compared again and again": (
        "data.l.map(x, data.s + 'a').all(a, data.l.map(x, data.s + 'a').all(b, a == b && a <= b))",
        "too much work",
    ),
    "long strings searched again and again": ("data.l.all(x, !data.s.matches('(a?){50}b'))", "too much work"),
    "a long list searched again and again": ("data.long.all(x, !(-1 in data.long))", "too much work"),
    "a regular expression too large": ("data.s.matches('((a{100}){100}){100}')", "no regular expression"),
}


@pytest.mark.parametrize(("source", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_expressions_end_in_an_error_soon(source, message):
    data = {"s": "a" * 100_000, "l": [0] * 200, "long": list(range(9_000))}
    started = process_time()
    with pytest.raises(EvaluationError, match=message):
        compile_expression(source).evaluate({}, data, {}, None, {})
    assert process_time() - started < 5


def test_matches_takes_linear_time():
    where = compile_expression("data.s.matches('^(a+)+$')")
    started = process_time()
    assert not where.holds({}, {"s": "a" * 200_000 + "b"}, {}, None, {})
    assert process_time() - started < 2


def test_deep_data_is_compared_without_recursion():
    deep = json.loads("[" * 900 + "]" * 900)
    for _ in range(50_000):
        deep = [deep]
    other = [deep]
    assert compile_expression("data.a == data.a && data.a != data.b").holds(
        {}, {"a": deep, "b": other}, {}, None, {}
    )


def test_long_digits_are_no_number_at_once():
    for source in ("int(data.s)", "double(data.s)", "duration(data.s + 's')", "timestamp(data.s)"):
        with pytest.raises(EvaluationError):
            compile_expression(source).evaluate({}, {"s": "9" * 1_000_000}, {}, None, {})
