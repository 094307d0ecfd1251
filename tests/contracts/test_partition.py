"""A key lies on the same partition whichever client wrote it."""

import aiokafka.partitioner
import kafka.partitioner.default
from hypothesis import given
from hypothesis import strategies as st

from contracts.partition import murmur2, partition_of


@given(st.binary(max_size=70))
def test_murmur2_is_that_of_both_kafka_clients(key):
    assert murmur2(key) == aiokafka.partitioner.murmur2(key) & 0xFFFFFFFF
    assert murmur2(key) == kafka.partitioner.default.murmur2(key) & 0xFFFFFFFF


class OneTopic:
    """As much of kafka-python's cluster metadata as its partitioner asks for."""

    def __init__(self, partitions):
        self._partitions = set(partitions)

    def topics(self):
        return {"signals"}

    def partitions_for_topic(self, topic):
        return self._partitions

    available_partitions_for_topic = partitions_for_topic


@given(st.text(min_size=1, max_size=40), st.integers(1, 48))
def test_the_partition_is_the_one_that_both_clients_choose(key, count):
    raw = key.encode(errors="surrogatepass")
    partitions = list(range(count))
    theirs = kafka.partitioner.default.DefaultPartitioner()
    assert partition_of(raw, count) == aiokafka.partitioner.DefaultPartitioner()(raw, partitions, partitions)
    assert partition_of(raw, count) == theirs.partition("signals", key, raw, None, None, OneTopic(partitions))


def test_keys_spread_over_all_partitions():
    counts = [0] * 12
    for number in range(12_000):
        counts[partition_of(f"customer-{number}".encode(), 12)] += 1
    assert 850 < min(counts) < max(counts) < 1150
