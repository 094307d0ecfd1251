"""Small services that behave as the real ones do towards their runner, and one that does not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.service import Service

GOOD = """
import json, os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

name = sys.argv[0].rpartition("/")[2].removesuffix(".py")
def leave(*_):
    print("stopped gracefully", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)

class Handler(BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += self.path == "/readyz"
        body = json.dumps({k: v for k, v in os.environ.items() if k.startswith("BEFOREHAND_")}).encode()
        self.send_response(503 if self.path == "/readyz" and Handler.asked < 3 else 200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

server = HTTPServer(("127.0.0.1", int(os.environ["BEFOREHAND_HTTP_PORT"])), Handler)
print(f"{name} listens", flush=True)
server.serve_forever()
"""
BAD = "import sys\nsys.exit('the setting X is wrong')\n"


@pytest.fixture
def fake_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Service]:
    """Makes a service of this name; a bad one dies at its start."""
    folder = tmp_path / "services"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def make(name: str, port: int, *, key: str | None = None, bad: bool = False) -> Service:
        (folder / f"{name}.py").write_text(BAD if bad else GOOD)
        return Service(name, module=name, default_port=port, key=key)

    return make


def is_alive(pid: int) -> bool:
    """Whether a process runs; a container without an init keeps orphans that have ended as zombies."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(name="is_alive")
def is_alive_fixture() -> Callable[[int], bool]:
    return is_alive
