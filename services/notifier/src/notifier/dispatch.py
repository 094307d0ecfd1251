"""From the delivery log to the providers: claim, send, record; retries, and channels that are down.

Nothing is claimed before all that Kafka held when it fell due has been read: what was resolved or paused meanwhile is known.
"""

import asyncio
import traceback
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from contracts.alerts import Transition
from notifier.channels import Channel, ChannelError, Outgoing, Permanent, Retryable, Unreachable
from notifier.delivery_log import Claimed, Decide, DeliveryLog
from notifier.metrics import ATTEMPTS, CHANNEL_DOWN, TOLD_AFTER
from notifier.pipeline import Draft

log = structlog.get_logger()

IN_FLIGHT = 8  # at once, on each channel
PROBE_S = (0.5, 5.0)  # between tries of a channel that is down: the first, and the longest
RETRY_S = (1.0, 300.0)  # between tries of one message: a tenth of its age, within these
IDLE_S = 5.0  # at most between looks into the log, should no wake-up come


class Reader(Protocol):
    """Who reads Kafka for us."""

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions whose messages are ours to send."""

    async def read_up_to_now(self) -> bool:
        """Waits until all is read and stored that those partitions held at the call; False if that can't be said now."""


@dataclass
class Gate:
    """How a channel stands: after failures in a row it is tried with one message at a time, from `opens_at` on."""

    opens_at: datetime
    failures: int = 0
    in_flight: int = 0

    def room(self, now: datetime) -> int:
        """How many messages may be claimed for it now."""
        if self.failures:
            return 1 if self.in_flight == 0 and now >= self.opens_at else 0
        # a look into the log for each single place that gets free would cost more than the sending
        return IN_FLIGHT - self.in_flight if self.in_flight <= IN_FLIGHT // 2 else 0

    def failed(self, now: datetime) -> None:
        self.failures += 1
        self.opens_at = now + timedelta(seconds=min(PROBE_S[0] * 2 ** min(self.failures - 1, 10), PROBE_S[1]))


class Dispatch:
    """Sends what is due. One of these runs in each process."""

    def __init__(
        self, delivery_log: DeliveryLog, channels: Mapping[str, Channel], *, reader: Reader,
        decide: Callable[[datetime], Decide], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._log = delivery_log
        self._channels = channels
        self._reader = reader
        self._decide = decide
        self._clock = clock
        self._gates = {name: Gate(opens_at=clock()) for name in channels}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._read_until: datetime | None = None

    def wake(self) -> None:
        """Something may have fallen due."""
        self._wake.set()

    @property
    def in_flight(self) -> Collection[str]:
        """Ids of the messages that are being sent."""
        return frozenset(self._tasks)

    async def settle(self, within_s: float) -> None:
        """Claims nothing for a moment, and waits, at most so long, until what is in flight is recorded.

        What falls due afterwards is claimed only after another reading up to then.
        """
        async with self._claiming:
            self._read_until = None
            if self._tasks:
                await asyncio.wait(list(self._tasks.values()), timeout=within_s)

    async def run(self) -> None:
        """Until cancelled. A database that fails for a while is waited for."""
        while True:
            self._wake.clear()
            try:
                pause_s = await self._round()
            except SQLAlchemyError as error:
                log.warning("database failed", error=type(error).__name__)
                pause_s = 1.0
            if pause_s > 0:
                try:
                    await asyncio.wait_for(self._wake.wait(), pause_s)
                except TimeoutError:
                    pass  # time to look again

    async def _round(self) -> float:
        """Claims once and starts the sending; returns after how many seconds to look again."""
        now = self._clock()
        room = {name: gate.room(now) for name, gate in self._gates.items()}
        closed = [name for name, free in room.items() if not free]
        partitions = self._reader.partitions
        next_look = await self._log.next_look(partitions, closed)
        if next_look is None or next_look > now:
            return self._until(next_look, now)
        if self._read_until is None or next_look > self._read_until:
            if not await self._reader.read_up_to_now():
                return PROBE_S[0]
            self._read_until = now
        async with self._claiming:
            if self._read_until is None or self._reader.partitions != partitions:
                self._read_until = None  # what was read is not what we send for now
                return 0
            limit = min((free for free in room.values() if free), default=IN_FLIGHT)
            claimed = await self._log.claim(partitions, closed, self._read_until, limit, self._decide(now))
            for one in claimed:
                self._start(one)
        return 0

    def _until(self, next_look: datetime | None, now: datetime) -> float:
        times = [gate.opens_at for gate in self._gates.values() if gate.failures and not gate.in_flight]
        if next_look is not None:
            times.append(next_look)
        waits = [(time - now).total_seconds() for time in times if time > now]
        return max(0.01, min([IDLE_S, *waits]))

    def _start(self, claimed: Claimed) -> None:
        gate = self._gates[claimed.draft.channel]
        gate.in_flight += 1
        task = asyncio.create_task(self._send(claimed, gate))
        self._tasks[claimed.draft.id] = task

        def done(_: asyncio.Task[None]) -> None:
            gate.in_flight -= 1
            self._tasks.pop(claimed.draft.id, None)
            self.wake()

        task.add_done_callback(done)

    async def _send(self, claimed: Claimed, gate: Gate) -> None:
        draft = claimed.draft
        words = {
            "message": draft.id,
            "rule": draft.rule,
            "channel": draft.channel,
            "attempt": claimed.attempt,
            "traceparent": claimed.traceparent,
        }
        provider_id, error = None, None
        try:
            provider_id = await self._channels[draft.channel].send(_outgoing(draft))
        except ChannelError as failure:
            error = failure
        except Exception as failure:  # a fault of ours: the message must not be lost for it, nor the loop
            place = traceback.extract_tb(failure.__traceback__)[-1]
            log.error(  # noqa: TRY400 - a traceback's text could hold an address
                "channel broke", **words, error=type(failure).__name__, at=f"{place.filename}:{place.lineno}"
            )
            error = Retryable(f"the channel broke: {type(failure).__name__}", maybe_sent=True)
        now = self._clock()
        if isinstance(error, Unreachable):
            gate.failed(now)
        else:
            gate.failures = 0
        CHANNEL_DOWN.labels(draft.channel).set(int(gate.failures > 0))
        match error:
            case None:
                log.info("message sent", **words, possibly_twice=draft.possibly_twice)
                ATTEMPTS.labels(draft.channel, "sent").inc()
                TOLD_AFTER.labels(draft.channel).observe(max(0.0, (now - claimed.due_at).total_seconds()))
                await self._recorded(lambda: self._log.sent(claimed, provider_id))
            case Permanent():
                ATTEMPTS.labels(draft.channel, "failed").inc()
                why = str(error)
                await self._recorded(lambda: self._log.failed(claimed, why))
            case _:
                assert isinstance(error, Retryable)
                retryable = error
                ready_at = gate.opens_at if gate.failures else now + _retry_in(claimed, retryable, now)
                log.warning("message retried", **words, why=str(error), at=ready_at.isoformat())
                ATTEMPTS.labels(draft.channel, "retry").inc()
                await self._recorded(
                    lambda: self._log.again(
                        claimed, str(retryable), ready_at, maybe_sent=retryable.maybe_sent
                    )
                )

    async def _recorded(self, record: Callable[[], Coroutine[None, None, None]]) -> None:
        """Writes an answer down, however long the database is away: without it the message would go out once more."""
        while True:
            try:
                return await record()
            except SQLAlchemyError as error:
                log.warning("database failed", error=type(error).__name__)
                await asyncio.sleep(1)


def _retry_in(claimed: Claimed, error: Retryable, now: datetime) -> timedelta:
    age_s = (now - claimed.created_at).total_seconds()
    return timedelta(seconds=max(min(max(age_s / 10, RETRY_S[0]), RETRY_S[1]), error.retry_after_s or 0.0))


def _outgoing(draft: Draft) -> Outgoing:
    assert draft.address is not None
    assert draft.content is not None
    thread = [earlier.id for earlier in draft.earlier if earlier.possibly_sent]
    return Outgoing(
        id=draft.id, to=draft.address, content=draft.content, thread=tuple(dict.fromkeys([*thread[:1], *thread[-1:]])),
        alert=draft.about.alert if isinstance(draft.about, Transition) else None,
        unsubscribe_url=draft.unsubscribe_url, possibly_twice=draft.possibly_twice,
        automatic=draft.kind != "replied",
    )  # fmt: skip
