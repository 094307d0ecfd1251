"""What /metrics tells, all of it in one place."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "beforehand_ticket_api_records",
            "Records taken from topics",
            ["topic", "outcome"],
            registry=self.registry,
        )
        self.behind = Gauge(
            "beforehand_ticket_api_behind",
            "Records not yet taken",
            ["topic", "partition"],
            registry=self.registry,
        )
        self.relayed = Counter(
            "beforehand_ticket_api_relayed",
            "Records of the outbox that the broker has",
            ["topic"],
            registry=self.registry,
        )
        self.requests = Histogram(
            "beforehand_ticket_api_request_seconds", "Answers by route and status", ["route", "status"],
            registry=self.registry, buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
        )  # fmt: skip
