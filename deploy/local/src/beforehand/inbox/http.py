"""The inbox's page, its JSON list of mails, and the switch of its behaviour."""

import re
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from beforehand.inbox.mail import all_headers, attachments, document
from beforehand.inbox.smtp import Behaviour, MailServer
from beforehand.inbox.threads import Thread, summary, threads
from beforehand.pages.changes import Changes
from beforehand.pages.rendering import LISTED, Listed, renderer
from beforehand.pages.serving import local_app
from beforehand.pages.shelf import Kept, Shelf

# A mail may be styled and carry pictures of its own, and nothing else: no script, no form, no remote content. The
# page measures the frame's height, hence same-origin; links open in a tab of their own.
_MAIL_SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none';"
    f" form-action 'none'; frame-ancestors 'self'; sandbox {_MAIL_SANDBOX}"
)
_REMOTE = re.compile(
    r"""(?:src|srcset|background|poster)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)


class Inbox:
    """The mails on the shelf, and a summary of each in memory for the list."""

    def __init__(self, shelf: Shelf, changes: Changes) -> None:
        self.shelf = shelf
        self._changes = changes
        self._summaries = deque((summary(kept) for kept in shelf.all()), maxlen=shelf.limit)

    def keep(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        mail = document(raw, sender=sender, recipients=recipients, at=datetime.now(UTC))
        self._summaries.append(summary(Kept(self.shelf.add(mail, raw), mail, raw)))
        self._changes.ring()

    def threads(self) -> list[Thread]:
        return threads(self._summaries)

    def clear(self) -> None:
        self.shelf.clear()
        self._summaries.clear()
        self._changes.ring()


def inbox_app(inbox: Inbox, server: MailServer, *, host: str, smtp_address: str, changes: Changes) -> FastAPI:
    app = local_app("Beforehand inbox", host=host, changes=changes)
    render = renderer(Path(__file__).parent / "templates", sandbox=_MAIL_SANDBOX, smtp_address=smtp_address)

    @app.get("/messages")
    async def messages() -> Response:
        return Response(inbox.shelf.documents_json(), media_type="application/json")

    @app.delete("/messages", status_code=204)
    async def clear() -> None:
        inbox.clear()

    @app.get("/behaviour")
    async def behaviour() -> Behaviour:
        return server.behaviour

    @app.post("/behaviour")
    async def behave(wanted: Behaviour) -> Behaviour:
        try:
            await server.behave(wanted)
        except OSError as error:
            detail = f"cannot listen on {smtp_address} again: {error.strerror}; end the program that has taken the port"
            raise HTTPException(409, detail) from error
        changes.ring()
        return server.behaviour

    @app.get("/")
    async def latest(request: Request, count: Listed = LISTED) -> HTMLResponse:
        found = inbox.threads()
        return page(request, found, found[0] if found else None, count)

    @app.get("/threads/{thread_id}")
    async def thread(request: Request, thread_id: int, count: Listed = LISTED) -> HTMLResponse:
        found = inbox.threads()
        chosen = next((one for one in found if any(mail.id == thread_id for mail in one.mails)), None)
        return page(request, found, chosen, count)

    @app.get("/mails/{mail_id}/html")
    async def html(mail_id: int) -> HTMLResponse:
        content = f'<!doctype html><base target="_blank">{kept(mail_id).document["html"]}'
        return HTMLResponse(content, headers={"Content-Security-Policy": _MAIL_POLICY})

    @app.get("/mails/{mail_id}/raw")
    async def raw(mail_id: int) -> Response:
        return Response(
            kept(mail_id).detail,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="mail-{mail_id}.eml"'},
        )

    def kept(mail_id: int) -> Kept:
        found = inbox.shelf.get(mail_id)
        if found is None:
            raise HTTPException(404, "this mail is not here any more; the newest ones are on /")
        return found

    def page(request: Request, found: list[Thread], chosen: Thread | None, count: int) -> HTMLResponse:
        letters = (
            [_letter(mail) for one in chosen.mails if (mail := inbox.shelf.get(one.id))] if chosen else []
        )
        return render(
            request,
            "inbox.html",
            threads=found[:count],
            more=count + LISTED if len(found) > count else None,
            chosen=chosen,
            letters=letters,
            behaviour=server.behaviour,
        )

    return app


def _letter(mail: Kept) -> dict[str, Any]:
    """A mail as the reading pane shows it."""
    return {
        "id": mail.id,
        **mail.document,
        "at": datetime.fromisoformat(mail.document["at"]),
        "headers": all_headers(mail.detail),
        "attachments": attachments(mail.detail),
        "blocked": bool(_REMOTE.search(mail.document["html"])),
    }
