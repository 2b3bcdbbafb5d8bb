"""tcp and the streams with two Protocols and nothing between: `... raw_relay LOOP PORT UPSTREAM_PORT [AUTHORITY]`."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from bench.servers.arguments import HOST, listening_port, run, upstream_port, upstream_tls

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Client(asyncio.Protocol):
    """A client's connection: a request with no body, then the upstream's answer in chunks."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._received = b""
        self._opening: asyncio.Task[None] | None = None
        self.upstream: Upstream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        path = self._received.split(b" ", 2)[1]
        self.closes = b"connection: close" in self._received.lower()
        self._received = b""
        self._opening = asyncio.get_running_loop().create_task(self._open(path))

    async def _open(self, path: bytes) -> None:
        await asyncio.get_running_loop().create_connection(
            lambda: Upstream(self, path), HOST, upstream_port(), ssl=self._tls
        )

    def pause_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.upstream is not None:
            self.upstream.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.upstream is not None:
            self.upstream.transport.abort()


class Upstream(asyncio.Protocol):
    """The connection behind: the path as a line, and what comes back."""

    def __init__(self, client: Client, path: bytes) -> None:
        self._client = client
        self._path = path
        self._head = HEAD

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._client.upstream = self
        self.transport.write(self._path + b"\r\n")

    def data_received(self, data: bytes) -> None:
        head, self._head = self._head, b""
        self._client.transport.writelines((head + b"%x\r\n" % len(data), data, b"\r\n"))

    def connection_lost(self, exc: Exception | None) -> None:
        client = self._client
        client.upstream = None
        client.transport.write(self._head + b"0\r\n\r\n")
        if client.closes:
            client.transport.close()


async def _serve() -> None:
    loop, tls = asyncio.get_running_loop(), upstream_tls()
    server = await loop.create_server(lambda: Client(tls), HOST, listening_port(), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    run(_serve())
