"""The settings, each from an environment variable with the prefix BEFOREHAND_."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from contracts.kafka import KafkaSettings
from contracts.topics import Topic, topic_name


class Settings(KafkaSettings):
    """Durations are in seconds unless the name says otherwise."""

    topic_prefix: str = Field(default="", description="put before each topic's name")
    http_host: str = Field(default="127.0.0.1", description="the address to listen on")
    http_port: int = Field(default=8402, ge=0, le=65535, description="the port to listen on")
    engine_allowed_lateness_s: float = Field(
        default=0, ge=0, description="a partition's clock stays so far behind the latest event"
    )
    engine_idle_timeout_s: float = Field(
        default=5, gt=0, description="a partition silent for so long goes on with the wall clock"
    )
    engine_gather_ms: float = Field(
        default=20, ge=0, description="a lane with little to do begins a transaction so long after its last"
    )
    engine_max_batch: int = Field(default=5000, gt=0, description="records evaluated in one go")
    engine_depth: int = Field(
        default=4, gt=0, description="batches evaluated and not yet committed, of each lane"
    )
    engine_session_timeout_s: float = Field(
        default=10, gt=0, description="a worker not heard of for so long loses its partitions"
    )
    engine_start_timeout_s: float = Field(
        default=60, gt=0, description="how long to wait for Kafka and the topics at the start"
    )
    log_format: Literal["json", "console"] = Field(default="json", description="json, or console for people")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)] = Field(
        default="info", description="debug, info, warning or error"
    )

    @property
    def group(self) -> str:
        """The consumer group, and what each lane's transactional id begins with."""
        return f"{self.topic_prefix}rule_engine"

    def name(self, topic: Topic) -> str:
        return topic_name(topic, self.topic_prefix)
