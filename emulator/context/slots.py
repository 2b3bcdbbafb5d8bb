"""The connections a request may be opening at once: a fair line in front of a few slots.

Floor 2. Owns who holds a slot and who waits; knows nothing of sockets. Source: limits.md, mode `connecting`
(a slot is held until the connection is open or has failed).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

OPENING_CONNECTIONS_LIMIT = 6


class ConnectionSlots:
    """First come, first served; a waiter that is cancelled leaves the line and loses nothing for others."""

    def __init__(self, limit: int = OPENING_CONNECTIONS_LIMIT) -> None:
        self._free = limit
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """Slots that nobody holds."""
        return self._free

    @property
    def waiting(self) -> int:
        """Connections that stand in line."""
        return sum(not waiter.done() for waiter in self._line)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold one slot for the length of the `async with` block, waiting in line for it first."""
        await self._take()
        try:
            yield
        finally:
            self._give_back()

    async def _take(self) -> None:
        if self._free:  # Then nobody stands in line: a slot given back goes to the first there.
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._give_back()  # The slot came in the same moment: hand it on.
            elif waiter in self._line:  # Unless somebody who gave a slot back took it out.
                self._line.remove(waiter)
            raise

    def _give_back(self) -> None:
        while self._line:
            waiter = self._line.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1
