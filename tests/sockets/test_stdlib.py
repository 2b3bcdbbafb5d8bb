"""Python's own sockets in a request: owned by it, counted, closed at its end; elsewhere as ever."""

from __future__ import annotations

import asyncio
import socket as library
from collections.abc import AsyncIterator

import pytest

from emulator.config import Limits
from emulator.context import IoContext, Observer, enter
from emulator.errors import OwnershipError, SubrequestError
from emulator.sockets import unwatch_loop, watch_loop
from tests.support.contexts import request
from tests.support.peers import Blackhole, PeerServer
from tests.support.waiting import until, within


@pytest.fixture(autouse=True)
async def watched() -> AsyncIterator[None]:
    """The loop as a server leaves it."""
    loop = asyncio.get_running_loop()
    watch_loop(loop)
    yield
    unwatch_loop(loop)


async def test_a_stream_of_asyncio_is_closed_with_its_request() -> None:
    async with PeerServer() as server:
        with request() as context:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            peer = await server.accepted()
            writer.write(b"sent")
            assert context.traffic.sockets == 1
        assert await asyncio.to_thread(peer.wait_for_eof) == b"sent"
        assert writer.transport.is_closing()


async def test_a_socket_object_is_closed_with_its_request() -> None:
    async with PeerServer() as server:
        with request():
            raw = library.create_connection(("127.0.0.1", server.port))
            peer = await server.accepted()
        assert raw.fileno() == -1
        assert await asyncio.to_thread(peer.wait_for_eof) == b""


async def test_a_socket_keeps_its_descriptor_until_the_tasks_that_use_it_have_ended() -> None:
    # Closed at once, its number would be the next connection's, and asyncio, told that the attempt is cancelled, would
    # stop listening to that one.
    unwinding = asyncio.Event()
    descriptors = []

    async def use(raw: library.socket) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await unwinding.wait()
            descriptors.append(raw.fileno())

    async with PeerServer() as server:
        with request() as context:
            raw = library.create_connection(("127.0.0.1", server.port))
            peer = await server.accepted()
            task = asyncio.create_task(use(raw))
            context.adopt(task)
            await asyncio.sleep(0)
        assert await asyncio.to_thread(peer.wait_for_eof) == b""
        unwinding.set()
        await asyncio.wait([task])
        assert descriptors != [-1]
        await until(lambda: raw.fileno() == -1, "the descriptor to be free")


async def test_a_socket_that_became_a_transport_is_closed_once() -> None:
    async with PeerServer() as server:
        with request():
            loop = asyncio.get_running_loop()
            raw = library.socket()
            raw.setblocking(False)
            await loop.sock_connect(raw, ("127.0.0.1", server.port))
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=raw)
            peer = await server.accepted()
            transport.write(b"x" * 500_000)
        assert len(await asyncio.to_thread(peer.wait_for_eof)) == 500_000


async def test_connections_stand_in_line_with_those_of_connect() -> None:
    with Blackhole() as hole, request() as context:
        host, _, port = hole.address.rpartition(":")
        attempts = [
            asyncio.ensure_future(asyncio.open_connection(host, int(port))) for _ in range(7)
        ]
        await until(lambda: context.slots.waiting == 1, "the seventh to wait")
        for attempt in attempts:
            attempt.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
        assert (context.slots.free, context.slots.waiting) == (6, 0)


async def test_connections_are_subrequests() -> None:
    context = IoContext("GET /", Observer(), limits=Limits(subrequests=1))
    async with PeerServer() as server:
        with enter(context):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            with pytest.raises(SubrequestError, match="Too many subrequests"):
                await asyncio.open_connection("127.0.0.1", server.port)
        context.end()
        assert writer.transport.is_closing()


async def test_outside_of_requests_nothing_is_owned_or_counted() -> None:
    async with PeerServer() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with request():
            pass
        writer.write(b"still open")
        writer.close()
        await within(writer.wait_closed())
        peer = await server.accepted()
        assert await asyncio.to_thread(peer.wait_for_eof) == b"still open"


async def test_a_loop_gets_its_own_method_back_from_the_last_server() -> None:
    loop = asyncio.get_running_loop()
    watch_loop(loop)
    unwatch_loop(loop)
    assert "create_connection" in vars(loop)
    unwatch_loop(loop)
    assert "create_connection" not in vars(loop)
    watch_loop(loop)


async def test_a_request_that_is_over_opens_no_stream() -> None:
    async with PeerServer() as server:
        with request("GET /over") as context:
            pass
        with (
            enter(context),
            pytest.raises(OwnershipError, match="It was made at GET /over, which is over"),
        ):
            await asyncio.open_connection("127.0.0.1", server.port)
        assert server.connection_count == 0


async def test_a_socket_made_after_the_end_is_left_alone() -> None:
    with request() as context:
        pass
    with enter(context):
        raw = library.socket()
    assert raw.fileno() >= 0
    raw.close()
