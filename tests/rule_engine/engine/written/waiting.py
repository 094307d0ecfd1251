"""`absence`, `reminder` and `sequence` as they are written."""

from datetime import datetime
from typing import Any

from reference.condition import Pick
from reference.sequence import Step, Steps
from reference.told import Data, Event
from reference.waiting import Absent, Remind
from written import selectors
from written.clause import Clause, Draw, seconds

S = 1_000_000


def absence(draw: Draw, *, one_part: bool) -> Clause:
    text, expect = selectors.expected(draw, one_part=one_part)
    draw.key("expect", text)
    kind = draw.one_of("within", "within", "expression", "deadline")
    more: dict[str, Any] = {}
    if kind == "within":
        span = draw.one_of(3, 2, 1, 4, 6, 10) * S
        draw.key("within", seconds(span // S), "absence, within")
        more["within"] = lambda event: span
    elif kind == "expression":
        draw.key("within", "duration(data.w)", "absence, within as an expression")
        more["within"] = _span_of_w
    else:
        draw.key("deadline", "timestamp(data.due)", "absence, deadline")
        grace = draw.maybe("grace", None, 0, 2, show=seconds)
        more |= {"deadline": lambda event: moment(event.data, "due"), "grace": (grace or 0) * S}
    if draw.maybe("cancel_on", None, "c"):
        more["cancel_on"] = (Pick("c"),)
    if draw.maybe("rearm", None, None, "false", word="rearm: false"):
        more["rearm"] = False
    return draw.clause("absence", Absent(expect, **more))


def _span_of_w(event: Event) -> int | None:
    return None if event.data["w"] == "soon" else int(event.data["w"][:-1]) * S


def moment(data: Data, name: str) -> int | None:
    return None if data[name] == "soon" else int(datetime.fromisoformat(data[name]).timestamp()) * S


def reminder(draw: Draw) -> Clause:
    draw.key("at", "timestamp(data.then)")
    before = draw.one_of((2,), (5, 1), (8, 4, 0), (0,), (12, 3))
    draw.key("before", f"[{', '.join(map(seconds, before))}]")
    more = {"cancel_on": (Pick("c"),)} if draw.maybe("cancel_on", None, "c") else {}
    asked = Remind(
        lambda event: moment(event.data, "then"), tuple((lambda at, b=b: at - b * S) for b in before), **more
    )
    return draw.clause("reminder", asked)


def sequence(draw: Draw, *, one_part: bool) -> Clause:
    """In its order: perhaps first a `not`, then steps, perhaps with a `not` between, perhaps last a `not`."""
    steps: list[Step] = []
    texts: list[str] = []
    span = draw.one_of(None, 4, 8, 15)

    def step(*, absent: bool, within: int | None) -> None:
        text, picks = selectors.steps(draw, one_part=one_part)
        times = 1 if absent else draw.one_of(1, 1, 1, 2, 3)
        keys = [f"{'not' if absent else 'on'}: {text}"]
        keys += [f"times: {times}"] if times > 1 else []
        keys += [f"within: {within}s"] if within else []
        texts.append(f"{{{', '.join(keys)}}}")
        steps.append(Step(picks, times, None if within is None else within * S, absent))
        draw.words |= {"sequence, times"} if times > 1 else set()
        draw.words |= {"sequence, within"} if within and not absent else set()

    if draw.one_of(False, False, True):
        step(absent=True, within=draw.one_of(2, 5))
        draw.words.add("sequence, first not")
    for number in range(draw.one_of(1, 2, 2, 3)):
        if number and draw.one_of(False, False, True):
            step(absent=True, within=None)
            draw.words.add("sequence, not between")
        bounded = span is None and (number > 0)
        step(
            absent=False,
            within=draw.one_of(2, 4, 7) if bounded or (number and draw.one_of(False, True)) else None,
        )
    if draw.one_of(False, True):
        step(absent=True, within=draw.one_of(2, 5) if span is None else draw.one_of(None, 2, 5))
        draw.words.add("sequence, last not")
    if span is None and any(each.times > 1 for each in steps):
        span = 12
    if span is not None:
        draw.key("maxspan", seconds(span), "maxspan")
    draw.key("steps", f"[{', '.join(texts)}]")
    return draw.clause("sequence", Steps(tuple(steps), None if span is None else span * S))


def any_order(draw: Draw, *, one_part: bool) -> Clause:
    span = draw.one_of(4, 8, 15)
    draw.key("maxspan", seconds(span))
    draw.key("any_order", "true")
    steps, texts = [], []
    for _ in range(draw.one_of(1, 2, 2, 3)):
        text, picks = selectors.steps(draw, one_part=one_part)
        times = draw.one_of(1, 1, 2, 3)
        texts.append(f"{{on: {text}, times: {times}}}" if times > 1 else text)
        steps.append(Step(picks, times))
    draw.key("steps", f"[{', '.join(texts)}]")
    return draw.clause("sequence", Steps(tuple(steps), span * S, any_order=True), "sequence, any_order")
