"""What a fact from the topics does to the database. Each is safe to repeat: what is there already is left as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.alerts import Transition
from ticket_api import customers, ticket_store, tickets
from ticket_api.database import insert
from ticket_api.facts import AlertFact, ErasedFact, Fact, MessageFact, ProfileFact, SignalFact
from ticket_api.tables import Alert, AlertStep, Fate, Message, Signal

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A fact, with the broker's time and the offset of its record."""

    fact: Fact
    at: datetime
    offset: int


async def apply(session: AsyncSession, found: Sequence[Found], now: datetime) -> None:
    """All of one partition, in the order of their offsets."""
    kept = await _of_the_living(session, found)
    await _add_signals(session, [one.fact for one in kept if isinstance(one.fact, SignalFact)])
    for one in kept:
        match one.fact:
            case AlertFact():
                await _add_transition(session, one.fact, now)
            case MessageFact():
                await _add_fate(session, one.fact, one.offset)
            case ProfileFact():
                await customers.set_profile(session, one.fact.customer, one.fact.profile, one.at)
            case ErasedFact():
                await customers.erase(session, one.fact.customer, one.at)
            case SignalFact():
                pass


async def _of_the_living(session: AsyncSession, found: Sequence[Found]) -> list[Found]:
    """Without what an erasure forbids. Profiles and erasures look for themselves: one may follow the other at once."""
    whose = {customer for one in found if (customer := _customer(one.fact)) is not None}
    erased = await customers.erased(session, whose)

    def lives(one: Found) -> bool:
        erasure = erased.get(_customer(one.fact) or "")
        return erasure is None or isinstance(one.fact, ProfileFact | ErasedFact) or erasure.spares(one.at)

    return [one for one in found if lives(one)]


def _customer(fact: Fact) -> str | None:
    return fact.transition.customer if isinstance(fact, AlertFact) else fact.customer


async def _add_signals(session: AsyncSession, facts: list[SignalFact]) -> None:
    if not facts:
        return
    await session.execute(
        insert(session, Signal).on_conflict_do_nothing(),
        [
            {
                "source": fact.event.source, "id": fact.event.id, "customer": fact.customer, "at": fact.event.time,
                "type": fact.event.type, "data": fact.event.data,
            }
            for fact in facts
        ],
    )  # fmt: skip
    times: dict[str, datetime] = {}
    for fact in facts:
        times[fact.customer] = max(fact.event.time, times.get(fact.customer, fact.event.time))
    await customers.seen(session, times)


async def _add_transition(session: AsyncSession, fact: AlertFact, now: datetime) -> None:
    """The alert as it stands; the tickets it orders; and, when it is over, a note on them."""
    transition = fact.transition
    step = insert(session, AlertStep).values(
        alert=transition.alert, seq=transition.seq, customer=transition.customer, state=transition.state,
        at=transition.at, how=transition.how, value=transition.value,
    )  # fmt: skip
    if (await session.execute(step.on_conflict_do_nothing().returning(AlertStep.seq))).first() is None:
        return
    await _stand(session, transition)
    if transition.customer is not None:
        await customers.seen(session, {transition.customer: transition.at})
    for ticket, entry in tickets.tickets_of(transition, now):
        stored = await ticket_store.add(session, ticket, entry, fact.traceparent)
        if stored is not None:
            log.info(
                "ticket opened", ticket=stored.id, by="alert", alert=transition.alert, rule=transition.rule
            )
    if any(entry.ticket is not None for entry in transition.notify) and transition.customer is None:
        log.warning(
            "ticket not opened",
            reason="the alert concerns no customer",
            alert=transition.alert,
            rule=transition.rule,
        )
    if transition.state == "resolved":
        note = tickets.resolved_text(transition)
        for ticket in await ticket_store.of_alerts(session, [transition.alert]):
            await ticket_store.change(session, ticket.id, lambda one: tickets.noted(one, note, now))


async def _stand(session: AsyncSession, transition: Transition) -> None:
    row = insert(session, Alert).values(
        id=transition.alert, customer=transition.customer, rule=transition.rule, state=transition.state,
        severity=transition.severity, fired_at=transition.fired_at, at=transition.at, seq=transition.seq,
        momentary=transition.momentary, key=transition.key, value=transition.value, vars=transition.vars,
        evidence=transition.evidence, words=msgspec.to_builtins(transition.words),
    )  # fmt: skip
    newer = {name: row.excluded[name] for name in ("state", "severity", "at", "seq")}
    await session.execute(
        row.on_conflict_do_update(index_elements=[Alert.id], set_=newer, where=Alert.seq < row.excluded.seq)
    )


async def _add_fate(session: AsyncSession, fact: MessageFact, offset: int) -> None:
    message = fact.message
    fate = insert(session, Fate).values(
        event=fact.event, message=message.message, customer=fact.customer, position=offset,
        record=msgspec.to_builtins(message),
    )  # fmt: skip
    if (await session.execute(fate.on_conflict_do_nothing().returning(Fate.event))).first() is None:
        return
    row = insert(session, Message).values(
        id=message.message, customer=fact.customer, alert=message.alert, ticket=message.ticket, at=message.at
    )
    await session.execute(row.on_conflict_do_nothing())
    await customers.seen(session, {fact.customer: message.at})
