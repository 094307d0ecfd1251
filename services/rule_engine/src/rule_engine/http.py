"""/healthz, /readyz and /metrics, from a thread of their own: they answer while the engine evaluates."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Answer = tuple[int, str, bytes]


class Pages(threading.Thread):
    """Serves from start() to stop(). `alive` and `ready` are called in that thread; `ready` returns (ready, details)."""

    def __init__(
        self, host: str, port: int, *, alive: Callable[[], bool], ready: Callable[[], tuple[bool, dict[str, Any]]],
        registry: CollectorRegistry,
    ) -> None:  # fmt: skip
        """Raises OSError if the port is taken."""
        super().__init__(name="http", daemon=True)
        self._answers: dict[str, Callable[[], Answer]] = {
            "/healthz": lambda: _json(200 if alive() else 503, {"alive": alive()}),
            "/readyz": lambda: _readiness(ready()),
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry)),
        }
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def run(self) -> None:
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers = self._answers

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                answer = answers.get(self.path.partition("?")[0], _no_such_page)
                status, content_type, body = answer()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _no_such_page() -> Answer:
    return _json(404, {"pages": ["/healthz", "/readyz", "/metrics"]})


def _readiness(state: tuple[bool, dict[str, Any]]) -> Answer:
    ready, details = state
    return _json(200 if ready else 503, {"ready": ready} | details)


def _json(status: int, body: dict[str, Any]) -> Answer:
    return status, "application/json", json.dumps(body).encode()
