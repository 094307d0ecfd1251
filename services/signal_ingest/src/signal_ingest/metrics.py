"""What is counted, in one place."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "beforehand_ingest_accepted", "Events written to signals.", ["via"], registry=self.registry
        )
        self.duplicates = Counter(
            "beforehand_ingest_duplicates",
            "Events recognised as written before.",
            ["via"],
            registry=self.registry,
        )
        self.rejected = Counter(
            "beforehand_ingest_rejected", "Events refused.", ["via", "reason"], registry=self.registry
        )
        self.publish_seconds = Histogram(
            "beforehand_ingest_publish_seconds",
            "From accepting events to Kafka's acknowledgement.",
            registry=self.registry,
        )
        self.pending_bytes = Gauge(
            "beforehand_ingest_pending_bytes", "Bytes on their way into Kafka.", registry=self.registry
        )
        self.remembered = Gauge(
            "beforehand_ingest_remembered_events", "Events known for duplicates.", registry=self.registry
        )
        self.duplicate_window_seconds = Gauge(
            "beforehand_ingest_duplicate_window_seconds",
            "How far back duplicates are surely recognised; less than 86400 means that memory is too small.",
            registry=self.registry,
        )
        self.ready = Gauge("beforehand_ingest_ready", "1 while events are taken.", registry=self.registry)
