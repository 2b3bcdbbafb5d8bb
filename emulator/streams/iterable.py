"""What ReadableStream.from_() pulls: the items of an iterable or async iterable.

Floor 2. Owns the iterator from its first step to its end or its being closed. Source: WHATWG Streams,
"ReadableStreamFromIterable".
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any

from emulator import errors
from emulator.streams.default_controller import ReadableStreamDefaultController
from emulator.streams.promise import Promise
from emulator.streams.underlying import call, nothing, promise_of


class Iteration:
    """The source of a stream of `iterable`'s items; set `controller` before it is pulled.

    Raises TypeError for what can't be iterated, and what its `__iter__` or `__aiter__` raises.
    """

    controller: ReadableStreamDefaultController

    def __init__(self, iterable: object) -> None:
        self._iterator: Any
        self._advance: Callable[[], Any]
        self._is_async = isinstance(iterable, AsyncIterable)
        if isinstance(iterable, AsyncIterable):
            self._iterator = aiter(iterable)
            self._advance = self._iterator.__anext__
            closing = "aclose"
        elif isinstance(iterable, Iterable):
            self._iterator = iter(iterable)
            self._advance = self._iterator.__next__
            closing = "close"
        else:
            raise TypeError(errors.NOT_ITERABLE.format(type=type(iterable).__name__))
        self._close: Callable[[], Any] = getattr(self._iterator, closing, nothing)
        self._stepping: asyncio.Task[Any] | None = None

    def pull(self, *_: object) -> Promise[Any]:
        """Make one step; an item that can be awaited is."""
        try:
            item = self._advance()
        except StopIteration:
            self.controller.finish()
        except Exception as error:
            return Promise.rejected(error)
        else:
            if inspect.isawaitable(item):
                return promise_of(self._await(item))
            if self._is_async:
                kind = type(item).__name__
                return Promise.rejected(TypeError(errors.STEP_NOT_AWAITABLE.format(type=kind)))
            self.controller.push(item)
        return Promise.fulfilled(None)

    def cancel(self, *_: object) -> Promise[Any]:
        """Close the iterator: `close()` or `aclose()`, where it has one."""
        step = self._stepping
        running = inspect.isasyncgen(self._iterator) and self._iterator.ag_running
        if running and step is not None and step is not asyncio.current_task():
            return promise_of(self._stop(step))
        return call(self._close)

    async def _await(self, item: Awaitable[Any]) -> None:
        self._stepping = asyncio.current_task()
        try:
            chunk = await item
        except StopAsyncIteration:
            self.controller.finish()
        else:
            self.controller.push(chunk)
        finally:
            self._stepping = None

    async def _stop(self, step: asyncio.Task[Any]) -> None:
        """An async generator that waits for something is told by CancelledError there, as by any task."""
        step.cancel()
        await asyncio.wait([step])
        await self._close()
