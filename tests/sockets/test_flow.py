"""Bytes in motion over a socket: boundaries, both directions at once, back-pressure both ways, pipes."""

from __future__ import annotations

import asyncio
import hashlib
import threading

import pytest

from emulator.errors import SocketError
from emulator.sockets import SocketState, connect
from emulator.sockets.raw_transport import READ_LIMIT_BYTES
from emulator.streams import PromiseState
from tests.sockets.incoming import buffered_bytes
from tests.support.contexts import request
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import until, within

# What kernels may hold between two sockets of this machine, with room to spare.
KERNEL_BYTES = 30_000_000


def echo(peer: Peer) -> None:
    while data := peer.read():
        peer.send(data)


# Details that libraries depend on.


async def test_one_read_gives_what_has_arrived_and_a_single_byte_comes_alone() -> None:
    proceed = threading.Event()

    def script(peer: Peer) -> None:
        peer.send(b"S")
        proceed.wait(10)
        peer.send(b"rest")
        peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            reader = connect(server.address).readable.get_reader()
            assert await within(reader.read()) == (b"S", False)
            proceed.set()
            assert await within(reader.read()) == (b"rest", False)


async def test_trickled_bytes_arrive_as_they_come_and_in_order() -> None:
    async with PeerServer(lambda peer: peer.trickle(b"0123456789")) as server:
        with request():
            reader = connect(server.address).readable.get_reader()
            chunks = []
            while not (result := await within(reader.read())).done:
                assert result.value
                chunks.append(result.value)
    assert b"".join(chunks) == b"0123456789"
    assert len(chunks) > 1


async def test_after_the_end_read_goes_on_answering_done() -> None:
    async with PeerServer(lambda peer: peer.send(b"x")) as server:
        with request():
            socket = connect(server.address)
            reader = socket.readable.get_reader()
            assert await within(reader.read()) == (b"x", False)
            for _ in range(3):
                assert await within(reader.read()) == (None, True)
            await within(socket.closed)
            assert await within(reader.read()) == (None, True)
            reader.release_lock()
            assert await within(socket.readable.get_reader().read()) == (None, True)


async def test_releasing_with_a_read_pending_rejects_it_and_loses_no_byte() -> None:
    async with PeerServer(echo) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            first = socket.readable.get_reader()
            pending = asyncio.ensure_future(first.read())
            await within(socket.opened)
            first.release_lock()
            with pytest.raises(
                TypeError, match=r"^This ReadableStream reader has been released\.$"
            ):
                await within(pending)
            writer.write(b"for the next one")
            second = socket.readable.get_reader()
            assert await within(second.read()) == (b"for the next one", False)


async def test_a_read_that_timed_out_loses_no_byte() -> None:
    async with PeerServer(echo) as server:
        with request():
            socket = connect(server.address)
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            with pytest.raises(TimeoutError):
                await within(reader.read(), 0.05)
            writer.write(b"late")
            assert await within(reader.read()) == (b"late", False)


async def test_reading_in_one_task_while_writing_in_another() -> None:
    count, block = 300, bytes(range(256)) * 128
    async with PeerServer(echo) as server:
        with request():
            socket = connect(server.address)
            sent, received = hashlib.sha256(), hashlib.sha256()

            async def write() -> None:
                writer = socket.writable.get_writer()
                for number in range(count):
                    data = number.to_bytes(4, "big") + block
                    sent.update(data)
                    await writer.ready
                    writer.write(data)
                await writer.close()

            async def read() -> int:
                total = 0
                async for chunk in socket.readable:
                    received.update(chunk)
                    total += len(chunk)
                return total

            _, total = await within(asyncio.gather(write(), read()), 30)
            await within(socket.closed)
    assert total == count * (len(block) + 4)
    assert received.digest() == sent.digest()


# Back-pressure.


async def test_a_peer_that_does_not_read_makes_ready_and_write_wait() -> None:
    async with PeerServer(buffer_bytes=65_536) as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            writer = socket.writable.get_writer()
            await within(socket.opened)
            written = 0
            while writer.ready.settled and written < KERNEL_BYTES:
                last = writer.write(b"." * 65_536)
                written += 65_536
                await asyncio.sleep(0)
            assert written < KERNEL_BYTES
            assert last.state is PromiseState.PENDING
            assert writer.desired_size is not None
            assert writer.desired_size <= 0
            assert socket.wire.buffered_bytes <= 2 * 65_536
            ready = writer.ready
            drained = asyncio.get_running_loop().run_in_executor(None, peer.read_exactly, written)
            await within(ready)
            await within(last)
            assert len(await within(drained)) == written
            assert writer.ready.settled
            assert writer.desired_size == 65_536


@pytest.mark.parametrize("high_water_mark", [1, 1000, 1_000_000])
async def test_the_high_water_mark_holds_on_an_open_connection(high_water_mark: int) -> None:
    async with PeerServer(buffer_bytes=65_536) as server:
        with request():
            socket = connect(server.address, {"highWaterMark": high_water_mark})
            await server.accepted()
            writer = socket.writable.get_writer()
            await within(socket.opened)
            written = 0
            while writer.ready.settled and written < KERNEL_BYTES:
                assert socket.wire.buffered_bytes < high_water_mark
                writer.write(b"." * 10_000)
                written += 10_000
                await asyncio.sleep(0)
            assert high_water_mark <= socket.wire.buffered_bytes < high_water_mark + 10_000


async def test_when_nobody_reads_the_peer_is_held_back_and_memory_bounded() -> None:
    async with PeerServer(buffer_bytes=65_536) as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            await within(socket.opened)
            sent = await asyncio.to_thread(peer.flood, 10**9)
            assert 65_536 <= sent < KERNEL_BYTES
            assert buffered_bytes(socket) <= 65_536 + READ_LIMIT_BYTES
            peer.half_close()
            received = 0
            async for chunk in socket.readable:
                received += len(chunk)
                assert buffered_bytes(socket) <= 65_536 + READ_LIMIT_BYTES
            assert received == sent


# Pipes.


async def test_pipe_to_from_socket_to_socket_moves_everything_and_closes() -> None:
    data = bytes(range(256)) * 20_000

    def sender(peer: Peer) -> None:
        peer.send(data)
        peer.half_close()
        peer.wait_for_eof()

    async with PeerServer(sender) as source, PeerServer(Peer.wait_for_eof) as sink:
        with request():
            incoming, outgoing = connect(source.address), connect(sink.address)
            piping = incoming.readable.pipe_to(outgoing.writable)
            assert incoming.readable.locked
            assert outgoing.writable.locked
            await within(piping, 30)
            await within(incoming.closed)
            assert outgoing.state is SocketState.WRITE_ENDED
            await within(outgoing.readable.get_reader().read())
            await within(outgoing.closed)
        assert await within(sink.result()) == data


async def test_pipe_to_holds_a_fast_sender_back_for_a_slow_reader() -> None:
    def slow_reader(peer: Peer) -> int:
        return peer.read_slowly(4_000_000)

    async with (
        PeerServer(lambda peer: peer.send(b"." * 4_000_000), buffer_bytes=65_536) as source,
        PeerServer(slow_reader, buffer_bytes=65_536) as sink,
    ):
        with request():
            incoming, outgoing = connect(source.address), connect(sink.address)
            piping = incoming.readable.pipe_to(outgoing.writable)
            most = 0
            while not piping.settled:
                most = max(most, outgoing.wire.buffered_bytes)
                await asyncio.sleep(0)
            await within(piping)
        assert await within(sink.result()) == 4_000_000
    assert most <= 65_536 + READ_LIMIT_BYTES


async def test_an_echo_is_one_line() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address, allow_half_open=True)
            peer = await server.accepted()
            piping = socket.readable.pipe_to(socket.writable)
            peer.send(b"there and back")
            await asyncio.to_thread(peer.expect, b"there and back")
            peer.half_close()
            assert await asyncio.to_thread(peer.wait_for_eof) == b""
            await within(piping)
            await within(socket.closed)


async def test_a_reset_source_resets_the_sink_so_that_its_peer_can_tell() -> None:
    async with PeerServer() as source, PeerServer() as sink:
        with request():
            incoming, outgoing = connect(source.address), connect(sink.address)
            sender, receiver = await source.accepted(), await sink.accepted()
            piping = incoming.readable.pipe_to(outgoing.writable)
            sender.send(b"half")
            await asyncio.to_thread(receiver.expect, b"half")
            sender.reset()
            with pytest.raises(SocketError, match=r"^Network connection lost\.$"):
                await within(piping)
            await asyncio.to_thread(receiver.wait_for_reset)


async def test_a_sink_that_closes_ends_the_pipe_and_lets_the_source_go() -> None:
    async with PeerServer() as source, PeerServer() as sink:
        with request():
            incoming, outgoing = connect(source.address), connect(sink.address)
            sender, receiver = await source.accepted(), await sink.accepted()
            piping = incoming.readable.pipe_to(outgoing.writable)
            receiver.half_close()
            await within(outgoing.readable.get_reader().read())
            sender.send(b"nobody is there any more")
            with pytest.raises(TypeError, match=r"^This WritableStream has been closed\.$"):
                await within(piping)
            assert await asyncio.to_thread(receiver.wait_for_eof) == b""
            await until(lambda: incoming.state is SocketState.READ_ENDED, "the source to be let go")
