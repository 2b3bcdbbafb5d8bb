"""Python's own sockets in a worker: owned by their request, counted in its slots, closed at its end.

Floor 3. Owns how `socket`, `asyncio.open_connection` and the drivers built on them follow the rules of connect().
Must not know requests. Source: connect.md, "Standard-library sockets".

Two places see them all: the event loop's `create_connection`, which every asyncio driver goes through, and Python's
audit event for a new socket object. (At global scope the runtime's guard refuses both.)
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Callable
from typing import Any

from emulator.context import Claim, IoContext, current

_Factory = Callable[[], asyncio.BaseProtocol]

_is_auditing = False


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Have connections that worker code opens on `loop` follow the rules, until `unwatch_loop` as many times."""
    _watch_sockets()
    watched = _watched.get(loop)
    if watched is None:
        watched = _watched[loop] = _WatchedLoop(loop)
    watched.watchers += 1


def unwatch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Undo one `watch_loop`."""
    watched = _watched[loop]
    watched.watchers -= 1
    if not watched.watchers:
        del _watched[loop]
        watched.restore()


class _WatchedLoop:
    """A loop whose `create_connection` was replaced on behalf of some servers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.watchers = 0
        self._loop = weakref.ref(loop)
        self._original = loop.create_connection
        loop.create_connection = self._create_connection  # type: ignore[method-assign,assignment]

    def restore(self) -> None:
        """Give the loop its own method back."""
        loop = self._loop()
        if loop is not None:
            del loop.create_connection

    async def _create_connection(
        self, protocol_factory: _Factory, *args: Any, **kwargs: Any
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        context = current()
        if context is None:  # The runtime's own, or a program that embeds it.
            return await self._original(protocol_factory, *args, **kwargs)
        context.spend_subrequest()
        host = args[0] if args else kwargs.get("host")
        claim = Claim(f"{host or 'a connection'} (through asyncio)")
        async with context.slots.held(claim):
            made = await self._original(protocol_factory, *args, **kwargs)
        transport = made[0]
        raw = kwargs.get("sock")
        if raw is not None:
            context.disown(weakref.ref(raw))
        if context.ended:
            transport.close()
        else:
            context.traffic.sockets += 1
            context.own(transport, transport.close, lambda: not transport.is_closing())
        return made


_watched: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _WatchedLoop] = (
    weakref.WeakKeyDictionary()
)


def _watch_sockets() -> None:
    """Begin, once a process, to hear of new socket objects. An audit hook can't be taken back."""
    global _is_auditing
    if not _is_auditing:
        _is_auditing = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.__new__" and (context := current()) is not None and not context.ended:
        _own(context, args[0])


def _own(context: IoContext, raw: Any) -> None:
    reference = weakref.ref(raw)

    def close() -> None:
        alive = reference()
        if alive is not None:
            alive.close()

    context.own(
        reference, close, lambda: (alive := reference()) is not None and alive.fileno() >= 0
    )
