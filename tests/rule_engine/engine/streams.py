"""Rules and streams of events for hypothesis: each rule as the text that an operations team writes and as the reference reads
it, and what engine and reference made of them in one form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from hypothesis import strategies as st
from reference import Absent, Count, Entry, Event, Key, Match, Pick, Share, Spec, Told

from contracts.alerts import Transition
from contracts.envelope import encode, event
from contracts.times import format_time, from_micros, to_micros
from rule_engine.commands.transitions import in_order
from rule_engine.replay import Bytes
from rule_engine.rules.load import RuleSource, load_text

S = 1_000_000
START = 1_767_225_600 * S  # 2026-01-01T00:00:00Z


@dataclass(frozen=True)
class Written:
    """A rule as text and as the reference has it."""

    lines: tuple[str, ...]
    spec: Spec

    @property
    def text(self) -> str:
        return "\n".join(f"    {line}" for line in self.lines).replace("    ", "  - ", 1)


def source_of(rules: Iterable[Written]) -> RuleSource:
    return load_text("version: 1\nrules:\n" + "\n".join(rule.text for rule in rules) + "\n", "rules.yaml")


# -- events

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
    }
    if random.random() < 0.05:
        del data["k"]
    return data


@st.composite
def streams(draw: st.DrawFn, *, late: bool = True, nobody: bool = False) -> list[Event]:
    """Events of few customers and keys, at few times, that often meet. Each is one draw, so that long ones are as likely."""
    out: list[Event] = []
    customers = ["c1", "c1", "c1", "c1", "c2", *([None] if nobody else [])]
    latest = 0
    for number in range(draw(st.sampled_from([5, 1, 2, 9, 14, 20, 26]))):
        random = Random(draw(st.integers(0, 1 << 16)))  # so drawn for its speed
        at = max(0, latest + random.choice(_DELTAS + (_BACK if late and out else ())))
        latest = max(latest, at)
        type_name = random.choice("aaaaaaaaabbrreecx")
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


# -- rules

_SECONDS = st.sampled_from([3, 2, 1, 4, 6, 10])


def _on() -> st.SearchStrategy[tuple[str, tuple[Pick, ...]]]:
    return st.sampled_from(
        [
            ("a", (Pick("a"),)),
            ("a", (Pick("a"),)),
            ("a", (Pick("a"),)),
            ("[a, b]", (Pick("a"), Pick("b"))),
            ('{on: a, where: "data.v > 0"}', (Pick("a", lambda data: data["v"] > 0),)),
            (
                "[b, {on: a, group_by: data.q}]",
                (Pick("b"), Pick("a", key=lambda event: event.data["q"])),
            ),
        ]
    )


def _ends() -> st.SearchStrategy[tuple[str, tuple[Pick, ...]]]:
    return st.sampled_from(
        [
            ("r", (Pick("r"),)),
            ("r", (Pick("r"),)),
            ("{on: r, group_by: data.q}", (Pick("r", key=lambda event: event.data["q"]),)),
            ('[r, {on: a, where: "!data.bad"}]', (Pick("r"), Pick("a", lambda data: not data["bad"]))),
            ('{on: "*", where: data.v == 2}', (Pick("*", lambda data: data["v"] == 2),)),
        ]
    )


def _expected() -> st.SearchStrategy[tuple[str, tuple[Pick, ...]]]:
    return st.sampled_from(
        [
            ("e", (Pick("e"),)),
            ("e", (Pick("e"),)),
            ("a", (Pick("a"),)),
            ('[e, {on: b, where: "data.v > 0"}]', (Pick("e"), Pick("b", lambda data: data["v"] > 0))),
            ("{on: e, group_by: data.q}", (Pick("e", key=lambda event: event.data["q"]),)),
        ]
    )


def _key_of_k(event: Event) -> Key | None:
    value = event.data.get("k")
    return None if value is None else str(value)


def _key_of_both(event: Event) -> Key | None:
    value = event.data.get("k")
    return None if value is None else (str(value), str(event.data["v"]))


def _entries(most_every: bool) -> st.SearchStrategy[list[Entry]]:
    every = st.sampled_from([None, None, 3 * S, 5 * S]) if most_every else st.none()
    entry = st.builds(
        Entry,
        after=st.sampled_from([0, 0, 1 * S, 2 * S, 5 * S, 12 * S]),
        every=every,
        resolves=st.booleans(),
        severity=st.sampled_from([None, None, "critical", "info"]),
    )
    return st.lists(entry, max_size=3)


def _entry_text(entry: Entry) -> str:
    to = "affected" if entry.affected else "operations"
    text = f"to: {to}, template: t, channels: [email], after: {entry.after // S}s"
    if entry.every is not None:
        text += f", every: {entry.every // S}s"
    if not entry.resolves:
        text += ", on: [firing]"
    if entry.severity is not None:
        text += f", severity: {entry.severity}"
    return f"{{{text}}}"


@st.composite
def conditions(draw: st.DrawFn, kind: str) -> tuple[str, Any]:
    within = draw(_SECONDS)
    if kind == "match":
        return "match: {}", Match()
    if kind == "event_count":
        gte = draw(st.sampled_from([2, 2, 1, 3]))
        return f"event_count: {{gte: {gte}, within: {within}s}}", Count(gte, within * S)
    if kind == "ratio":
        gte, least = draw(st.sampled_from([0.3, 0.5, 1])), draw(st.integers(1, 3))
        text = f"ratio: {{of: data.bad, gte: {gte}, within: {within}s, min_events: {least}}}"
        return text, Share(lambda data: data["bad"], gte, within * S, least)
    if kind == "windows":
        return draw(windows())
    return draw(absences())


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, Share]:
    every = draw(st.sampled_from([1, 1, 2, 3]))
    within = every * draw(st.integers(1, 3))
    gte, least = draw(st.sampled_from([0.3, 0.5, 1])), draw(st.integers(1, 3))
    no_data = draw(st.sampled_from([None, None, every, 2 * every, 7]))
    no_data = None if no_data is None else max(no_data, every)
    forget = draw(st.sampled_from([None, 1, 4, 5, 9]))
    text = f"ratio: {{of: data.bad, gte: {gte}, within: {within}s, every: {every}s, min_events: {least}"
    text += "" if no_data is None else f", no_data: {no_data}s"
    text += "}" if forget is None else f", forget: {forget}s}}"
    return text, Share(
        lambda data: data["bad"], gte, within * S, least, every * S,
        None if no_data is None else no_data * S, 604_800 * S if forget is None else forget * S,
    )  # fmt: skip


@st.composite
def absences(draw: st.DrawFn) -> tuple[str, Absent]:
    expect_text, expect = draw(_expected())
    text = f"absence: {{expect: {expect_text}"
    kind = draw(st.sampled_from(["within", "within", "expression", "deadline"]))
    if kind == "within":
        within = draw(_SECONDS)
        text += f", within: {within}s"

        def due(event: Event) -> int | None:
            return event.at + within * S

    elif kind == "expression":
        text += ", within: duration(data.w)"

        def due(event: Event) -> int | None:
            return None if event.data["w"] == "soon" else event.at + int(event.data["w"][:-1]) * S

    else:
        grace = draw(st.sampled_from([0, 0, 2]))
        text += f", deadline: timestamp(data.due), grace: {grace}s"

        def due(event: Event) -> int | None:
            if event.data["due"] == "soon":
                return None
            deadline = datetime.fromisoformat(event.data["due"])
            return max(event.at, int(deadline.timestamp()) * S + grace * S)

    cancel_on: tuple[Pick, ...] = ()
    if draw(st.booleans()):
        text += ", cancel_on: c"
        cancel_on = (Pick("c"),)
    rearm = draw(st.sampled_from([True, True, False]))
    if not rearm:
        text += ", rearm: false"
    return text + "}", Absent(expect, due, cancel_on, rearm=rearm)


KINDS = ("match", "event_count", "ratio", "windows", "absence")


@st.composite
def rules(draw: st.DrawFn, kinds: Sequence[str] = KINDS, name: str = "r1") -> Written:
    condition_text, condition = draw(conditions(draw(st.sampled_from(kinds))))
    on_text, on = draw(_on())
    lines = [f"id: {name}", "title: t", f"on: {on_text}", condition_text]
    more: dict[str, Any] = {}
    key_text, key = draw(
        st.sampled_from(
            [(None, None), ("data.k", _key_of_k), ("data.k", _key_of_k), ("[data.k, data.v]", _key_of_both)]
        )
    )
    if key_text == "[data.k, data.v]" or key_text is None:  # a selector's own group_by has one part
        on_text, on = ("a", (Pick("a"),)) if "group_by" in on_text else (on_text, on)
        lines[2] = f"on: {on_text}"
    if key_text is not None:
        lines.append(f"group_by: {key_text}")
    one_key = key_text == "data.k"
    if not one_key and "group_by" in condition_text:
        condition = Absent((Pick("e"),), condition.due, condition.cancel_on, rearm=condition.rearm)
        lines[3] = condition_text.replace("{on: e, group_by: data.q}", "e")
    where_text, where, uses_previous = draw(
        st.sampled_from(
            [
                (None, lambda data, previous: True, False),
                (None, lambda data, previous: True, False),
                (None, lambda data, previous: True, False),
                ("data.v < 2", lambda data, previous: data["v"] < 2, False),
                (
                    "data.v >= previous.?v.orValue(0)",
                    lambda data, previous: data["v"] >= previous.get("v", 0),
                    True,
                ),
            ]
        )
    )
    if where_text is not None:
        lines.append(f'where: "{where_text}"')
    resolvable = draw(st.booleans())  # a rule without is met on a shorter path
    if resolvable:
        ends_text, ends = draw(_ends().filter(lambda each: one_key or "group_by" not in each[0]))
        lines.append(f"resolve_on: {ends_text}")
        more["resolve_on"] = ends
    resolve_after = draw(st.sampled_from([None, None, 4, 15]))
    if resolve_after is not None:
        lines.append(f"resolve_after: {resolve_after}s")
        more["resolve_after"] = resolve_after * S
    elif isinstance(condition, Match):
        more["resolve_after"] = 30 * 86_400 * S
    for option, values in (("cooldown", [None, None, 0, 3, 8]), ("lookback", [None, 0, 0, 2, 5])):
        value = draw(st.sampled_from(values))
        if value is not None:
            lines.append(f"{option}: {value}s")
            more[option] = value * S
    entries = draw(_entries(most_every=resolvable or not isinstance(condition, Match)))
    if entries:
        lines.append(f"notify: [{', '.join(map(_entry_text, entries))}]")
    told = draw(
        st.sampled_from(["", "v: data.v, n: value, k: key", 'v: data.v, was: "previous.?v.orValue(-1)"'])
    )
    if told:
        lines.append(f"vars: {{{told}}}")
        uses_previous = uses_previous or "was" in told

        def told_vars(data: dict[str, Any], previous: dict[str, Any], value: Any, key: Key) -> dict[str, Any]:
            if "was" in told:
                return {"v": data["v"], "was": previous.get("v", -1)}
            return {"v": data["v"], "n": value, "k": list(key) if isinstance(key, tuple) else key}

        more["vars"] = told_vars
    spec = Spec(
        id=name, on=on, condition=condition, key=key or (lambda event: event.customer), where=where,
        entries=tuple(entries), uses_previous=uses_previous, **more,
    )  # fmt: skip
    return Written(tuple(lines), spec)


@st.composite
def global_rules(draw: st.DrawFn, *, affected: bool, name: str = "r1", over: bool = True) -> Written:
    """`over`: some have a `resolve_after` that is reached."""
    condition_text, condition = draw(windows())
    on_text, on = draw(_on().filter(lambda each: "group_by" not in each[0]))
    key_text, key = draw(
        st.sampled_from([(None, lambda event: ""), ("data.k", _key_of_k), ("data.k", _key_of_k)])
    )
    lines = [f"id: {name}", "title: t", "scope: global", f"on: {on_text}", condition_text]
    more: dict[str, Any] = {}
    if key_text is not None:
        lines.append(f"group_by: {key_text}")
    if draw(st.booleans()):
        lines.append('where: "data.v < 2"')
        more["where"] = lambda data, previous: data["v"] < 2
    if draw(st.integers(0, 2)) == 0:
        ends_text, ends = draw(_ends().filter(lambda each: "group_by" not in each[0]))
        lines.append(f"resolve_on: {ends_text}")
        more["resolve_on"] = ends
    for option, values in (
        ("cooldown", [None, None, 3, 8]),
        ("resolve_after", [None, None, 15 if over else None]),
        ("lookback", [None, 0, 2]),
    ):
        value = draw(st.sampled_from(values))
        if value is not None:
            lines.append(f"{option}: {value}s")
            more[option] = value * S
    entries = draw(_entries(most_every=True))
    if affected:
        lines.append("affected: true")
        entries = [replace(entry, affected=draw(st.booleans())) for entry in entries]
    if entries:
        lines.append(f"notify: [{', '.join(map(_entry_text, entries))}]")
    if draw(st.booleans()):
        lines.append("vars: {v: data.v, n: value}")
        more["vars"] = lambda data, previous, value, key: {"v": data["v"], "n": value}
    return Written(
        tuple(lines), Spec(id=name, on=on, condition=condition, key=key, entries=tuple(entries), **more)
    )


# -- what came of them, in one form


def as_told(transitions: Iterable[Transition]) -> list[Told]:
    ended = [each for each in transitions if each.state == "ended"]
    told = [_told(each) for each in in_order(each for each in transitions if each.state != "ended")]
    return told + sorted(
        (_told(each) for each in ended), key=lambda each: (each.at, str(each.key), each.alert)
    )


def split(told: Iterable[Told]) -> list[Told]:
    """As `as_told` orders them: the silent ends last, which tests and backtests leave out."""
    every = list(told)
    ended = [each for each in every if each.state == "ended"]
    rest = [each for each in every if each.state != "ended"]
    return rest + sorted(ended, key=lambda each: (each.at, str(each.key), each.alert))


def _told(each: Transition) -> Told:
    cause = None if each.cause is None else (each.cause.source, each.cause.id)
    return Told(
        to_micros(each.at), each.rule, tuple(each.key) if isinstance(each.key, list) else each.key, each.customer,
        each.state, each.alert, each.seq, to_micros(each.fired_at), each.severity, each.value, each.vars,
        tuple(each.evidence), tuple(entry.index for entry in each.notify), cause, each.how,
        each.momentary,
    )  # fmt: skip
