"""What goes in and what comes out: events, transitions, an alert's id. Times are microseconds since the Unix epoch."""

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

DAY = 86_400_000_000
NAMESPACE = uuid.UUID("3111a6fe-024e-5562-9822-f6ebd6a62740")
SEVERITIES = ("info", "warning", "critical")

Key = str | tuple[str, ...]
Data = dict[str, Any]
Cause = tuple[str, str]  # source and id of an event


class Event(NamedTuple):
    """`stored`: when the broker stored it, None where there is none."""

    at: int
    id: str
    type: str
    customer: str | None
    data: Data
    source: str = "test"
    stored: int | None = None

    @property
    def reached(self) -> int:
        """The clock is moved to there, but for the allowed lateness."""
        return self.at if self.stored is None else min(self.at, self.stored)

    @property
    def cause(self) -> Cause:
        return self.source, self.id


class Told(NamedTuple):
    """A transition. `due` are the entries of `notify` by index."""

    at: int
    rule: str
    key: Key
    customer: str | None
    state: str
    alert: str
    seq: int
    fired_at: int
    severity: str
    value: Any
    vars: Data
    evidence: tuple[str, ...]
    due: tuple[int, ...]
    cause: Cause | None
    how: str | None
    momentary: bool


def in_order(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda each: (each.at, each.rule, _as_list(each.key), each.customer or ""))


def alert_id(rule: str, customer: str | None, key: Key, fired_at: int, cause: Cause | None) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=fired_at)
    name = [rule, customer, key, f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z", *(cause or (None, None))]
    return str(uuid.uuid5(NAMESPACE, json.dumps(name, separators=(",", ":"), ensure_ascii=False)))


def _as_list(key: Key) -> list[str]:
    return [key] if isinstance(key, str) else list(key)
