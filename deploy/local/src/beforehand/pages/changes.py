"""Tells open pages that there is something new to show."""

import asyncio
from collections.abc import AsyncIterator


class Changes:
    def __init__(self) -> None:
        self._version = 0
        self._closed = False
        self._changed = asyncio.Event()

    def ring(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """End every stream: a server with open pages could not stop otherwise."""
        self._closed = True
        self.ring()

    async def stream(self) -> AsyncIterator[int]:
        """A number now, then a larger one after each change; changes in quick succession may come as one."""
        shown = -1
        while not self._closed:
            changed = self._changed
            if shown == self._version:
                await changed.wait()
            else:
                shown = self._version
                yield shown
