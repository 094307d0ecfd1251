"""What transport.py leans on in Faust and aiokafka though it is not public, name by name.

An upgrade that takes one away turns a test red that says what the name is for; what stays to be done is in transport.py.
"""

import asyncio
import collections
import inspect
from types import SimpleNamespace

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record import default_records, memory_records
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faust.transport import base
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage
from faust.types.transports import SchedulingStrategyT

TP = TopicPartition("t", 0)


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def raw_batch(*values: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=999,
    )
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=5, key=b"k", value=value, headers=[])
    return bytes(builder.build())


@pytest.mark.parametrize(
    ("owner", "name", "takes", "used_for"),
    [
        (
            fetcher.Fetcher,
            "_proc_fetch_request",
            ["self", "assignment", "node_id", "request"],
            "seeing each answer to a fetch",
        ),
        (
            fetcher.FetchResult,
            "getall",
            ["self", "max_records"],
            "being replaced by one that hands out slices",
        ),
        (fetcher.FetchResult, "has_more", ["self"], "knowing when an answer is used up"),
        (
            fetcher.FetchResult,
            "check_assignment",
            ["self", "tp"],
            "dropping answers of a former assignment or position",
        ),
        (fetcher.FetchResult, "_update_position", ["self"], "moving the consumer's position along"),
        (
            fetcher.PartitionRecords,
            "_consume_aborted_up_to",
            ["self", "batch_offset"],
            "leaving out aborted transactions",
        ),
        (
            fetcher.PartitionRecords,
            "_contains_abort_marker",
            ["self", "next_batch"],
            "knowing where an aborted one ends",
        ),
        (Assignment, "state_value", ["self", "tp"], "asking how far a partition is"),
        (
            driver.AIOKafkaConsumerThread,
            "_create_worker_consumer",
            ["self", "transport"],
            "reading committed records only",
        ),
        (driver.AIOKafkaConsumerThread, "_ensure_consumer", ["self"], "reaching aiokafka's consumer"),
        (driver.AIOKafkaConsumerThread, "on_start", ["self"], "watching its fetcher from the start"),
        (driver.Consumer, "_new_consumer_thread", ["self"], "taking our thread"),
        (driver.Consumer, "_to_message", ["self", "tp", "record"], "making one message of a slice"),
        (FaustConsumer, "on_buffer_full", ["self", "tp"], "blocking instead of sleeping"),
        (FaustConsumer, "on_partitions_assigned", ["self", "assigned", "generation_id"], "opening lanes"),
        (FaustConsumer, "on_partitions_revoked", ["self", "revoked"], "closing lanes"),
        (SchedulingStrategyT, "iterate", ["self", "records"], "handing slices on whole"),
    ],
)
def test_a_method_that_the_transport_leans_on_is_there(owner, name, takes, used_for):
    method = getattr(owner, name, None)
    assert method is not None, f"{owner.__name__}.{name} is gone; transport.py needs it for {used_for}"
    assert parameters(method) == takes, (
        f"{owner.__name__}.{name} takes other arguments; it is used for {used_for}"
    )


async def test_a_fetcher_keeps_its_answers_in_an_ordered_dict_by_partition():
    client = SimpleNamespace(_loop=asyncio.get_running_loop(), _metadata_max_age_ms=1000)
    found = fetcher.Fetcher(client, SubscriptionState())
    try:
        assert isinstance(found._records, collections.OrderedDict), (
            "Fetcher._records: whose turn it is, and what is unread"
        )
    finally:
        await found.close()


async def test_a_consumer_has_its_fetcher_under_the_name_that_is_watched():
    source = inspect.getsource(AIOKafkaConsumer.start)
    assert "self._fetcher = Fetcher(" in source, (
        "AIOKafkaConsumer._fetcher: it is watched from its consumer's start on"
    )
    taking = inspect.getsource(fetcher.Fetcher.fetched_records)
    assert "if type(res_or_error) is FetchResult" in taking
    assert "res_or_error.getall(max_records)" in taking, "FetchResult.getall is replaced on the instance"
    routine = inspect.getsource(fetcher.Fetcher._fetch_requests_routine)
    assert "self._proc_fetch_request(" in routine, "Fetcher._proc_fetch_request is replaced on the instance"
    assert "fetcher.fetched_records(" in inspect.getsource(driver.AIOKafkaConsumerThread._fetch_records)


async def test_answers_have_the_fields_that_slices_are_made_of():
    assignment = Assignment([TP])
    assert assignment.active
    unread = fetcher.PartitionRecords(
        TP,
        memory_records.MemoryRecords(raw_batch(b"a", b"b")),
        [],
        0,
        None,
        None,
        True,
        fetcher.READ_COMMITTED,
    )
    answer = fetcher.FetchResult(TP, assignment=assignment, partition_records=unread, backoff=0)
    assert answer._topic_partition == TP
    assert answer._partition_records is unread
    for name in (
        "_records",
        "_records_iterator",
        "_tp",
        "_check_crcs",
        "_isolation_level",
        "_aborted_producers",
        "next_fetch_offset",
    ):
        assert hasattr(unread, name), f"PartitionRecords.{name} is gone"
    answer.getall = list  # an instance may have its own


def test_record_batches_and_records_have_the_fields_that_slices_are_made_of():
    batches = memory_records.MemoryRecords(raw_batch(b"a", b"b"))
    assert batches.has_next()
    batch = batches.next_batch()
    assert isinstance(batch, default_records.DefaultRecordBatch)
    for name in (
        "validate_crc",
        "is_control_batch",
        "is_transactional",
        "producer_id",
        "base_offset",
        "next_offset",
    ):
        assert hasattr(batch, name), f"DefaultRecordBatch.{name} is gone"
    first, second = batch
    assert (first.offset, first.key, first.value, first.timestamp) == (0, b"k", b"a", 5)
    assert batch.next_offset == second.offset + 1


async def test_an_answer_without_an_error_sets_what_is_read_of_a_partitions_state():
    state = TopicPartitionState(Assignment([TP]))
    assert (state.lso, state.highwater) == (None, None)
    state.seek(7)
    assert state.position == 7
    source = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "tp_state.lso = lso" in source, "TopicPartitionState.lso: an answer came if it is no longer None"
    assert "tp_state.highwater = highwater" in source
    request = FetchRequest(100, 1, 1000, 1, [("t", [(0, 7, 1000)])], rack_id="")
    assert [(topic, partitions[0][:2]) for topic, partitions in request.topics] == [("t", (0, 7))]


def test_faust_takes_a_transport_a_scheduler_and_topics_without_acks():
    assert isinstance(inspect.getattr_static(faust.App, "transport"), property)
    assert faust.App.transport.fset is not None, "App.transport can no longer be set"
    assert "acks" in parameters(faust.App.topic), "App.topic(acks=False): Faust is to commit nothing"
    assert "ConsumerScheduler" in dir(faust.Settings)
    assert parameters(ConsumerMessage.__init__)[1:4] == ["topic", "partition", "offset"]
    assert {"generation_id", "value", "tp"} <= set(parameters(ConsumerMessage.__init__))
    assert parameters(base.Transport.__init__)[1:3] == ["url", "app"]
    assert "consumer_generation_id" in inspect.getsource(
        driver.ConsumerRebalanceListener.on_partitions_assigned
    )
