"""Opening a TCP connection: name look-up, one or several addresses; and a limit on how long.

Floor 3. Owns how a host and port become a connection on any event loop. Must not know slots, sockets or requests.
Names with several addresses are tried as Happy Eyeballs (RFC 8305) has it, by the library that aiohttp uses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from functools import lru_cache
from typing import Any

import aiohappyeyeballs

from emulator.errors import NO_ANSWER, NO_HOST
from emulator.sockets.address import ADDRESSES_REMEMBERED, SocketAddress
from emulator.sockets.policy import Policy
from emulator.sockets.wire import Wire

NEXT_ADDRESS_SECONDS = 0.25


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Bound what is awaited in the block; raises TimeoutError that says how long there was no answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        if error.errno is None:
            raise TimeoutError(NO_ANSWER.format(seconds=seconds)) from None
        raise  # The operating system's own.


def start_attempt(attempt: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Begin `attempt` as the runtime's own work, outside the request's context."""
    return asyncio.get_running_loop().create_task(attempt, name=name, context=Context())


async def dial(address: SocketAddress, wire: Wire, policy: Policy | None = None) -> None:
    """Open a connection to `address` with `wire` as its protocol.

    Raises OSError with the operating system's reason, or that of `policy`.
    """
    try:
        await _open(address, wire, policy)
    except UnicodeError as error:  # What Python's idna codec says of a label it can't encode.
        raise socket.gaierror(
            socket.EAI_NONAME, f"{address.hostname} is not a host name: {error}"
        ) from None


async def _open(address: SocketAddress, wire: Wire, policy: Policy | None) -> None:
    loop = asyncio.get_running_loop()
    host = address.host
    if not host:
        raise socket.gaierror(socket.EAI_NONAME, NO_HOST)
    if policy is not None:
        policy.check(address)
    if not _is_literal(host):
        infos = await loop.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
        if policy is not None:
            for info in infos:
                policy.check_resolved(address, str(info[4][0]))
        if len(infos) > 1:
            raw = await aiohappyeyeballs.start_connection(
                infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
            )
            await loop.create_connection(lambda: wire, sock=raw)
            return
        host = str(infos[0][4][0])
    elif policy is not None:
        policy.check_resolved(address, host)
    await loop.create_connection(lambda: wire, host, address.port)


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
