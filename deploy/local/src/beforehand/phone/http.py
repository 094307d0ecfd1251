"""The phone's page, its JSON list of texts, and the switch of its behaviour."""

from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from beforehand.pages.changes import Changes
from beforehand.pages.rendering import LISTED, Listed, renderer
from beforehand.pages.serving import local_app
from beforehand.pages.shelf import Shelf
from beforehand.phone.endpoint import add_twilio
from beforehand.phone.exchange import Behaviour, Exchange, Text


@dataclass
class Conversation:
    """All texts of one number, oldest first."""

    number: str
    texts: list[Text] = field(default_factory=list)

    @property
    def latest(self) -> Text:
        return self.texts[-1]


def conversations(texts: list[Text]) -> list[Conversation]:
    """By number, the one with the latest text first."""
    found: dict[str, Conversation] = {}
    for text in texts:
        number = text.resource["to"]
        found.setdefault(number, Conversation(number)).texts.append(text)
    return sorted(found.values(), key=lambda conversation: conversation.latest.id, reverse=True)


def phone_app(
    exchange: Exchange, shelf: Shelf, *, host: str, auth_token: str, address: str, changes: Changes
) -> FastAPI:
    app = local_app("Beforehand phone", host=host, changes=changes)
    add_twilio(app, exchange, auth_token=auth_token)
    render = renderer(Path(__file__).parent / "templates", address=address, account_sid=exchange.account_sid)

    @app.get("/messages")
    async def messages() -> Response:
        return Response(shelf.documents_json(), media_type="application/json")

    @app.delete("/messages", status_code=204)
    async def clear() -> None:
        exchange.clear()

    @app.get("/behaviour")
    async def behaviour() -> Behaviour:
        return exchange.behaviour

    @app.post("/behaviour")
    async def behave(wanted: Behaviour) -> Behaviour:
        exchange.behaviour = wanted
        changes.ring()
        return wanted

    @app.get("/")
    async def latest(request: Request, show: Listed = LISTED) -> HTMLResponse:
        found = conversations(exchange.texts())
        return page(request, found, found[0] if found else None, show)

    @app.get("/numbers/{number}")
    async def conversation(request: Request, number: str, show: Listed = LISTED) -> HTMLResponse:
        found = conversations(exchange.texts())
        return page(request, found, next((one for one in found if one.number == number), None), show)

    def page(
        request: Request, found: list[Conversation], chosen: Conversation | None, show: int
    ) -> HTMLResponse:
        return render(
            request,
            "phone.html",
            conversations=found[:show],
            more=show + LISTED if len(found) > show else None,
            chosen=chosen,
            show=show,
            behaviour=exchange.behaviour,
        )

    return app
