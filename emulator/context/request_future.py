"""Futures that a request waits on, and who settles them.

Floor 2. Owns the diagnosis of one request waking another, which works here and not in production. Must not know what
waits: asyncio's events, queues and locks all wait on such a future. Source: limits.md, "I/O objects belong to one
request".
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from emulator.context.frames import place_of, user_frame
from emulator.context.io_context import IoContext, current
from emulator.errors import WOKEN_BY_ANOTHER


class RequestFuture(asyncio.Future[Any]):
    """A future made by the code of `owner`: tells when another request's code settles it."""

    def __init__(self, owner: IoContext, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._owner = owner

    def set_result(self, result: Any, /) -> None:
        """Settle, as a future does."""
        self._check()
        super().set_result(result)

    def set_exception(self, exception: type | BaseException, /) -> None:
        """Settle, as a future does."""
        self._check()
        super().set_exception(exception)

    def _check(self) -> None:
        running = current()
        if running is None or running is self._owner:
            return
        frame = user_frame(sys._getframe(1))
        place = "the worker's code" if frame is None else place_of(frame)
        self._owner.observer.note(WOKEN_BY_ANOTHER.format(place=place))
