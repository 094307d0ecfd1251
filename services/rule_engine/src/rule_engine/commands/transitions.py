"""Transitions as tests and backtests name them: their order, and what is due with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.alerts import Transition


def in_order(transitions: Iterable[Transition]) -> list[Transition]:
    """By time, rule, key, customer, then as they happened; silent ends are left out."""
    told = [transition for transition in transitions if transition.state != "ended"]
    return sorted(told, key=lambda each: (each.at, each.rule, as_list(each.key), each.customer or ""))


def due_words(transition: Transition) -> list[str]:
    """What is due with it: channels, `operations`, `ticket`, `webhook:NAME`; each once, sorted."""
    words: set[str] = set()
    for entry in transition.notify:
        if entry.ticket is not None:
            words.add("ticket")
        elif entry.to is not None and entry.to.kind == "operations":
            words.add("operations")
        elif entry.to is not None and entry.to.kind == "webhook":
            words.add(f"webhook:{entry.to.address}")
        else:
            words.update(entry.channels[:1] if entry.first_of else entry.channels)
    return sorted(words)


def as_list(key: str | list[str]) -> list[str]:
    return key if isinstance(key, list) else [key]


def as_json(value: Any) -> Any:
    """The value as a reader of the topic sees it: times and durations as texts."""
    return msgspec.json.decode(msgspec.json.encode(value))
