"""CEL's C++ as the judge of generated expressions; the generator keeps to those about which both must agree.

What differs on purpose stands in DIFFERENCES: where the rule language departs from CEL, or where C++ departs from CEL's
own words. Beside it the generator leaves out the order of a map's keys, of which C++ has none, and the bounds.
"""

import math
from datetime import UTC, datetime

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_math, ext_optional, ext_strings
from hypothesis import given, settings
from hypothesis import strategies as st

from rule_engine.expressions import EvaluationError, compile_expression

DATA = {
    "i": 7, "j": -3, "zero": 0, "max": 2**63 - 1, "f": 2.5, "g": -0.5, "huge": 1e308, "nan": math.nan, "z": None,
    "t": True, "u": False, "s": "héllo wörld", "e": "", "n": "42", "l": [1, 2.0, "x", None, True], "is": [3, 1, 2],
    "ss": ["b", "a", "b"], "m": {"a": 1, "b": {"c": "x"}, "z": None}, "at": "2026-03-29T00:59:59.5Z", "d": "1h30m",
}  # fmt: skip
NOW = datetime(2026, 1, 3, 12, 30, 15, 250_000, tzinfo=UTC)
ERROR = "error"


# expression, its value here, its value in C++
DIFFERENCES = [
    ("1 + 1.5", 2.5, ERROR),  # ints and doubles mix
    ("9007199254740993 == 9007199254740992.0", False, True),  # and compare exactly
    ("math.round(3)", 3, ERROR),  # math takes ints
    ("duration('1d') == duration('24h')", True, ERROR),
    ("duration('1500ns') == duration('1us')", True, False),  # nothing below a microsecond
    ("string(1e21 / 10.0)", "100000000000000000000", "1e+20"),  # as JavaScript writes it
    ("string(-0.0)", "0", "-0"),
    ("null in data.m", False, ERROR),  # `in` a map never fails
    ("data.z.?a.hasValue()", False, ERROR),  # `.?` and `[?]` are none where there can be nothing
    ("data.l[?'a'].hasValue()", False, ERROR),
    ("data.l[?1.0].orValue(0)", 2.0, ERROR),
    ("int(' 1')", ERROR, 1),  # no blanks, no bools, no other notation
    ("int(true)", ERROR, 1),
    ("double(' 1 ')", ERROR, 1.0),
    ("double('0x10')", ERROR, 16.0),
    ("timestamp('2026-01-01T00:00:00+0100') == now", ERROR, False),  # RFC 3339 and nothing else
    ("timestamp(' 2026-1-1T00:00:00Z') == now", ERROR, False),
    ("timestamp('9999-12-31T23:59:59Z').getFullYear('+01:00')", ERROR, 10_000),  # no clock shows this
    ("data.s.substring(0, 11)", "héllo wörld", ERROR),  # up to the end
    ("true || data.?z.y.hasValue()", True, True),
    ("data.?z.y.hasValue() || true", True, ERROR),  # C++ gives up there, and nothing absorbs it
    ("{'a': 1, 'a': 2} == {} || true", True, ERROR),
]


def _environment() -> cel.Env:
    extensions = [
        ext_math.ExtMath(),
        ext_optional.ExtOptional(),
        ext_strings.ExtStrings(),
        ext_bindings.ExtBindings(),
    ]
    return cel.NewEnv(variables={"data": cel.Type.DYN, "now": cel.Type.TIMESTAMP}, extensions=extensions)


ENVIRONMENT = _environment()


def judged(source):
    try:
        value = ENVIRONMENT.compile(source, disable_check=True).eval(data={"data": DATA, "now": NOW})
    except RuntimeError:
        return ERROR
    return ERROR if value.type() == cel.Type.ERROR else value.plain_value()


def ours(source):
    try:
        return compile_expression(source).evaluate({}, DATA, {}, NOW, {})
    except EvaluationError:
        return ERROR


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or (a != a and b != b))  # noqa: PLR0124


def tree(leaves, *grow):
    return st.recursive(
        st.sampled_from(leaves), lambda inner: st.one_of(*(make(inner) for make in grow)), max_leaves=5
    )


def words(text, more=""):
    return [*text.split(), *more.split()]


def one(text):
    return st.sampled_from(words(text))


def form(text, *parts):
    return st.builds(text.format, *parts)


def operator(symbols, left, right):
    return form("({} {} {})", left, one(symbols), right)


BROKEN = "data.x data.z.a data.m.b.d data.l[9] (1/0)"
INTS = tree(
    words("0 1 -1 7 data.i data.j data.zero data.max -9223372036854775808 data.l[0] x size(data.s)", BROKEN),
    lambda inner: operator("+ - * / %", inner, inner),
    lambda inner: form("-({})", inner),
    lambda inner: form("math.{}({}, {})", one("least greatest"), inner, inner),
    lambda inner: form("math.abs({})", inner),
    lambda inner: form("data.is[{}]", inner),
    lambda inner: form("data.is[?{}].orValue({})", one("0 2 3 -1 data.j"), inner),
    lambda inner: form("'a-b-c'.indexOf('-', {})", inner),
)
DOUBLES = tree(
    words("0.0 1.0 -2.5 data.f data.g data.huge data.nan data.l[1] double(data.n)", BROKEN),
    lambda inner: operator("+ - * /", inner, inner),
    lambda inner: form("math.{}({})", one("abs floor ceil round"), inner),
    lambda inner: form("-({})", inner),
    lambda inner: form("double({})", inner),
)
STRINGS = tree(
    words(
        "'' 'a' 'hé' data.s data.e data.n data.l[2] data.m.b.c data.ss[0] string(data.i) string(now)", BROKEN
    ),
    lambda inner: operator("+", inner, inner),
    lambda inner: form("{}.{}()", inner, one("trim lowerAscii upperAscii")),
    lambda inner: form("{}.substring({})", inner, INTS),
    lambda inner: form(
        "data.s.substring({}, {})", st.integers(-1, 12), st.integers(-1, 12).filter(lambda end: end != 11)
    ),
    lambda inner: form("{}.replace({}, {}, {})", inner, inner, inner, INTS),
    lambda inner: form("{}.split({}, {}).join('+')", inner, inner, INTS),
    lambda inner: form("string({})", inner),
)
DURATIONS = tree(
    words(
        "duration('90m') duration(data.d) duration('-1.5s') duration('0') (now-timestamp(data.at)) duration(data.s)"
    ),
    lambda inner: operator("+ -", inner, inner),
)
TIMES = tree(
    words("now timestamp(data.at) timestamp(0) timestamp('9999-12-31T12:00:00Z') timestamp(data.n) data.x"),
    lambda inner: form("({} {} {})", inner, st.sampled_from("+-"), DURATIONS),
)
PARTS = one("FullYear Month Date DayOfMonth DayOfWeek DayOfYear Hours Minutes Seconds Milliseconds")
ZONES = st.sampled_from(
    ["", "'UTC'", "'Europe/Berlin'", "'America/St_Johns'", "'+05:45'", "'-02:30'", "'Nowhere'"]
)
# Comparable with each other; the ints among them stay where doubles are exact.
SMALL = one("0 1 -1 7 data.i 1.0 2.5 -0.0 data.f data.nan data.huge data.x")
ANY = st.one_of(
    SMALL,
    STRINGS,
    one("true data.u null data.z data.l data.m now duration('1h') [1,'a'] [] {'a':1.0}"),
)
KEYS = st.one_of(STRINGS, one("1 1.0 0.5 true 'a' 'c'"))
LISTS = one("data.l data.is data.ss [] [1,'a',true,null] data.x data.s data.z")
KEYS_OR_ELEMENTS = st.one_of(LISTS, st.just("data.m"))
BOOLS = st.recursive(
    st.one_of(
        operator("== !=", ANY, ANY),
        operator("< <= > >=", ANY, ANY),
        operator("< == >=", INTS, INTS),
        operator("< == >=", DOUBLES, DOUBLES),
        operator("< == >=", DURATIONS, DURATIONS),
        operator("< == >=", TIMES, TIMES),
        form("({} in [1, 'a', 2.5, null, [1, 'a']])", ANY),
        form("({} in {{'a': 1, 1: 2, true: 3}})", KEYS),
        form("{{'a': 1, 1: 2, true: 3}}[{}] == 1", KEYS),
        form("{}.{}({})", STRINGS, one("startsWith endsWith contains"), STRINGS),
        form("{}.matches('{}')", STRINGS, st.sampled_from(["^h", "l+o", "[a-z]{2}$", "(", "é"])),
        one("true false data.t data.u x has(data.i) has(data.x) has(data.x.y) has(data.z.y) has(data.m.z)"),
        one("data.?x.hasValue() data.?m.a.hasValue() data[?'i'].hasValue() data.?x.y.hasValue()"),
        one("bool('true') bool(data.s)"),
    ),
    lambda inner: st.one_of(
        operator("&& ||", inner, inner),
        form("({} && {} || {})", inner, inner, inner),
        form("!({})", inner),
        form("({} ? {} : {})", inner, inner, inner),
        form("({} == {})", inner, inner),
        form("{}.{}(x, {})", KEYS_OR_ELEMENTS, one("all exists exists_one"), inner),
        form("{}.exists(x, x {} {})", KEYS_OR_ELEMENTS, one("== < !="), SMALL),
        form("{}.all(x, x {} {})", KEYS_OR_ELEMENTS, one("== < !="), SMALL),
        form("cel.bind(x, {}, {})", inner, inner),
        form("{}.filter(x, {}).size() == 1", KEYS_OR_ELEMENTS, inner),
    ),
    max_leaves=6,
)
EXPRESSIONS = st.one_of(
    BOOLS,
    BOOLS,
    INTS,
    DOUBLES,
    STRINGS,
    TIMES,
    DURATIONS,
    form("{}.get{}({})", TIMES, PARTS, ZONES),
    form("{}.get{}()", DURATIONS, PARTS),
    form("{}.map(x, x {} {})", LISTS, one("== + <"), STRINGS),
    form("{}.map(x, {}, x)", LISTS, BOOLS),
    form("{}.filter(x, {})", LISTS, BOOLS),
    form("[{}, {}] + {}", BOOLS, INTS, LISTS),
    form("{{'a': {}, {}: {}}}", STRINGS, STRINGS, BOOLS),
    form("({} ? {} : {})", BOOLS, STRINGS, TIMES),
    form("int({})", st.one_of(INTS, DOUBLES, TIMES)),
    form("string({})", st.one_of(INTS, BOOLS, TIMES, DURATIONS)),
)


@pytest.mark.parametrize(("source", "here", "there"), DIFFERENCES)
def test_differs_on_purpose(source, here, there):
    assert same(ours(source), here)
    assert same(judged(source), there)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(EXPRESSIONS.map("cel.bind(x, 7, {})".format))
def test_agrees_with_cels_own_implementation(source):
    expected, actual = judged(source), ours(source)
    assert same(actual, expected), f"{source}: {actual!r}, CEL has {expected!r}"
