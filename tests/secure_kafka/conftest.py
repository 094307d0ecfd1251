"""A broker that lets in only who knows a password, or shows a certificate; and the settings that say so."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from beforehand.kafka import broker as broker_module
from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.settings import broker_properties
from beforehand.ports import HOST, free_port

USER, PASSWORD = "beforehand", "only-we-know-it"
PROTOCOLS = {"SECRET": "SASL_SSL", "OWN": "SSL", "CLEAR": "SASL_PLAINTEXT"}


@dataclass(frozen=True)
class SecureBroker:
    """`servers` by listener: SECRET wants a password over TLS (SCRAM), OWN a client's certificate, CLEAR a password (PLAIN)."""

    servers: Mapping[str, str]
    folder: Path

    def settings(self, listener: str, **changes: str) -> dict[str, str]:
        """The environment that lets one in there, with changes."""
        tls = {"CA_FILE": f"{self.folder}/broker.pem"}
        password = {"USER": USER, "PASSWORD_FILE": f"{self.folder}/password"}
        known = {
            "SECRET": {**tls, **password},
            "OWN": {**tls, "CERT_FILE": f"{self.folder}/client.pem", "KEY_FILE": f"{self.folder}/client.key"},
            "CLEAR": {**password, "SASL_MECHANISM": "plain"},
        }
        settings = {"SECURITY": PROTOCOLS[listener].lower()} | known[listener] | changes
        return {f"BEFOREHAND_KAFKA_{name}": value for name, value in settings.items()}


@pytest.fixture(scope="session")
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    folder = tmp_path_factory.mktemp("secure")
    for name in ("broker", "client", "stranger"):
        certify(folder, name)
    (folder / "both.pem").write_text(
        (folder / "broker.key").read_text() + (folder / "broker.pem").read_text()
    )
    (folder / "password").write_text(f"{PASSWORD}\n")
    ports: dict[str, int] = {}
    for name in PROTOCOLS:
        ports[name] = free_port(frozenset(ports.values()))

    def with_locks(port: int, controller_port: int, log_dir: Path) -> dict[str, str]:
        properties = broker_properties(port, controller_port, log_dir)
        more = "".join(f",{name}://{HOST}:{number}" for name, number in ports.items())
        properties["listeners"] += more
        properties["advertised.listeners"] += more
        properties["listener.security.protocol.map"] += "".join(f",{n}:{p}" for n, p in PROTOCOLS.items())
        return properties | locks(folder)

    with ExitStack() as running:
        with (
            pytest.MonkeyPatch.context() as patch
        ):  # for this broker alone, not for those that start after it
            patch.setattr(broker_module, "broker_properties", with_locks)
            broker = running.enter_context(EmbeddedKafka(folder / "kafka", heap_mb=512))
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        for mechanism in (ScramMechanism.SCRAM_SHA_512, ScramMechanism.SCRAM_SHA_256):
            known = UserScramCredentialUpsertion(USER, mechanism, PASSWORD)
            assert admin.alter_user_scram_credentials([known]) == {USER: None}
        admin.close()
        yield SecureBroker({name: f"{HOST}:{number}" for name, number in ports.items()}, folder)


def locks(folder: Path) -> dict[str, str]:
    modules = "org.apache.kafka.common.security"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": f"{folder}/both.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": f"{folder}/client.pem",
        "listener.name.own.ssl.client.auth": "required",
        "listener.name.secret.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256",
        "listener.name.secret.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
        "listener.name.secret.scram-sha-256.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
        "listener.name.clear.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.clear.plain.sasl.jaas.config": f'{modules}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    }


def certify(folder: Path, name: str) -> None:
    """NAME.key and NAME.pem, signed by itself."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
    ]
    command += ["-addext", f"subjectAltName=IP:{HOST}"]
    command += ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def environment(secure_broker: SecureBroker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """environment(listener, **changes): sets what lets one in there, for this process and those that it starts."""

    def put(listener: str, **changes: str) -> str:
        for name, value in secure_broker.settings(listener, **changes).items():
            monkeypatch.setenv(name, value)
        return secure_broker.servers[listener]

    return put
