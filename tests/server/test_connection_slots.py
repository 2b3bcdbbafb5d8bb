"""Connection slots of a request, through HTTP: both ways of counting, the line, and what frees a slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulator.config.limits import ConnectionMode, Limits
from emulator.context import Claim, IoContext, require_current
from emulator.http import Request, Response
from emulator.sockets import Socket, connect
from tests.server.serving import Recorder, connected, serving
from tests.support.peers import Blackhole, Peer, PeerServer
from tests.support.waiting import until, within

OPEN = Limits(connections=2, connection_mode=ConnectionMode.OPEN)


def echo(peer: Peer) -> None:
    while data := peer.read():
        peer.send(data)


async def answered(fetch: Callable[..., Any], limits: Limits, observer: Recorder) -> bytes:
    """Return what `fetch` answers to one request."""
    async with (
        serving(fetch, limits=limits, observer=observer) as server,
        connected(server) as client,
    ):
        client.get("/")
        response = await client.response()
        assert response.status == 200, response.body.decode()
        return response.body


async def answer_of(socket: Socket, data: bytes) -> bytes:
    """Write `data` and return what comes back."""
    writer, reader = socket.writable.get_writer(), socket.readable.get_reader()
    await within(writer.write(data))
    result = await within(reader.read())
    writer.release_lock()
    reader.release_lock()
    return bytes(result.value)


async def test_the_next_waits_and_the_terminal_hears_for_how_long_and_for_whom() -> None:
    recorder = Recorder()

    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        holder = connect(hole.address)
        late = connect(peers.address)
        await until(lambda: slots.waiting == 1, "the second to wait")
        await asyncio.wait([asyncio.ensure_future(late.opened)], timeout=0.05)
        await holder.close()
        await late.opened
        return Response("opened")

    async with PeerServer(echo) as peers:
        with Blackhole() as hole:
            assert await answered(fetch, Limits(connections=1), recorder) == b"opened"
            ((address, seconds, holders),) = recorder.of("connection_waited")
            assert address == peers.address
            assert seconds >= 0.05
            line = fetch.__code__.co_firstlineno + 2
            assert holders == (f"{hole.address} (test_connection_slots.py:{line})",)


async def test_connections_of_asyncio_wait_in_the_same_line_and_are_named() -> None:
    recorder = Recorder()

    async def hold() -> None:
        host, _, port = hole.address.rpartition(":")
        await asyncio.open_connection(host, int(port))

    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        holder = asyncio.create_task(hold())
        await until(lambda: slots.free == 0, "the first to have its slot")
        late = asyncio.create_task(asyncio.open_connection("127.0.0.1", peers.port))
        await until(lambda: slots.waiting == 1, "the second to wait")
        await asyncio.wait([late], timeout=0.05)
        holder.cancel()
        _, writer = await late
        writer.close()
        return Response("opened")

    async with PeerServer(echo) as peers:
        with Blackhole() as hole:
            assert await answered(fetch, Limits(connections=1), recorder) == b"opened"
            ((address, _, holders),) = recorder.of("connection_waited")
            assert address == f"127.0.0.1:{peers.port}"
            line = hold.__code__.co_firstlineno + 2
            assert holders == (f"{hole.address} (test_connection_slots.py:{line})",)


async def test_where_open_ones_count_the_least_recently_used_is_closed() -> None:
    async def fetch(request: Request) -> Response:
        first, second = connect(peers.address), connect(peers.address)
        await first.opened
        await second.opened
        assert await answer_of(second, b"2") == b"2"
        assert await answer_of(first, b"1") == b"1"
        third = connect(peers.address)
        await within(third.opened)
        with pytest.raises(ConnectionError) as closed:
            await within(second.closed)
        with pytest.raises(ConnectionError) as read:
            await within(second.readable.get_reader().read())
        with pytest.raises(ConnectionError) as written:
            await within(second.writable.get_writer().write(b"x"))
        assert {str(each.value) for each in (closed, read, written)} == {
            "Response closed due to connection limit"
        }
        assert await answer_of(first, b"still here") == b"still here"
        assert await answer_of(third, b"3") == b"3"
        return Response("closed")

    async with PeerServer(echo) as peers:
        assert await answered(fetch, OPEN, Recorder()) == b"closed"


async def test_where_open_ones_count_a_read_under_way_keeps_all_of_them() -> None:
    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        first, second = connect(peers.address), connect(peers.address)
        await first.opened
        await second.opened
        reading = asyncio.ensure_future(first.readable.get_reader().read())
        third = connect(peers.address)
        await until(lambda: slots.waiting == 1, "the third to wait")
        done, _ = await asyncio.wait([asyncio.ensure_future(third.opened)], timeout=0.1)
        assert not done
        await within(second.close())
        await within(third.opened)
        assert not reading.done()
        return Response("waited")

    async with PeerServer(echo) as peers:
        assert await answered(fetch, OPEN, Recorder()) == b"waited"


async def test_where_open_ones_count_an_asyncio_connection_holds_its_slot_until_closed() -> None:
    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        streams = [await asyncio.open_connection("127.0.0.1", peers.port) for _ in range(2)]
        assert slots.free == 0
        third = asyncio.create_task(asyncio.open_connection("127.0.0.1", peers.port))
        await until(lambda: slots.waiting == 1, "the third to wait")
        streams[0][1].close()
        streams.append(await within(third))
        for _, writer in streams:
            writer.close()
        return Response("freed")

    async with PeerServer(echo) as peers:
        assert await answered(fetch, OPEN, Recorder()) == b"freed"


async def test_an_upgrade_goes_on_with_the_slot_and_gives_it_back() -> None:
    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        plain = connect(peers.address, secure_transport="starttls")
        await plain.opened
        secure = plain.start_tls()
        await within(plain.closed)
        assert slots.free == 1
        assert slots.holders[0].startswith(peers.address)
        await within(secure.close())
        await until(lambda: slots.free == 2, "the slot to be free")
        return Response("freed")

    async with PeerServer(lambda peer: peer.wait_for_eof()) as peers:
        assert await answered(fetch, OPEN, Recorder()) == b"freed"


async def refused(address: str) -> None:
    with pytest.raises(ConnectionError):
        await within(connect(address).opened)


@pytest.mark.parametrize("limits", [Limits(connections=1), Limits(1, ConnectionMode.OPEN)])
@pytest.mark.parametrize("freed_by", ["closing", "failing", "cancelling", "peer's end"])
async def test_what_frees_a_slot_frees_it_at_once(limits: Limits, freed_by: str) -> None:
    async def fetch(request: Request) -> Response:
        slots = require_current().slots
        if freed_by == "closing":
            socket = connect(peers.address)
            await socket.opened
            await within(socket.close())
        elif freed_by == "failing":
            await refused("127.0.0.1:1")
        elif freed_by == "cancelling":
            connecting = connect(hole.address)
            await until(lambda: slots.free == 0, "the slot to be taken")
            await within(connecting.close())
        else:
            socket = connect(ending.address)
            await within(socket.closed)
        await until(lambda: slots.free == 1, "the slot to be free")
        await within(connect(peers.address).opened)
        return Response("freed")

    async with PeerServer(echo) as peers, PeerServer(lambda peer: peer.close()) as ending:
        with Blackhole() as hole:
            assert await answered(fetch, limits, Recorder()) == b"freed"


@pytest.mark.parametrize("mode", list(ConnectionMode))
async def test_the_requests_end_frees_them_all(mode: ConnectionMode) -> None:
    contexts: list[IoContext] = []

    async def fetch(request: Request) -> Response:
        contexts.append(require_current())
        for address in (peers.address, hole.address, hole.address):
            connect(address)
        await until(lambda: contexts[-1].slots.free == 0, "the slots to be taken")
        return Response("done")

    async with PeerServer(echo) as peers:
        with Blackhole() as hole:
            assert await answered(fetch, Limits(2, mode), Recorder()) == b"done"
            (context,) = contexts
            await until(lambda: context.slots.free == 2, "the slots to be free")
            assert context.slots.waiting == 0


async def test_each_request_has_its_own() -> None:
    async def fetch(request: Request) -> Response:
        if request.url.endswith("/full"):
            connect(hole.address)
            full.set()
            await release.wait()
            return Response("full")
        await within(connect(peers.address).opened)
        return Response("free")

    full, release = asyncio.Event(), asyncio.Event()
    async with PeerServer(echo) as peers:
        with Blackhole() as hole:
            async with (
                serving(fetch, limits=Limits(connections=1, hang_seconds=None)) as server,
                connected(server) as one,
                connected(server) as other,
            ):
                one.get("/full")
                await within(full.wait())
                other.get("/")
                assert (await other.response()).body == b"free"
                release.set()
                assert (await one.response()).body == b"full"


def test_a_claim_says_nothing_of_itself_by_default() -> None:
    claim = Claim("db:5432")
    assert not claim.is_idle()
    assert not claim.is_over()
