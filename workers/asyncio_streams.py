"""A Socket as asyncio has it: a Transport, or a StreamReader and StreamWriter.

For worker code that wants `readexactly`, `readuntil` and `drain`, and for asyncio libraries that want a transport. Copy
it beside your worker: it uses nothing but the Socket's own API, so it deploys with it.

    socket = connect(env.DATABASE, secure_transport="starttls")
    reader, writer = await open_streams(socket)
    writer.write(b"STARTTLS\\r\\n")
    await reader.readline()
    await writer.start_tls()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from cloudflare.sockets import Socket

READ_LIMIT_BYTES = 65_536

P = TypeVar("P", bound=asyncio.BaseProtocol)


class SocketTransport(asyncio.Transport):
    """Runs an asyncio Protocol over a Socket: what arrives is fed to it, what it writes is sent."""

    def __init__(self, socket: Socket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.socket = socket
        self._protocol = protocol
        self._reader = socket.readable.get_reader()
        self._writer = socket.writable.get_writer()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._room: asyncio.Task[None] | None = None
        self._closing = False
        protocol.connection_made(self)
        self._reading = asyncio.create_task(self._read())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `default`: the platform tells nothing of the connection beneath."""
        return default

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._may_read.is_set()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`; the protocol is told to pause while too much waits to be sent."""
        if self._closing or not data:
            return
        self._writer.write(bytes(data))
        if (self._writer.desired_size or 0) <= 0 and self._room is None:
            self._protocol.pause_writing()
            self._room = asyncio.create_task(self._wait_for_room())

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return max(0, READ_LIMIT_BYTES - (self._writer.desired_size or 0))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._writer.close()

    def close(self) -> None:
        """Send what is written, close, and tell the protocol."""
        if not self._closing:
            self._closing = True
            self._reading.cancel()
            asyncio.ensure_future(self.socket.close()).add_done_callback(self._closed)

    def abort(self) -> None:
        self._writer.abort()
        self.close()

    async def start_tls(self) -> None:
        """Go on over TLS; what was written before is sent in the clear. Raises what the handshake raises."""
        self._reading.cancel()
        self.socket = self.socket.start_tls()
        self._reader = self.socket.readable.get_reader()
        self._writer = self.socket.writable.get_writer()
        await self.socket.opened
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        protocol = cast(asyncio.Protocol, self._protocol)
        try:
            while True:
                await self._may_read.wait()
                value, done = await self._reader.read()
                if done or value is None:
                    break
                protocol.data_received(value)
        except OSError as error:
            self._closing = True
            protocol.connection_lost(error)
            return
        if not protocol.eof_received():
            self.close()

    async def _wait_for_room(self) -> None:
        try:
            await self._writer.ready
        except OSError:
            return  # Reading fails too, and says so.
        finally:
            self._room = None
        self._protocol.resume_writing()

    def _closed(self, _: object) -> None:
        cast(asyncio.Protocol, self._protocol).connection_lost(None)


class SocketWriter(asyncio.StreamWriter):
    """A StreamWriter that can upgrade its connection."""

    async def start_tls(self, *args: Any, **kwargs: Any) -> None:
        """Go on over TLS, with the certificate check of connect(). The reader goes on too."""
        await self.drain()
        await cast(SocketTransport, self.transport).start_tls()


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
