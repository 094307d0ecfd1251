"""Forgets what is old: signals, alerts that are over and messages after so many days, answers to requests after one."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, not_, select

from ticket_api import idempotency
from ticket_api.database import Database
from ticket_api.tables import Alert, AlertStep, Answer, Fate, Message, Signal
from ticket_api.timeline import FIRING

_EVERY_S = 3600


async def forget_old(database: Database, days: int) -> None:
    """For ever, once an hour."""
    while True:
        await forget(database, datetime.now(UTC), timedelta(days=days))
        await asyncio.sleep(_EVERY_S)


async def forget(database: Database, now: datetime, kept: timedelta) -> None:
    """Deletes what is older than `kept` at `now`. Tickets stay."""
    oldest = now - kept
    alerts = select(Alert.id).where(Alert.at < oldest, not_(FIRING))
    messages = select(Message.id).where(Message.at < oldest)
    async with database.writing() as session:
        await session.execute(delete(Signal).where(Signal.at < oldest))
        await session.execute(delete(AlertStep).where(AlertStep.alert.in_(alerts)))
        await session.execute(delete(Alert).where(Alert.id.in_(alerts)))
        await session.execute(delete(Fate).where(Fate.message.in_(messages)))
        await session.execute(delete(Message).where(Message.id.in_(messages)))
        await session.execute(delete(Answer).where(Answer.at < now - idempotency.KEPT))
