"""When a window over several partitions closes."""

from lanes import GlobalLane, Lane, happened
from streams import event_at

from rule_engine.rules.load import load_text

RULE = "version: 1\nrules:\n  - {id: r, on: a, scope: global, ratio: {of: data.bad, gte: 0.5, within: 1m, every: 1m}}\n"
FILES = {"rules.yaml": load_text(RULE, "rules.yaml")}


def tell(lane: Lane, judge: GlobalLane, *, idle: bool = False) -> None:
    clock = lane.engine.clock_partial(idle=idle)
    judge.run([*(value for _, value in lane.take().partials), *([] if clock is None else [clock])])


def test_a_window_closes_when_each_partition_that_is_not_idle_has_passed_it() -> None:
    lanes, judge = [Lane(FILES, partition=number) for number in range(3)], GlobalLane(FILES, 3)
    first, second, third = lanes
    first.run([event_at(0, "a", bad=True), event_at(70, "x")])
    tell(first, judge)
    assert happened(judge) == [], "nothing is known of the others"
    second.run([event_at(60, "a", bad=False)])
    tell(second, judge)
    tell(third, judge, idle=True)
    assert happened(judge) == [], "the second is at the window's end, and not past it"
    second.run([event_at(60.001, "x")])
    tell(second, judge)
    assert happened(judge) == [(60, "firing")]
    third.run([event_at(90, "a", bad=True)])
    tell(third, judge)
    second.run([event_at(130, "x")])
    tell(second, judge)
    assert len(happened(judge)) == 1, "the third is busy again, and holds it back"
