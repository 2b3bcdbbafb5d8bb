"""Opening a TCP connection: name look-up, one or several addresses, a time limit.

Floor 3. Owns how a host and port become a connection on any event loop. Must not know slots, sockets or requests.
Names with several addresses are tried as Happy Eyeballs (RFC 8305) has it, by the library that aiohttp uses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import aiohappyeyeballs

from emulator.errors import NO_ANSWER, NO_HOST
from emulator.sockets.address import SocketAddress
from emulator.sockets.wire import Wire

CONNECT_TIMEOUT_SECONDS = 30.0
NEXT_ADDRESS_SECONDS = 0.25


async def dial(
    address: SocketAddress, wire: Wire, *, timeout_seconds: float = CONNECT_TIMEOUT_SECONDS
) -> None:
    """Open a connection to `address` with `wire` as its protocol.

    Raises OSError with the operating system's reason, TimeoutError after `timeout_seconds`.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            await _open(address, wire)
    except TimeoutError as error:
        if error.errno is None:
            raise TimeoutError(NO_ANSWER.format(seconds=timeout_seconds)) from None
        raise
    except UnicodeError as error:  # What Python's idna codec says of a label it can't encode.
        raise socket.gaierror(
            socket.EAI_NONAME, f"{address.hostname} is not a host name: {error}"
        ) from None


async def _open(address: SocketAddress, wire: Wire) -> None:
    loop = asyncio.get_running_loop()
    host = address.host
    if not host:
        raise socket.gaierror(socket.EAI_NONAME, NO_HOST)
    if not _is_literal(host):
        infos = await loop.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
        if len(infos) > 1:
            raw = await aiohappyeyeballs.start_connection(
                infos, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
            )
            await loop.create_connection(lambda: wire, sock=raw)
            return
        host = str(infos[0][4][0])
    await loop.create_connection(lambda: wire, host, address.port)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
