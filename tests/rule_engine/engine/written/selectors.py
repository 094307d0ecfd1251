"""Selectors and keys, in words and as the reference has them."""

from reference.condition import Pick, Picks
from reference.told import Event, Key
from written.clause import Draw

Selected = tuple[str, Picks]

A, B, R, E = Pick("a"), Pick("b"), Pick("r"), Pick("e")
_A_OF_Q = Pick("a", key=lambda event: event.data["q"])


def on(draw: Draw, *, one_part: bool) -> Selected:
    """`one_part`: the rule's key has one part, and a selector's own may."""
    options: list[Selected] = [
        ("a", (A,)), ("a", (A,)), ("a", (A,)), ("[a, b]", (A, B)),
        ('{on: a, where: "data.v > 0"}', (Pick("a", lambda data: data["v"] > 0),)),
    ]  # fmt: skip
    if one_part:
        options.append(("[b, {on: a, group_by: data.q}]", (B, _A_OF_Q)))
    return _with_words(draw, options)


def ends(draw: Draw, *, one_part: bool) -> Selected:
    """What `resolve_on` names."""
    options: list[Selected] = [
        ("r", (R,)), ("r", (R,)),
        ('[r, {on: a, where: "!data.bad"}]', (R, Pick("a", lambda data: not data["bad"]))),
        ('{on: "*", where: data.v == 2}', (Pick("*", lambda data: data["v"] == 2),)),
    ]  # fmt: skip
    if one_part:
        options.append(("{on: r, group_by: data.q}", (Pick("r", key=lambda event: event.data["q"]),)))
    return _with_words(draw, options)


def expected(draw: Draw, *, one_part: bool) -> Selected:
    options: list[Selected] = [
        ("e", (E,)), ("e", (E,)), ("a", (A,)),
        ('[e, {on: b, where: "data.v > 0"}]', (E, Pick("b", lambda data: data["v"] > 0))),
    ]  # fmt: skip
    if one_part:
        options.append(("{on: e, group_by: data.q}", (Pick("e", key=lambda event: event.data["q"]),)))
    return _with_words(draw, options)


def steps(draw: Draw, *, one_part: bool) -> Selected:
    """What a step of a sequence names."""
    options: list[Selected] = [
        ("a", (A,)), ("a", (A,)), ("b", (B,)), ("b", (B,)), ("e", (E,)), ("[a, b]", (A, B)),
        ("{on: a, where: data.bad}", (Pick("a", lambda data: data["bad"]),)),
        ('{on: a, where: "data.v > 0"}', (Pick("a", lambda data: data["v"] > 0),)),
    ]  # fmt: skip
    if one_part:
        options.append(("{on: a, group_by: data.q}", (_A_OF_Q,)))
    return _with_words(draw, options)


def _with_words(draw: Draw, options: list[Selected]) -> Selected:
    text, picks = draw.one_of(*options)
    draw.words |= {"selector's where"} if "where" in text else set()
    draw.words |= {"selector's group_by"} if "group_by" in text else set()
    draw.words |= {"a list of selectors"} if text.startswith("[") else set()
    return text, picks


def key_of_k(event: Event) -> Key | None:
    value = event.data.get("k")
    return None if value is None else str(value)


def key_of_both(event: Event) -> Key | None:
    value = event.data.get("k")
    return None if value is None else (str(value), str(event.data["v"]))


def key_of_customer(event: Event) -> Key | None:
    return event.customer


def one_key(event: Event) -> Key | None:
    return ""
