"""Settings, read once from the environment (BEFOREHAND_…) in __main__."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from contracts.kafka import KafkaSettings
from notifier.formats import babel_locale


class Settings(KafkaSettings):
    """All that this service can be told. Secrets come from files, so that no list of processes shows them."""

    topic_prefix: str = Field(
        default="", description="before each topic's name, where installations share a broker"
    )
    http_host: str = Field(default="127.0.0.1", description="the address to listen on")
    http_port: int = Field(default=8403, ge=0, le=65535, description="the port to listen on")
    database_url: str = Field(
        default="sqlite:///var/notifier.db", description="SQLAlchemy URL: SQLite or PostgreSQL"
    )
    log_format: Literal["json", "console"] = Field(default="json", description="json, or console for people")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = Field(
        default="info", description="debug, info, warning or error"
    )

    smtp_url: str = Field(
        default="smtp://127.0.0.1:1025", description="smtp://[user@]host[:port], smtps:// for TLS at once"
    )
    smtp_password_file: Path | None = Field(default=None, description="file with the mail server's password")
    mail_from: str = Field(
        default="Beforehand <hello@beforehand.example>", description="the mails' From, with the name"
    )

    sms_url: str | None = Field(
        default=None, description="base of Twilio's API; without it no text message goes out"
    )
    sms_account_sid: str = Field(default="", description="Twilio's account")
    sms_auth_token_file: Path | None = Field(
        default=None, description="file with Twilio's token, which also signs its receipts"
    )
    sms_from: str = Field(default="", description="the sender's number, in the form +4930…")

    operations_email: str | None = Field(default=None, description="where entries `to: operations` go")
    templates: Path = Field(default=Path("rules/templates"), description="the folder of the messages' texts")
    default_locale: str = Field(
        default="en", description="of operations, and where there is no template in a customer's"
    )
    time_zone: str = Field(
        default="UTC", description="of operations, and of customers whose own is not known"
    )
    critical_categories: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="comma-separated; what nobody may opt out of"
    )
    public_url: str = Field(
        default="http://127.0.0.1:8403", description="base of unsubscribe links and of SMS receipts"
    )
    link_secret_file: Path | None = Field(default=None, description="signs the unsubscribe links; required")

    keep_days: int = Field(default=90, ge=30, description="how long the delivery log keeps what is over")

    @field_validator("critical_categories", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            frozenset(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("default_locale")
    @classmethod
    def _known_locale(cls, value: str) -> str:
        if babel_locale(value) is None:
            raise ValueError(f"{value!r} is no language; use one such as en or de-AT")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; use one such as Europe/Berlin") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")


def read_secret(path: Path) -> str:
    """The file's text without surrounding blanks. Raises ValueError, naming the file, if it can't be read or is empty."""
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise ValueError(f"the secret file {path} can't be read: {error.strerror}") from None
    if not secret:
        raise ValueError(f"the secret file {path} is empty")
    return secret
