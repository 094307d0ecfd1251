"""The settings, each from an environment variable with the prefix BEFOREHAND_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from contracts.kafka import KafkaSettings


class Settings(KafkaSettings):
    """Durations are in seconds, sizes in bytes."""

    topic_prefix: str = Field(default="", description="put before each topic's name")
    http_host: str = Field(default="127.0.0.1", description="the address to listen on")
    http_port: int = Field(default=8401, ge=0, le=65535, description="the port to listen on")
    ingest_keys_file: Path = Field(description="the API keys, hashed: see the service's README")
    ingest_max_future_s: float = Field(
        default=600, ge=0, description="an event's time may lie so far ahead of the clock"
    )
    ingest_publish_timeout_s: float = Field(
        default=5, gt=0, description="a request waits so long for Kafka before it gets 503"
    )
    ingest_max_pending_bytes: int = Field(
        default=64_000_000, gt=0, description="more events on their way into Kafka get 503"
    )
    ingest_remembered_events: int = Field(
        default=2_000_000,
        gt=0,
        description="duplicates are known among the newest so many, about 100 bytes each",
    )
    log_format: Literal["json", "console"] = Field(default="json", description="json, or console for people")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = Field(
        default="info", description="debug, info, warning or error"
    )
