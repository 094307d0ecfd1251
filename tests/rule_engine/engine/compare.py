"""What engine and reference tell, in one form."""

from collections.abc import Iterable
from typing import Any

from reference.told import Told
from streams import START, S

from contracts.alerts import Transition
from contracts.times import to_micros
from rule_engine.commands.transitions import in_order


def as_told(transitions: Iterable[Transition]) -> list[Told]:
    ended = [each for each in transitions if each.state == "ended"]
    told = [_told(each) for each in in_order(each for each in transitions if each.state != "ended")]
    return told + sorted((_told(each) for each in ended), key=_place_of_ended)


def split(told: Iterable[Told]) -> list[Told]:
    """As `as_told` orders them: the silent ends last, which tests and backtests leave out."""
    every = list(told)
    ended = [each for each in every if each.state == "ended"]
    return [each for each in every if each.state != "ended"] + sorted(ended, key=_place_of_ended)


def shown(told: Iterable[Told]) -> list[dict[str, Any]]:
    """With seconds from the start, for people."""
    return [
        each._asdict() | {"at": (each.at - START) / S, "fired_at": (each.fired_at - START) / S}
        for each in told
    ]


def _place_of_ended(each: Told) -> tuple[int, str, str]:
    return each.at, str(each.key), each.alert


def _told(each: Transition) -> Told:
    cause = None if each.cause is None else (each.cause.source, each.cause.id)
    return Told(
        to_micros(each.at), each.rule, tuple(each.key) if isinstance(each.key, list) else each.key, each.customer,
        each.state, each.alert, each.seq, to_micros(each.fired_at), each.severity, each.value, each.vars,
        tuple(each.evidence), tuple(entry.index for entry in each.notify), cause, each.how,
        each.momentary,
    )  # fmt: skip
