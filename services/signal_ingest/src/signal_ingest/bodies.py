"""Requests' bodies, read within bounds: of each one's size, of the time it takes, of what all of them hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from signal_ingest.accept import Reason, Rejected, too_large
from signal_ingest.modes import size_limit
from signal_ingest.problems import Problem

_TIMEOUT_S = 30
_DRAIN_BYTES = 20_000_000  # of a body that is too large: read on, so that the sender gets to hear the answer


class Bodies:
    """All bodies that are held at a time have at most `max_held_bytes`, or one of any size that may be sent."""

    def __init__(self, max_held_bytes: int = 64_000_000) -> None:
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The request's body, held until the block ends. Raises Rejected when it is too large, Problem for the rest."""
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._read(request, parts)
        except TimeoutError:
            self._let_go(parts)
            raise Problem(408, "request-timeout", f"the body did not come within {_TIMEOUT_S} s") from None
        except BaseException:
            self._let_go(parts)
            raise
        try:
            yield b"".join(parts)
        finally:
            self._let_go(parts)

    async def _read(self, request: Request, parts: list[bytes]) -> None:
        limit = size_limit(request.headers.get("content-type", ""))
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > _DRAIN_BYTES:
                break
            if size > limit:
                self._let_go(parts)
                continue
            if self._held_bytes and self._held_bytes + len(part) > self._max_held_bytes:
                raise Problem(503, "unavailable", "too many requests at once", headers={"Retry-After": "1"})
            self._held_bytes += len(part)
            parts.append(part)
        if size > limit:
            raise Rejected(Reason.TOO_LARGE, [too_large(limit)])

    def _let_go(self, parts: list[bytes]) -> None:
        self._held_bytes -= sum(map(len, parts))
        parts.clear()
