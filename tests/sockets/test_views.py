"""Reading a connection into views of one's own: `socket.readable.get_reader(mode="byob")`, over real TCP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.sockets import Socket, connect
from emulator.streams import ReadableStreamBYOBReader
from tests.support.contexts import request
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within


def trickle(peer: Peer) -> None:
    """Send a length in two bytes and so many bytes, one by one; then the end, when that is asked for."""
    peer.trickle(b"\0\5hello, and more", pause_seconds=0.001)
    peer.expect(b"!")


def reader_of(socket: Socket) -> ReadableStreamBYOBReader:
    reader = socket.readable.get_reader(mode="byob")
    assert isinstance(reader, ReadableStreamBYOBReader)
    return reader


async def filled(reader: ReadableStreamBYOBReader, count: int) -> bytes:
    """Read `count` bytes, as a protocol that tells lengths does."""
    view = bytearray(count)
    value, done = await within(reader.read_at_least(count, view))
    assert not done
    assert bytes(value) == view
    return bytes(view)


async def test_a_protocol_of_lengths_is_read_without_a_buffer_of_its_own() -> None:
    async with PeerServer(trickle) as server:
        with request():
            socket = connect(server.address)
            reader = reader_of(socket)
            length = int.from_bytes(await filled(reader, 2), "big")
            assert await filled(reader, length) == b"hello"
            rest = bytearray(64)
            await within(socket.writable.get_writer().write(b"!"))
            value, done = await within(reader.read(rest, min=64))
            assert (bytes(value), done) == (b", and more", False)
            value, done = await within(reader.read(rest))
            assert (bytes(value), done) == (b"", True)
        await within(server.result())


async def test_a_wait_that_timed_out_loses_nothing() -> None:
    async with PeerServer(trickle) as server:
        with request():
            socket = connect(server.address)
            reader = reader_of(socket)
            assert await filled(reader, 2) == b"\0\5"
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read_at_least(64, bytearray(64)), 0.05)
            assert await filled(reader, 5) == b"hello"
            await within(socket.writable.get_writer().write(b"!"))
        await within(server.result())


async def test_a_reader_that_is_released_leaves_what_it_had_to_the_next() -> None:
    async with PeerServer(trickle) as server:
        with request():
            socket = connect(server.address)
            reader = reader_of(socket)
            pending = reader.read_at_least(64, bytearray(64))
            await within(socket.opened)
            reader.release_lock()
            with pytest.raises(TypeError, match="has been released"):
                await pending
            seen: Any = b""
            chunks = socket.readable.get_reader()
            while len(seen) < 17:
                seen += (await within(chunks.read())).value
            assert seen == b"\0\5hello, and more"
            await within(socket.writable.get_writer().write(b"!"))
        await within(server.result())
