"""Keep-alive clients: `python -m bench.clients.rate PORT CONNECTIONS SECONDS BODY_BYTES`.

Prints a JSON object. Each connection sends its next request when the answer to the last one is whole. Answers are
taken apart only as far as it takes to know where they end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

from bench.upstreams.loop import new_event_loop

HOST = "127.0.0.1"
GOOD = b"HTTP/1.1 200 "
LAST_CHUNK = b"0\r\n\r\n"


class Tally:
    """What all connections of this process have seen; they send no more once `over`."""

    def __init__(self) -> None:
        self.requests = 0
        self.failures = 0
        self.seconds = 0.0
        self.over = False


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, tally: Tally, request: bytes) -> None:
        self._tally = tally
        self._request = request
        self._received = b""
        self._usual_bytes = 0  # Most answers are as long as the one before, and come in one piece.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._received or len(data) != self._usual_bytes:
            data = self._received = self._received + data
            if not is_whole(data):
                return
            self._received = b""
            self._usual_bytes = len(data)
        tally = self._tally
        if tally.over:
            return
        tally.requests += 1
        if not data.startswith(GOOD):
            tally.failures += 1
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._tally.over:
            self._tally.failures += 1


def request(body_bytes: int) -> bytes:
    """Return a request with a body of `body_bytes`; 0: without one."""
    if not body_bytes:
        return b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % body_bytes
    return head + b"x" * body_bytes


def is_whole(data: bytes) -> bool:
    """Say whether `data`, which begins with a response's head, has all of it."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(LAST_CHUNK)


async def _run(port: int, connections: int, seconds: float, body_bytes: int) -> Tally:
    loop = asyncio.get_running_loop()
    tally = Tally()
    sent = request(body_bytes)
    began = time.perf_counter()
    pairs = [
        await loop.create_connection(lambda: Client(tally, sent), HOST, port)
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    tally.over = True
    tally.seconds = time.perf_counter() - began
    for transport, _ in pairs:
        transport.abort()
    return tally


def _main() -> None:
    port, connections, seconds, body_bytes = sys.argv[1:]
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        tally = runner.run(_run(int(port), int(connections), float(seconds), int(body_bytes)))
    print(json.dumps(vars(tally)))


if __name__ == "__main__":
    _main()
