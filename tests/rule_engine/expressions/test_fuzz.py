"""Any text either compiles or is an ExpressionSyntaxError, and any event either has a value or an EvaluationError."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rule_engine.expressions import (
    VARIABLES,
    EvaluationError,
    ExpressionSyntaxError,
    compile_expression,
)

WORDS = r"""
data event now previous value x y .a .? a [ ] [? ( ) { } , : ? && || ! - + * / % == != < <= > >= in 1 0 2.5 1e400
9223372036854775807 0x1f 'a' "é" r'\d' '''b''' '\u0041' '\ud800' true false null size( has( .all(x, .map(x,
.filter(x, .exists(x, .exists_one(x, cel.bind(x, math.greatest( math.round( int( double( string( bool( timestamp(
duration( .orValue( .hasValue() .split( .join( .replace( .substring( .indexOf( .matches( .contains( .trim()
.getHours( .getMilliseconds() '1h' '2026-01-01T00:00:00Z' 'Europe/Berlin' // # @ ` ; = & | ~ ^ \ 42u b'x' None and
for .in .
"""
WORD = st.sampled_from([*WORDS.split(), "\ud800", "\0", "\n"])


def one(text):
    return st.sampled_from(text.split())


def form(text, *parts):
    return st.builds(text.format, *parts)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["", "a", "1", "1h", "\ud800", "2026-01-01T00:00:00Z", "a" * 5_000]),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.sampled_from("abxy"), values, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.lists(WORD, max_size=14).map(" ".join)
    | st.lists(WORD, max_size=10).map("".join)
    | st.text(max_size=30),
    VALUES,
)
@example("'\ud800' == data", None)
@example("data.a." + "\N{COMBINING ACUTE ACCENT}", None)
def test_any_text_and_any_event(text, value):
    try:
        expression = compile_expression(text, VARIABLES)
    except ExpressionSyntaxError as error:
        offset = error.offset
    else:
        offset = 0
        run(expression, value)
    assert 0 <= offset <= len(text)


def run(expression, value):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for function in (expression.evaluate, expression.holds):
        try:
            result = function({"time": now}, value, {}, now, {"a": value}, value, value)
        except EvaluationError:
            continue
        assert isinstance(result, str | int | float | bool | list | dict | datetime | timedelta | None)


OPERAND = one(
    "data data.a data.?a data[?0] x now 1 -1.5 'a' null true [1,data] {'a':data} {1:2,true:3} duration('1h')"
)
EXPRESSIONS = st.recursive(
    OPERAND,
    lambda inner: st.one_of(
        form("({} {} {})", inner, one("+ - * / % == != < <= > >= in && ||"), inner),
        form("({} ? {} : {})", inner, inner, inner),
        form("[{}, {}].{}(x, {})", inner, inner, one("all exists exists_one filter map"), inner),
        form("{}.map(x, {}, {})", OPERAND, inner, inner),
        form("cel.bind(x, {}, {})", inner, inner),
        form("{}.orValue({})", OPERAND, inner),
        form("{}.{}({})", OPERAND, one("split join contains indexOf getHours substring"), inner),
        form("{}({})", one("! - int string double math.round math.least size"), inner),
        form("{}[{}]", OPERAND, inner),
        form("has(({}).a)", inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(EXPRESSIONS, VALUES)
def test_any_expression_and_any_event(text, value):
    run(compile_expression(f"cel.bind(x, data, {text})", VARIABLES), value)
