"""Twilio's endpoint over HTTP: authentication, the form, and misbehaviour."""

import asyncio
import base64
import binascii
import hmac
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from beforehand.phone.exchange import Exchange, Mode
from beforehand.phone.twilio import API_VERSION, TwilioError, not_found, order

# Room for the longest body in percent-encoding and for a long StatusCallback.
_MAX_FORM_BYTES = 64 * 1024


def add_twilio(app: FastAPI, exchange: Exchange, *, auth_token: str) -> None:
    """POST …/Messages.json and GET …/Messages/{sid}.json, with Twilio's shapes for messages and errors."""
    base = f"/{API_VERSION}/Accounts/{{account_sid}}"

    @app.exception_handler(TwilioError)
    async def refuse(_request: Request, error: TwilioError) -> JSONResponse:
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
        return JSONResponse(error.body(), status_code=error.status, headers=headers)

    @app.post(f"{base}/Messages.json")
    async def create(request: Request, account_sid: str) -> Response:
        authenticate(request, account_sid)
        behaviour = exchange.behaviour
        if behaviour.mode is Mode.RATE_LIMIT:
            raise TwilioError(20429, 429, "Too Many Requests")
        if behaviour.mode is Mode.ERROR_500:
            raise TwilioError(20500, 500, "An internal server error has occurred")
        if behaviour.mode is Mode.DROP:
            return hang_up(request)
        made = exchange.take(order(await form(request), unsubscribed=behaviour.unsubscribed))
        if behaviour.mode is Mode.SLOW:
            await asyncio.sleep(behaviour.seconds)
        if behaviour.mode is Mode.KEEP_AND_DROP:
            return hang_up(request)
        return JSONResponse(made, status_code=201)

    @app.get(f"{base}/Messages/{{sid}}.json")
    async def fetch(request: Request, account_sid: str, sid: str) -> dict[str, Any]:
        authenticate(request, account_sid)
        found = exchange.find(sid)
        if found is None:
            raise not_found(request.url.path)
        return found

    def authenticate(request: Request, account_sid: str) -> None:
        expected = f"{exchange.account_sid}:{auth_token}".encode()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            credentials = base64.b64decode(given, validate=True)
        except binascii.Error:
            credentials = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(credentials, expected):
            raise TwilioError(20003, 401, "Authenticate")
        if account_sid != exchange.account_sid:
            raise not_found(request.url.path)


async def form(request: Request) -> dict[str, str]:
    """The form's fields; of a repeated one the last."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise TwilioError(20415, 415, "Unsupported Media Type: send application/x-www-form-urlencoded")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise TwilioError(20413, 413, f"The form is larger than {_MAX_FORM_BYTES} bytes")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise TwilioError(20001, 400, "The form is not UTF-8") from error


def hang_up(request: Request) -> Response:
    """Break the connection without an answer; the response that this gives reaches nobody."""
    request.state.transport.abort()
    return Response(status_code=500)
