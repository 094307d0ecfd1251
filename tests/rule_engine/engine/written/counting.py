"""`match`, `event_count`, `value_count`, `ratio` without `every`, `flatline`, `new_term` as they are written."""

from typing import Any

from reference.counting import Count, Flat, Measured, Share, Values
from reference.match import Match
from reference.measures import Measure
from reference.terms import NewTerm
from reference.told import DAY, Data
from written.clause import Clause, Draw, seconds

S = 1_000_000


def match(draw: Draw) -> Clause:
    return draw.clause("match", Match())


def within(draw: Draw) -> int:
    """In seconds."""
    value = draw.one_of(3, 2, 1, 4, 6, 10)
    draw.key("within", seconds(value))
    return value * S


def event_count(draw: Draw) -> Clause:
    gte = draw.one_of(2, 2, 1, 3)
    draw.key("gte", gte)
    return draw.clause("event_count", Count(gte, within(draw)))


def term_of(data: Data) -> str | None:
    """`data.t` as text; None for null and errors."""
    match data.get("t"):
        case bool(truth):
            return "true" if truth else "false"
        case int(number) | float(number):
            return f"{number:g}"
        case str(text):
            return text
    return None


def value_count(draw: Draw) -> Clause:
    draw.key("of", "data.t")
    gte = draw.one_of(2, 2, 1, 3)
    draw.key("gte", gte)
    return draw.clause("value_count", Values(term_of, gte, within(draw)))


def ratio(draw: Draw) -> Clause:
    draw.key("of", "data.bad")
    gte = draw.one_of(0.3, 0.5, 1)
    draw.key("gte", gte)
    span = within(draw)
    least = draw.maybe("min_events", None, 1, 2, 3) or 1
    return draw.clause("ratio", Share(lambda data: data["bad"], gte, span, least), "ratio, sliding")


def measure(draw: Draw, min_events: int | None) -> Measure:
    function = draw.one_of("avg", "sum", "sum", "min", "max", "p50", "p90", "p95", "p99")
    draw.key(function, "data.n", f"aggregate, {function}")
    compare = draw.one_of("gt", "gte", "lt", "lte")
    bound = draw.one_of(0, 1, 2, 2.5, 5)
    draw.key(compare, bound, f"aggregate, {compare}")
    least = int(function != "sum") if min_events is None else min_events
    return Measure(function, number_of, compare, bound, least)


def aggregate(draw: Draw) -> Clause:
    span = within(draw)
    least = draw.maybe("min_events", None, 1, 2, 3)
    return draw.clause("aggregate", Measured(measure(draw, least), span), "aggregate, sliding")


def flatline(draw: Draw) -> Clause:
    span = within(draw)
    lt = draw.maybe("lt", None, 1, 2, 3) or 1
    forget = draw.maybe("forget", None, span // S + 1, 12, 25, show=seconds)
    return draw.clause("flatline", Flat(span, lt, 7 * DAY if forget is None else max(forget * S, span + S)))


def new_term(draw: Draw) -> Clause:
    draw.key("of", "data.t")
    memory = draw.maybe("memory", None, 3, 8, 20, show=seconds)
    after = draw.maybe("after", None, 1, 2, 4) or 1
    return draw.clause("new_term", NewTerm(term_of, 90 * DAY if memory is None else memory * S, after))


def number_of(data: Data) -> Any:
    """`data.n` where it is a number."""
    value = data.get("n")
    return value if isinstance(value, int | float) else None
