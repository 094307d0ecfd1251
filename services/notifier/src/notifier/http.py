"""The notifier's own HTTP: health, metrics, one-click unsubscribing (RFC 8058), and the SMS provider's receipts."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contracts.records import Fate
from notifier.channels.sms import signature
from notifier.delivery_log import DeliveryLog
from notifier.links import Links, OptOut
from notifier.metrics import WAITING
from notifier.templates import Reader, Templates

log = structlog.get_logger()

MAX_FORM_BYTES = 20_000
RECEIPTS_PATH = "/v1/sms/status"
RECEIPTS: Mapping[str, Fate] = {
    "delivered": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "read": "read",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether all that this service needs is there, and how far it is; told as JSON."""

    ready: bool
    progress: Mapping[str, Any]


def create_app(
    delivery_log: DeliveryLog, templates: Templates, links: Links, *, company: str, public_url: str,
    sms_auth_token: str | None, readiness: Callable[[], Awaitable[Readiness]],
) -> FastAPI:  # fmt: skip
    app = FastAPI(title="Beforehand notifier", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        state = await readiness()
        return JSONResponse({"ready": state.ready, **state.progress}, status_code=200 if state.ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        for state, count in (await delivery_log.waiting()).items():
            WAITING.labels(state).set(count)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def page(wish: OptOut | None, *, done: bool) -> HTMLResponse:
        locale = await delivery_log.locale_of(wish.customer) if wish else None
        category = wish.category if wish and not wish.category.startswith("rule/") else None
        shown = {
            "company": company, "done": done, "known": wish is not None, "channel": wish and wish.channel,
            "category": category and category.replace("-", " "),
        }  # fmt: skip
        html = templates.page("unsubscribe", Reader(locale), shown)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return HTMLResponse(html, status_code=200 if wish else 404, headers=headers)

    @app.get("/unsubscribe/{token}")
    async def ask(token: str) -> HTMLResponse:
        """Asks only: mail scanners follow links, and must not unsubscribe anybody by it."""
        return await page(links.opt_out(token), done=False)

    @app.post("/unsubscribe/{token}")
    async def unsubscribe(token: str) -> HTMLResponse:
        wish = links.opt_out(token)
        if wish is not None:
            await delivery_log.opt_out(wish)
            log.info("customer opted out", category=wish.category, channel=wish.channel)
        return await page(wish, done=True)

    if sms_auth_token is not None:

        @app.post(RECEIPTS_PATH)
        async def sms_status(request: Request, message: str = "") -> PlainTextResponse:
            form = await _form(request)
            url = f"{public_url}{RECEIPTS_PATH}" + (f"?{request.url.query}" if request.url.query else "")
            given = request.headers.get("x-twilio-signature", "")
            if form is None or not hmac.compare_digest(
                given.encode(), signature(sms_auth_token, url, form).encode()
            ):
                return PlainTextResponse("the signature is not the provider's", status_code=403)
            fate = RECEIPTS.get(form.get("MessageStatus", ""))
            if fate is not None:
                why = f"the SMS provider says {form['MessageStatus']} {form.get('ErrorCode', '')}".strip()
                if not await delivery_log.receipt(message, fate, why if fate == "failed" else None):
                    return PlainTextResponse("there is no such message", status_code=404)
            return PlainTextResponse("")

    return app


async def _form(request: Request) -> dict[str, str] | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (UnicodeDecodeError, ValueError):
        return None
