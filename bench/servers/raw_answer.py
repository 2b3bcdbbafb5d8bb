"""hello, echo and json with no model at all: `python -m bench.servers.raw_answer LOOP PORT LOAD`.

It takes for granted that requests are well made and not pipelined.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

from bench.servers.arguments import HOST, listening_port, run
from bench.servers.documents import MESSAGE

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
CONTENT_LENGTH = b"content-length:"


class Answer(asyncio.Protocol):
    """One connection: to each request the answer of LOAD."""

    def __init__(self, load: str) -> None:
        self._load = load
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        end = received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        body_bytes = _content_length(received, end)
        if len(received) < end + body_bytes:
            return
        self._transport.write(self._answer(bytes(received[end : end + body_bytes])))
        received.clear()

    def _answer(self, body: bytes) -> bytes:
        if self._load == "echo":
            return HEAD % (b"application/octet-stream", len(body)) + body
        if self._load == "json":
            text = json.dumps(MESSAGE).encode()
            return HEAD % (b"application/json", len(text)) + text
        return HEAD % (b"text/plain", 13) + b"Hello, World!"


def _content_length(received: bytearray, end: int) -> int:
    head = received[:end].lower()
    at = head.find(CONTENT_LENGTH)
    return 0 if at < 0 else int(head[at + len(CONTENT_LENGTH) : head.find(b"\r\n", at)])


async def _serve(load: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answer(load), HOST, listening_port(), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    run(_serve(sys.argv[3]))
