"""Around every request: how long it took, and that its body is not too long to be read."""

import time

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ticket_api.problems import Problem, answer

MAX_BODY = 200_000  # bytes: a text of 20,000 characters, each escaped, with room for the rest


class Watch:
    def __init__(self, app: ASGIApp, requests: Histogram) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            refused = _too_long(scope)
            app = self._app if refused is None else answer(refused)
            await app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._requests.labels(route, status).observe(time.perf_counter() - began)


def _too_long(scope: Scope) -> Problem | None:
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return Problem(411, "length-required", "send the body with a Content-Length, not in chunks")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) <= MAX_BODY:
        return None
    return Problem(413, "too-long", f"the body may have at most {MAX_BODY} bytes")
