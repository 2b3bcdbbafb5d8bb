"""A transport on a socket's own system calls: order, back-pressure, both ends, faults of a protocol."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from emulator.sockets.raw_transport import (
    READ_BYTES,
    READ_GROWTH,
    READS_LIMIT,
    RawTransport,
    StreamProtocol,
)
from emulator.sockets.readiness import READINESS_KNOWN, readiness_of
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not READINESS_KNOWN, reason="needs epoll")

MUCH_BYTES = 8_000_000


class Told(StreamProtocol):
    """Writes down what its transport says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.pieces: list[bytes] = []
        self.error: Exception | None = None
        self.half_open = True
        self.fault: Exception | None = None
        self.stop_after_turn: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.said.append("made")

    def data_received(self, data: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        if self.stop_after_turn is not None and not self.pieces:
            asyncio.get_running_loop().call_soon(self.stop_after_turn)
        self.pieces.append(data)

    def eof_received(self) -> bool:
        self.said.append("end")
        return self.half_open

    def pause_writing(self) -> None:
        self.said.append("full")

    def resume_writing(self) -> None:
        self.said.append("room")

    def connection_lost(self, exc: Exception | None) -> None:
        self.said.append("lost")
        self.error = exc


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection, neither of which blocks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = socket.create_connection(listener.getsockname())
        there, _ = listener.accept()
    here.setblocking(False)
    there.setblocking(False)
    with here, there:
        yield here, there


def serve(raw: socket.socket) -> tuple[RawTransport, Told]:
    told = Told()
    transport = RawTransport(raw, told, readiness_of(asyncio.get_running_loop()))
    transport.begin()
    return transport, told


async def read_all(raw: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    pieces = []
    while data := await loop.sock_recv(raw, 1_000_000):
        pieces.append(data)
    return b"".join(pieces)


async def test_what_does_not_go_out_at_once_follows_in_order_and_then_the_end(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    transport.set_write_buffer_limits(high=100_000)
    whole = b"".join(number.to_bytes(4, "big") for number in range(MUCH_BYTES // 4))
    for start in range(0, len(whole), 100_003):
        transport.write(bytearray(whole[start : start + 100_003]))
    transport.write_eof()
    assert transport.get_write_buffer_size() > 100_000
    assert await read_all(pair[1]) == whole
    await until(lambda: "room" in told.said, "room")
    assert told.said == ["made", "full", "room"]
    transport.close()
    await until(lambda: told.said[-1] == "lost", "the end")
    assert told.error is None


async def test_close_sends_what_is_queued_first(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    transport.set_write_buffer_limits()
    transport.write(bytes(MUCH_BYTES))
    transport.close()
    assert transport.is_closing()
    transport.write(b"too late")
    assert len(await read_all(pair[1])) == MUCH_BYTES
    await until(lambda: told.said[-1] == "lost", "the end")
    assert told.error is None
    assert pair[0].fileno() == -1


async def test_abort_drops_what_is_queued(pair: tuple[socket.socket, socket.socket]) -> None:
    transport, told = serve(pair[0])
    transport.set_write_buffer_limits()
    transport.write(bytes(MUCH_BYTES))
    transport.abort()
    assert len(await read_all(pair[1])) < MUCH_BYTES
    await until(lambda: told.said[-1] == "lost", "the end")
    assert told.error is None


async def test_nothing_is_delivered_while_reading_is_paused(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    pair[1].send(b"one")
    await until(lambda: told.pieces, "the first piece")
    transport.pause_reading()
    pair[1].send(b"two")
    pair[1].shutdown(socket.SHUT_WR)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (told.pieces, told.said) == ([b"one"], ["made"])
    transport.resume_reading()
    await until(lambda: "end" in told.said, "the end")
    assert told.pieces == [b"one", b"two"]
    transport.write(b"still open")
    assert await asyncio.get_running_loop().sock_recv(pair[1], 100) == b"still open"
    transport.close()
    await until(lambda: told.said[-1] == "lost", "the end")


async def test_the_peers_end_closes_unless_the_protocol_keeps_its_own_side_open(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    _, told = serve(pair[0])
    told.half_open = False
    pair[1].close()
    await until(lambda: told.said[-1] == "lost", "the end")
    assert told.said == ["made", "end", "lost"]
    assert told.error is None


async def test_pieces_grow_with_what_there_is_to_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    await asyncio.get_running_loop().sock_sendall(pair[1], bytes(MUCH_BYTES))
    await until(lambda: sum(map(len, told.pieces)) == MUCH_BYTES, "everything")
    assert len(told.pieces[0]) <= READ_BYTES < max(map(len, told.pieces))
    transport.abort()
    await until(lambda: told.said[-1] == "lost", "the end")


def fill(raw: socket.socket) -> None:
    """Send until the operating system takes no more."""
    with suppress(BlockingIOError):
        while True:
            raw.send(bytes(MUCH_BYTES))


async def test_pieces_are_smaller_again_where_reading_was_paused(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    await asyncio.get_running_loop().sock_sendall(pair[1], bytes(MUCH_BYTES))
    await until(lambda: sum(map(len, told.pieces)) == MUCH_BYTES, "everything")
    largest = max(map(len, told.pieces))
    transport.pause_reading()
    fill(pair[1])
    told.pieces.clear()
    transport.resume_reading()
    await until(lambda: told.pieces, "more")
    assert len(told.pieces[0]) <= max(largest // READ_GROWTH, READ_BYTES)
    transport.abort()
    await until(lambda: told.said[-1] == "lost", "the end")


async def test_a_turn_reads_several_pieces_but_not_for_ever(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    transport, told = serve(pair[0])
    told.stop_after_turn = transport.pause_reading
    transport.pause_reading()
    fill(pair[1])
    transport.resume_reading()
    await until(lambda: told.pieces, "the first turn's pieces")
    assert 1 < len(told.pieces) <= READS_LIMIT
    transport.abort()
    await until(lambda: told.said[-1] == "lost", "the end")


async def test_a_protocol_that_raises_loses_its_connection_and_no_other(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    heard: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    _, told = serve(pair[0])
    other, other_told = serve(pair[1])
    told.fault = ValueError("a fault of ours")
    other.write(b"go")
    await until(lambda: told.said[-1] == "lost", "the end")
    assert told.error is told.fault
    assert [each["exception"] for each in heard] == [told.fault]
    await until(lambda: "end" in other_told.said, "the other end")
    other.close()
    await until(lambda: other_told.said[-1] == "lost", "the other's end")


class Ending(Told):
    """Takes the last bytes and the end in one."""

    takes_end = True

    def last_received(self, data: bytes) -> bool:
        self.said.append(f"last {data!r}")
        return self.half_open


async def test_the_last_bytes_and_the_end_come_in_one_to_who_takes_them_so(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    told = Ending()
    pair[1].send(b"bye")
    pair[1].shutdown(socket.SHUT_WR)
    transport = RawTransport(pair[0], told, readiness_of(asyncio.get_running_loop()))
    transport.begin()
    await until(lambda: len(told.said) > 1, "the end")
    assert (told.said, told.pieces) == (["made", "last b'bye'"], [])
    transport.write(b"still here")
    assert await asyncio.get_running_loop().sock_recv(pair[1], 100) == b"still here"
    transport.close()
    await until(lambda: told.said[-1] == "lost", "the loss")


async def test_who_does_not_take_them_so_hears_of_the_end_later_or_asks_for_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[1].send(b"bye")
    pair[1].shutdown(socket.SHUT_WR)
    transport, told = serve(pair[0])
    assert not transport.take_end()  # Nothing was read yet.
    await until(lambda: told.pieces, "the last bytes")
    if "end" not in told.said:
        assert transport.take_end()
    assert not transport.take_end()
    transport.close()
    await until(lambda: told.said[-1] == "lost", "the loss")
    assert told.pieces == [b"bye"]


async def test_a_reset_behind_the_last_bytes_is_no_end(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    told = Ending()
    pair[1].send(b"cut")
    pair[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    pair[1].close()
    RawTransport(pair[0], told, readiness_of(asyncio.get_running_loop())).begin()
    await until(lambda: told.said[-1] == "lost", "the loss")
    assert isinstance(told.error, ConnectionResetError)
    assert "last b'cut'" not in told.said
