"""A socket's readable handed to a Response: bytes at once, memory bounded, every end told to the other side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulator import errors
from emulator.errors import SocketError
from emulator.http import Request, Response
from emulator.server.connection import ClientGone
from emulator.server.embedded import serve
from emulator.sockets import Socket, connect
from emulator.streams import NativeReadable
from tests.server.serving import Recorder, connected, serving, worker
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.waiting import until, within

Client = Any
MEGABYTE = 2**20
PROMPT_SECONDS = 3.0


def through(request: Request, env: Any) -> Response:
    """Answer with what the upstream sends; /length announces six bytes."""
    socket = connect(env.UPSTREAM)
    headers = {"Content-Length": "6"} if request.url.endswith("/length") else {}
    return Response(socket.readable, headers=headers)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_bytes_arrive_as_soon_as_they_are_sent(version: str) -> None:
    """Every step waits for the one before: nothing is held back until there is more."""
    async with (
        PeerServer() as upstream,
        serving(through, env={"UPSTREAM": upstream.address}) as server,
        connected(server) as client,
    ):
        client.get("/", version=version)
        head = await client.head()
        peer = await upstream.accepted()
        for sent in (b"a", b"bc", b"d" * 1_000):
            await asyncio.to_thread(peer.send, sent)
            if version == "1.1":
                assert await client.chunk() == sent
            else:
                assert await within(client.reader.readexactly(len(sent))) == sent
        await asyncio.to_thread(peer.half_close)
        if version == "1.1":
            assert head["transfer-encoding"] == "chunked"
            assert await client.chunk() == b""
            client.get("/", "Connection: close")
            (await upstream.accepted()).close()
            assert (await client.response()).body == b""
        assert await client.rest() == b""


async def test_the_gophers_way(aiohttp_client: Client) -> None:
    """Write a line, return the readable: the platform's own sample."""

    def script(peer: Peer) -> bytes:
        line = peer.read_line()
        peer.send(b"i" + line * 1_000)
        return line

    async def fetch(request: Request, env: Any) -> Response:
        socket = connect(env.UPSTREAM)
        writer = socket.writable.get_writer()
        await writer.write(b"/path\r\n")
        return Response(socket.readable, headers={"Content-Type": "text/plain"})

    recorder = Recorder()
    async with PeerServer(script) as upstream:
        env = {"UPSTREAM": upstream.address}
        client = await aiohttp_client(serve(worker(fetch=fetch), env=env, observer=recorder))
        for count in (1, 2):
            async with client.get("/") as response:
                assert await response.read() == b"i" + b"/path\r\n" * 1_000
            assert await upstream.result() == b"/path\r\n"
            record = await recorder.wait_for("event_finished", count)
            traffic = record.traffic
            assert (traffic.sockets, traffic.bytes_sent, traffic.bytes_received) == (1, 7, 7_001)


async def test_much_passes_unchanged(aiohttp_client: Client) -> None:
    block = bytes(range(256)) * 4_096

    def script(peer: Peer) -> None:
        for _ in range(32):
            peer.send(block)

    async with PeerServer(script) as upstream:
        client = await aiohttp_client(
            serve(worker(fetch=through), env={"UPSTREAM": upstream.address})
        )
        async with client.get("/") as response:
            assert await response.read() == block * 32


async def test_a_slow_client_slows_the_upstream_down() -> None:
    """What is in flight is bounded by buffers of the kernel and ours, whatever the upstream would send."""
    limit = 256 * MEGABYTE
    sockets: list[Socket] = []

    def fetch(request: Request, env: Any) -> Response:
        sockets.append(connect(env.UPSTREAM))
        return Response(sockets[0].readable)

    async with (
        PeerServer(lambda peer: peer.flood(limit), buffer_bytes=65_536) as upstream,
        serving(fetch, env={"UPSTREAM": upstream.address}) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = await upstream.result()
        assert sent < 32 * MEGABYTE
        (socket,) = sockets
        core = socket.readable.core
        assert isinstance(core, NativeReadable)
        assert core.buffered_bytes == 0
        (connection,) = server.handler.connections
        assert connection.transport is not None
        assert connection.transport.get_write_buffer_size() < MEGABYTE
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        count = 0
        while piece := await client.chunk():
            count += len(piece)
        assert count == sent


@pytest.mark.parametrize(
    "moment", ["before the first byte", "while bytes flow", "while they stand"]
)
async def test_a_client_that_goes_closes_the_upstream(moment: str) -> None:
    recorder = Recorder()
    async with PeerServer() as upstream:
        env = {"UPSTREAM": upstream.address}
        async with serving(through, env=env, observer=recorder) as server:
            async with connected(server) as client:
                client.get("/")
                await client.head()
                peer = await upstream.accepted()
                if moment == "while bytes flow":
                    await asyncio.to_thread(peer.send, b"first")
                    assert await client.chunk() == b"first"
                elif moment == "while they stand":
                    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                    await asyncio.to_thread(peer.flood, 64 * MEGABYTE)
                client.writer.transport.abort()
            await within(asyncio.to_thread(over, peer), PROMPT_SECONDS)
            record = await recorder.wait_for("event_finished")
            assert (record.outcome.value, record.status) == ("canceled", "200 OK")
    assert recorder.of("body_failed") == recorder.of("handler_failed") == []


def over(peer: Peer) -> None:
    """Read up to the other side's end or reset."""
    with contextlib.suppress(ConnectionError):
        while peer.read():
            pass


async def test_a_client_that_goes_while_the_handler_waits() -> None:
    cancelled = asyncio.Event()
    reading = asyncio.Event()

    async def fetch(request: Request, env: Any) -> Response:
        reader = connect(env.UPSTREAM).readable.get_reader()
        await reader.read()
        reading.set()
        try:
            await reader.read()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response("never")

    recorder = Recorder()
    async with PeerServer() as upstream:
        env = {"UPSTREAM": upstream.address}
        async with serving(fetch, env=env, observer=recorder) as server:
            async with connected(server) as client:
                client.get("/")
                peer = await upstream.accepted()
                await asyncio.to_thread(peer.send, b"x")
                await within(reading.wait())
            await within(cancelled.wait())
            await within(asyncio.to_thread(over, peer), PROMPT_SECONDS)
            assert (await recorder.wait_for("event_finished")).status is None
    assert recorder.of("handler_failed") == []


async def test_wait_until_goes_on_when_the_client_is_gone() -> None:
    go_on = asyncio.Event()

    async def afterwards(upstream: str) -> None:
        socket = connect(upstream)
        await go_on.wait()
        writer = socket.writable.get_writer()
        await writer.write(b"log line")
        await writer.close()

    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(afterwards(env.UPSTREAM))
        await asyncio.Event().wait()
        return Response("never")

    recorder = Recorder()
    async with PeerServer() as upstream:
        env = {"UPSTREAM": upstream.address}
        async with serving(fetch, env=env, observer=recorder) as server:
            async with connected(server) as client:
                client.get("/")
                peer = await upstream.accepted()
            assert (await recorder.wait_for("event_finished")).outcome.value == "canceled"
            go_on.set()
            assert await asyncio.to_thread(peer.wait_for_eof) == b"log line"
    assert recorder.of("background_failed") == []


# Upstreams that break.


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_an_upstream_that_resets_half_way(framing: str) -> None:
    recorder = Recorder()
    async with PeerServer() as upstream:
        env = {"UPSTREAM": upstream.address}
        async with serving(through, env=env, observer=recorder) as server:
            async with connected(server) as client:
                path = "/length" if framing == "length" else "/"
                client.get(path, version="1.0" if framing == "close" else "1.1")
                await client.head()
                peer = await upstream.accepted()
                await asyncio.to_thread(peer.send, b"abc")
                if framing == "chunked":
                    assert await client.chunk() == b"abc"
                else:
                    assert await within(client.reader.readexactly(3)) == b"abc"
                peer.reset()
                if framing == "close":  # Only a reset tells it from the end.
                    with pytest.raises(ConnectionResetError):
                        await client.rest()
                else:
                    assert await client.rest() == b""
            error = await recorder.wait_for("body_failed")
            assert (type(error), str(error)) == (SocketError, errors.CONNECTION_LOST)


@pytest.mark.parametrize("path", ["/", "/length"])
async def test_a_client_library_can_tell_a_broken_body(aiohttp_client: Client, path: str) -> None:
    async with PeerServer() as upstream:
        client = await aiohttp_client(
            serve(worker(fetch=through), env={"UPSTREAM": upstream.address})
        )
        async with client.get(path) as response:
            peer = await upstream.accepted()
            await asyncio.to_thread(peer.send, b"abc")
            assert await response.content.read(3) == b"abc"
            peer.reset()
            with pytest.raises(aiohttp.ClientPayloadError):
                await within(response.read())


async def test_an_upstream_that_ends_early_for_its_length() -> None:
    recorder = Recorder()
    async with PeerServer(lambda peer: peer.send(b"abc")) as upstream:
        env = {"UPSTREAM": upstream.address}
        async with serving(through, env=env, observer=recorder) as server:
            async with connected(server) as client:
                client.get("/length")
                await client.head()
                assert await client.rest() == b"abc"
            sentence = errors.BODY_SHORTER_THAN_LENGTH.format(length=6, sent=3)
            assert str(await recorder.wait_for("body_failed")) == sentence


async def test_an_upstream_that_can_t_be_reached() -> None:
    recorder = Recorder()
    with refusing_port() as bound:
        env = {"UPSTREAM": f"127.0.0.1:{bound.getsockname()[1]}"}
        async with serving(through, env=env, observer=recorder) as server:
            async with connected(server) as client:
                client.get("/")
                answer = await client.rest()
                assert b"\r\n0\r\n\r\n" not in answer  # Not the end of a whole body.
            error = await recorder.wait_for("body_failed")
            assert str(error) == errors.CONNECT_FAILED
            assert isinstance(error.__cause__, ConnectionRefusedError)


async def test_a_connection_that_fails_before_the_response_is_a_500() -> None:
    async def fetch(request: Request, env: Any) -> Response:
        socket = connect(env.UPSTREAM)
        await socket.opened
        return Response(socket.readable)

    with refusing_port() as bound:
        env = {"UPSTREAM": f"127.0.0.1:{bound.getsockname()[1]}"}
        async with serving(fetch, env=env) as server, connected(server) as client:
            for _ in range(2):
                client.get("/")
                response = await client.response()
                assert response.status == 500
                assert errors.CONNECT_FAILED in response.body.decode()
                assert "ConnectionRefusedError" in response.body.decode()


async def test_a_stream_that_is_broken_already_is_a_500() -> None:
    """Nothing is out yet, so the client can be told by the status."""

    async def fetch(request: Request, env: Any) -> Response:
        socket = connect(env.UPSTREAM)
        await socket.writable.get_writer().write(b"open")
        with contextlib.suppress(SocketError):
            await socket.closed
        return Response(socket.readable)

    def script(peer: Peer) -> None:
        peer.expect(b"open")
        peer.reset()

    recorder = Recorder()
    async with PeerServer(script) as upstream:
        env = {"UPSTREAM": upstream.address}
        async with (
            serving(fetch, env=env, observer=recorder) as server,
            connected(server) as client,
        ):
            client.get("/")
            response = await client.response()
            assert response.status == 500
            assert errors.CONNECTION_LOST in response.body.decode()
            assert str(recorder.of("handler_failed")[0]) == errors.CONNECTION_LOST


# Ends.


async def test_sockets_are_closed_when_the_request_is_over() -> None:
    async def fetch(request: Request, env: Any) -> Response:
        for _ in range(3):
            await connect(env.UPSTREAM).opened
        return Response("done")

    async with (
        PeerServer(lambda peer: peer.wait_for_eof()) as upstream,
        serving(fetch, env={"UPSTREAM": upstream.address}) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"done"
        for _ in range(3):
            assert await upstream.result() == b""


async def test_what_is_not_sent_of_a_stream_is_let_go() -> None:
    """HEAD: the upstream is closed, the generator is closed."""
    closed = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1_000
                await asyncio.sleep(0)
        finally:
            closed.set()

    def fetch(request: Request, env: Any) -> Response:
        if request.url.endswith("/generator"):
            return Response(chunks())
        return through(request, env)

    async with (
        PeerServer(over) as upstream,
        serving(fetch, env={"UPSTREAM": upstream.address}) as server,
    ):
        async with connected(server) as client:
            client.get("/", method="HEAD")
            assert (await client.response(to="HEAD")).status == 200
            client.get("/generator")
            await client.head()
            await client.chunk()
            assert not closed.is_set()
        await within(closed.wait())


async def test_a_streaming_response_in_the_middle_of_a_pipeline() -> None:
    async with PeerServer() as upstream:

        def fetch(request: Request, env: Any) -> Response:
            if request.url.endswith("/stream"):
                return through(request, env)
            return Response(request.url.rsplit("/", 1)[1])

        async with (
            serving(fetch, env={"UPSTREAM": upstream.address}) as server,
            connected(server) as client,
        ):
            for path in ("/1", "/stream", "/2"):
                client.get(path)
            assert (await client.response()).body == b"1"
            await client.head()
            peer = await upstream.accepted()
            for piece in (b"one", b"two"):
                await asyncio.to_thread(peer.send, piece)
                assert await client.chunk() == piece
            await asyncio.to_thread(peer.half_close)
            assert await client.chunk() == b""
            assert (await client.response()).body == b"2"


async def test_a_request_body_streams_into_a_socket_and_back() -> None:
    """An echo by way of a TCP server: both directions flow at once."""

    def script(peer: Peer) -> int:
        count = 0
        while data := peer.read():
            peer.send(data)
            count += len(data)
        return count

    def fetch(request: Request, env: Any, ctx: Any) -> Response:
        socket = connect(env.UPSTREAM, allow_half_open=True)
        assert request.body is not None
        ctx.wait_until(request.body.pipe_to(socket.writable))
        return Response(socket.readable)

    block = bytes(range(256)) * 400
    async with PeerServer(script) as upstream:
        async with (
            serving(fetch, env={"UPSTREAM": upstream.address}) as server,
            connected(server) as client,
        ):
            client.get("/", f"Content-Length: {len(block) * 50}", method="POST")

            async def send() -> None:
                for _ in range(50):
                    client.send(block)
                    await client.writer.drain()

            sending = asyncio.ensure_future(send())
            assert (await client.response()).body == block * 50
            await sending
        assert await upstream.result() == len(block) * 50


def test_the_sentence_of_a_client_that_is_gone() -> None:
    assert str(ClientGone()) == errors.CLIENT_GONE


async def test_nothing_is_left_of_many_requests() -> None:
    async with PeerServer(lambda peer: peer.send(peer.read_line())) as upstream:

        async def fetch(request: Request, env: Any) -> Response:
            socket = connect(env.UPSTREAM)
            await socket.writable.get_writer().write(b"line\n")
            return Response(socket.readable)

        before = len(asyncio.all_tasks())
        async with (
            serving(fetch, env={"UPSTREAM": upstream.address}) as server,
            connected(server) as client,
        ):
            for _ in range(50):
                client.get("/")
                assert (await client.response()).body == b"line\n"
        await until(lambda: len(asyncio.all_tasks()) <= before, "the tasks to be gone")
