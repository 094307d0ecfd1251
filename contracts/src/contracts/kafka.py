"""How whoever speaks to Kafka is told where it is and how to get in: one set of settings for every service and command."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ClientOptions = Mapping[str, Any]  # arguments of a client's constructor, a password among them: not for logs

_PATHS = ("kafka_ca_file", "kafka_cert_file", "kafka_key_file")


class KafkaSettings(BaseSettings):
    """What a service's settings begin with. Contradictions are errors, so that nothing is silently less safe than it was meant."""

    model_config = SettingsConfigDict(env_prefix="BEFOREHAND_", frozen=True)

    kafka: str = Field(default="127.0.0.1:9092", description="bootstrap servers, HOST:PORT[,HOST:PORT]")
    kafka_security: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"], BeforeValidator(str.lower)
    ] = Field(default="plaintext", description="plaintext, ssl, sasl_plaintext or sasl_ssl")
    kafka_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the authorities that vouch for the brokers, if not the system's",
    )
    kafka_cert_file: Path | None = Field(default=None, description="PEM file with our own certificate")
    kafka_key_file: Path | None = Field(
        default=None,
        description="PEM file with its key, not encrypted, where the certificate's does not hold it",
        validate_default=True,
    )
    kafka_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], BeforeValidator(str.upper)
    ] = Field(default="SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    kafka_user: str = Field(default="", description="our name, for SASL", validate_default=True)
    kafka_password_file: Path | None = Field(
        default=None, description="file with the password, for SASL", validate_default=True
    )

    @classmethod
    def table(cls) -> str:
        """A line a setting, for --help: the variable of the environment, what it says, its default."""
        rows = []
        for name, field in cls.model_fields.items():
            default = field.default if field.default or field.default == 0 else "not set"
            default = "required" if field.is_required() else f"default: {default}"
            rows.append(f"  BEFOREHAND_{name.upper():<26} {field.description} ({default})")
        return "\n".join(rows)

    def kafka_client(self) -> ClientOptions:
        """What aiokafka's and kafka-python's clients take, by the same names in both. Reads the files anew.

        Raises ValueError or OSError for files that were good when the settings were read, and are no more.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka,
            "security_protocol": self.kafka_security.upper(),
        }
        if self.kafka_security.endswith("ssl"):
            options["ssl_context"] = _tls(self.kafka_ca_file, self.kafka_cert_file, self.kafka_key_file)
        if self.kafka_password_file is not None:
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_user
            options["sasl_plain_password"] = _secret(self.kafka_password_file)
        return options

    @field_validator(*_PATHS)
    @classmethod
    def _for_tls(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        security = info.data.get("kafka_security", "ssl")
        if path is not None and not security.endswith("ssl"):
            raise ValueError(f"is for ssl and sasl_ssl, but BEFOREHAND_KAFKA_SECURITY is {security}")
        if path is not None:
            _readable(path)
        return path

    @field_validator("kafka_ca_file")
    @classmethod
    def _authorities(cls, path: Path | None) -> Path | None:
        if path is not None:
            _checked_tls(path, None, None, f"{path} holds no certificates in PEM")
        return path

    @field_validator("kafka_key_file")
    @classmethod
    def _own_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        cert = info.data.get("kafka_cert_file")
        if key is not None and "kafka_cert_file" in info.data and cert is None:
            raise ValueError("is the key of a certificate: BEFOREHAND_KAFKA_CERT_FILE must name that")
        if cert is not None:
            _checked_tls(
                None, cert, key, f"{key or cert} does not hold the key of {cert}, in PEM and not encrypted"
            )
        return key

    @field_validator("kafka_user", "kafka_password_file")
    @classmethod
    def _for_sasl(cls, value: Any, info: ValidationInfo) -> Any:
        security = info.data.get("kafka_security")
        if security is not None and security.startswith("sasl") != bool(value):
            wants = "is missing" if not value else "is for sasl_plaintext and sasl_ssl"
            raise ValueError(f"{wants}: BEFOREHAND_KAFKA_SECURITY is {security}")
        if isinstance(value, Path):
            _secret(value)
        return value


def kafka_client(servers: str) -> ClientOptions:
    """For command lines: by the environment's settings to these servers. Raises ValueError, a sentence for each wrong one."""
    try:
        return KafkaSettings(kafka=servers).kafka_client()
    except ValidationError as error:
        wrong = (
            f"BEFOREHAND_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise ValueError("; ".join(wrong)) from None


def _tls(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """Checks the brokers' certificates and names."""
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    if cert is not None:
        context.load_cert_chain(
            cert, key, password=""
        )  # none: without this, OpenSSL would ask for it on a terminal
    return context


def _checked_tls(ca: Path | None, cert: Path | None, key: Path | None, wrong: str) -> None:
    try:
        _tls(ca, cert, key)
    except (ssl.SSLError, ValueError):
        raise ValueError(wrong) from None


def _readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


def _secret(path: Path) -> str:
    secret = _readable(path).decode().strip()
    if not secret:
        raise ValueError(f"{path} is empty")
    return secret
