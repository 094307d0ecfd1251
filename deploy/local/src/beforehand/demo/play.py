"""Makes a scenario happen: events to signal_ingest, tickets to ticket_api, each at its time, over HTTP."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from beforehand.demo.story import Act, OpenTicket
from beforehand.errors import RunnerError

_TRY_FOR_S = 30.0


class PlayError(RunnerError):
    """A service did not take what the scenario gave it; says which, and what it answered."""


def play(acts: Sequence[Act], endpoints: Mapping[str, Any], tell: Callable[[Act], None]) -> None:
    """Do each act when its time has come, and `tell` of it. Raises PlayError."""
    ingest, desk = endpoints["signal_ingest"], endpoints["ticket_api"]
    with httpx.Client(timeout=15, trust_env=False) as client:
        for act in acts:
            wait_until(act.at)
            if isinstance(act, OpenTicket):
                # The key lets the request be repeated when its answer got lost; events have their ids for that.
                headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
                _post(client, f"{desk['url']}/v1/tickets", desk["key"], headers, act.body)
            else:
                headers = {"Content-Type": "application/cloudevents-batch+json"}
                _post(client, f"{ingest['url']}/v1/events", ingest["key"], headers, act.events)
            tell(act)


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _post(client: httpx.Client, url: str, key: str, headers: dict[str, str], body: Any) -> None:
    """Repeated for half a minute where the service is away or asks to come again."""
    headers = {**headers, "Authorization": f"Bearer {key}"}
    deadline = time.monotonic() + _TRY_FOR_S
    while True:
        try:
            answer = client.post(url, content=json.dumps(body), headers=headers)
        except httpx.TransportError as error:
            trouble, final = f"does not answer ({type(error).__name__})", False
        else:
            if answer.is_success:
                return
            trouble = f"answers {answer.status_code}: {answer.text[:500]}"
            final = answer.status_code not in {429, 502, 503, 504}
        if final or time.monotonic() > deadline:
            raise PlayError(f"{url} {trouble}; `beforehand demo --logs` shows what the services say")
        time.sleep(0.5)
