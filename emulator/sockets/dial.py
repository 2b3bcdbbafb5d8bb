"""Opening a TCP connection: name look-up, one or several addresses; and a limit on how long.

Floor 3. Owns how a host and port become a connection on any event loop. Must not know slots, sockets or requests.
Names with several addresses are tried as Happy Eyeballs (RFC 8305) has it, by the library that aiohttp uses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import select
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from errno import EALREADY, EINPROGRESS, EISCONN
from functools import lru_cache
from typing import Any

import aiohappyeyeballs

from emulator.errors import NO_ANSWER, NO_HOST
from emulator.sockets.address import ADDRESSES_REMEMBERED, SocketAddress
from emulator.sockets.policy import Policy
from emulator.sockets.raw_transport import RawTransport
from emulator.sockets.readiness import READINESS_KNOWN, Readiness, readiness_of
from emulator.sockets.wire import Wire

NEXT_ADDRESS_SECONDS = 0.25


class TimeLimit:
    """So many `seconds` from now on, for all that is awaited in `waiting()` blocks together."""

    __slots__ = ("_deadline", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = asyncio.get_running_loop().time() + seconds

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Bound what is awaited in the block; raises TimeoutError that says how long there was no answer."""
        try:
            async with asyncio.timeout_at(self._deadline):
                yield
        except TimeoutError as error:
            if error.errno is None:
                raise TimeoutError(NO_ANSWER.format(seconds=self._seconds)) from None
            raise  # The operating system's own.


def start_attempt(attempt: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Begin `attempt` as the runtime's own work, outside the request's context."""
    return asyncio.get_running_loop().create_task(attempt, name=name, context=Context())


def start_soon(begin: Callable[..., None], *arguments: Any) -> asyncio.Handle:
    """Call `begin(*arguments)` in the event loop's next turn, outside the request's context."""
    return asyncio.get_running_loop().call_soon(begin, *arguments, context=Context())


def opened_at_once(address: SocketAddress, wire: Wire) -> bool:
    """Open a connection to `address` with `wire` as its protocol, if that takes no time: to an address of this machine.

    False where it does, or fails: why is for `dial` to find out.
    """
    host = address.host
    family = _near_family_of(host)
    if family is None:
        return False
    try:
        raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError:
        return False
    try:
        if not _is_connected(raw, (host, address.port)):
            raw.close()
            return False
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        raw.close()
        return False
    RawTransport(raw, wire, readiness_of(asyncio.get_running_loop())).begin()
    return True


async def dial(
    address: SocketAddress, wire: Wire, limit: TimeLimit, policy: Policy | None = None
) -> None:
    """Open a connection to `address` with `wire` as its protocol.

    Raises OSError with the operating system's reason, that of `policy`, or TimeoutError when `limit` is over.
    """
    try:
        raw = await _open(address, limit, policy)
    except UnicodeError as error:  # What Python's idna codec says of a label it can't encode.
        raise socket.gaierror(
            socket.EAI_NONAME, f"{address.hostname} is not a host name: {error}"
        ) from None
    loop = asyncio.get_running_loop()
    if READINESS_KNOWN:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        RawTransport(raw, wire, readiness_of(loop)).begin()
    else:
        await loop.create_connection(lambda: wire, sock=raw)


async def _open(address: SocketAddress, limit: TimeLimit, policy: Policy | None) -> socket.socket:
    """Return a connected socket."""
    host = address.host
    if not host:
        raise socket.gaierror(socket.EAI_NONAME, NO_HOST)
    if policy is not None:
        policy.check(address)
    family = _family_of(host)
    if family is None:
        async with limit.waiting():
            return await _open_by_name(address, policy)
    if policy is not None:
        policy.check_resolved(address, host)
    return await _connect(family, (host, address.port), limit)


async def _open_by_name(address: SocketAddress, policy: Policy | None) -> socket.socket:
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    if policy is not None:
        for info in infos:
            policy.check_resolved(address, str(info[4][0]))
    return await aiohappyeyeballs.start_connection(
        infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
    )


async def _connect(
    family: socket.AddressFamily, target: tuple[str, int], limit: TimeLimit
) -> socket.socket:
    raw = socket.socket(family, socket.SOCK_STREAM)
    raw.setblocking(False)
    try:
        loop = asyncio.get_running_loop()
        if not READINESS_KNOWN:
            async with limit.waiting():
                await loop.sock_connect(raw, target)
        elif not _is_connected(raw, target):
            async with limit.waiting():
                await _Arrival(raw, readiness_of(loop)).over()
    except BaseException:
        raw.close()
        raise
    return raw


def _is_connected(raw: socket.socket, target: tuple[str, int]) -> bool:
    """Begin to connect; tell whether that is done already, as it is with a peer on this machine. Raises OSError."""
    code = raw.connect_ex(target)
    if code == EINPROGRESS:
        code = raw.connect_ex(target)
    if code in (0, EISCONN):
        return True
    if code in (EALREADY, EINPROGRESS):
        return False
    raise OSError(code, os.strerror(code))


class _Arrival:
    """A connection that is being opened."""

    __slots__ = ("_arrived", "_raw", "_readiness")

    def __init__(self, raw: socket.socket, readiness: Readiness) -> None:
        self._raw = raw
        self._readiness = readiness
        self._arrived = asyncio.get_running_loop().create_future()

    async def over(self) -> None:
        """Wait until it is open. Raises OSError when it can't be."""
        number = self._raw.fileno()
        self._readiness.watch(number, self, select.EPOLLOUT)
        try:
            await self._arrived
        finally:
            self._readiness.forget(number)
        code = self._raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    def ready(self, events: int) -> None:
        if not self._arrived.done():
            self._arrived.set_result(None)

    def give_up(self, error: Exception) -> None:
        if not self._arrived.done():
            self._arrived.set_exception(error)


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _family_of(host: str) -> socket.AddressFamily | None:
    """Return the family that `host`, an address, is of; None for a name."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _near_family_of(host: str) -> socket.AddressFamily | None:
    """Return the family of `host` where it is a loopback address, and this system has what it takes."""
    family = _family_of(host)
    near = READINESS_KNOWN and family is not None and ipaddress.ip_address(host).is_loopback
    return family if near else None
