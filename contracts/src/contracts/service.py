"""What a runner has to know of a service to start it: announced under the entry-point group `beforehand.services`."""

from dataclasses import dataclass
from typing import Literal

GROUP = "beforehand.services"


@dataclass(frozen=True, slots=True)
class Service:
    """A process that is configured by environment (BEFOREHAND_…) alone and serves /healthz, /readyz and /metrics.

    `key` names the API key that a caller of its HTTP interface needs: `ingest`, `desk`, or none.
    """

    name: str
    module: str
    default_port: int
    key: Literal["ingest", "desk"] | None = None
