"""A socket's life over real TCP: connect.md, "Life of a socket" 1 to 9, rule by rule."""

from __future__ import annotations

import asyncio
import errno
import re
import threading

import pytest

from emulator.errors import SocketError
from emulator.http import Response
from emulator.sockets import Socket, SocketState, connect
from emulator.streams import PromiseState
from tests.sockets.incoming import buffered_bytes
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Blackhole, Peer, PeerServer, refusing_port
from tests.support.waiting import until, within

CANNOT_CONNECT = "proxy request failed, cannot connect to the specified address"
LOST = "Network connection lost."


def wait_for_eof(peer: Peer) -> bytes:
    return peer.wait_for_eof()


def reset_when_asked(peer: Peer) -> None:
    peer.expect(b"!")
    peer.reset()


async def read_all(socket: Socket) -> bytes:
    data = b""
    async for chunk in socket.readable:
        data += chunk
    return data


# 1. connect() returns; the rest goes on behind it.


async def test_what_is_written_before_the_connection_is_open_is_sent_in_order() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            await within(writer.ready)
            written = [
                writer.write(part) for part in (b"one ", bytearray(b"two "), memoryview(b"3"))
            ]
            assert socket.state is SocketState.CONNECTING
            await within(asyncio.gather(*written))
            await within(writer.close())
        assert await within(server.result()) == b"one two 3"


async def test_a_buffer_that_is_changed_after_the_write_was_sent_as_it_was() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            buffer = bytearray(b"before")
            writer = connect(server.address).writable.get_writer()
            writer.write(buffer)
            buffer[:] = b"after!"
            await within(writer.close())
        assert await within(server.result()) == b"before"


async def test_back_pressure_counts_from_the_first_byte() -> None:
    with Blackhole() as hole, request():
        socket = connect(hole.address, high_water_mark=10)
        writer = socket.writable.get_writer()
        assert writer.desired_size == 10
        first = writer.write(b"123456789")
        assert writer.desired_size == 1
        assert writer.ready.state is PromiseState.FULFILLED
        writer.write(b"0")
        assert writer.desired_size == 0
        assert not writer.ready.settled
        assert first.state is PromiseState.PENDING


async def test_a_writer_that_closes_before_the_connection_is_open_loses_nothing() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"all of it")
            await within(writer.close())
            await within(socket.closed)
        assert await within(server.result()) == b"all of it"


# 2. Success.


async def test_opened_may_be_awaited_by_many_and_a_cancelled_waiter_harms_nobody() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(f"localhost:{server.port}")  # A name: its look-up takes a while.
            waiters = [asyncio.ensure_future(socket.opened) for _ in range(5)]
            await asyncio.sleep(0)
            waiters[2].cancel()
            done = await within(asyncio.gather(*waiters, return_exceptions=True))
            assert isinstance(done.pop(2), asyncio.CancelledError)
            names = [info.remote_address for info in done]  # type: ignore[union-attr]
            assert names == [f"localhost:{server.port}"] * 4
            assert (await within(socket.opened)) is (await within(socket.opened))


async def test_opened_and_closed_run_nothing_and_warn_of_nothing_when_nobody_awaits() -> None:
    with refusing_port() as refusing, request():
        socket = connect(f"127.0.0.1:{refusing.getsockname()[1]}")
        await until(lambda: socket.state is SocketState.FAILED, "the failure")


# 3. Failure.


async def test_a_refused_connection_rejects_both_promises_with_the_same_error() -> None:
    observer = RecordingObserver()
    with refusing_port() as refusing, request(observer=observer):
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        socket = connect(address)
        with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$") as opened:
            await within(socket.opened)
        with pytest.raises(SocketError) as closed:
            await within(socket.closed)
        assert closed.value is opened.value
        assert isinstance(opened.value.__cause__, ConnectionRefusedError)
        assert opened.value.__cause__.errno == errno.ECONNREFUSED
        assert observer.failures == [("GET /", address, opened.value.__cause__)]
        assert repr(socket) == f"<Socket {address} failed>"


@pytest.mark.parametrize("port", [80, 443])
async def test_for_http_ports_the_message_points_at_fetch(port: int) -> None:
    with request():
        socket = connect({"hostname": "", "port": port})
        sentence = (
            f"{CANNOT_CONNECT}. It looks like you might be trying to connect to a HTTP-based service — "
            "consider using fetch instead"
        )
        with pytest.raises(SocketError, match=f"^{re.escape(sentence)}$"):
            await within(socket.opened)


async def test_an_empty_host_passes_and_fails_on_connecting() -> None:
    with request():
        socket = connect({"hostname": "", "port": 7})
        with pytest.raises(SocketError, match=CANNOT_CONNECT) as failed:
            await within(socket.opened)
        assert "the host name is empty" in str(failed.value.__cause__)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 70, "[::1"])
async def test_a_name_that_does_not_exist_fails_with_the_systems_reason(host: str) -> None:
    with request():
        socket = connect({"hostname": host, "port": 7})
        with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$") as failed:
            await within(socket.opened)
        assert isinstance(failed.value.__cause__, OSError)
        assert str(failed.value.__cause__)


async def test_a_failure_cancels_the_readable_and_rejects_what_was_written() -> None:
    with refusing_port() as refusing, request():
        socket = connect(f"127.0.0.1:{refusing.getsockname()[1]}")
        reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
        reading, writing = reader.read(), writer.write(b"x")
        assert await within(reading) == (None, True)
        with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$"):
            await within(writing)
        with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$"):
            await within(writer.ready)
        with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$"):
            await within(writer.closed)


# 4. EOF from the peer.


async def test_the_peers_end_closes_both_sides_after_the_last_byte_is_read() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"last words")
        peer.half_close()
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"queued")
            assert await within(read_all(socket)) == b"last words"
            await within(socket.closed)
            with pytest.raises(TypeError, match=r"^This WritableStream has been closed\.$"):
                await within(writer.write(b"too late"))
        assert await within(server.result()) == b"queued"


async def test_the_peers_end_flushes_what_is_queued_first() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> int:
        peer.half_close()
        go_on.wait(10)
        return len(peer.wait_for_eof())

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address)
            socket.writable.get_writer().write(b"x" * 10_000_000)
            assert await within(read_all(socket)) == b""
            assert not socket.closed.settled
            go_on.set()
            await within(socket.closed)
        assert await within(server.result()) == 10_000_000


async def test_with_allow_half_open_the_writable_stays_open_after_the_peers_end() -> None:
    def script(peer: Peer) -> bytes:
        peer.half_close()
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address, allowHalfOpen=True)
            assert await within(read_all(socket)) == b""
            assert socket.state is SocketState.READ_ENDED
            writer = socket.writable.get_writer()
            await within(writer.write(b"still here"))
            assert not socket.closed.settled
            await within(writer.close())
            await within(socket.closed)
        assert await within(server.result()) == b"still here"


async def test_with_allow_half_open_a_reset_after_the_peers_end_settles_closed() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address, allow_half_open=True)
            peer = await server.accepted()
            peer.half_close()
            assert await within(read_all(socket)) == b""
            peer.reset()
            with pytest.raises(SocketError, match=LOST):
                await within(socket.closed)


# 5. writable.close().


async def test_closing_the_writer_sends_fin_and_reading_goes_on() -> None:
    def script(peer: Peer) -> None:
        assert peer.wait_for_eof() == b"question"
        peer.trickle(b"answer")

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"question")
            await within(writer.close())
            await within(writer.closed)
            assert socket.state is SocketState.WRITE_ENDED
            assert not socket.closed.settled
            assert await within(read_all(socket)) == b"answer"
            await within(socket.closed)
            with pytest.raises(TypeError, match=r"^This WritableStream has been closed\.$"):
                await within(writer.close())


# 6. close().


async def test_close_is_idempotent_flushes_and_gives_the_same_settlement() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            await within(socket.opened)
            writer = socket.writable.get_writer()
            writer.write(b"x" * 3_000_000)
            closing = socket.close()
            assert socket.close() is closing
            await within(closing)
            await within(socket.closed)
            assert socket.close() is closing
            assert socket.state is SocketState.CLOSED
        assert len(await within(server.result())) == 3_000_000


async def test_close_before_opened_sends_what_is_queued() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            socket.writable.get_writer().write(b"queued")
            await within(socket.close())
            assert (await within(socket.opened)).remote_address == server.address
        assert await within(server.result()) == b"queued"


async def test_close_cancels_an_attempt_under_way_at_once_and_frees_its_slot() -> None:
    with Blackhole() as hole, request() as context:
        socket = connect(hole.address)
        await until(lambda: context.slots.free == 5, "the attempt to begin")
        await within(socket.close(), 0.5)
        await within(socket.closed, 0.5)
        sentence = "^The socket was closed before the connection was opened"
        with pytest.raises(SocketError, match=sentence):
            await within(socket.opened, 0.5)
        await until(lambda: context.slots.free == 6, "the slot to be free", 0.5)
        await within(socket.close())


async def test_opened_raced_against_a_timer_and_then_closed() -> None:
    with Blackhole() as hole, request():
        socket = connect(hole.address)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.opened, 0.05)
        assert not socket.opened.settled
        await within(socket.close(), 0.5)


async def test_after_close_the_streams_belong_to_an_object_that_is_closing() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            await within(socket.opened)
            closing = socket.close()
            with pytest.raises(
                TypeError, match=r"^This ReadableStream belongs to an object that is closing\.$"
            ):
                socket.readable.get_reader()
            with pytest.raises(
                TypeError, match=r"^This WritableStream belongs to an object that is closing\.$"
            ):
                socket.writable.get_writer()
            await within(socket.readable.cancel())
            await within(socket.writable.abort())
            await within(closing)


async def test_after_close_a_reader_reads_the_end_and_cancel_and_abort_are_harmless() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            await within(socket.opened)
            pending = reader.read()
            await within(socket.close())
            assert await within(pending) == (None, True)
            assert await within(reader.read()) == (None, True)
            await within(reader.closed)
            await within(writer.closed)
            await within(reader.cancel())
            await within(writer.abort())
            with pytest.raises(TypeError, match=r"^This WritableStream has been closed\.$"):
                await within(writer.write(b"x"))
            assert writer.desired_size == 0
            reader.release_lock()
            writer.release_lock()


async def test_close_with_the_peer_still_sending_ends_cleanly_for_the_peer() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"." * 100_000)
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            await within(writer.write(b"goodbye"))
            await within(socket.close())
        assert await within(server.result()) == b"goodbye"


async def test_aborting_the_writer_resets_the_connection_so_that_the_peer_can_tell() -> None:
    def script(peer: Peer) -> bytes:
        return peer.wait_for_reset()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            await within(writer.write(b"half of it"))
            await within(writer.abort("no more"))
            with pytest.raises(RuntimeError, match=r"^no more$"):
                await within(writer.write(b"x"))
            await within(socket.closed)
        await within(server.result())


async def test_aborting_the_writer_cancels_an_attempt_under_way() -> None:
    with Blackhole() as hole, request() as context:
        socket = connect(hole.address)
        await until(lambda: context.slots.free == 5, "the attempt to begin")
        await within(socket.writable.abort())
        await within(socket.closed)
        await until(lambda: context.slots.free == 6, "the slot to be free")
        with pytest.raises(SocketError, match=r"^The socket was closed before"):
            await within(socket.opened)


async def test_a_readable_cancelled_before_opened_leaves_a_socket_that_only_writes() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            await within(socket.readable.cancel())
            await within(socket.opened)
            writer = socket.writable.get_writer()
            writer.write(b"one way")
            await within(writer.close())
            await within(socket.closed)
        assert await within(server.result()) == b"one way"


# 7. A reset or a lost connection.


async def test_a_reset_rejects_the_read_in_flight_and_closed() -> None:
    async with PeerServer(reset_when_asked) as server:
        with request():
            socket = connect(server.address)
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            reading = reader.read()
            await within(writer.write(b"!"))
            with pytest.raises(SocketError, match=f"^{LOST}$"):
                await within(reading)
            with pytest.raises(SocketError, match=f"^{LOST}$") as lost:
                await within(socket.closed)
            assert isinstance(lost.value.__cause__, ConnectionResetError)
            await within(socket.opened)
            await within(socket.close())


async def test_a_reset_rejects_the_write_in_flight() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writing = writer.write(b"x" * 50_000_000)
            peer = await server.accepted()
            await within(socket.opened)
            assert not writing.settled
            assert not writer.ready.settled
            peer.reset()
            for promise in (writing, writer.ready, writer.closed, socket.closed):
                with pytest.raises(SocketError, match=f"^{LOST}$"):
                    await within(promise)


async def test_a_reset_settles_closed_when_nobody_reads() -> None:
    async with PeerServer(reset_when_asked) as server:
        with request():
            socket = connect(server.address)
            await within(socket.writable.get_writer().write(b"!"))
            with pytest.raises(SocketError, match=f"^{LOST}$"):
                await within(socket.closed)


async def test_a_reset_settles_closed_when_nobody_reads_and_the_buffers_are_full() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            await asyncio.to_thread(peer.flood, 50_000_000)
            assert not socket.closed.settled
            peer.reset()
            with pytest.raises(SocketError, match=f"^{LOST}$") as lost:
                await within(socket.closed, 1)
            assert isinstance(lost.value.__cause__, ConnectionResetError)


async def test_what_arrived_before_a_reset_can_still_be_read() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            peer.send(b"the last bytes")
            await until(lambda: buffered_bytes(socket), "the bytes to arrive")
            peer.reset()
            with pytest.raises(SocketError, match=f"^{LOST}$"):
                await within(socket.closed)
            reader = socket.readable.get_reader()
            assert await within(reader.read()) == (b"the last bytes", False)
            with pytest.raises(SocketError, match=f"^{LOST}$"):
                await within(reader.read())


async def test_what_arrived_before_the_end_can_be_read_after_a_failed_write() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            peer.send(b"421 go away")
            peer.half_close()
            await until(lambda: socket.wire.peer_ended, "the peer's end")
            peer.reset()
            with pytest.raises(SocketError, match=f"^{LOST}$"):
                await within(socket.closed)
            assert await within(read_all(socket)) == b"421 go away"


async def test_closed_raced_against_a_read() -> None:
    async with PeerServer(reset_when_asked) as server:
        with request():
            socket = connect(server.address)
            socket.writable.get_writer().write(b"!")
            reading = asyncio.ensure_future(socket.readable.get_reader().read())
            closed = asyncio.ensure_future(socket.closed)
            done, pending = await within(asyncio.wait([reading, closed]))
            assert not pending
            assert {str(task.exception()) for task in done} == {LOST}


# 8. After a failure.


@pytest.mark.parametrize("kind", ["refused", "reset"])
async def test_after_a_failure_write_rejects_with_its_error_and_close_resolves(kind: str) -> None:
    async with PeerServer(reset_when_asked) as server:
        with refusing_port() as refusing, request():
            port = server.port if kind == "reset" else refusing.getsockname()[1]
            sentence = LOST if kind == "reset" else CANNOT_CONNECT
            socket = connect(f"127.0.0.1:{port}")
            writer = socket.writable.get_writer()
            writer.write(b"!")
            with pytest.raises(SocketError, match=f"^{sentence}$"):
                await within(socket.closed)
            with pytest.raises(SocketError, match=f"^{sentence}$"):
                await within(writer.write(b"x"))
            assert writer.desired_size is None
            if kind == "refused":
                assert await within(socket.readable.get_reader().read()) == (None, True)
            await within(socket.close())
            assert socket.closed.state is PromiseState.REJECTED
        if kind == "refused":
            assert server.connection_count == 0


# 9. Sentences.


async def test_the_sentences_about_locks() -> None:
    with Blackhole() as hole, request():
        socket = connect(hole.address)
        reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
        with pytest.raises(
            TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"
        ):
            socket.readable.get_reader()
        with pytest.raises(
            TypeError, match=r"^This WritableStream is currently locked to a writer\.$"
        ):
            socket.writable.get_writer()
        pending = reader.read()
        with pytest.raises(
            TypeError,
            match=r"^This ReadableStream only supports a single pending read request at a time\.$",
        ):
            await reader.read()
        reader.release_lock()
        for attempt in (pending, reader.read(), reader.closed):
            with pytest.raises(
                TypeError, match=r"^This ReadableStream reader has been released\.$"
            ):
                await attempt
        writer.release_lock()
        with pytest.raises(TypeError, match=r"^This WritableStream writer has been released\.$"):
            await writer.write(b"x")


async def test_text_is_refused_with_the_way_out() -> None:
    with Blackhole() as hole, request():
        writer = connect(hole.address).writable.get_writer()
        sentence = (
            "This WritableStream takes bytes, bytearray or memoryview, not str. "
            "Encode the text first: text.encode()."
        )
        with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
            await writer.write("text")
        await within(writer.write(b""))


async def test_start_tls_refuses_a_plain_socket_in_the_platforms_order() -> None:
    with Blackhole() as hole, request():
        plain = connect(hole.address)
        with pytest.raises(TypeError, match=r"^The `secureTransport` socket option must be set to"):
            plain.start_tls()
        plain.close()
        with pytest.raises(TypeError, match=r"^The connection was closed before startTls could be"):
            plain.start_tls()


async def test_the_wires_os_socket_is_gone_after_close() -> None:
    async with PeerServer(wait_for_eof) as server:
        with request():
            socket = connect(server.address)
            await within(socket.opened)
            await within(socket.close())
        await within(server.result())
        await until(lambda: socket.wire.over, "the connection to be let go")


async def test_a_connection_that_ended_without_a_byte_is_still_an_empty_body() -> None:
    async with PeerServer(lambda peer: peer.half_close()) as server:
        with request():
            socket = connect(server.address)
            await within(socket.closed)
            assert not socket.readable.disturbed
            assert await within(Response(socket.readable).bytes()) == b""
