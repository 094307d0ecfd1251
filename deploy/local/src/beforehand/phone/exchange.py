"""Takes orders for text messages, keeps them, and posts their receipts; misbehaves as told."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict, Field

from beforehand.pages.changes import Changes
from beforehand.pages.shelf import Kept, Shelf
from beforehand.phone.twilio import Order, receipt, resource, signature, with_status


class Mode(StrEnum):
    OK = "ok"
    SLOW = "slow"
    RATE_LIMIT = "rate_limit"
    ERROR_500 = "error_500"
    DROP = "drop"
    KEEP_AND_DROP = "keep_and_drop"


class Receipts(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REVERSED = "reversed"
    NONE = "none"


class Behaviour(BaseModel):
    """How the stand-in treats what it is asked to send.

    mode: ok · slow: kept, and answered after `seconds` · rate_limit: 429 · error_500: 500 · drop: the connection breaks
    and nothing is kept · keep_and_drop: the message is kept, and the connection breaks before the answer.
    receipts: delivered: sent, then delivered · undelivered: sent, then undelivered with error 30003 · reversed:
    delivered, then sent, as happens on the way · none. Messages to the numbers in `unsubscribed` are refused (21610).
    """

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Mode.OK
    seconds: float = Field(default=5.0, ge=0, le=600)
    receipts: Receipts = Receipts.DELIVERED
    unsubscribed: frozenset[str] = frozenset()


# What a message goes through after it was taken, with Twilio's error code.
_FATES: dict[Receipts, list[tuple[str, int | None]]] = {
    Receipts.DELIVERED: [("sent", None), ("delivered", None)],
    Receipts.UNDELIVERED: [("sent", None), ("undelivered", 30003)],
    Receipts.REVERSED: [("sent", None), ("delivered", None)],
    Receipts.NONE: [],
}
_RECEIPT_TRIES = 5


@dataclass(frozen=True)
class Text:
    """A message as it was asked for, and what has become of it."""

    id: int
    at: datetime
    resource: dict[str, Any]
    status_callback: str


class Exchange:
    def __init__(
        self, shelf: Shelf, changes: Changes, client: httpx.AsyncClient, *, account_sid: str, auth_token: str
    ) -> None:
        self.behaviour = Behaviour()
        self.account_sid = account_sid
        self._auth_token = auth_token
        self._shelf = shelf
        self._changes = changes
        self._client = client
        self._texts = {text.resource["sid"]: text for text in map(_text, shelf.all())}
        self._under_way: set[asyncio.Task[None]] = set()

    def texts(self) -> list[Text]:
        """Every message, oldest first."""
        return list(self._texts.values())

    def find(self, sid: str) -> dict[str, Any] | None:
        text = self._texts.get(sid)
        return text.resource if text else None

    def take(self, wanted: Order) -> dict[str, Any]:
        """Keep a message, let its receipts follow, and give its resource as it is now."""
        at = datetime.now(UTC)
        made = resource(wanted, sid=f"SM{uuid4().hex}", account_sid=self.account_sid, at=at)
        document = {
            "to": wanted.to,
            "from": wanted.sender or wanted.service_sid,
            "text": wanted.body,
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        detail = _detail(made, wanted.status_callback)
        text = _text(Kept(self._shelf.add(document, detail), document, detail))
        self._texts[made["sid"]] = text
        if len(self._texts) > self._shelf.limit:
            del self._texts[next(iter(self._texts))]
        self._changes.ring()
        task = asyncio.create_task(self._deliver(text, self.behaviour.receipts))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return made

    def clear(self) -> None:
        self._shelf.clear()
        self._texts.clear()
        self._changes.ring()

    async def close(self) -> None:
        """Give up the receipts that are under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _deliver(self, text: Text, receipts: Receipts) -> None:
        stages = []
        for status, error_code in _FATES[receipts]:
            made = with_status(text.resource, status, at=datetime.now(UTC), error_code=error_code)
            text = replace(text, resource=made)
            stages.append(text)
        for stage in reversed(stages) if receipts is Receipts.REVERSED else stages:
            if receipts is not Receipts.REVERSED or stage is stages[-1]:
                self._note(stage)
            await self._post_receipt(stage)

    def _note(self, text: Text) -> None:
        sid = text.resource["sid"]
        if sid in self._texts:
            self._texts[sid] = text
            self._shelf.change(text.id, _detail(text.resource, text.status_callback))
            self._changes.ring()

    async def _post_receipt(self, text: Text) -> None:
        """Nobody may listen there yet or any more: that is tried again for some seconds, then given up."""
        if not text.status_callback:
            return
        form = receipt(text.resource)
        headers = {"X-Twilio-Signature": signature(text.status_callback, form, self._auth_token)}
        for _ in range(_RECEIPT_TRIES):
            try:
                await self._client.post(text.status_callback, data=form, headers=headers)
                return
            except (httpx.HTTPError, httpx.InvalidURL):
                await asyncio.sleep(1)


def _detail(made: dict[str, Any], status_callback: str) -> bytes:
    return json.dumps({"resource": made, "status_callback": status_callback}).encode()


def _text(kept: Kept) -> Text:
    detail = json.loads(kept.detail)
    at = datetime.fromisoformat(kept.document["at"])
    return Text(kept.id, at, detail["resource"], detail["status_callback"])
