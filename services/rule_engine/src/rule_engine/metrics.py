"""What is measured, in one place."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rule_engine.counters import Counters

_BY_RULE = {
    "matched": "Events that matched a rule.",
    "fired": "Alerts that fired.",
    "resolved": "Alerts that were resolved.",
    "expression_errors": "Expressions that ended in an error.",
    "isolated": "Failures of the engine's own that were kept to one rule, or one row.",
    "values_dropped": "Values for which a key had no room: it remembers 10,000 different ones.",
}


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """How a lane is at the moment. `lag` is in records; `clock_us` None: no event yet, or no clock of its own."""

    topic: str
    partition: int
    running: bool
    lag: int | None
    clock_us: int | None


class Metrics:
    """`lanes` gives the figures of the lanes that this worker has when it is asked for them."""

    def __init__(self, counters: Counters, lanes: Callable[[], Iterable[LaneFigures]]) -> None:
        self.registry = CollectorRegistry()
        self.batch_records = Histogram(
            "beforehand_engine_batch_records", "Records in a transaction.", ["topic"], registry=self.registry,
            buckets=(0, 1, 10, 100, 500, 1000, 2500, 5000, 10000),
        )  # fmt: skip
        self.transaction_seconds = Histogram(
            "beforehand_engine_transaction_seconds", "From beginning a transaction to its commit.", ["topic"],
            registry=self.registry, buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
        )  # fmt: skip
        self.registry.register(_AtScrape(counters, lanes))


class _AtScrape(Collector):
    """What others count anyway is read when somebody asks."""

    def __init__(self, counters: Counters, lanes: Callable[[], Iterable[LaneFigures]]) -> None:
        self._counters = counters
        self._lanes = lanes

    def collect(self) -> Iterator[Metric]:
        counters = self._counters
        yield CounterMetricFamily("beforehand_engine_events", "Events read.", value=counters.events)
        yield CounterMetricFamily(
            "beforehand_engine_late_events",
            "Events older than their partition's clock.",
            value=counters.late_events,
        )
        yield CounterMetricFamily(
            "beforehand_engine_poison", "Records that went to the dead letters.", value=counters.poison
        )
        for name, says in _BY_RULE.items():
            by_rule = CounterMetricFamily(f"beforehand_engine_{name}", says, labels=["rule"])
            for rule, count in dict(getattr(counters, name)).items():
                by_rule.add_metric([rule], count)
            yield by_rule
        labels = ["topic", "partition"]
        lag = GaugeMetricFamily("beforehand_engine_lag_records", "Records not evaluated yet.", labels=labels)
        clock = GaugeMetricFamily(
            "beforehand_engine_clock_seconds", "The partition's clock, Unix time.", labels=labels
        )
        running = GaugeMetricFamily("beforehand_engine_lane_running", "1 when recovered.", labels=labels)
        for lane in self._lanes():
            place = [lane.topic, str(lane.partition)]
            running.add_metric(place, lane.running)
            if lane.lag is not None:
                lag.add_metric(place, lane.lag)
            if lane.clock_us is not None:
                clock.add_metric(place, lane.clock_us / 1e6)
        yield from (lag, clock, running)
