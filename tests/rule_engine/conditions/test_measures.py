"""What windows add up: the same in any order and however it was divided, percentiles within 1 %, in bounded room."""

import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rule_engine.conditions import sketch, sums
from rule_engine.conditions.measures import MEASURES
from rule_engine.state import pack, unpack

NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300),
)


def divided(draw, values, measure):
    """The tallies of the values in some order and division, as they come back from the changelog."""
    tallies = []
    for value in draw(st.permutations(values)):
        if tallies and draw(st.booleans()):
            tallies[-1] = unpack(pack(measure.add(tallies[-1], measure.one(value))))
        else:
            tallies.append(measure.one(value))
    return tallies


@given(st.lists(NUMBERS, min_size=1, max_size=12), st.sampled_from(sorted(MEASURES)), st.data())
def test_the_order_and_division_of_values_make_no_difference(values, name, data):
    measure = MEASURES[name]
    one, other = (measure.result(divided(data.draw, values, measure), len(values)) for _ in range(2))
    assert one == other
    assert one == pytest.approx(measure.of(values), rel=1e-9)


@given(st.lists(NUMBERS, max_size=12))
def test_a_sum_is_rounded_once(values):
    total = 0
    for value in values:
        total = sums.add(total, sums.sum_of(value))
    exact = sum(map(Fraction, values), Fraction(0))
    assert sums.value_of(total) == (int(exact) if isinstance(sums.value_of(total), int) else float(exact))


def test_what_is_beyond_a_double_is_infinite():
    assert MEASURES["sum"].result([sums.add([1.7e308], [1.7e308]), [1.0]], 3) == math.inf


@settings(max_examples=40, deadline=None)
@given(
    st.builds(Random, st.integers(0, 1 << 32)),
    st.integers(sketch.EXACT + 1, 4000),
    st.sampled_from([(0, 1), (-10, 10), (4, 3), (-500, 50)]),
)
def test_percentiles_of_many_are_within_1_percent(random, count, shape):
    values = [math.exp(random.gauss(*shape)) * random.choice([1, 1, 1, -1, 0]) for _ in range(count)]
    parts = []
    at = 0
    while at < count:
        size = random.randint(1, 1500)
        part = []
        for value in values[at : at + size]:
            part = sketch.added(part, [value])
        parts.append(part)
        at += size
    for percent in (50, 90, 95, 99):
        exact = sorted(values)[percent * (count - 1) // 100]
        assert sketch.quantile(percent, parts, count) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("value", [5e-324, 1e-300, 1, 1.02, 1e300, 1.7e308, 2**63 - 1, -3, 0])
def test_a_bucket_has_its_values_within_1_percent(value):
    assert sketch.quantile(50, [sketch.bucketed([value])], 1) == pytest.approx(value, rel=0.01)


def test_a_thousand_are_exact_and_of_one_more_there_are_but_buckets():
    part = [float(number) for number in range(1000)]
    assert sketch.quantile(50, [part], 1000) == 499
    assert isinstance(sketch.added(part, [1000.0]), dict)
    assert len(pack(sketch.bucketed([float(number) for number in range(1, 100_000)]))) < 5_000
