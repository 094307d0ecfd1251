"""The same 20 rules twice: in our language, and as plain functions for whoever has no rule language."""

from collections.abc import Callable
from typing import Any

TYPES = ("order.placed", "order.shipped", "payment.failed", "payment.succeeded", "service.request")
MANY = ("payment.failed", "service.request")  # the types whose counting rules want nearly every event


def as_yaml() -> str:
    """Four rules for each of five types: two look at one event, two count a customer's events in a sliding window."""
    lines = ["version: 1", "rules:"]
    for number, kind in enumerate(TYPES):
        slug = kind.replace(".", "-")
        repeated = "" if kind in MANY else ", where: data.amount > 80"
        bursting = f"data.status >= {400 if kind in MANY else 570}"
        lines += [
            f"  - {{id: {slug}-big, title: Big, on: {kind}, where: \"data.amount > 99.5 && data.currency == 'EUR'\", match: {{}}}}",
            f"  - {{id: {slug}-err, title: Err, on: {kind}, where: data.status >= 598 && data.amount < 50, match: {{}}}}",
            f"  - {{id: {slug}-rep, title: Rep, on: {kind}{repeated}, event_count: {{gte: 3, within: {30 + number}s}}}}",
            f"  - {{id: {slug}-burst, title: Burst, on: {kind}, where: {bursting}, event_count: {{gte: 2, within: 10s}}}}",
        ]
    return "\n".join(lines) + "\n"


Data = dict[str, Any]
# name, whether the event counts, how many of them in how many µs make an alert; 0 of them: each does
Rule = tuple[str, Callable[[Data], bool], int, int]


def as_functions() -> dict[str, list[Rule]]:
    """By type."""
    found: dict[str, list[Rule]] = {}
    for number, kind in enumerate(TYPES):
        slug = kind.replace(".", "-")
        lowest = 400 if kind in MANY else 570
        found[kind] = [
            (f"{slug}-big", lambda d: d["amount"] > 99.5 and d["currency"] == "EUR", 0, 0),
            (f"{slug}-err", lambda d: d["status"] >= 598 and d["amount"] < 50, 0, 0),
            (f"{slug}-rep", _always if kind in MANY else _dear, 3, (30 + number) * 1_000_000),
            (f"{slug}-burst", lambda d, lowest=lowest: d["status"] >= lowest, 2, 10_000_000),  # type: ignore[misc]
        ]
    return found


def _always(_: Data) -> bool:
    return True


def _dear(data: Data) -> bool:
    return bool(data["amount"] > 80)
