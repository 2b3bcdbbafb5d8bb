"""What the server's tests share: workers made of functions, an observer that remembers, a client that speaks raw HTTP.

Owns the reading of responses byte by byte, so that a test sees framing that a client library hides. Every wait is
bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import EventRecord, Observer
from emulator.server.embedded import WorkerServer, serve
from emulator.sockets import DEFAULT_NETWORK, Network
from tests.support.waiting import within


def worker(**functions: Any) -> ModuleType:
    """Return a worker module with just these handlers: `worker(fetch=handle)`."""
    module = ModuleType("made_up")
    for name, function in functions.items():
        setattr(module, f"on_{name}", function)
    return module


class Recorder(Observer):
    """Remembers what it is told, as (method's name, what) in `heard`; `wait_for` waits for the next of a name."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    def event_finished(self, record: EventRecord) -> None:
        self._add("event_finished", record)

    def handler_failed(self, label: str, error: BaseException) -> None:
        self._add("handler_failed", error)

    def background_failed(self, label: str, error: BaseException) -> None:
        self._add("background_failed", error)

    def body_failed(self, label: str, error: BaseException) -> None:
        self._add("body_failed", error)

    def connection_failed(self, label: str, address: str, reason: BaseException) -> None:
        self._add("connection_failed", reason)

    def connection_waited(
        self, label: str, address: str, seconds: float, holders: Sequence[str]
    ) -> None:
        self._add("connection_waited", (address, seconds, tuple(holders)))

    def note(self, text: str) -> None:
        self._add("note", text)

    def of(self, name: str) -> list[Any]:
        """Return what was told by `name` so far."""
        return [what for told, what in self.heard if told == name]

    async def wait_for(self, name: str, count: int = 1) -> Any:
        """Wait until `name` was told `count` times; return the last of these."""

        async def look() -> Any:
            while len(self.of(name)) < count:
                self._news.clear()
                await self._news.wait()
            return self.of(name)[count - 1]

        return await within(look())

    def _add(self, name: str, what: Any) -> None:
        self.heard.append((name, what))
        self._news.set()


@asynccontextmanager
async def serving(
    fetch: Callable[..., Any] | None = None,
    *,
    observer: Observer | None = None,
    env: Mapping[str, Any] | None = None,
    connect: Callable[..., Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    network: Network = DEFAULT_NETWORK,
) -> AsyncIterator[WorkerServer]:
    """Serve a worker with these handlers."""
    handlers = {"fetch": fetch, "connect": connect}
    module = worker(**{name: made for name, made in handlers.items() if made is not None})
    async with serve(
        module,
        env=env,
        connect=int(connect is not None),
        observer=observer,
        limits=limits,
        network=network,
    ) as server:
        yield server


@dataclass(frozen=True)
class RawResponse:
    """One response as it came: header names in lower case, the body without its framing."""

    status: int
    reason: str
    headers: list[tuple[str, str]] = field(compare=False)
    body: bytes

    def __getitem__(self, name: str) -> str:
        """Return the header's only value."""
        (value,) = self.all(name)
        return value

    def all(self, name: str) -> list[str]:
        """Return every value of the header."""
        return [value for other, value in self.headers if other == name]


class RawClient:
    """One connection; `reader` and `writer` are asyncio's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send `data`, without waiting."""
        self.writer.write(data)

    def get(
        self, path: str = "/", *headers: str, method: str = "GET", version: str = "1.1"
    ) -> None:
        """Send a request that has no body."""
        lines = [f"{method} {path} HTTP/{version}", "Host: test", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))

    async def head(self) -> RawResponse:
        """Read a response up to its body."""
        text = (await within(self.reader.readuntil(b"\r\n\r\n"))).decode("latin-1")
        status_line, *lines = text.split("\r\n")[:-2]
        version, status, reason = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        pairs = [line.split(": ", 1) for line in lines]
        return RawResponse(
            int(status), reason, [(name.lower(), value) for name, value in pairs], b""
        )

    async def response(self, *, to: str = "GET") -> RawResponse:
        """Read a response to method `to` with its body, by length, chunks or close as its headers say."""
        head = await self.head()
        return RawResponse(head.status, head.reason, head.headers, await self._body(head, to))

    async def chunk(self) -> bytes:
        """Read one chunk, without the line break behind it: that may come with the next one."""
        line = await within(self.reader.readuntil(b"\r\n"))
        if line == b"\r\n":
            line = await within(self.reader.readuntil(b"\r\n"))
        size = int(line, 16)
        data = await within(self.reader.readexactly(size))
        if not size:
            assert await within(self.reader.readexactly(2)) == b"\r\n"
        return data

    async def rest(self) -> bytes:
        """Read to the connection's clean end. Raises ConnectionResetError at a reset."""
        return await within(self.reader.read())

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with suppress(ConnectionError):  # The test has read what it wanted.
            await within(self.writer.wait_closed())

    async def _body(self, head: RawResponse, method: str) -> bytes:
        if method == "HEAD" or head.status in (204, 304) or 100 <= head.status < 200:
            return b""
        if head.all("transfer-encoding"):
            assert head["transfer-encoding"] == "chunked"
            assert not head.all("content-length")
            pieces = []
            while piece := await self.chunk():
                pieces.append(piece)
            return b"".join(pieces)
        if head.all("content-length"):
            return await within(self.reader.readexactly(int(head["content-length"])))
        return await self.rest()


@asynccontextmanager
async def connected(server: WorkerServer) -> AsyncIterator[RawClient]:
    """A raw connection to `server`'s HTTP port."""
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=2**20)
    client = RawClient(reader, writer)
    try:
        yield client
    finally:
        await client.close()


async def exchanged(server: WorkerServer, request: bytes) -> bytes:
    """Send `request` on a connection of its own; return everything up to the end that the server makes."""
    async with connected(server) as client:
        client.send(request)
        return await client.rest()
