"""What fires and what is armed at this moment: read from the engine's changelog, as a worker that takes over reads it.

`engine.state` is compacted, so it holds every row as it is now. Nothing else knows what waits without having fired.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from contracts.topics import ENGINE_GLOBAL_STATE, ENGINE_STATE
from rule_engine.commands.broker import records_of, topic_name
from rule_engine.commands.problems import counted
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.globals import GlobalEngine
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rule_engine.machine import Machine


@dataclass(slots=True)
class Standing:
    """Of one rule: alerts that fire, and keys with something that waits or is counted (windows, partials, due times)."""

    firing: int = 0
    armed: int = 0

    def __str__(self) -> str:
        fires = "1 alert fires" if self.firing == 1 else f"{self.firing:,} alerts fire"
        return f"{fires}, {counted(self.armed, 'key')} armed"


def standing(bootstrap: list[str], rules: Collection[str]) -> dict[str, Standing]:
    """Of each of these rules. Raises NoBroker."""
    counts = {rule: Standing() for rule in rules}
    for topic, scope in ((ENGINE_STATE, "customer"), (ENGINE_GLOBAL_STATE, "global")):
        for machine in machines(records_of(bootstrap, topic_name(topic)), scope, rules):
            _count(machine, scope, counts)
    return counts


def machines(
    records: Iterable[tuple[int, bytes, bytes | None]], scope: str, rules: Collection[str]
) -> Iterator[Machine]:
    """Each partition of a changelog as it was written last, with the rows of these rules alone. Pure."""
    engines: dict[int, LaneEngine | GlobalEngine] = {}
    rows = {f'["key",{json.dumps(rule)},'.encode() for rule in rules}
    longest = max(map(len, rows), default=0)
    prefixes = Counter(map(len, rows))
    for number, key, value in records:
        head = key[:longest]
        if key.startswith(b'["key"') and not any(head[:length] in rows for length in prefixes):
            continue
        engine = engines.get(number)
        if engine is None:
            engine = LaneEngine(number, Counters()) if scope == "customer" else GlobalEngine(1, Counters())
            engines[number] = engine
        engine.restore(key, value)
    for engine in engines.values():
        try:
            engine.begin()
        except ValueError as error:
            raise click.ClickException(f"the engine's state can't be read: {error}") from None
        yield engine.machine


def _count(machine: Machine, scope: str, counts: dict[str, Standing]) -> None:
    now_us = machine.clock.now_us
    for rule_id, plan in machine.plans.items():
        if plan.rule.scope != scope or rule_id not in counts:
            continue
        for row in plan.rows.values():
            faded = row.fades_us != NEVER and now_us is not None and row.fades_us < now_us
            counts[rule_id].firing += row.alert is not None
            counts[rule_id].armed += row.alert is None and row.condition is not None and not faded
