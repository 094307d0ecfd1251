"""How much a key with hopping windows keeps, and what an edit leaves of it."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from contracts.envelope import encode, event
from contracts.times import to_micros
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.replay import Bytes
from rule_engine.rules.load import load_text

START = datetime(2026, 1, 1, tzinfo=UTC)


def engine_of(condition: str, engine: LaneEngine | None = None) -> LaneEngine:
    engine = engine or LaneEngine(0, Counters())
    rule = f"rules:\n  - {{id: r, on: x, {condition}}}\n"
    engine.adopt({"rules.yaml": load_text(rule, "rules.yaml")})
    return engine


def at(seconds: float, **data: Any) -> Bytes:
    time = START + timedelta(seconds=seconds)
    return Bytes(
        encode(event(id=f"e{seconds:g}", source="test", type="x", time=time, data=data, customerid="c1"))
    )


def row_bytes(engine: LaneEngine) -> int:
    return sum(len(value) for key, value in engine.take().rows if b'"key"' in key and value is not None)


def happened(engine: LaneEngine) -> list[tuple[float, str, Any]]:
    return [((each.at - START).total_seconds(), each.state, each.value) for each in engine.take().transitions]


def test_a_percentile_over_a_busy_day_keeps_values_in_buckets():
    engine = engine_of("aggregate: {p99: data.ms, gt: 1e9, within: 1d, every: 1h}")
    random = Random(1)
    for hour in range(30):
        engine.run(
            [
                at(3600 * hour + number, n=number, ms=round(random.expovariate(0.01), 1))
                for number in range(0, 3600, 4)
            ]
        )
    assert row_bytes(engine) < 40_000  # 900 values an hour would be 190 kB


def test_a_window_of_few_values_is_exact_however_many_there_were_before():
    engine = engine_of("aggregate: {p50: data.ms, gt: 1000, within: 2h, every: 1h}")
    engine.run([at(number, ms=500) for number in range(3600)])
    engine.run([at(3600 + number, ms=1000 + number) for number in range(11)])
    engine.run([at(7200 + number, ms=1100 + number) for number in range(10)])
    engine.silent(to_micros(START + timedelta(seconds=10_801)))
    assert happened(engine) == [(10_800, "firing", 1010)]


def test_after_an_edit_an_empty_sum_is_judged_at_the_first_full_window():
    engine = engine_of("aggregate: {sum: data.n, gte: 10, within: 2m, every: 1m}")
    engine.run([at(0, n=10)])
    engine.silent(to_micros(START + timedelta(seconds=90)))
    assert happened(engine) == [(60, "firing", 10)]
    engine_of("aggregate: {sum: data.n, gte: 11, within: 2m, every: 1m}", engine)
    engine.silent(to_micros(START + timedelta(hours=1)))
    assert happened(engine) == [(240, "resolved", 0)]


def test_after_an_edit_what_an_empty_sum_makes_true_goes_on_until_the_key_is_forgotten():
    engine = engine_of("aggregate: {sum: data.n, lt: 10, within: 1m, every: 1m, forget: 10m}")
    engine.run([at(0, n=1)])
    engine.silent(to_micros(START + timedelta(seconds=90)))
    engine_of("aggregate: {sum: data.n, lt: 11, within: 1m, every: 1m, forget: 10m}", engine)
    engine.silent(to_micros(START + timedelta(hours=1)))
    assert happened(engine) == [(60, "firing", 1), (780, "ended", 1)]
