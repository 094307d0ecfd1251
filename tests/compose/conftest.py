"""docker-compose.yml, started for real under a name of its own. Needs a Docker engine, so it runs only when it is named:
`make test-compose`, or `pytest tests/compose`."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from house import ROOT

from beforehand.ports import free_port

SERVICES = ("signal-ingest", "rule-engine", "notifier", "ticket-api")
PUBLISHED = (*SERVICES, "kafka", "mailpit")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = any("tests/compose" in Path(argument).absolute().as_posix() for argument in config.args)
    return None if named else True


class Compose:
    """The installation as its operator has it: `docker compose …` in the checkout, the published ports, the data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.project = f"beforehand-test-{uuid.uuid4().hex[:8]}"
        ports: dict[str, int] = {}
        for name in PUBLISHED:
            ports[name] = free_port(frozenset(ports.values()))
        self.ports = ports
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BEFOREHAND_")},
            **{f"{name.upper().replace('-', '_')}_PORT": str(port) for name, port in ports.items()},
            "DATA_FOLDER": str(data),
            "SETTINGS_FILE": os.devnull,  # not the .env that somebody may have here
        }

    def __call__(self, *words: str, within_s: float = 300, check: bool = True) -> str:
        command = ["docker", "compose", "--env-file", os.devnull, "-p", self.project, *words]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=within_s, cwd=ROOT, env=self._environment
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def secret(self, name: str) -> str:
        return (self.data / "secrets" / name).read_text().strip()

    def get(self, service: str, path: str, **headers: str) -> Any:
        return httpx.get(self.url(service) + path, headers=headers, timeout=30).raise_for_status().json()

    def publish(self, *events: dict[str, Any]) -> None:
        headers = {
            "Authorization": f"Bearer {self.secret('ingest.key')}",
            "Content-Type": "application/cloudevents-batch+json",
        }
        url = self.url("signal-ingest") + "/v1/events"
        answer = httpx.post(url, content=json.dumps(events), headers=headers, timeout=30)
        assert answer.status_code == 202, answer.text

    def mails(self) -> list[dict[str, Any]]:
        """Mailpit's list, newest first."""
        mails: list[dict[str, Any]] = self.get("mailpit", "/api/v1/messages")["messages"]
        return mails

    def told(self) -> list[str]:
        """To whom each mail went."""
        return sorted(to["Address"] for mail in self.mails() for to in mail["To"])

    def container(self, service: str) -> dict[str, Any]:
        """What `docker inspect` says."""
        done = subprocess.run(
            ["docker", "inspect", self("ps", "-q", service).strip()], check=True, capture_output=True, text=True
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found

    def run_in(self, service: str, *words: str, check: bool = True) -> str:
        return self("exec", "-T", service, *words, check=check)


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    compose = Compose(tmp_path_factory.mktemp("compose") / "var")
    try:
        compose("up", "-d", "--build", "--wait", within_s=1500)  # the first build fetches all there is
        yield compose
    finally:
        print(compose("logs", "--no-color", "--no-log-prefix", "--tail", "30", *SERVICES, check=False))
        compose("--profile", "command", "down", "--volumes", "--remove-orphans", check=False)


@pytest.fixture(scope="session")
def rule(compose: Compose, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A rule that mails the customer, pushed with the command line's image; answers to the event type `<rule>.failed`."""
    folder = tmp_path_factory.mktemp("rules")
    folder.chmod(0o755)
    (folder / "parcel.yaml").write_text(
        "version: 1\n"
        "rules:\n"
        "  - id: parcel\n"
        "    title: Your parcel is held up\n"
        "    on: parcel.failed\n"
        "    group_by: data.order\n"
        "    match: {}\n"
        "    notify: [{to: customer, template: notice, channels: [email]}]\n"
    )
    compose("run", "--rm", "-T", "-v", f"{folder}:/app/pushed:ro", "beforehand", "rules", "push", "pushed/")
    return "parcel"
