"""connect(): the order of its checks, where it may be called, whose socket it is, and the line for slots."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable

import pytest

from emulator.context import OPENING_CONNECTIONS_LIMIT
from emulator.errors import GlobalScopeError, OwnershipError, PlatformError
from emulator.sockets import Socket, SocketAddress, SocketInfo, SocketState, accept, connect
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Blackhole, Peer, PeerServer
from tests.support.waiting import until, within

GLOBAL_SCOPE = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), "
    "setting a timeout, and generating random values are not allowed within global scope. To fix "
    "this error, perform this operation within a handler. "
    "https://developers.cloudflare.com/workers/runtime-apis/handlers/"
)
OTHER_REQUEST = (
    "Cannot perform I/O on behalf of a different request. I/O objects (such as streams, "
    "request/response bodies, and others) created in the context of one request handler cannot be "
    "accessed from a different request's handler. This is a limitation of Cloudflare Workers which "
    "allows us to improve overall performance. (I/O type: {io_type})"
)


def this_line() -> int:
    """The line of the caller's statement."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def end_with_the_other_side(peer: Peer) -> bytes:
    return peer.wait_for_eof()


def test_arguments_come_before_global_scope_and_addresses_before_options() -> None:
    with pytest.raises(TypeError, match=r"^Specified address is missing port"):
        connect("localhost", {"secureTransport": "maybe"})
    with pytest.raises(
        TypeError, match=r"^Unsupported value in secureTransport socket option: maybe$"
    ):
        connect("localhost:1", {"secureTransport": "maybe"})
    with pytest.raises(TypeError, match="options must be a mapping"):
        connect("localhost:1", "on")  # type: ignore[arg-type]
    with pytest.raises(GlobalScopeError, match=f"^{re.escape(GLOBAL_SCOPE)}$"):
        connect("localhost:1")


def test_the_error_at_global_scope_is_the_platforms_error() -> None:
    with pytest.raises(PlatformError):
        connect("localhost:1")


async def test_address_and_options_are_positional_and_options_may_be_keywords() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with request():
            for address in (
                server.address,
                {"hostname": server.host, "port": server.port},
                SocketAddress(server.host, server.port),
            ):
                socket = connect(address, secureTransport="off", allow_half_open=True)
                assert await within(socket.opened) == SocketInfo(server.address, None)
                await within(socket.close())


async def test_connect_returns_at_once_and_never_a_coroutine() -> None:
    with Blackhole() as hole, request():
        socket = connect(hole.address)
        assert isinstance(socket, Socket)
        assert repr(socket) == f"<Socket {hole.address} connecting>"


async def test_the_remote_address_is_the_text_as_passed() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with request():
            info = await within(connect(f"LOCALHOST:0{server.port}").opened)
            assert info.remote_address == f"LOCALHOST:0{server.port}"
            assert info.local_address is None
            assert info.remoteAddress is info.remote_address  # type: ignore[attr-defined]


async def test_an_ipv6_literal_is_connected_to() -> None:
    try:
        server = PeerServer(end_with_the_other_side, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with server:
        with request():
            assert (await within(connect(server.address).opened)).remote_address == server.address


async def test_a_local_address_is_noted_once_for_the_terminal() -> None:
    observer = RecordingObserver()
    async with PeerServer(end_with_the_other_side) as server:
        with request(observer=observer):
            await within(connect(server.address).opened)
    assert len(observer.notes) == 1
    assert observer.notes[0].startswith(f"connect() to {server.address}: production refuses ")


async def test_names_of_both_spellings_are_the_same_objects() -> None:
    assert Socket.startTls is Socket.start_tls  # type: ignore[attr-defined]
    assert Socket.secureTransport is Socket.secure_transport  # type: ignore[attr-defined]
    with Blackhole() as hole, request():
        socket = connect(hole.address)
        assert socket.secure_transport == "off"
        assert socket.upgraded is False
        reader = socket.readable.getReader()  # type: ignore[attr-defined]
        reader.releaseLock()
        writer = socket.writable.getWriter()  # type: ignore[attr-defined]
        assert writer.desiredSize == writer.desired_size == 65_536


async def test_sockets_are_counted_with_their_bytes() -> None:
    def answer(peer: Peer) -> None:
        peer.expect(b"12345")
        peer.send(b"123")
        peer.wait_for_eof()

    async with PeerServer(answer) as server:
        with request() as context:
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"12345")
            await within(socket.readable.get_reader().read())
            assert context.traffic.sockets == 1
            assert context.traffic.bytes_sent == 5
            assert context.traffic.bytes_received == 3


# Ownership.


def other_request_error(io_type: str, line: int) -> str:
    sentence = re.escape(OTHER_REQUEST.format(io_type=io_type))
    return rf"^{sentence} It was made at {re.escape(__file__)}:{line}\.$"


async def test_another_request_may_not_touch_a_socket_and_is_told_where_it_was_made() -> None:
    with Blackhole() as hole, request("GET /first"):
        socket = connect(hole.address)
        made_at = this_line() - 1
        with request("GET /second"):
            for touch in (
                lambda: socket.opened,
                lambda: socket.closed,
                socket.close,
                socket.start_tls,
            ):
                with pytest.raises(OwnershipError, match=other_request_error("Socket", made_at)):
                    touch()
        assert socket.state is SocketState.CONNECTING


async def test_another_request_may_not_touch_its_streams_readers_and_writers() -> None:
    with Blackhole() as hole, request("GET /first"):
        socket = connect(hole.address)
        made_at = this_line() - 1
        reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
        with request("GET /second"):
            touches: tuple[Callable[[], object], ...] = (
                socket.readable.get_reader,
                socket.readable.cancel,
                socket.readable.tee,
                lambda: socket.readable.pipe_to(socket.writable),
                reader.read,
                reader.cancel,
                reader.release_lock,
            )
            for touch in touches:
                message = other_request_error("ReadableStreamSource", made_at)
                with pytest.raises(OwnershipError, match=message):
                    touch()
            touches = (
                socket.writable.get_writer,
                socket.writable.close,
                socket.writable.abort,
                lambda: writer.write(b"x"),
                writer.close,
                writer.abort,
                writer.release_lock,
            )
            for touch in touches:
                message = other_request_error("WritableStreamSink", made_at)
                with pytest.raises(OwnershipError, match=message):
                    touch()
        writer.release_lock()


async def test_global_scope_may_not_touch_a_requests_socket_either() -> None:
    with Blackhole() as hole:
        with request():
            socket = connect(hole.address)
        with pytest.raises(OwnershipError, match="I/O type: Socket"):
            socket.close()


async def test_a_request_that_is_over_may_not_connect_nor_touch_what_it_had() -> None:
    with Blackhole() as hole, request() as context:
        socket = connect(hole.address)
        context.end()
        with pytest.raises(OwnershipError, match="I/O type: Socket"):
            connect(hole.address)
        with pytest.raises(OwnershipError, match="I/O type: Socket"):
            _ = socket.closed
        assert socket.state is SocketState.CLOSED


async def test_a_task_of_the_request_may_touch_it() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with request():
            socket = connect(server.address)

            async def work() -> None:
                await socket.opened
                await socket.close()

            await within(asyncio.create_task(work()))


# Slots.


async def test_the_seventh_opening_connection_waits_in_line_and_is_told_of() -> None:
    observer = RecordingObserver()
    async with PeerServer(end_with_the_other_side) as server:
        with Blackhole() as hole, request(observer=observer) as context:
            stuck = [connect(hole.address) for _ in range(OPENING_CONNECTIONS_LIMIT)]
            seventh = connect(server.address)
            eighth = connect(server.address)
            await until(lambda: context.slots.waiting == 2, "two connections in line")
            with pytest.raises(TimeoutError):
                await within(seventh.opened, 0.1)
            assert server.connection_count == 0
            await within(stuck[0].close())
            await within(seventh.opened)
            await within(eighth.opened)
            await until(lambda: context.slots.free == 1, "the slot to be free again")
            assert [(label, address) for label, address, _ in observer.waits] == [
                ("GET /", server.address),
                ("GET /", server.address),
            ]
            assert all(seconds >= 0.1 for _, _, seconds in observer.waits)


async def test_a_connection_that_is_closed_while_in_line_leaves_it() -> None:
    with Blackhole() as hole, request() as context:
        stuck = [connect(hole.address) for _ in range(OPENING_CONNECTIONS_LIMIT)]
        waiting = connect(hole.address)
        await until(lambda: context.slots.waiting == 1, "one connection in line")
        await within(waiting.close())
        await until(lambda: context.slots.waiting == 0, "the line to be empty")
        assert {socket.state for socket in stuck} == {SocketState.CONNECTING}


async def test_open_connections_hold_no_slot() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with request() as context:
            count = 2 * OPENING_CONNECTIONS_LIMIT
            sockets = [connect(server.address) for _ in range(count)]
            for socket in sockets:
                await within(socket.opened)
            await until(lambda: context.slots.free == OPENING_CONNECTIONS_LIMIT, "free slots")
            await until(lambda: server.connection_count == count, "the server to accept them all")


async def test_another_request_has_its_own_slots() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with Blackhole() as hole, request():
            for _ in range(OPENING_CONNECTIONS_LIMIT + 1):
                connect(hole.address)
            with request():
                await within(connect(server.address).opened)


# The request's end.


async def test_the_requests_end_sends_what_was_written_and_then_the_end() -> None:
    async with PeerServer(end_with_the_other_side) as server:
        with request():
            socket = connect(server.address)
            await within(socket.opened)
            writer = socket.writable.get_writer()
            writer.write(b"x" * 20_000_000)  # More than the kernel takes at once.
        assert socket.state is SocketState.CLOSED
        assert len(await within(server.result())) == 20_000_000


async def test_the_requests_end_gives_up_a_peer_that_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emulator.sockets.wire.LINGER_SECONDS", 0.05)
    monkeypatch.setattr("emulator.sockets.wire.STALLED_SECONDS", 0.2)
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"x" * 20_000_000)
            peer = await server.accepted()
            await within(socket.opened)
        assert socket.wire.buffered_bytes > 1_000_000
        await until(lambda: socket.wire.over, "the connection to be given up")
        received = await asyncio.to_thread(peer.wait_for_reset)
        assert len(received) < 20_000_000


async def test_the_requests_end_cancels_an_attempt_under_way() -> None:
    with Blackhole() as hole:
        with request() as context:
            socket = connect(hole.address)
            socket.writable.get_writer().write(b"queued")
            await until(lambda: context.slots.free == 5, "the attempt to begin")
        assert socket.state is SocketState.CLOSED
        await until(lambda: context.slots.free == 6, "the slot to be free")


# Inbound.


async def test_an_inbound_socket_knows_the_address_it_was_called_by() -> None:
    loop = asyncio.get_running_loop()
    with request("CONNECT example.com:1234") as context:
        info = SocketInfo(local_address="example.com:1234")
        sockets: list[Socket] = []

        def made() -> asyncio.BaseProtocol:
            sockets.append(accept(context, info))
            return sockets[0].wire

        listener = await loop.create_server(made, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        await until(lambda: sockets, "the connection to be accepted")
        (socket,) = sockets
        assert await within(socket.opened) == SocketInfo(None, "example.com:1234")
        assert repr(socket) == "<Socket to example.com:1234 open>"
        writer.write_eof()
        incoming = socket.readable.get_reader()
        assert await within(incoming.read()) == (b"hello", False)
        assert await within(incoming.read()) == (None, True)
        await within(socket.writable.get_writer().write(b"answered after the client's end"))
        await within(socket.close())
        assert await within(reader.read()) == b"answered after the client's end"
        writer.close()
        await writer.wait_closed()
        listener.close()
        await listener.wait_closed()
