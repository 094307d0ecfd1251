"""The desk's pages: tickets and customers at a glance, a customer's timeline, and forms to open, answer and close tickets.

Rendered here, whole, without a script and without anything from elsewhere.
"""

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from ticket_api import acts, glance, ticket_store, timeline, words
from ticket_api.acts import Close, OpenTicket, Reply
from ticket_api.database import Database
from ticket_api.idempotency import Done, once
from ticket_api.problems import Problem
from ticket_api.session import COOKIE, LASTS, Sessions, from_own_page
from ticket_api.story import Item
from ticket_api.timeline import BadCursor

_PAGE = 60
_STATES = ("open", "waiting", "closed")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_Body = TypeVar("_Body", bound=BaseModel)


class _SignIn(Exception):  # noqa: N818 - not an error
    """The browser is to sign in first; its text is where it wanted to go."""


def install(app: FastAPI, database: Database, desk_key: str) -> Callable[[Request, Problem], Response]:
    """Adds the pages; gives the page that tells of a problem."""
    pages = _Pages(database, Sessions(desk_key))
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    app.include_router(pages.router())

    async def sign_in(_request: Request, wanted: Exception) -> Response:
        return RedirectResponse(f"/login?next={quote(str(wanted))}", 303)

    app.add_exception_handler(_SignIn, sign_in)
    return pages.problem


class _Pages:
    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self._templates = Environment(
            loader=PackageLoader("ticket_api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(words=words, path=_path, new_once=lambda: secrets.token_urlsafe(16))

    def router(self) -> APIRouter:
        inside = [Depends(self._signed_in)]
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/login", self.login)
        router.add_api_route("/login", self.try_key, methods=["POST"], dependencies=[Depends(_own_form)])
        router.add_api_route("/", self.home, dependencies=inside)
        router.add_api_route("/customers/{customer:path}", self.customer, dependencies=inside)
        router.add_api_route("/tickets/{ticket}", self.ticket, dependencies=inside)
        for path, act in (("/logout", self.logout), ("/tickets", self.open), ("/tickets/{ticket}", self.say)):
            router.add_api_route(path, act, methods=["POST"], dependencies=[*inside, Depends(_own_form)])
        return router

    async def login(self, next: str = "/") -> Response:
        return self._page("login.html", 200, wanted=_inside(next), wrong=False)

    async def try_key(self, request: Request) -> Response:
        form = await _form(request)
        wanted = _inside(form.get("next", "/"))
        if not self._sessions.opens(form.get("key", "")):
            return self._page("login.html", 401, wanted=wanted, wrong=True)
        answer = RedirectResponse(wanted, 303)
        answer.set_cookie(
            COOKIE, self._sessions.begin(datetime.now(UTC)), max_age=int(LASTS.total_seconds()), httponly=True,
            samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    async def logout(self) -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    async def home(self, state: str = "open", q: str = "") -> Response:
        sought = q.strip()
        wanted = state if state in _STATES else None
        async with self._database.reading() as session:
            if sought:
                known = await _only_one(session, sought)
                if known is not None:
                    return RedirectResponse(known, 303)
            found = await glance.glance(session, wanted, sought)  # type: ignore[arg-type]
        clock = words.clock_of(None, datetime.now(UTC))
        return self._page("home.html", 200, glance=found, state=wanted or "all", sought=sought, clock=clock)

    async def customer(self, customer: str, cursor: str | None = None, about: str | None = None) -> Response:
        try:
            async with self._database.reading() as session:
                told = await timeline.timeline(session, customer, cursor, _PAGE)
                firing = await timeline.firing(session, customer)
        except BadCursor:
            raise Problem(
                422, "invalid-request", "this address is not whole; go back to the timeline's first page"
            ) from None
        clock = words.clock_of(told.customer.profile, datetime.now(UTC))
        subject = next(
            (alert for alert in (*told.items, *firing) if alert.kind == "alert" and alert.id == about), None
        )
        return self._page(
            "customer.html", 200, customer=told.customer, profile_shown=_contact(told.customer.profile), days=words.by_day(told.items, clock), firing=firing, clock=clock,
            next=told.next, later=cursor is not None, about=subject, here=_anchors(told.items),
        )  # fmt: skip

    async def ticket(self, ticket: str) -> Response:
        async with self._database.reading() as session:
            found = await ticket_store.read(session, ticket)
            [item] = await timeline.ticket_items(session, [found])
            alert = await timeline.alert(session, found.customer, found.alert) if found.alert else None
            clock = words.clock_of(await timeline.profile(session, found.customer), datetime.now(UTC))
        return self._page(
            "ticket.html", 200, item=item, ticket=item.ticket, alert=alert, clock=clock, here=set()
        )

    async def open(self, request: Request) -> Response:
        form = await _form(request)
        body = _valid(OpenTicket, {name: form[name] for name in OpenTicket.model_fields if form.get(name)})
        now = datetime.now(UTC)
        done = await self._once(form, lambda session: acts.open_ticket(session, body, now, None))
        return RedirectResponse(f"{_path('customers', body.customer)}#ticket-{done.body['number']}", 303)

    async def say(self, ticket: str, request: Request) -> Response:
        form = await _form(request)
        now = datetime.now(UTC)
        said = {name: form[name] for name in ("by", "text") if form.get(name)}
        if form.get("do") == "close":
            last = _valid(Close, said)
            await self._once(form, lambda session: acts.close(session, ticket, last, now, None))
        else:
            body = _valid(Reply, said)
            await self._once(form, lambda session: acts.reply(session, ticket, body, now, None))
        return RedirectResponse(_inside(form.get("back", f"/tickets/{quote(ticket)}")), 303)

    def problem(self, _request: Request, problem: Problem) -> Response:
        return self._page("problem.html", problem.status, problem=problem)

    def _signed_in(self, request: Request) -> None:
        if self._sessions.holds(request.cookies.get(COOKIE), datetime.now(UTC)):
            return
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise _SignIn(there if request.method == "GET" else "/")

    async def _once(self, form: Mapping[str, str], act: Callable[[AsyncSession], Awaitable[Done]]) -> Done:
        """A form that is sent twice, by a double click or a reload, is done once."""
        whole = hashlib.sha256(json.dumps(sorted(form.items())).encode()).hexdigest()
        return await once(self._database, f"page/{whole}", whole, datetime.now(UTC), act)

    def _page(self, name: str, status: int, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(values), status, headers=_HEADERS)


async def _only_one(session: AsyncSession, sought: str) -> str | None:
    """The page of the ticket or customer that is named exactly."""
    number = sought.removeprefix("#")
    if number.isascii() and number.isdigit():
        try:
            return f"/tickets/{(await ticket_store.read(session, number)).number}"
        except ticket_store.NoSuchTicket:
            pass
    return _path("customers", sought) if await glance.is_customer(session, sought) else None


def _own_form(request: Request) -> None:
    if not from_own_page(request.headers):
        raise Problem(
            403,
            "not-our-page",
            "this form did not come from a page of the desk; open the page anew and try again",
        )


async def _form(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=20)
    return {name: value.replace("\r\n", "\n") for name, value in form.items() if isinstance(value, str)}


def _valid(model: type[_Body], fields: Mapping[str, str]) -> _Body:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(
            [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        ) from None


def _path(*parts: object) -> str:
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def _inside(wanted: str) -> str:
    """A path of ours, or the first page: nobody is sent elsewhere."""
    inside = (
        wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    )
    return wanted if inside else "/"


def _anchors(items: list[Item]) -> set[str]:
    """The ids of the events on this page, to which evidence can point."""
    return {item.id for item in items if item.kind == "signal"}


def _contact(profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an agent wants to know at once; the name is the page's title, the zone that of its clock."""
    known = dict(profile or {})
    attributes = known.pop("attributes", {})
    address = known.pop("address", None) or {}
    place = ", ".join(
        [
            *address.get("lines", []),
            *filter(None, (address.get("postal_code"), address.get("city"), address.get("country"))),
        ]
    )
    return {
        **{name: known.get(name) for name in ("email", "phone", "plan", "locale")},
        "address": place,
        **attributes,
    }
