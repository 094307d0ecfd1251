"""The topics: who writes, who reads, what the key is, how long records stay."""

from dataclasses import dataclass, field
from typing import Literal

DAY_MS = 86_400_000
CUSTOMER_PARTITIONS = 12  # of every topic keyed by customer, fixed for life
EMBEDDED_PARTITIONS = 4  # the same in the embedded runner

Cleanup = Literal["delete", "compact"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the house. `by_customer` topics all have the same number of partitions; the others have `partitions`.

    `retention_ms` is how long a record stays; None on compacted topics, where the newest of a key stays for good.
    """

    name: str
    key: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    holds: str
    by_customer: bool = True
    partitions: int = 1
    retention_ms: int | None = 30 * DAY_MS
    cleanup: Cleanup = "delete"
    broker_time: bool = False
    config: dict[str, str] = field(default_factory=dict)

    def kafka_config(self) -> dict[str, str]:
        """The topic's configuration as Kafka's admin client takes it."""
        config: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.broker_time:
            config["message.timestamp.type"] = "LogAppendTime"
        return config | self.config

    def partition_count(self, customer_partitions: int) -> int:
        return customer_partitions if self.by_customer else self.partitions


EVENTS = Topic(
    "events", "any", ("backends", "ticket_api", "notifier"), ("signal_ingest",),
    "raw events of whoever speaks Kafka rather than HTTP", retention_ms=7 * DAY_MS,
)  # fmt: skip
SIGNALS = Topic(
    "signals", "customer, else source", ("signal_ingest",), ("rule_engine", "ticket_api"),
    "accepted facts, the one stream that rules judge by", retention_ms=14 * DAY_MS, broker_time=True,
)  # fmt: skip
CUSTOMERS = Topic(
    "customers", "customer", ("signal_ingest",), ("notifier", "ticket_api"),
    "whole profiles; a null value erases", retention_ms=None, cleanup="compact",
)  # fmt: skip
RULES = Topic(
    "rules", "rule file", ("beforehand rules push",), ("rule_engine", "ticket_api"),
    "rule files as pushed; a null value removes", by_customer=False, retention_ms=None, cleanup="compact",
)  # fmt: skip
ALERTS = Topic(
    "alerts", "customer, or rule id", ("rule_engine",), ("notifier", "ticket_api"),
    "transitions of alerts, each with what is to be told and to whom",
)  # fmt: skip
TICKETS = Topic(
    "tickets", "customer", ("ticket_api",), ("notifier",), "what happened to tickets, with their texts"
)  # fmt: skip
MESSAGES = Topic(
    "messages", "customer", ("notifier",), ("ticket_api",), "the fate of each message"
)  # fmt: skip
CONTROLS = Topic(
    "controls", "what it decides on", ("ticket_api", "notifier"), ("notifier", "ticket_api"),
    "decisions of people: pauses", by_customer=False, retention_ms=None, cleanup="compact",
)  # fmt: skip
ENGINE_STATE = Topic(
    "engine.state", "the row's own", ("rule_engine",), ("rule_engine",),
    "changelog of the signals lanes' rows", retention_ms=None, cleanup="compact",
)  # fmt: skip
ENGINE_REGROUPED = Topic(
    "engine.regrouped", "rule and key", ("rule_engine",), ("rule_engine",),
    "partials of global rules, and each partition's clock", retention_ms=2 * DAY_MS,
)  # fmt: skip
ENGINE_GLOBAL_STATE = Topic(
    "engine.global_state", "the row's own", ("rule_engine",), ("rule_engine",),
    "changelog of the global lanes' rows", retention_ms=None, cleanup="compact",
)  # fmt: skip
ENGINE_GLOBALS = Topic(
    "engine.globals", "rule and key", ("rule_engine",), ("rule_engine",),
    "the newest word on each global alert, read whole by all workers", by_customer=False, retention_ms=None, cleanup="compact",
)  # fmt: skip
ENGINE_STATUS = Topic(
    "engine.status", "rule file", ("rule_engine",), ("rule_engine", "ticket_api"),
    "which version of a rule file was taken or refused, and why", by_customer=False, retention_ms=None, cleanup="compact",
)  # fmt: skip
ENGINE_LANES = Topic(
    "engine.lanes", "input topic and partition", ("rule_engine",), ("beforehand rules list",),
    "which versions of rule files each partition is judged by", by_customer=False, retention_ms=None, cleanup="compact",
)  # fmt: skip


def _dead(topic: Topic) -> Topic:
    return Topic(
        f"{topic.name}.dead", "as read", topic.read_by, ("beforehand dead",),
        f"what could not be taken from {topic.name}: the bytes as they came, the reason in headers", by_customer=False,
        config={"max.message.bytes": str(2 * 1024 * 1024)},  # the largest record that a topic takes, and the headers
    )  # fmt: skip


TOPICS: tuple[Topic, ...] = (
    EVENTS, SIGNALS, CUSTOMERS, RULES, ALERTS, TICKETS, MESSAGES, CONTROLS,
    ENGINE_STATE, ENGINE_REGROUPED, ENGINE_GLOBAL_STATE, ENGINE_GLOBALS, ENGINE_STATUS, ENGINE_LANES,
    *(_dead(topic) for topic in (EVENTS, SIGNALS, CUSTOMERS, RULES, ALERTS, TICKETS, MESSAGES, CONTROLS)),
)  # fmt: skip


def topic_name(topic: Topic, prefix: str = "") -> str:
    """The topic's name on the broker: installations that share one broker differ in their prefix."""
    return prefix + topic.name


def dead_name(topic: Topic, prefix: str = "") -> str:
    return f"{prefix}{topic.name}.dead"
