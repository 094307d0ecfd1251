"""The API: tickets, and a customer's timeline, as JSON. Bearer key of the desk; errors as RFC 9457 has them."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.records import TicketState
from ticket_api import acts, ticket_store, timeline
from ticket_api.acts import Close, OpenTicket, Reply
from ticket_api.database import Database
from ticket_api.idempotency import Done, once
from ticket_api.problems import Problem, responses
from ticket_api.story import TicketPage, TicketShown, Timeline, brief, shown
from ticket_api.ticket_store import Filters
from ticket_api.timeline import BadCursor

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="a text of your making, new for each request: repeated within a day, it is answered as the first time and done once",
        examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ),
]
Cursor = Annotated[str | None, Query(max_length=4000, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


def routes(database: Database, desk_key: str) -> APIRouter:
    """All of /v1."""
    api = APIRouter(
        prefix="/v1",
        dependencies=[
            Depends(HTTPBearer(auto_error=False, description="the key of the desk")),
            Depends(_guard(desk_key)),
        ],
        responses=responses(401),
    )

    @api.post(
        "/tickets", status_code=201, response_model=TicketShown, tags=["tickets"], responses=responses(422)
    )
    async def open_ticket(
        body: OpenTicket, request: Request, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Opens a ticket. Its number is what to tell the customer."""
        now, trace = datetime.now(UTC), _trace(request)
        return await _act(
            request, idempotency_key, lambda session: acts.open_ticket(session, body, now, trace)
        )

    @api.get("/tickets", tags=["tickets"], responses=responses(422))
    async def list_tickets(
        customer: Annotated[str | None, Query(max_length=1024)] = None,
        state: TicketState | None = None,
        queue: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> TicketPage:
        """Tickets without their texts, the newest first."""
        filters = Filters(customer, state, queue)
        async with database.reading() as session:
            found = await ticket_store.page(session, filters, _number(cursor), limit + 1)
        more = len(found) > limit
        return TicketPage(
            items=[brief(ticket) for ticket in found[:limit]],
            next=_cursor(found[limit - 1].number) if more else None,
        )

    @api.get("/tickets/{ticket}", tags=["tickets"], responses=responses(404))
    async def read_ticket(ticket: str) -> TicketShown:
        """A ticket with all that was said, by its id or its number."""
        async with database.reading() as session:
            found = await ticket_store.read(session, ticket)
            history = await ticket_store.entries(session, [found.id])
        return shown(found, history[found.id])

    @api.post(
        "/tickets/{ticket}/replies",
        response_model=TicketShown,
        tags=["tickets"],
        responses=responses(404, 409, 422),
    )
    async def reply(
        ticket: str, body: Reply, request: Request, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Adds a reply. An agent's sets the ticket waiting for the customer; a customer's opens even a closed one again."""
        now, trace = datetime.now(UTC), _trace(request)
        return await _act(
            request, idempotency_key, lambda session: acts.reply(session, ticket, body, now, trace)
        )

    @api.post(
        "/tickets/{ticket}/close",
        response_model=TicketShown,
        tags=["tickets"],
        responses=responses(404, 409, 422),
    )
    async def close(
        ticket: str, body: Close, request: Request, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Closes a ticket, after a last reply if there is one."""
        now, trace = datetime.now(UTC), _trace(request)
        return await _act(
            request, idempotency_key, lambda session: acts.close(session, ticket, body, now, trace)
        )

    @api.get("/customers/{customer:path}/timeline", tags=["customers"], responses=responses(422))
    async def read_timeline(customer: str, limit: Limit = 50, cursor: Cursor = None) -> Timeline:
        """What happened to a customer, the newest first: signals, alerts with their messages, other messages, tickets."""
        try:
            async with database.reading() as session:
                return await timeline.timeline(session, customer, cursor, limit)
        except BadCursor as error:
            raise _wrong_cursor(str(error)) from None

    async def _act(
        request: Request, key: str | None, act: Callable[[AsyncSession], Awaitable[Done]]
    ) -> Response:
        asked = hashlib.sha256(
            f"{request.method} {request.url.path}\n".encode() + await request.body()
        ).hexdigest()
        done = await once(database, key, asked, datetime.now(UTC), act)
        headers = {"Location": f"/v1/tickets/{done.body['id']}"} if done.status == 201 else {}
        if done.repeated:
            headers["Idempotency-Replayed"] = "true"
        return JSONResponse(done.body, done.status, headers=headers)

    return api


def _guard(desk_key: str) -> Callable[[Request], None]:
    expected = f"Bearer {desk_key}".encode()

    def check(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), expected):
            says = "does not hold the desk's key" if given else "is missing"
            raise Problem(
                401, "unauthorized", f"the header Authorization {says}: send `Authorization: Bearer <the desk's key>`",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip

    return check


def _trace(request: Request) -> str | None:
    """W3C's traceparent, to go with what is told of it."""
    given = request.headers.get("traceparent")
    return given if given and len(given) == 55 and given.isascii() else None


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return min(int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))), 2**62)
    except ValueError:
        raise _wrong_cursor("is none that a page gave") from None


def _wrong_cursor(says: str) -> Problem:
    wrong: Any = {"parameter": "cursor", "detail": says}
    return Problem(422, "invalid-request", "one field is wrong: cursor", errors=[wrong])
