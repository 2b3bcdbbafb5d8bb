"""A client that goes: its handler's tasks end, their sockets are closed, wait_until work goes on with its own."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.context import Outcome
from emulator.http import Request, Response
from emulator.sockets import connect
from tests.server.serving import Recorder, connected, serving
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within


def end(peer: Peer) -> bytes:
    return peer.wait_for_eof()


def echo(peer: Peer) -> None:
    while data := peer.read():
        peer.send(data)


async def test_the_whole_tree_ends_and_wait_until_work_goes_on() -> None:
    recorder = Recorder()
    ended: list[str] = []
    streams: list[Any] = []
    waiting = asyncio.Event()
    gone = asyncio.Event()
    reported: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def grandchild() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.append("grandchild")

    async def child() -> None:
        try:
            task = asyncio.create_task(grandchild())
            await asyncio.shield(task)
        finally:
            ended.append("child")

    async def report() -> None:
        own = connect(echoes.address)
        await own.opened
        await gone.wait()
        await own.writable.get_writer().write(b"still here")
        reported.set_result((await own.readable.get_reader().read()).value)

    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        await connect(peers.address).opened
        streams.append(await asyncio.open_connection("127.0.0.1", others.port))
        ctx.wait_until(report())
        try:
            await asyncio.create_task(child())
        finally:
            ended.append("handler")
        return Response("not reached")

    async with (
        PeerServer(end) as peers,
        PeerServer(end) as others,
        PeerServer(echo) as echoes,
        serving(fetch, observer=recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        await within(waiting.wait())
        client.writer.transport.abort()
        # Their peers see the end while wait_until work goes on.
        assert await within(peers.result()) == b""
        assert await within(others.result()) == b""
        record = await recorder.wait_for("event_finished")
        assert record.outcome is Outcome.CANCELED
        assert sorted(ended) == ["child", "grandchild", "handler"]
        assert not reported.done()
        gone.set()
        assert await within(reported) == b"still here"
        assert recorder.of("background_failed") == []


async def test_a_stream_whose_reader_has_gone_gives_its_socket_up() -> None:
    recorder = Recorder()

    async def fetch(request: Request) -> Response:
        return Response(connect(peers.address).readable)

    async with PeerServer() as peers, serving(fetch, observer=recorder) as server:
        async with connected(server) as client:
            client.get("/")
            peer = await peers.accepted()
            peer.send(b"first")
            await client.head()
            assert await client.chunk() == b"first"
            client.writer.transport.abort()
            await asyncio.to_thread(_until_gone, peer)
        record = await recorder.wait_for("event_finished")
        assert record.outcome is Outcome.CANCELED


def _until_gone(peer: Peer) -> None:
    try:
        peer.wait_for_eof()
    except ConnectionError:
        return
