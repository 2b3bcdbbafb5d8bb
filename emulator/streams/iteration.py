"""`async for chunk in stream`: the iterator of a readable stream.

Floor 2. Owns the order of its steps and what leaving it does. Source: WHATWG Streams, "Asynchronous iteration of
ReadableStream"; Web IDL, "asynchronous iterator objects".
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import Any

from emulator.streams.promise import Promise
from emulator.streams.readers import Readable, ReadableStreamDefaultReader
from emulator.streams.underlying import promise_of


class ReadableStreamAsyncIterator(AsyncIterator[Any]):
    """Gives a stream's chunks; made by `async for`, or `stream.values(prevent_cancel=…)`.

    Steps that are asked for at once are made one after the other. Leaving a loop early lets go of the stream, and
    cancels it unless `keep`. Cancelling a task that waits in `anext()` alone leaves the iterator as it was.
    """

    __slots__ = ("_context", "_keep", "_leaving", "_loop", "_reader", "_stream", "_turns")

    def __init__(self, stream: Readable, *, keep: bool) -> None:
        self._reader: ReadableStreamDefaultReader | None = ReadableStreamDefaultReader(stream)
        self._stream = stream
        self._keep = keep
        self._leaving: Promise[None] = Promise.fulfilled(None)
        self._turns = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # Known from the first step on.
        self._context = contextvars.copy_context()

    def __aiter__(self) -> ReadableStreamAsyncIterator:
        return self

    async def __anext__(self) -> Any:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        async with self._turns:
            if self._reader is None:
                await self._left()
                raise StopAsyncIteration
            try:
                value, done = await self._reader.read()
            except Exception:
                self._release()
                raise
            if done:
                self._release()
                raise StopAsyncIteration
            return value

    def aclose(self) -> Promise[None]:
        """Let go of the stream now, or after the steps under way, and cancel it unless that is prevented.

        The promise is rejected with what the stream failed with, or what cancelling it raised.
        """
        if not self._turns.locked():
            return self._leave()
        return promise_of(self._leave_in_turn())

    def __del__(self) -> None:
        # A loop that was left drops its iterator. What follows is a worker's code, which does not run in here.
        loop = getattr(self, "_loop", None)
        if loop is not None and self._reader is not None and not loop.is_closed():
            loop.call_soon_threadsafe(
                _leave, self._stream, self._reader, self._keep, context=self._context
            )

    async def _leave_in_turn(self) -> None:
        async with self._turns:
            await self._leave()

    def _leave(self) -> Promise[None]:
        reader, self._reader = self._reader, None
        if reader is None:
            return self._left()
        self._leaving = _leave(self._stream, reader, self._keep)
        return self._leaving

    def _left(self) -> Promise[None]:
        left: Promise[None] = Promise()
        self._leaving.when_settled(lambda: left.resolve(None))
        return left

    def _release(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.detach()
            self._stream.unlock(reader)


def _leave(stream: Readable, reader: ReadableStreamDefaultReader, keep: bool) -> Promise[None]:
    """Cancel and let go of `stream`. The request may be over: no ownership is asked."""
    cancelled: Promise[None] = Promise.fulfilled(None) if keep else stream.core.cancel()
    reader.detach()
    stream.unlock(reader)
    return cancelled
