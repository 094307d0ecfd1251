"""How a local page is served: its socket, what every page has in common, and its end on SIGTERM or Ctrl-C."""

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from beforehand.pages.changes import Changes

# Our own pages load nothing from elsewhere and run no script but pages/assets/page.js.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def local_app(title: str, *, host: str, changes: Changes) -> FastAPI:
    """An app with the assets, /healthz, the stream of /changes and the headers that all local pages share."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"))
    if ipaddress.ip_address(host).is_loopback:
        # A page elsewhere that has its own name resolve to 127.0.0.1 must not read a customer's mail here.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/changes", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[ServerSentEvent]:
        async for version in changes.stream():
            yield ServerSentEvent(data=version)

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """A listening socket; port 0 takes a free one. Leaves the program with a sentence if it cannot be had."""
    try:
        return socket.create_server((host, port), family=family(host))
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        sys.exit(f"cannot listen on {host}:{port}: {reason}; choose another port with {option}")


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def leave_on_signals() -> None:
    """SIGTERM and Ctrl-C end the program with exit code 0, also while it is not serving yet."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


async def serve(app: FastAPI, listening: socket.socket, *, changes: Changes) -> None:
    """Serve until a signal comes; answers in progress are finished, for two seconds at most."""
    config = uvicorn.Config(
        app, http=_Connection, log_level="warning", access_log=False, timeout_graceful_shutdown=2
    )
    await _Server(config, changes).serve(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._changes.close()
        await super().shutdown(sockets)


class _Connection(H11Protocol):
    """Shows a request its transport (`request.state.transport`), so that it can be broken without an answer."""

    def connection_made(self, transport: object) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, "transport": transport}
