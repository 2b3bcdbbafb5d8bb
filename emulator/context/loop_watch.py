"""What worker code starts on the event loop: tasks, timers, work in threads, child processes.

Floor 2. Owns how a request comes to know them: it can wait for them, measure them, and end them with itself. Must not
know requests beyond their IoContext; what runs outside of one passes through.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from emulator.context.io_context import IoContext, context_in, current
from emulator.context.prospects import always

_METHODS = (
    "call_at",
    "call_later",
    "create_datagram_endpoint",
    "getaddrinfo",
    "run_in_executor",
    "subprocess_exec",
    "subprocess_shell",
)


class LoopWatch:
    """One event loop, watched on behalf of some servers: `watch(loop)` and `unwatch(loop)`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watchers = 0
        self._loop = weakref.ref(loop)
        self._task_factory = loop.get_task_factory()
        self._originals: dict[str, Callable[..., Any]] = {
            name: getattr(loop, name) for name in _METHODS
        }
        for name in _METHODS:
            setattr(loop, name, getattr(self, f"_{name}"))
        loop.set_task_factory(self._make_task)  # type: ignore[arg-type]

    def restore(self) -> None:
        """Give the loop its own methods back."""
        loop = self._loop()
        if loop is not None:
            for name in _METHODS:
                delattr(loop, name)
            loop.set_task_factory(self._task_factory)

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any],
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Future[Any]:
        io = current() if context is None else context_in(context)
        if io is not None and io.meter is not None:
            coroutine = io.meter.measured(coroutine)
        if context is not None:
            options["context"] = context
        if self._task_factory is not None:
            task = self._task_factory(loop, coroutine, **options)
        else:
            task = asyncio.Task(coroutine, loop=loop, **options)
        if io is not None and isinstance(task, asyncio.Task):
            io.adopt(task)
        return task

    def _call_at(self, when: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        return self._timed(self._originals["call_at"](when, *arguments, **options))

    def _call_later(self, delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
        return self._timed(self._originals["call_later"](delay, *arguments, **options))

    def _timed(self, timer: asyncio.TimerHandle) -> asyncio.TimerHandle:
        if (io := current()) is not None:
            io.prospects.add_timer(timer)
        return timer

    def _run_in_executor(self, *arguments: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._originals["run_in_executor"](*arguments)
        if (io := current()) is not None:
            io.prospects.add_future(future)
        return future

    async def _getaddrinfo(self, *arguments: Any, **options: Any) -> Any:
        io = current()
        if io is None:
            return await self._originals["getaddrinfo"](*arguments, **options)
        with _waiting_outside(io):
            return await self._originals["getaddrinfo"](*arguments, **options)

    async def _create_datagram_endpoint(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["create_datagram_endpoint"](*arguments, **options))

    async def _subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["subprocess_exec"](*arguments, **options))

    async def _subprocess_shell(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["subprocess_shell"](*arguments, **options))


@contextmanager
def _waiting_outside(io: IoContext) -> Iterator[None]:
    """A block in which something outside is waited for."""
    key = object()
    io.prospects.sources[key] = always
    try:
        yield
    finally:
        io.prospects.sources.pop(key, None)


def _owned(made: tuple[Any, Any]) -> tuple[Any, Any]:
    """Have a request close the transport it made, at its end at the latest."""
    transport = made[0]
    io = current()
    if io is not None:
        io.own(transport, transport.close, lambda: not transport.is_closing())
    return made


_watched: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch] = (
    weakref.WeakKeyDictionary()
)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Let requests know what they start on `loop`, until `unwatch` as many times."""
    watched = _watched.get(loop)
    if watched is None:
        watched = _watched[loop] = LoopWatch(loop)
    watched.watchers += 1


def unwatch(loop: asyncio.AbstractEventLoop) -> None:
    """Undo one `watch`. Harmless when there is none left."""
    watched = _watched.get(loop)
    if watched is None:
        return
    watched.watchers -= 1
    if not watched.watchers:
        del _watched[loop]
        watched.restore()
