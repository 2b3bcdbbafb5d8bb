"""A connection within the process behaves as one over TCP: the same cases, on both."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from emulator.sockets.in_memory import IN_FLIGHT_BYTES, MemoryTransport, connect_in_memory
from emulator.sockets.reset import reset_connection
from tests.support.waiting import until


class End(asyncio.Protocol):
    """One end, which remembers what it hears. `half_open` keeps its side open when the other ends."""

    def __init__(self, *, half_open: bool = True) -> None:
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.data = b""
        self.heard: list[str] = []
        self.error: Exception | None = None
        self._half_open = half_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.heard.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.heard.append("eof")
        return self._half_open

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.heard.append("lost")

    def count(self, event: str) -> int:
        """How often `event` was heard."""
        return self.heard.count(event)


Connecting = Callable[[End, End], Awaitable[None]]


async def in_memory(near: End, far: End) -> None:
    connect_in_memory(near, far)
    await until(lambda: near.heard and far.heard, "both to be connected")


async def over_tcp(near: End, far: End) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: far, "127.0.0.1", 0)
    await loop.create_connection(lambda: near, *server.sockets[0].getsockname())
    await until(lambda: far.heard, "the connection to arrive")
    server.close()


@asynccontextmanager
async def ends(connect: Connecting, *, half_open: bool = True) -> AsyncIterator[tuple[End, End]]:
    near, far = End(half_open=half_open), End(half_open=half_open)
    await connect(near, far)
    try:
        yield near, far
    finally:
        for end in (near, far):
            end.transport.abort()
        await until(lambda: near.count("lost") and far.count("lost"), "the connection's end")
    assert near.count("lost") == far.count("lost") == 1


both_kinds = pytest.mark.parametrize("connect", [in_memory, over_tcp])


@both_kinds
async def test_bytes_in_order_both_ways(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        for number in range(100):
            near.transport.write(b"%d " % number)
        far.transport.write(memoryview(b"back"))
        await until(lambda: far.data.endswith(b"99 ") and near.data, "the bytes")
        assert far.data == b"".join(b"%d " % number for number in range(100))
        assert near.data == b"back"


@both_kinds
async def test_an_end_one_way_leaves_the_other_open(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        near.transport.write(b"last")
        near.transport.write_eof()
        await until(lambda: far.count("eof"), "the end")
        assert far.data == b"last"
        far.transport.write(b"answer")
        await until(lambda: near.data == b"answer", "the answer")
        with pytest.raises(RuntimeError):
            near.transport.write(b"more")
        assert near.count("lost") == 0


@both_kinds
async def test_an_end_that_is_answered_by_closing(connect: Connecting) -> None:
    async with ends(connect, half_open=False) as (near, far):
        near.transport.write_eof()
        await until(lambda: near.count("lost") and far.count("lost"), "both ends")
        assert (near.error, far.error) == (None, None)


@both_kinds
async def test_closing_sends_what_was_written(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        near.transport.write(b"x" * 1000)
        near.transport.close()
        assert near.transport.is_closing()
        await until(lambda: far.count("eof") and near.count("lost"), "the end")
        assert (len(far.data), near.error) == (1000, None)


@both_kinds
async def test_a_reset_is_an_error_at_the_other_end(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        far.transport.pause_reading()
        near.transport.write(b"lost")
        reset_connection(near.transport)
        await until(lambda: near.count("lost"), "this end")
        far.transport.resume_reading()
        await until(lambda: far.count("lost"), "the other end")
        assert isinstance(far.error, ConnectionResetError)
        assert far.error.errno == errno.ECONNRESET
        assert near.error is None


@both_kinds
async def test_writing_to_an_end_that_is_gone(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        far.transport.close()
        await until(lambda: near.count("eof") and far.count("lost"), "the other end's")

        def broken() -> bool:
            if not near.transport.is_closing():
                near.transport.write(b"x")
            return bool(near.count("lost"))

        await until(broken, "the connection to break")
        assert isinstance(near.error, ConnectionError)


@both_kinds
async def test_a_paused_reader_holds_the_writer_back(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        far.transport.pause_reading()
        near.transport.set_write_buffer_limits(high=100_000)
        written = 0
        while not near.count("pause"):
            near.transport.write(bytes(50_000))
            written += 50_000
            await asyncio.sleep(0)
        assert far.data == b""
        assert near.transport.get_write_buffer_size() > 0
        far.transport.resume_reading()
        await until(lambda: near.count("resume"), "room")
        await until(lambda: len(far.data) == written, "the rest")
        assert near.transport.get_write_buffer_size() == 0


@both_kinds
async def test_a_limit_of_nothing_tells_when_everything_is_sent(connect: Connecting) -> None:
    async with ends(connect) as (near, far):
        far.transport.pause_reading()
        near.transport.write(bytes(20_000_000))
        near.transport.set_write_buffer_limits(high=0)
        assert near.count("pause") == 1
        far.transport.resume_reading()
        await until(lambda: near.count("resume"), "everything to be sent")
        assert near.transport.get_write_buffer_size() == 0


async def test_what_is_in_flight_counts_as_sent() -> None:
    async with ends(in_memory) as (near, far):
        far.transport.pause_reading()
        near.transport.write(bytes(IN_FLIGHT_BYTES))
        assert near.transport.get_write_buffer_size() == 0
        near.transport.write(b"x")
        assert near.transport.get_write_buffer_size() == 1


async def test_its_repr_tells_its_state() -> None:
    async with ends(in_memory) as (near, _):
        assert isinstance(near.transport, MemoryTransport)
        assert repr(near.transport) == "<MemoryTransport open arrived=0>"
        near.transport.close()
        assert repr(near.transport) == "<MemoryTransport closing arrived=0>"
