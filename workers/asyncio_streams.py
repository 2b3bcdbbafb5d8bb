"""A Socket as asyncio has it: a Transport, or a StreamReader and StreamWriter.

For worker code that wants `readexactly`, `readuntil` and `drain`, and for asyncio libraries that want a transport. Copy
it beside your worker: it uses nothing but the Socket's own API, so it deploys with it. The connection stays the
request's: its end closes what is still open, and tells the protocol.

    socket = connect(env.DATABASE, secure_transport="starttls")
    reader, writer = await open_streams(socket)
    writer.write(b"STARTTLS\\r\\n")
    await reader.readline()
    await writer.start_tls()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeVar, cast

from cloudflare.sockets import Socket

READ_LIMIT_BYTES = 65_536

P = TypeVar("P", bound=asyncio.BaseProtocol)


class TransportState(Enum):
    """Where a transport is in its life."""

    OPEN = "open"
    ENDING = "the connection is over; what came before is still delivered"
    CLOSING = "closed from here; what was written is still sent"
    LOST = "over, and the protocol knows"


class SocketTransport(asyncio.Transport):
    """Runs an asyncio Protocol over an open Socket: what arrives is fed to it, what it writes is sent."""

    def __init__(self, socket: Socket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._state = TransportState.OPEN
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._room: asyncio.Task[None] | None = None
        self._begin(socket)
        protocol.connection_made(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `default`: the platform tells nothing of the connection beneath."""
        return default

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._state is not TransportState.OPEN

    def is_reading(self) -> bool:
        return self._may_read.is_set()

    def pause_reading(self) -> None:
        # Once the connection is over, there is little left and no peer to hold back.
        if self._state is TransportState.OPEN:
            self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`; the protocol is told to pause while too much waits to be sent."""
        if self._state is not TransportState.OPEN or not data:
            return
        self._writer.write(bytes(data))
        if (self._writer.desired_size or 0) <= 0 and self._room is None:
            self._protocol.pause_writing()
            self._room = asyncio.create_task(self._wait_for_room())

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return max(0, self._write_limit_bytes - int(self._writer.desired_size or 0))

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return 0, self._write_limit_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Change nothing: connect()'s highWaterMark is the limit."""

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._writer.close()

    def close(self) -> None:
        """Send what is written, close, and tell the protocol."""
        if self._delivers():
            self._state = TransportState.CLOSING
            self._may_read.set()
            with contextlib.suppress(Exception):  # It is closed already, with its request.
                self.socket.close()

    def abort(self) -> None:
        """Close without sending what waits to be sent; the peer can tell."""
        with contextlib.suppress(Exception):  # It is closed already, with its request.
            self._writer.abort()
        self.close()

    async def start_tls(self) -> None:
        """Go on over TLS; what was written before is sent in the clear. Raises what the handshake raises."""
        secured = self.socket.start_tls()
        self._running.cancel()
        self._watching.cancel()
        try:
            await secured.opened
        except BaseException as error:
            secured.close()
            self._lose(error if isinstance(error, Exception) else None)
            raise
        self._begin(secured)

    def _begin(self, socket: Socket) -> None:
        self.socket = socket
        self._closed = socket.closed
        self._reader = socket.readable.get_reader()
        self._writer = socket.writable.get_writer()
        self._write_limit_bytes = int(self._writer.desired_size or READ_LIMIT_BYTES)
        self._running = asyncio.create_task(self._run())
        self._watching = asyncio.create_task(self._watch())

    async def _run(self) -> None:
        """Feed the protocol until the connection is over, and tell it why it is."""
        failure = None
        try:
            await self._deliver()
            await self._closed
        except Exception as error:
            failure = error
            self.abort()
        self._lose(failure)

    async def _deliver(self) -> None:
        while self._delivers():
            await self._may_read.wait()
            value, done = await self._reader.read()
            if not self._delivers():
                return
            protocol = self._protocol
            if done or value is None:
                if not cast(asyncio.Protocol, protocol).eof_received():
                    self.close()
                return
            if isinstance(protocol, asyncio.BufferedProtocol):
                _fill(protocol, memoryview(value))
            else:
                cast(asyncio.Protocol, protocol).data_received(value)

    def _delivers(self) -> bool:
        return self._state in (TransportState.OPEN, TransportState.ENDING)

    async def _watch(self) -> None:
        """See to it that an end is noticed while reading is paused."""
        with contextlib.suppress(OSError):
            await self._closed
        if self._state is TransportState.OPEN:
            self._state = TransportState.ENDING
        self._may_read.set()

    async def _wait_for_room(self) -> None:
        try:
            await self._writer.ready
        except (OSError, TypeError):
            return  # Reading fails or ends too, and says so.
        finally:
            self._room = None
        self._protocol.resume_writing()

    def _lose(self, error: Exception | None) -> None:
        self._state = TransportState.LOST
        cast(asyncio.Protocol, self._protocol).connection_lost(error)


def _fill(protocol: asyncio.BufferedProtocol, data: memoryview) -> None:
    """Put `data` into the buffers that `protocol` provides."""
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        count = min(len(buffer), len(data))
        if not count:
            raise RuntimeError("get_buffer() returned an empty buffer.")
        buffer[:count] = data[:count]
        protocol.buffer_updated(count)
        data = data[count:]


class SocketWriter(asyncio.StreamWriter):
    """A StreamWriter that can upgrade its connection."""

    def __init__(
        self,
        transport: SocketTransport,
        protocol: asyncio.BaseProtocol,
        reader: asyncio.StreamReader,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(transport, protocol, reader, loop)
        self._incoming = reader

    async def start_tls(self, *args: Any, **kwargs: Any) -> None:
        """Go on over TLS, with the certificate check of connect(). The reader goes on too.

        Raises what the handshake raises, and ConnectionError when there is something to read: it came in the clear,
        where anybody could have sent it, and would pass for the server's.
        """
        await self.drain()
        early = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                early = await self._incoming.read(READ_LIMIT_BYTES)
        if early:
            self.transport.abort()
            raise ConnectionError(f"{len(early)} bytes came before TLS: {early[:40]!r}")
        await cast(SocketTransport, self.transport).start_tls()

    def __del__(self, *_: object) -> None:
        """Leave the connection as it is: the reader may go on, and the request's end closes it."""


async def open_streams(
    socket: Socket, limit: int = READ_LIMIT_BYTES
) -> tuple[asyncio.StreamReader, SocketWriter]:
    """Wait until `socket` is open and return its streams as asyncio has them.

    `limit` is how many bytes `readuntil` and `readline` look through. Raises what `socket.opened` raises.
    """
    await socket.opened
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = SocketTransport(socket, protocol)
    return reader, SocketWriter(transport, protocol, reader, loop)


async def open_transport(
    socket: Socket, make_protocol: Callable[[], P]
) -> tuple[SocketTransport, P]:
    """Wait until `socket` is open and run the protocol that `make_protocol()` returns over it."""
    await socket.opened
    protocol = make_protocol()
    return SocketTransport(socket, protocol), protocol
