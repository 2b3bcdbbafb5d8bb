"""Python's own sockets in a worker: owned by their request, counted in its slots, closed at its end.

Floor 3. Owns how `socket`, `asyncio.open_connection` and the drivers built on them follow the rules of connect().
Must not know requests. Source: connect.md, "Standard-library sockets".

Two places see them all: the event loop's `create_connection`, which every asyncio driver goes through, and Python's
audit events for a new socket object and for its connect(). (At global scope the runtime's guard refuses both.) A
synchronous connect() is a subrequest and subject to the policy; it takes no slot, for it can't wait in line.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from emulator.context import Claim, IoContext, Traffic, always, current, user_frame
from emulator.sockets.address import SocketAddress
from emulator.sockets.connect import begin_connection, tell_wait
from emulator.sockets.network import DEFAULT_NETWORK, Network
from emulator.sockets.policy import Policy, production_note

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
        begin_connection(context)
        address = _address_of(args, kwargs)
        claim = Claim(f"{address or 'a connection'} ({_place()})")
        context.prospects.sources[claim] = always
        try:
            if address is not None and (policy := _policy_for(context, address)) is not None:
                for info in await asyncio.get_running_loop().getaddrinfo(
                    address.host, address.port
                ):
                    policy.check_resolved(address, str(info[4][0]))
            asked = asyncio.get_running_loop().time()
            async with context.slots.held(claim):
                if address is not None:
                    waited = asyncio.get_running_loop().time() - asked
                    tell_wait(context, address, waited, claim)
                made = await self._original(protocol_factory, *args, **kwargs)
                claim.is_over = made[0].is_closing
        finally:
            context.prospects.sources.pop(claim, None)
        _take_over(context, made[0], kwargs.get("sock"))
        return made


_watched: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _WatchedLoop] = (
    weakref.WeakKeyDictionary()
)


def _address_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> SocketAddress | None:
    """Return where create_connection() is to connect to, or is connected to already; None if that is no address."""
    given = kwargs.get("sock")
    if given is not None and given.family in (socket.AF_INET, socket.AF_INET6):
        peer = given.getpeername()
        return SocketAddress(str(peer[0]), int(peer[1]))
    host = args[0] if args else kwargs.get("host")
    port = args[1] if len(args) > 1 else kwargs.get("port")
    if host is None or not str(port).isdecimal():
        return None
    return SocketAddress(str(host), int(str(port)))


def _place() -> str:
    """Return "worker.py:31", the worker's statement that is running."""
    frame = user_frame(sys._getframe(1))
    if frame is None:
        return "through asyncio"
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"


def _policy_for(context: IoContext, address: SocketAddress) -> Policy | None:
    """Return the policy that `address` must be looked up for, having checked it as it is written.

    None where none is in force: then what production would refuse is told. Raises RefusedError.
    """
    policy = context.provided(Network, DEFAULT_NETWORK).policy
    if policy is not None:
        policy.check(address)
    elif (note := production_note(address)) is not None:
        context.observer.note(note)
    return policy


def _take_over(context: IoContext, transport: Any, given: Any) -> None:
    """`transport` belongs to `context`, in the place of the socket objects that it was made of."""
    inner = getattr(transport.get_extra_info("socket"), "_sock", None)
    for raw in (given, inner):
        if raw is not None:
            context.disown(weakref.ref(raw))
    if context.ended:
        transport.close()
    else:
        context.connections.count(transport, Traffic(sockets=1))
        context.own(transport, transport.close, lambda: not transport.is_closing())


def _watch_sockets() -> None:
    """Begin, once a process, to hear of new socket objects. An audit hook can't be taken back."""
    global _is_auditing
    if not _is_auditing:
        _is_auditing = True
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.__new__":
        if (context := current()) is not None and not context.ended:
            _own(context, args[0])
    elif event == "socket.connect" and (context := current()) is not None:
        _check_raw(context, args[0], args[1])


def _check_raw(context: IoContext, raw: Any, target: Any) -> None:
    """A socket object is about to connect to `target`. Raises SubrequestError, and RefusedError in strict mode."""
    stream = isinstance(target, tuple) and raw.type == socket.SOCK_STREAM
    if (
        not stream or raw.gettimeout() == 0
    ):  # One that does not block is the event loop's, and checked there.
        return
    context.spend_subrequest()
    address = SocketAddress(str(target[0]), int(target[1]))
    if (policy := _policy_for(context, address)) is not None:
        for info in socket.getaddrinfo(address.host, address.port):
            policy.check_resolved(address, str(info[4][0]))


def _own(context: IoContext, raw: Any) -> None:
    """Have `raw` shut down when `context` ends, and closed once nobody can mistake its file descriptor for another's.

    A task that is being cancelled, and asyncio on its behalf, may still tell the event loop to stop listening to the
    descriptor's number, which the system gives to the next connection as soon as it is free.
    """
    reference = weakref.ref(raw)

    def close() -> None:
        alive = reference()
        if alive is not None and alive.fileno() >= 0:
            with suppress(OSError):  # It is not connected.
                alive.shutdown(socket.SHUT_RDWR)
            context.when_unwound(alive.close)

    context.own(
        reference, close, lambda: (alive := reference()) is not None and alive.fileno() >= 0
    )
