"""Any text either compiles or is an ExpressionSyntaxError, and any event either has a value or an EvaluationError."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rule_engine.expressions import VARIABLES, EvaluationError, ExpressionSyntaxError, compile_expression, parse

WORDS = st.sampled_from(
    """data event now previous value x y .a .? a [ ] [? ( ) { } , : ? && || ! - + * / % == != < <= > >= in 1 0 2.5 1e400
    9223372036854775807 0x1f 'a' "é" r'\\d' '''b''' '\\u0041' '\\ud800' true false null size( has( .all(x, .map(x,
    .filter(x, .exists(x, .exists_one(x, cel.bind(x, math.greatest( math.round( int( double( string( bool( timestamp(
    duration( .orValue( .hasValue() .split( .join( .replace( .substring( .indexOf( .matches( .contains( .trim()
    .getHours( .getMilliseconds() '1h' '2026-01-01T00:00:00Z' 'Europe/Berlin' // # @ ` ; = & | ~ ^ \\ 42u b'x' None and
    for .in . \ud800 \0 \n""".split(" ")
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["", "a", "1", "1h", "\ud800", "2026-01-01T00:00:00Z", "a" * 5_000]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from("abxy"), values, max_size=3),
    max_leaves=6,
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.lists(WORDS, max_size=10).map("".join) | st.text(max_size=30), VALUES)
@example("'\ud800' == data", None)
@example("data.a." + "\N{COMBINING ACUTE ACCENT}", None)
def test_any_text_and_any_event(text, value):
    try:
        expression = compile_expression(text, VARIABLES)
    except ExpressionSyntaxError as error:
        assert 0 <= error.offset <= len(text)
        return
    parse(text)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for function in (expression.evaluate, expression.holds):
        try:
            result = function({"time": now}, value, {}, now, {"a": value}, value, value)
        except EvaluationError:
            continue
        assert isinstance(result, str | int | float | bool | list | dict | datetime | timedelta | None)


OPERAND = st.sampled_from(
    ["data", "data.a", "data.?a", "data[?0]", "x", "now", "1", "-1.5", "'a'", "null", "true", "[1, data]", "{'a': data}",
     "{1: 2, true: 3}", "duration('1h')"]
)  # fmt: skip
EXPRESSIONS = st.recursive(
    OPERAND,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / % == != < <= > >= in && ||".split()), inner).map(" ".join).map("({})".format),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("[{}, {}].{}(x, {})".format, inner, inner, st.sampled_from(["all", "exists", "exists_one", "filter", "map"]), inner),
        st.builds("{}.map(x, {}, {})".format, OPERAND, inner, inner),
        st.builds("cel.bind(x, {}, {})".format, inner, inner),
        st.builds("{}.orValue({})".format, OPERAND, inner),
        st.builds("{}.{}({})".format, OPERAND, st.sampled_from(["split", "join", "contains", "indexOf", "getHours", "substring"]), inner),
        st.builds("{}({})".format, st.sampled_from(["!", "-", "int", "string", "double", "math.round", "math.least", "size"]), inner),
        st.builds("{}[{}]".format, OPERAND, inner),
        st.builds("has(({}).a)".format, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(EXPRESSIONS, VALUES)
def test_any_expression_and_any_event(text, value):
    expression = compile_expression(f"cel.bind(x, data, {text})", VARIABLES)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    try:
        result = expression.evaluate({}, value, {}, now, {})
    except EvaluationError as error:
        assert error.message
        return
    assert isinstance(result, str | int | float | bool | list | dict | datetime | timedelta | None)
