"""Whatever an event holds, no record of the engine is one that Kafka refuses: that would end the lane, again at each start."""

from aiokafka import TopicPartition
from lanes import GlobalLane, Lane, happened
from streams import START, S, event_at

from contracts.topics import ENGINE_STATE
from rule_engine.config import Settings
from rule_engine.machine import Output
from rule_engine.partials import clock_record
from rule_engine.publish import Addresses
from rule_engine.rules.load import load_text
from rule_engine.state import MAX_ROW_BYTES

RATE = "  - {id: all, scope: global, on: a, group_by: data.k, ratio: {of: 'true', gte: 1, within: 5s, every: 5s}, vars: {n: size(data.text)}%s}"


def judged(*events, extra=""):
    """The records of a partition's events for the global lane, the partition's counters, and what the lane made of them."""
    files = {"rules.yaml": load_text(f"version: 1\nrules:\n{RATE % extra}\n", "rules.yaml")}
    lane = Lane(files)
    lane.run(events)
    records = lane.take().partials
    judge = GlobalLane(files, sources=1)
    judge.run([value for _, value in records])
    judge.run([clock_record(0, START + 10 * S, idle=False)])
    return records, lane.counters, judge


def test_a_large_event_counts_for_a_global_rule_and_leaves_its_vars_null():
    for extra in ("", ", resolve_on: r"):
        records, counters, judge = judged(event_at(0, "a", k="k", text="x" * 700_000), extra=extra)
        assert [len(key) + len(value) < MAX_ROW_BYTES for key, value in records] == [True]
        assert happened(judge) == [(5, "firing")]
        assert judge.transitions[0].vars == {"n": None}
        assert not counters.isolated


def test_an_event_with_a_key_of_its_own_size_takes_no_part_in_a_global_rule_and_is_counted():
    large = event_at(0, "a", k="x" * 700_000, text="")
    records, counters, judge = judged(
        large, event_at(1, "a", k="k", text="abc"), event_at(2, "r", k="x" * 700_000), extra=", resolve_on: r"
    )
    assert len(records) == 1
    assert counters.expression_errors == {"all": 2}
    assert happened(judge) == [(5, "firing")]
    assert judge.transitions[0].vars == {"n": 3}


def test_what_no_broker_takes_is_left_out_of_a_transaction_that_goes_on():
    addresses = Addresses(Settings(), alerts_partitions=1, regrouped_partitions=1)
    rows = [(b"k" * 2_000_000, b"v"), (b"k", b"v"), (b"", None), (b"large", b"v" * 1_048_000)]
    changelog = TopicPartition(ENGINE_STATE.name, 0)
    letters = addresses.letters(Output(rows=rows), changelog, TopicPartition("signals", 0), [], None)
    assert [each[:2] for each in letters[changelog]] == [(b"k", b"v"), (b"", None)]
