"""A whole installation in one data folder: broker, topics, secrets, inbox, phone and all services."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from beforehand.errors import UsageError
from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.jars import Progress
from beforehand.kafka.probe import answers
from beforehand.kafka.topics import create_topics
from beforehand.ports import HOST, PortClaims
from beforehand.processes import ProcessGroup
from beforehand.runner.addresses import choose_ports
from beforehand.runner.console import Console
from beforehand.runner.folder_lock import FolderLock
from beforehand.runner.interrupts import uninterrupted
from beforehand.runner.secrets import Secrets, provide_secrets, write_private
from beforehand.runner.services import installed_services
from beforehand.runner.supervisor import Program, Supervisor, answers_ok
from contracts.kafka import ClientOptions, KafkaSettings, kafka_client
from contracts.service import Service
from contracts.topics import EMBEDDED_PARTITIONS

DEFAULT_PORTS = {"kafka": 9092, "inbox": 8405, "phone": 8406, "smtp": 1025}
BROKER, LOCAL, SERVICES = range(3)  # stages


@dataclass(frozen=True, slots=True)
class Options:
    """`kafka` is a running broker's host:port; without it one is started. `ports` are those asked for, by name.

    `environment` is what all services are told besides (BEFOREHAND_…); it goes before this runner's own defaults.
    """

    data: Path = Path("var")
    kafka: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    customer_partitions: int = EMBEDDED_PARTITIONS
    topic_prefix: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class Installation:
    """start(), wait_ready(), stop(), once. As a context manager it is stopped on exit, whatever happens.

    The processes never outlive this one, and endpoints.json is there only while they run.
    """

    def __init__(
        self,
        options: Options,
        *,
        console: Console | None = None,
        services: list[Service] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.options = options
        self.services = installed_services() if services is None else services
        self.console = console or Console(["kafka", "inbox", "phone", *(s.name for s in self.services)])
        self.endpoints_file = options.data / "endpoints.json"
        self._progress = progress
        self._lock = FolderLock(options.data)
        self._claims = PortClaims()
        self._supervisor = Supervisor(self.console)
        self._group: ProcessGroup | None = None
        self._secrets: Secrets | None = None
        self._ports: dict[str, int] = {}
        self._kafka = options.kafka or ""

    @property
    def endpoints(self) -> dict[str, Any]:
        """What endpoints.json holds: where everything is, with the keys. Known after start()."""
        listed: dict[str, Any] = {"kafka": self._kafka}
        for service in self.services:
            listed[service.name] = {"url": self.url(service.name)}
            if service.key is not None:
                listed[service.name]["key"] = self.secrets.key(service.key)
        for name in ("inbox", "phone"):
            listed[name] = {"page": f"{self.url(name)}/", "messages": f"{self.url(name)}/messages"}
        return listed

    @property
    def secrets(self) -> Secrets:
        assert self._secrets is not None, "not started"
        return self._secrets

    @property
    def smtp_address(self) -> str:
        return f"{HOST}:{self._ports['smtp']}"

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self._ports[name]}"

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """Running processes by name: kafka (if it was started here), inbox, phone and the services."""
        return self._supervisor.processes()

    def start(self) -> None:
        """Start everything; the broker is ready when this returns, the others may not be. Raises RunnerError."""
        self._lock.acquire()
        self.endpoints_file.unlink(missing_ok=True)
        self._secrets = provide_secrets(self.options.data / "secrets")
        defaults = {s.name: s.default_port for s in self.services} | DEFAULT_PORTS
        if self.options.kafka:
            del defaults["kafka"]
        self._ports, told = choose_ports(defaults, self.options.ports, self._claims.claim)
        for line in told:
            self.console.say(line)
        self._group = ProcessGroup(held=(self._lock.fd, *self._claims.fds), remove=(self.endpoints_file,))
        if not self.options.kafka:
            self._start_broker(self._group)
        create_topics(
            self._client(),
            customer_partitions=self.options.customer_partitions,
            prefix=self.options.topic_prefix,
        )
        for program in self._programs(self._group):
            self._supervisor.start(program)

    def wait_ready(self) -> None:
        """Returns when all are ready, and endpoints.json is written. Raises NotReadyError."""
        self._supervisor.wait_ready()
        write_private(self.endpoints_file, json.dumps(self.endpoints, indent=2) + "\n")

    def stop(self) -> None:
        """Stop all in order, services first and the broker last. May be called at any time.

        A Ctrl-C meanwhile, a second or more after the beginning, kills all at once instead.
        """
        with uninterrupted(self._kill):
            try:
                self.endpoints_file.unlink(missing_ok=True)
                self._supervisor.stop()
            finally:
                if self._group is not None:
                    self._group.close()
                self._claims.release()
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _kill(self) -> None:
        if self._group is not None:
            self._group.kill()

    def _client(self) -> ClientOptions:
        """How to speak to the broker: to our own, whatever the environment says of another, in the clear."""
        if not self.options.kafka:
            return {"bootstrap_servers": self._kafka}
        try:
            return kafka_client(self._kafka)
        except ValueError as error:
            raise UsageError(str(error)) from None

    def _start_broker(self, group: ProcessGroup) -> None:
        broker = EmbeddedKafka(
            self.options.data / "kafka", self._ports["kafka"], group=group, progress=self._progress
        )
        self._kafka = broker.bootstrap

        def launch() -> subprocess.Popen[bytes]:
            broker.launch()
            assert broker.process is not None
            return broker.process

        broker.start()  # a broker that can't start is an error with a reason, not one to try again
        self._supervisor.start(Program("kafka", BROKER, launch, lambda: answers(HOST, self._ports["kafka"])))

    def _programs(self, group: ProcessGroup) -> list[Program]:
        data = str(self.options.data)
        port = {name: str(number) for name, number in self._ports.items()}
        sms = ["--account-sid", self.secrets.sms_account_sid]
        sms += ["--auth-token-file", str(self.secrets.sms_auth_token_file)]
        inbox = ["--http-port", port["inbox"], "--smtp-port", port["smtp"], "--data", data]
        phone = ["--http-port", port["phone"], *sms, "--data", data]
        return [
            self._program(group, "inbox", LOCAL, ["beforehand.inbox", *inbox], "/healthz"),
            self._program(group, "phone", LOCAL, ["beforehand.phone", *phone], "/healthz"),
            *(self._program(group, s.name, SERVICES, [s.module], "/readyz") for s in self.services),
        ]

    def _program(
        self, group: ProcessGroup, name: str, stage: int, module: list[str], ready_path: str
    ) -> Program:
        environment = self._environment(name)
        command = [sys.executable, "-m", *module]

        def launch() -> subprocess.Popen[bytes]:
            return group.start(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        return Program(name, stage, launch, lambda: answers_ok(self._ports[name], ready_path))

    def _environment(self, name: str) -> dict[str, str]:
        """One environment for all: defaults, then what the user has set, then what must fit together."""
        defaults = {
            "BEFOREHAND_HTTP_HOST": HOST,
            "BEFOREHAND_SMTP_URL": f"smtp://{self.smtp_address}",
            "BEFOREHAND_SMS_URL": self.url("phone"),
            "BEFOREHAND_SMS_ACCOUNT_SID": self.secrets.sms_account_sid,
            "BEFOREHAND_SMS_AUTH_TOKEN_FILE": str(self.secrets.sms_auth_token_file),
            "BEFOREHAND_SMS_FROM": "+15005550006",
            "BEFOREHAND_OPERATIONS_EMAIL": "operations@beforehand.example",
            "BEFOREHAND_PUBLIC_URL": self.url(name),
            "BEFOREHAND_LOG_FORMAT": "console" if sys.stdout.isatty() else "json",
            "PYTHONUNBUFFERED": "1",
        }
        fixed = {
            "BEFOREHAND_KAFKA": self._kafka,
            "BEFOREHAND_TOPIC_PREFIX": self.options.topic_prefix,
            "BEFOREHAND_HTTP_PORT": str(self._ports[name]),
            "BEFOREHAND_DATABASE_URL": f"sqlite:///{self.options.data.resolve()}/{name}.sqlite3",
            "BEFOREHAND_INGEST_KEYS_FILE": str(self.secrets.ingest_keys_file),
            "BEFOREHAND_DESK_KEY_FILE": str(self.secrets.desk_key_file),
            "BEFOREHAND_LINK_SECRET_FILE": str(self.secrets.link_secret_file),
        }
        ours = os.environ if self.options.kafka else without_kafka_settings(os.environ)
        return {**defaults, **ours, **self.options.environment, **fixed}


def without_kafka_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """For processes that are to speak to the broker that is started here, not to the environment's."""
    settings = {f"BEFOREHAND_{name.upper()}" for name in KafkaSettings.model_fields}
    return {name: value for name, value in environment.items() if name.upper() not in settings}
