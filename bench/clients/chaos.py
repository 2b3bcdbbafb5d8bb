"""Bad peers, and clients that come and go: `python -m bench.clients.chaos PORT CLIENTS SECONDS SEED`.

Prints a JSON object: how many requests were `sent` whole, `answered` (a response came to its end), `broken` off by the
server, `dropped` by this side on purpose, and left `waiting` for longer than PATIENCE_SECONDS.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0
BODY_SECONDS = 2.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def echo(reader: Reader, writer: Writer) -> None:
    """Answer what comes, and end."""
    writer.write(await reader.read(1000))
    await writer.drain()


async def hang(reader: Reader, writer: Writer) -> None:
    """Say nothing until the other side goes."""
    await reader.read()


async def reset(reader: Reader, writer: Writer) -> None:
    """Read a little, then reset the connection."""
    await reader.read(10)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


async def trickle(reader: Reader, writer: Writer) -> None:
    """Send a byte now and then."""
    for _ in range(20):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def garbage(reader: Reader, writer: Writer) -> None:
    """Send what nobody asked for."""
    writer.write(random.randbytes(50_000))
    await writer.drain()


PEERS: tuple[Callable[[Reader, Writer], Awaitable[None]], ...] = (
    echo,
    hang,
    reset,
    trickle,
    garbage,
)
HANDLERS = (
    "ask",
    "ask",
    "stream",
    "service",
    "call",
    "raw",
    "upload",
    "background",
    "forget",
    "spin",
    "raise",
)
STREAMS = ("stream", "service")
MANNERS = ("reads", "reads", "reads", "leaves", "resets", "drips", "nonsense")


class Client:
    """One client: a request after another, each in another manner, until `deadline`."""

    def __init__(self, port: int, name: int, peers: list[int], tally: Counter[str]) -> None:
        self._port = port
        self._name = name
        self._peers = peers
        self._tally = tally
        self._random = random.Random(f"{tally['seed']} {name}")
        self._asked = "nothing"

    async def run(self, deadline: float) -> None:
        """Send requests."""
        clock = asyncio.get_running_loop().time
        number = 0
        while clock() < deadline:
            number += 1
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._exchange(f"{self._name}-{number}")
            except TimeoutError:
                self._tally["waiting"] += 1
                print(f"never answered: {self._asked}", file=sys.stderr)
            except (OSError, asyncio.IncompleteReadError):
                self._tally["broken"] += 1
            await asyncio.sleep(self._random.random() * 0.2)

    async def _exchange(self, name: str) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            await self._talk(reader, writer, name)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: Reader, writer: Writer, name: str) -> None:
        handler = self._random.choice(HANDLERS)
        if handler == "spin" and self._random.random() < 0.95:
            handler = "ask"  # Each keeps everybody else waiting for its whole limit.
        manner = self._random.choice(MANNERS)
        peer = self._random.choice(self._peers)
        self._asked = f"{handler} {manner} {name}"
        body = b"x" * 2000 if handler == "upload" else b""
        request = (
            f"POST /{handler}/{peer}/{name} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        if manner == "nonsense":
            writer.write(self._random.randbytes(200) + b"\r\n\r\n")
            await reader.read()
            return
        if manner == "drips":
            for start in range(0, len(request), 500):
                writer.write(request[start : start + 500])
                await asyncio.sleep(0.01)
        else:
            writer.write(request)
        self._tally["sent"] += 1
        if manner in ("leaves", "resets"):
            await asyncio.sleep(self._random.random() * 0.1)
            if manner == "resets":
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                writer.transport.abort()
            self._tally["dropped"] += 1
            return
        await reader.readuntil(b"\r\n\r\n")
        try:
            # A peer that hangs keeps a body open for ever, and that is right.
            async with asyncio.timeout(BODY_SECONDS if handler in STREAMS else None):
                await reader.read()
        except TimeoutError:
            self._tally["dropped"] += 1
            return
        self._tally["answered"] += 1


async def _serve(behave: Callable[[Reader, Writer], Awaitable[None]]) -> asyncio.Server:
    async def connected(reader: Reader, writer: Writer) -> None:
        with suppress(OSError):
            await behave(reader, writer)
        writer.close()

    return await asyncio.start_server(connected, HOST, 0, backlog=1000)


async def _run(port: int, clients: int, seconds: float, seed: int) -> Counter[str]:
    tally: Counter[str] = Counter(seed=seed)
    servers = [await _serve(behave) for behave in PEERS]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    with socket.socket() as refusing:  # Bound, and not listening.
        refusing.bind((HOST, 0))
        ports.append(refusing.getsockname()[1])
        deadline = asyncio.get_running_loop().time() + seconds
        everybody = [Client(port, name, ports, tally) for name in range(clients)]
        await asyncio.gather(*(client.run(deadline) for client in everybody))
    for server in servers:
        server.close()
    del tally["seed"]
    return tally


def _main() -> None:
    port, clients, seconds, seed = sys.argv[1:]
    print(json.dumps(asyncio.run(_run(int(port), int(clients), float(seconds), int(seed)))))


if __name__ == "__main__":
    _main()
