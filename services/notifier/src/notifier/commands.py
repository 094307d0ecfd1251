"""`beforehand pause` and `beforehand resume`: a person's switch for what goes out, as records on `controls`."""

import getpass
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import click
from kafka import KafkaProducer
from kafka.errors import KafkaError

from contracts.envelope import HEADERS, encode, event
from contracts.kafka import kafka_client
from contracts.records import Pause, pause_key
from contracts.topics import CONTROLS, topic_name

ENDPOINTS = Path("var/endpoints.json")
DEFAULT_KAFKA = "127.0.0.1:9092"
TIMEOUT_S = 5


class NoBroker(click.ClickException):
    exit_code = 3


_Command = TypeVar("_Command", bound=Callable[..., Any])


def _what_and_where(command: _Command) -> _Command:
    options = (
        click.option("--rule", metavar="ID", help="Only what this rule tells."),
        click.option(
            "--channel", type=click.Choice(["email", "sms", "inapp", "webhook"]), help="Only this channel."
        ),
        click.option(
            "--kafka",
            metavar="HOST:PORT",
            envvar="BEFOREHAND_KAFKA",
            help=f"The broker. Without it, that of a running `beforehand up` ({ENDPOINTS}), else {DEFAULT_KAFKA}.",
        ),
        click.option(
            "--topic-prefix",
            default="",
            envvar="BEFOREHAND_TOPIC_PREFIX",
            help="Put before each topic's name, where installations share a broker.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_what_and_where
@click.option("--why", metavar="TEXT", help="Shown with every message that is held.")
def pause(
    rule: str | None, channel: str | None, kafka: str | None, topic_prefix: str, why: str | None
) -> None:
    """Hold messages until `beforehand resume`: all of them, a rule's, or a channel's.

    Alerts are judged and recorded as ever; what would go out is held, and does not expire meanwhile.

    \b
    beforehand pause --why "wrong prices in the mails"
    beforehand pause --rule order-late
    beforehand pause --channel sms
    """  # noqa: D301 - click wants a real backspace
    scope, name = _scope(rule, channel)
    at = datetime.now(UTC)
    decision = Pause(scope=scope, at=at, by=getpass.getuser(), name=name, why=why)  # type: ignore[arg-type]
    said = event(id=str(uuid4()), source="/beforehand/commands", type="pause.set", time=at, data=decision)
    _write(kafka, topic_prefix, decision.key, encode(said))
    again = "".join([f" --rule {rule}" if rule else "", f" --channel {channel}" if channel else ""])
    click.echo(f"Paused: {_words(scope, name)}. Let it go with: beforehand resume{again}")


@click.command()
@_what_and_where
def resume(rule: str | None, channel: str | None, kafka: str | None, topic_prefix: str) -> None:
    """Lift what `beforehand pause` with the same options set.

    What was held and is still true goes out; what is over, is told to nobody.

    \b
    beforehand resume
    beforehand resume --rule order-late
    """  # noqa: D301 - click wants a real backspace
    scope, name = _scope(rule, channel)
    _write(kafka, topic_prefix, pause_key(scope, name), None)
    click.echo(f"Resumed: {_words(scope, name)}.")


def _scope(rule: str | None, channel: str | None) -> tuple[str, str | None]:
    if rule and channel:
        raise click.UsageError("a pause is for a rule or for a channel: give --rule or --channel, not both")
    if rule:
        return "rule", rule
    return ("channel", channel) if channel else ("everything", None)


def _words(scope: str, name: str | None) -> str:
    return "all messages" if name is None else f"{scope} {name}"


def _write(kafka: str | None, topic_prefix: str, key: str, value: bytes | None) -> None:
    servers = kafka or _running_kafka()
    topic = topic_name(CONTROLS, topic_prefix)
    try:
        client = kafka_client(servers)
    except ValueError as error:
        raise NoBroker(str(error)) from None
    try:
        with closing(
            KafkaProducer(
                **client, acks="all", bootstrap_timeout_ms=TIMEOUT_S * 1000,
                max_block_ms=TIMEOUT_S * 1000, allow_auto_create_topics=False,
            )
        ) as producer:  # fmt: skip
            producer.send(topic, key=key.encode(), value=value, headers=HEADERS).get(timeout=TIMEOUT_S)
    except KafkaError as error:
        raise NoBroker(
            f"could not write to {topic} at {servers} ({type(error).__name__}): start Kafka with "
            "`beforehand up`, or say where it is with --kafka or BEFOREHAND_KAFKA"
        ) from None


def _running_kafka() -> str:
    try:
        return str(json.loads(ENDPOINTS.read_text())["kafka"])
    except (OSError, ValueError, KeyError):
        return DEFAULT_KAFKA
