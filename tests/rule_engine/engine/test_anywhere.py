"""What comes out is a function of what went in: not of batches, crashes or partitions."""

from compare import as_told
from hypothesis import given
from hypothesis import strategies as st
from lanes import GlobalLane, Lane
from reference.told import Event
from streams import S, streams
from written.clause import Written, source_of
from written.rules import global_rules, rules

from contracts.alerts import Transition
from contracts.partition import partition_of

LATENESS = st.sampled_from([0, 0, 3 * S])
THREE = st.tuples(rules(name="r1"), rules(name="r2"), rules(name="r3"))
BEYOND_US = 60 * S


@given(THREE, streams(), LATENESS, st.data())
def test_batches_make_no_difference(
    written: tuple[Written, ...], events: list[Event], lateness: int, data: st.DataObject
) -> None:
    files = {"rules.yaml": source_of(written)}
    one_by_one, in_batches = (Lane(files, lateness_us=lateness) for _ in range(2))
    for each in events:
        one_by_one.run([each])
        one_by_one.take()
    rest = events
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        in_batches.run(rest[:size])
        if data.draw(st.booleans()):
            in_batches.take()
        rest = rest[size:]
    for lane in (one_by_one, in_batches):
        lane.until(events[-1].at + BEYOND_US)
    assert as_told(in_batches.transitions) == as_told(one_by_one.transitions)
    assert in_batches.state == one_by_one.state


@given(THREE, THREE, streams(), LATENESS, st.data())
def test_crashes_make_no_difference_even_when_the_rules_change(
    written: tuple[Written, ...],
    edited: tuple[Written, ...],
    events: list[Event],
    lateness: int,
    data: st.DataObject,
) -> None:
    files, edited_files = {"rules.yaml": source_of(written)}, {"rules.yaml": source_of(edited)}
    edited_at = data.draw(st.integers(0, len(events)))

    def run(*, shaken: bool) -> Lane:
        lane = Lane(files, lateness_us=lateness)
        lane.take()
        for part in (events[:edited_at], events[edited_at:]):
            committed = 0
            for _ in range(data.draw(st.integers(0, 3)) if shaken else 0):
                evaluated = data.draw(st.integers(committed, len(part)))
                lane.run(part[committed:evaluated])
                if data.draw(st.booleans()):
                    lane.take()
                    committed = evaluated
                lane.crash()
            lane.run(part[committed:])
            lane.engine.adopt(edited_files)  # the second time nothing has changed
            lane.take()
        lane.until(events[-1].at + BEYOND_US)
        assert not lane.counters.isolated
        return lane

    steady, shaken = run(shaken=False), run(shaken=True)
    assert as_told(shaken.transitions) == as_told(steady.transitions)
    assert shaken.state == steady.state


@given(THREE, streams(late=False), st.integers(2, 5))
def test_partitions_make_no_difference(
    written: tuple[Written, ...], events: list[Event], partitions: int
) -> None:
    files = {"rules.yaml": source_of(written)}
    whole = Lane(files)
    parts = [Lane(files, partition=number) for number in range(partitions)]
    whole.run(events)
    for number, lane in enumerate(parts):
        lane.run(each for each in events if partition_of(str(each.customer).encode(), partitions) == number)
    for lane in (whole, *parts):
        lane.until(events[-1].at + BEYOND_US)
    apart = [transition for lane in parts for transition in lane.transitions]
    assert as_told(apart) == as_told(whole.transitions)


@given(
    global_rules(affected=False, over=False), streams(late=False, nobody=True), st.integers(1, 3), st.data()
)
def test_global_rules_are_the_same_over_partitions_batches_and_crashes(
    written: Written, events: list[Event], partitions: int, data: st.DataObject
) -> None:
    files = {"rules.yaml": source_of([written])}
    if (
        written.spec.resolve_on
    ):  # at one time, partitions come one after the other: then let no two be at one time
        events = [each._replace(at=each.at + number) for number, each in enumerate(events)]
    until = events[-1].at + BEYOND_US

    def run(partitions: int, *, shaken: bool) -> GlobalLane:
        lanes = [Lane(files, partition=number) for number in range(partitions)]
        place = {each.id: partition_of(str(each.customer).encode(), partitions) for each in events}
        judge = GlobalLane(files, partitions)
        judge.take()

        def exchange(lane: Lane) -> None:
            records = [value for _, value in lane.take().partials]
            clock = lane.engine.clock_partial(idle=lane.partition not in place.values())
            judge.run(records if clock is None else [*records, clock])
            judge.take()
            if shaken and data.draw(st.booleans()):
                lane.crash()
                judge.crash()

        for lane in lanes:
            exchange(lane)
        for each in events:
            lane = lanes[place[each.id]]
            lane.run([each])
            if not shaken or data.draw(st.booleans()):
                exchange(lane)
        for lane in lanes:
            lane.engine.silent(until + 1)
            exchange(lane)
        return judge

    steady, shaken = run(1, shaken=False), run(partitions, shaken=True)
    assert as_told(shaken.transitions) == as_told(steady.transitions)


@given(global_rules(affected=True), streams(nobody=True), st.data())
def test_affected_customers_are_the_same_over_crashes(
    written: Written, events: list[Event], data: st.DataObject
) -> None:
    files = {"rules.yaml": source_of([written])}

    def run(*, shaken: bool) -> list[Transition]:
        lane, judge = Lane(files), GlobalLane(files, 1)

        def exchange() -> None:
            clock = lane.engine.clock_partial(idle=False)
            judge.run([*(value for _, value in lane.take().partials), *([] if clock is None else [clock])])
            verdicts = [value for _, value in judge.take().verdicts if value is not None]
            told.extend(verdicts)
            lane.engine.hear(verdicts)
            lane.take()
            if shaken and data.draw(st.booleans()):
                lane.crash()
                judge.crash()
                lane.engine.hear(told)  # a worker reads the topic from its beginning

        told: list[bytes] = []
        exchange()
        for each in events:
            lane.run([each])
            exchange()
        lane.engine.silent(events[-1].at + BEYOND_US)
        exchange()
        return [*lane.transitions, *judge.transitions]

    assert as_told(run(shaken=True)) == as_told(run(shaken=False))
