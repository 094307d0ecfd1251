"""A request that comes again with the same Idempotency-Key is answered as the first time, and done once.

KeyReused   the key came with another request before
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ticket_api.database import Database, insert
from ticket_api.tables import Answer

KEPT = timedelta(days=1)  # at least; see `retention`


class KeyReused(Exception):  # noqa: N818 - says what it is
    pass


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: `body` is JSON; `customer` is whose data it holds."""

    status: int
    body: Any
    customer: str
    repeated: bool = False


async def once(
    database: Database,
    key: str | None,
    request: str,
    now: datetime,
    act: Callable[[AsyncSession], Awaitable[Done]],
) -> Done:
    """Runs `act` in a transaction, unless its answer is known. `request` tells requests apart. What `act` raises, it raises."""
    async with database.writing() as session:
        if key is None:
            return await act(session)
        claim = insert(session, Answer).values(key=key, request=request, at=now)
        # where the same key is in work elsewhere, this waits for its end
        if (await session.execute(claim.on_conflict_do_nothing().returning(Answer.key))).first() is None:
            query = select(Answer.request, Answer.status, Answer.body, Answer.customer).where(
                Answer.key == key
            )
            known, status, body, customer = (await session.execute(query)).one()
            if known != request:
                raise KeyReused
            return Done(status, body, customer, repeated=True)
        done = await act(session)
        told = {"status": done.status, "body": done.body, "customer": done.customer}
        await session.execute(update(Answer).where(Answer.key == key).values(told))
        return done
