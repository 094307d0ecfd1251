"""Starts the two programs as a user does, and stops them."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "a-token-of-this-test"


@dataclass
class Program:
    process: subprocess.Popen[str]
    page: str
    smtp_port: int | None

    def behave(self, **behaviour: object) -> None:
        httpx.post(f"{self.page}/behaviour", json=behaviour).raise_for_status()

    def messages(self) -> list[dict]:
        return httpx.get(f"{self.page}/messages").json()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """start("inbox" | "phone", **options) runs it on free ports, with its data under this test's folder."""
    running: list[subprocess.Popen[str]] = []

    def run(name: str, *options: str) -> Program:
        command = [
            sys.executable,
            "-m",
            f"beforehand.{name}",
            "--http-port",
            "0",
            "--data",
            str(tmp_path / name),
        ]
        if name == "inbox":
            command += ["--smtp-port", "0"]
        else:
            token = tmp_path / "token"
            token.write_text(f"{AUTH_TOKEN}\n")
            command += ["--account-sid", ACCOUNT_SID, "--auth-token-file", str(token)]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        page = re.search(r"page (\S+)", line)
        assert page, f"{name} did not start: {line!r}"
        smtp = re.search(r"smtp \S+:(\d+)", line)
        return Program(process, page[1], int(smtp[1]) if smtp else None)

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def inbox(start: Callable[..., Program]) -> Program:
    return start("inbox")


@pytest.fixture
def phone(start: Callable[..., Program]) -> Program:
    return start("phone")


@pytest.fixture
def account() -> tuple[str, str]:
    return ACCOUNT_SID, AUTH_TOKEN
