"""The topics that the engine needs, and how many partitions each has."""

import asyncio
import time

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.kafka import ClientOptions
from contracts.topics import (
    ALERTS,
    ENGINE_GLOBAL_STATE,
    ENGINE_GLOBALS,
    ENGINE_REGROUPED,
    ENGINE_STATE,
    ENGINE_STATUS,
    RULES,
    SIGNALS,
    dead_name,
)
from rule_engine.config import Settings

log = structlog.get_logger()

TOPICS = (
    SIGNALS,
    ALERTS,
    ENGINE_STATE,
    ENGINE_REGROUPED,
    ENGINE_GLOBAL_STATE,
    ENGINE_GLOBALS,
    ENGINE_STATUS,
    RULES,
)


class UnavailableError(Exception):
    """Kafka, or a topic, is not there; the message says what to do."""


async def partitions_of(settings: Settings, stop: asyncio.Event) -> dict[str, int]:
    """By topic, as soon as Kafka and all of them are there; nothing if told to stop meanwhile.

    Raises UnavailableError if they do not come, or do not fit each other.
    """
    wanted = {settings.name(topic): topic for topic in TOPICS} | {
        dead_name(SIGNALS, settings.topic_prefix): SIGNALS
    }
    deadline = time.monotonic() + settings.engine_start_timeout_s
    while True:
        try:
            found = await _described(settings.kafka_client(), set(wanted))
            missing = sorted(wanted.keys() - found.keys())
            problem = (
                f"topics are missing at {settings.kafka}: {', '.join(missing)}; `beforehand up` makes them"
            )
        except (KafkaError, OSError) as error:
            missing = ["all"]
            problem = (
                f"no Kafka answers at {settings.kafka} ({type(error).__name__}); BEFOREHAND_KAFKA names it"
            )
        if not missing:
            break
        if time.monotonic() > deadline:
            raise UnavailableError(problem)
        log.info("waiting", reason=problem)
        try:
            await asyncio.wait_for(stop.wait(), 1)
        except TimeoutError:
            continue
        return {}
    customers = {found[settings.name(topic)] for topic in (SIGNALS, ENGINE_STATE)}
    regrouped = {found[settings.name(topic)] for topic in (ENGINE_REGROUPED, ENGINE_GLOBAL_STATE)}
    if len(customers) > 1 or len(regrouped) > 1:
        raise UnavailableError(
            "a lane's rows have its own partition's number: signals and engine.state, and engine.regrouped and "
            f"engine.global_state, need equal numbers of partitions; there are {found}"
        )
    return found


async def _described(kafka: ClientOptions, wanted: set[str]) -> dict[str, int]:
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        there = sorted(wanted & set(await admin.list_topics()))
        return (
            {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(there)}
            if there
            else {}
        )
    finally:
        await admin.close()
