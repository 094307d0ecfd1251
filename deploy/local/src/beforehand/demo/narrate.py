"""Tells what happens as it happens: event → alert → message, a line each."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import click
import msgspec
from aiokafka import AIOKafkaConsumer

from beforehand.demo.story import Act
from beforehand.errors import RunnerError
from contracts.alerts import Transition
from contracts.envelope import EnvelopeError, decode
from contracts.records import Message
from contracts.topics import ALERTS, MESSAGES

_STATES = {"firing": "fires", "due": "is still true: time to tell", "resolved": "is over"}
_CHANNELS = {"email": "mail", "sms": "text"}
# The other fates are steps on the way.
_TOLD_FATES = {"sent", "held", "failed", "suppressed", "expired"}
_STYLES = {"event": "cyan", "alert": "yellow", "message": "green"}
_NAME_WIDTH = 10
_SUMMARY_CHARACTERS = 72
_FIRST_ANSWER_S = 30.0


class Narrator:
    """Prints lines from any thread; `names` has people's names by their ids."""

    def __init__(self, show: Callable[[str], None], names: Mapping[str, str], started: datetime) -> None:
        self._show = show
        self._names = names
        self._started = started

    def act(self, act: Act) -> None:
        if act.says:
            self._tell("event", act.person.name if act.person else "", act.says)

    def alert(self, transition: Transition) -> None:
        if transition.state in _STATES:
            who = self._name(transition.customer) if transition.customer else "everybody"
            self._tell("alert", who, f"{transition.rule} {_STATES[transition.state]}")

    def message(self, message: Message) -> None:
        if message.fate not in _TOLD_FATES:
            return
        what = _CHANNELS.get(message.channel, message.channel)
        said = f": {_short(message.summary)}" if message.summary else ""
        why = f" ({message.reason})" if message.reason and message.fate != "sent" else ""
        twice = ", possibly twice" if message.possibly_twice else ""
        who = self._name(message.customer or message.recipient)
        self._tell("message", who, f"{what} {message.fate}{twice}{why}{said}")

    def _tell(self, kind: str, who: str, what: str) -> None:
        after_s = (datetime.now(UTC) - self._started).total_seconds()
        arrow = {"event": "", "alert": "→ ", "message": "→→ "}[kind]
        self._show(
            f"{after_s:6.1f} s  {who:<{_NAME_WIDTH}} {click.style(f'{kind:<7}', fg=_STYLES[kind])}  {arrow}{what}"
        )

    def _name(self, customer: str) -> str:
        return self._names.get(customer, customer)


def _short(text: str) -> str:
    return text if len(text) <= _SUMMARY_CHARACTERS else f"{text[:_SUMMARY_CHARACTERS]}…"


class Watch:
    """Reads alerts and messages from where they end when it is entered, in a thread, and hands them to the narrator.

    By aiokafka, as the services do: kafka-python lacks the codec of the engine's batches.
    """

    def __init__(self, bootstrap: str, narrator: Narrator) -> None:
        self._bootstrap = bootstrap
        self._narrator = narrator
        self._begun = threading.Event()
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="narrator", daemon=True)

    def __enter__(self) -> Self:
        """Raises RunnerError if the broker does not answer."""
        self._thread.start()
        try:
            begun = self._begun.wait(_FIRST_ANSWER_S)
        except KeyboardInterrupt:
            self._end()  # before the broker, or there is no end of what it says of that
            raise
        if not begun or self._failure:
            self._stop.set()
            reason = f": {self._failure}" if self._failure else ""
            raise RunnerError(
                f"Kafka at {self._bootstrap} does not say where alerts and messages end{reason}"
            )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            asyncio.run(self._read())
        except Exception as error:  # the verdict does without a narrator
            self._failure = error
        finally:
            self._begun.set()

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            ALERTS.name, MESSAGES.name, bootstrap_servers=self._bootstrap, group_id=None,
            isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="latest",
        )  # fmt: skip
        await consumer.start()
        try:
            await consumer.seek_to_end()
            self._begun.set()
            while not self._stop.is_set():
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        self._hand_on(record.topic, record.value)
        finally:
            await consumer.stop()

    def _hand_on(self, topic: str, value: bytes | None) -> None:
        try:
            data = decode(value or b"").data
            if topic == ALERTS.name:
                self._narrator.alert(msgspec.convert(data, Transition))
            else:
                self._narrator.message(msgspec.convert(data, Message))
        except (EnvelopeError, msgspec.ValidationError):
            pass  # somebody else's record, which is no part of this story
