"""Settings, by environment only; secrets from files."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from contracts.kafka import KafkaSettings


class ConfigError(Exception):
    """What is wrong with the settings, and how to mend it, in one sentence."""


class Settings(KafkaSettings):
    topic_prefix: Annotated[
        str, Field(description="before the name of every topic, and of the consumer's group")
    ] = ""
    http_host: Annotated[str, Field(description="the address to listen on")] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535, description="the port to listen on")] = 8404
    database_url: Annotated[str, Field(description="SQLAlchemy URL; sqlite:///PATH or postgresql://…")] = (
        "sqlite:///var/ticket_api.db"
    )
    desk_key_file: Annotated[Path, Field(description="file with the key of the desk")] = Path("var/desk.key")
    timeline_days: Annotated[
        int, Field(ge=1, description="signals, alerts and messages older than that are deleted; tickets stay")
    ] = 400
    log_format: Annotated[Literal["json", "console"], Field(description="json, or console for people")] = (
        "json"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(str.lower),
        Field(description="debug, info, warning or error"),
    ] = "info"

    def desk_key(self) -> str:
        """The bearer key of desk and API. Raises ConfigError."""
        try:
            key = self.desk_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"BEFOREHAND_DESK_KEY_FILE: the desk's key can't be read from {self.desk_key_file}: {error.__class__.__name__}. "
                "Write a long random text into that file, readable by this service only, "
                "or name another file"
            ) from None
        if not key.isascii() or len(key) < 16:
            raise ConfigError(
                f"BEFOREHAND_DESK_KEY_FILE: the desk's key in {self.desk_key_file} must have at least 16 characters, all of them ASCII: "
                "`openssl rand -hex 32` makes a good one"
            )
        return key

    def listen(self) -> socket.socket:
        """The socket for HTTP. Raises ConfigError."""
        family = socket.AF_INET6 if ":" in self.http_host else socket.AF_INET
        try:
            return socket.create_server((self.http_host, self.http_port), family=family, backlog=2048)
        except OSError as error:
            raise ConfigError(
                f"BEFOREHAND_HTTP_PORT: {self.http_host}:{self.http_port} can't be listened on: {error.strerror or error}. "
                "End what listens there, or choose another port"
            ) from None
