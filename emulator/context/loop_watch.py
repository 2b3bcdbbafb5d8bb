"""What worker code starts on the event loop: tasks, timers, work in threads, child processes, servers, callbacks.

Floor 2. Owns how a request comes to know them: it can wait for them, measure them, and end them with itself. Must not
know requests beyond their IoContext; what runs outside of one passes through.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from emulator.context import worker_threads
from emulator.context.io_context import IoContext, context_in, current
from emulator.context.prospects import always
from emulator.context.request_future import RequestFuture

_METHODS = (
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "call_at",
    "call_later",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_datagram_endpoint",
    "create_future",
    "create_server",
    "create_task",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "remove_reader",
    "remove_signal_handler",
    "remove_writer",
    "run_in_executor",
    "subprocess_exec",
    "subprocess_shell",
)


class LoopWatch:
    """One event loop, watched on behalf of some servers: `watch(loop)` and `unwatch(loop)`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watchers = 0
        self._loop = weakref.ref(loop)
        # Whose callback hears of a file descriptor or signal: ("reader", 5) to the request.
        self._listeners: weakref.WeakValueDictionary[tuple[str, int], IoContext] = (
            weakref.WeakValueDictionary()
        )
        self._originals: dict[str, Callable[..., Any]] = {
            name: getattr(loop, name) for name in _METHODS
        }
        for name in _METHODS:
            setattr(loop, name, getattr(self, f"_{name}"))
        self._task_of = self._originals["create_task"]

    def restore(self) -> None:
        """Give the loop its own methods back."""
        loop = self._loop()
        if loop is not None:
            for name in _METHODS:
                delattr(loop, name)

    def _create_task(self, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        context = options.get("context") if options else None
        io = current() if context is None else context_in(context)
        if io is None:
            made = self._task_of(coroutine, **options) if options else self._task_of(coroutine)
            return cast(asyncio.Task[Any], made)
        if io.meter is not None:
            coroutine = io.meter.measured(coroutine)
        task: asyncio.Task[Any] = self._task_of(coroutine, **options)
        if isinstance(task, asyncio.Task):
            io.adopt(task)
        return task

    def _create_future(self) -> asyncio.Future[Any]:
        io, loop = current(), self._loop()
        if io is None or loop is None:
            return cast("asyncio.Future[Any]", self._originals["create_future"]())
        return RequestFuture(io, loop)

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

    def _add_reader(self, fd: Any, *arguments: Any) -> Any:
        return self._add("reader", fd, *arguments)

    def _add_writer(self, fd: Any, *arguments: Any) -> Any:
        return self._add("writer", fd, *arguments)

    def _add_signal_handler(self, number: int, *arguments: Any) -> Any:
        return self._add("signal_handler", number, *arguments)

    def _remove_reader(self, fd: Any) -> Any:
        return self._remove("reader", fd)

    def _remove_writer(self, fd: Any) -> Any:
        return self._remove("writer", fd)

    def _remove_signal_handler(self, number: int) -> Any:
        return self._remove("signal_handler", number)

    def _add(self, kind: str, what: Any, *arguments: Any) -> Any:
        made = self._originals[f"add_{kind}"](what, *arguments)
        key = (kind, _number(what))
        self._forget(key)
        if (io := current()) is not None:
            self._listeners[key] = io
            io.prospects.sources[key] = always
        return made

    def _remove(self, kind: str, what: Any) -> Any:
        self._forget((kind, _number(what)))
        return self._originals[f"remove_{kind}"](what)

    def _forget(self, key: tuple[str, int]) -> None:
        if (owner := self._listeners.pop(key, None)) is not None:
            owner.prospects.sources.pop(key, None)

    async def _getaddrinfo(self, *arguments: Any, **options: Any) -> Any:
        io = current()
        if io is None:
            return await self._originals["getaddrinfo"](*arguments, **options)
        with _waiting_outside(io):
            return await self._originals["getaddrinfo"](*arguments, **options)

    async def _create_datagram_endpoint(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["create_datagram_endpoint"](*arguments, **options))

    async def _create_unix_connection(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["create_unix_connection"](*arguments, **options))

    async def _connect_read_pipe(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["connect_read_pipe"](*arguments, **options))

    async def _connect_write_pipe(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["connect_write_pipe"](*arguments, **options))

    async def _create_server(self, *arguments: Any, **options: Any) -> Any:
        return _owned_server(await self._originals["create_server"](*arguments, **options))

    async def _create_unix_server(self, *arguments: Any, **options: Any) -> Any:
        return _owned_server(await self._originals["create_unix_server"](*arguments, **options))

    async def _subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["subprocess_exec"](*arguments, **options), _is_running)

    async def _subprocess_shell(self, *arguments: Any, **options: Any) -> Any:
        return _owned(await self._originals["subprocess_shell"](*arguments, **options), _is_running)


@contextmanager
def _waiting_outside(io: IoContext) -> Iterator[None]:
    """A block in which something outside is waited for."""
    key = object()
    io.prospects.sources[key] = always
    try:
        yield
    finally:
        io.prospects.sources.pop(key, None)


def _is_open(transport: Any) -> bool:
    return not transport.is_closing()


def _is_running(transport: Any) -> bool:
    """Tell whether a child process may still end, or what it wrote be read."""
    pipes = (transport.get_pipe_transport(1), transport.get_pipe_transport(2))
    return not transport.is_closing() and (
        transport.get_returncode() is None or any(pipe and not pipe.is_closing() for pipe in pipes)
    )


def _owned(made: tuple[Any, Any], is_live: Callable[[Any], bool] = _is_open) -> tuple[Any, Any]:
    """Have a request close the transport it made, at its end at the latest."""
    transport = made[0]
    io = current()
    if io is not None:
        io.own(transport, transport.close, lambda: is_live(transport))
    return made


def _owned_server(server: asyncio.Server) -> asyncio.Server:
    io = current()
    if io is not None:
        io.own(server, server.close, server.is_serving)
    return server


def _number(what: Any) -> int:
    """Return the file descriptor, or signal, that a method of the loop was given."""
    return int(what if isinstance(what, int) else what.fileno())


_watched: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch] = (
    weakref.WeakKeyDictionary()
)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Let requests know what they start on `loop`, until `unwatch` as many times."""
    worker_threads.watch(lambda: current() is not None)
    watched = _watched.get(loop)
    if watched is None:
        watched = _watched[loop] = LoopWatch(loop)
    watched.watchers += 1


def unwatch(loop: asyncio.AbstractEventLoop) -> None:
    """Undo one `watch`. Harmless when there is none left."""
    watched = _watched.get(loop)
    if watched is None:
        return
    worker_threads.unwatch()
    watched.watchers -= 1
    if not watched.watchers:
        del _watched[loop]
        watched.restore()
