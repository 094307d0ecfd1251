"""Streams of events for hypothesis: few customers, keys and times, so that they often meet."""

from random import Random
from typing import Any

from hypothesis import strategies as st
from reference.told import Event

from contracts.envelope import encode, event
from contracts.times import format_time, from_micros
from rule_engine.replay import Bytes

S = 1_000_000
START = 1_767_225_600 * S  # 2026-01-01T00:00:00Z, a Thursday

# a type's letter: a, b that rules are about, r resolves, e is expected, c cancels, p pauses, g lets go on, x nothing
_TYPES = "aaaaaaaaaabbbrreecpgx"
_DELTAS = (1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 3, 3, 4, 5, 7, 10, 13)
_BACK = (-1, -2, -3, -5, -9)


def _data(random: Random, at: int) -> dict[str, Any]:
    due = random.randint(-4, 9)
    data: dict[str, Any] = {
        "k": random.choice(["k1"] * 9 + ["k2"] * 3 + [1, None]),
        "q": random.choice(["k1", "k1", "k2"]),
        "v": random.randint(0, 2),
        "bad": random.random() < 0.5,
        "w": random.choice(["1s", "2s", "3s", "5s", "8s", "soon"]),
        "due": _text(START + (at + due) * S) if due < 9 else "soon",
        "then": _text(START + (at - at % 8 + random.choice([0, 8, 8, 16])) * S),
        "n": random.choice([0, 1, 2, 3, 5, -1, 2.5, "many", None]),
        "t": random.choice(["x", "x", "y", "y", "z", 1, 1.0, "1", True, None, []]),
    }
    for name, how_often in (("k", 0.05), ("n", 0.1), ("t", 0.05)):
        if random.random() < how_often:
            del data[name]
    return data


@st.composite
def streams(draw: st.DrawFn, *, late: bool = True, nobody: bool = False) -> list[Event]:
    """Each event is one draw, so that long ones are as likely. `nobody`: some have no customer."""
    out: list[Event] = []
    customers = ["c1", "c1", "c1", "c1", "c2", *([None] if nobody else [])]
    latest = 0
    for number in range(draw(st.sampled_from([5, 1, 2, 9, 14, 20, 26]))):
        random = Random(draw(st.integers(0, 1 << 16)))  # so drawn for its speed
        at = max(0, latest + random.choice(_DELTAS + (_BACK if late and out else ())))
        latest = max(latest, at)
        type_name = random.choice(_TYPES)
        each = Event(START + at * S, f"e{number}", type_name, random.choice(customers), _data(random, at))
        if late and random.random() < 0.15:  # the source's clock runs ahead
            each = each._replace(stored=each.at - random.randint(1, 9) * S)
        out.append(each)
    return out


def event_at(seconds: float, type: str, customer: str | None = "c1", **data: Any) -> Event:
    """An event so long after the start; its id says what and when."""
    return Event(START + round(seconds * S), f"{type}@{seconds:g}", type, customer, {"k": "k"} | data)


def record(each: Event) -> Bytes:
    sent = event(
        id=each.id,
        source=each.source,
        type=each.type,
        time=from_micros(each.at),
        data=each.data,
        customerid=each.customer,
    )
    return Bytes(encode(sent), timestamp=None if each.stored is None else each.stored // 1000)


def _text(at: int) -> str:
    return format_time(from_micros(at))
