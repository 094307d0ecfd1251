"""Conditions over hopping windows as they are written: `ratio` with `every`, `aggregate`, `spike`, `forecast`."""

from typing import Any

from reference.told import DAY
from reference.trends import Forecast, Spike
from reference.windows import Aggregate, ShareWindows
from written import counting
from written.clause import Clause, Draw, micros, seconds
from written.counting import number_of

S = 1_000_000


def hopping(
    draw: Draw, *, least: tuple[int | None, ...] = (None, 1, 2, 3), name: str = "within"
) -> dict[str, Any]:
    """The words that all of them have."""
    every = draw.one_of(1, 1, 2, 3)
    draw.key("every", seconds(every))
    within = every * draw.one_of(1, 2, 3)
    draw.key(name, seconds(within))
    least_events = draw.maybe("min_events", *least)
    no_data = draw.one_of(None, None, every, 2 * every, 7)
    if no_data is not None:
        no_data = max(no_data, every)
        draw.key("no_data", seconds(no_data), "no_data")
    forget = draw.maybe("forget", None, 1, 4, 5, 9, show=seconds)
    return {
        "within": within * S,
        "every": every * S,
        "min_events": least_events,
        "no_data": micros(no_data),
        "forget": 7 * DAY if forget is None else forget * S,
    }


def ratio(draw: Draw) -> Clause:
    draw.key("of", "data.bad")
    gte = draw.one_of(0.3, 0.5, 1)
    draw.key("gte", gte)
    words = hopping(draw)
    words["min_events"] = words["min_events"] or 1
    return draw.clause("ratio", ShareWindows(**words, of=lambda data: data["bad"], gte=gte), "ratio, every")


def aggregate(draw: Draw) -> Clause:
    words = hopping(draw)
    measure = counting.measure(draw, words.pop("min_events"))
    asked = Aggregate(**words, min_events=measure.min_events, measure=measure)
    return draw.clause("aggregate", asked, "aggregate, every")


def spike(draw: Draw) -> Clause:
    factor = draw.one_of(2, 1, 1.5, 3)
    draw.key("factor", factor)
    summed = draw.one_of(False, False, True)
    if summed:
        draw.key("sum", "data.n", "spike, sum")
    direction = draw.maybe("direction", None, "up", "down", "both") or "up"
    draw.words.add(f"spike, {direction}")
    words = hopping(draw)
    words["min_events"] = words["min_events"] or 1
    within = words["within"] // S
    back: dict[str, Any] = {}
    if draw.one_of(True, False):
        back["previous"] = within * draw.one_of(1, 2, 3) * S
        draw.key("against", f"{{previous: {back['previous'] // S}s}}", "spike, previous")
    else:
        every = words["every"] // S
        times = draw.one_of((within,), (within + every,), (within, 2 * within + every))
        back["same_time"] = tuple(each * S for each in times)
        draw.key("against", f"{{same_time: [{', '.join(map(seconds, times))}]}}", "spike, same_time")
    asked = Spike(**words, **back, factor=factor, sum=number_of if summed else None, direction=direction)
    return draw.clause("spike", asked)


def forecast(draw: Draw) -> Clause:
    draw.key("of", "data.n")
    falls = draw.one_of(False, True)
    goal = draw.one_of(4, 6, -2, "data.v")
    draw.key("falls_to" if falls else "reaches", goal, "falls_to" if falls else "reaches")
    ahead = draw.one_of(2, 5, 12)
    draw.key("in", seconds(ahead))
    words = hopping(draw, least=(None, 2, 3), name="over")
    words["min_events"] = words["min_events"] or 2
    asked = Forecast(
        **words, of=number_of, falls=falls, ahead=ahead * S,
        reaches=(lambda data: data["v"]) if isinstance(goal, str) else (lambda data: goal),
    )  # fmt: skip
    return draw.clause("forecast", asked)
