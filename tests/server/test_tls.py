"""A TLS socket's readable in a Response: prompt, bounded, whole or visibly not; and STARTTLS behind a request."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import SocketError
from emulator.http import Request, Response
from emulator.server.embedded import WorkerServer, serve
from emulator.sockets import Network, Trust, connect
from tests.server.serving import Recorder, connected, worker
from tests.support.certificates import Authority
from tests.support.peers import PeerServer
from tests.support.tls_peers import TlsPeer, server_context, speaking, speaking_tls
from tests.support.waiting import within

MEGABYTE = 2**20


def through(request: Request, env: Any) -> Response:
    """Answer with what the upstream says over TLS."""
    return Response(connect(env.UPSTREAM, secure_transport="on").readable)


async def upgraded(request: Request, env: Any) -> Response:
    """Ask for TLS as PostgreSQL's clients do, and send the rest of the connection."""
    socket = connect(env.UPSTREAM, secure_transport="starttls")
    socket.writable.get_writer().write(b"TLS?")
    answer, _ = await socket.readable.get_reader().read()
    assert answer == b"S"
    secure = await socket.start_tls()
    secure.writable.get_writer().write(b"hello")
    return Response(secure.readable)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def serving(
    fetch: Any, upstream: PeerServer, authority: Authority, observer: Recorder | None = None
) -> WorkerServer:
    """A server for the handler `fetch`, which finds `upstream` and trusts `authority`."""
    return serve(
        worker(fetch=fetch),
        env={"UPSTREAM": f"localhost:{upstream.port}"},
        observer=observer,
        network=Network(10, Trust((authority.certificate,))),
    )


async def test_each_record_arrives_as_it_is_sent(authority: Authority) -> None:
    context = server_context(authority.issue("localhost"))
    asked: list[asyncio.Event] = [asyncio.Event() for _ in range(3)]
    loop = asyncio.get_running_loop()

    def script(peer: TlsPeer) -> None:
        for number, event in enumerate(asked):
            asyncio.run_coroutine_threadsafe(event.wait(), loop).result(10)
            peer.send(b"record %d" % number)
        peer.close_notify()

    async with (
        PeerServer(speaking_tls(context, script)) as upstream,
        serving(through, upstream, authority) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.head()).status == 200
        for number, event in enumerate(asked):
            event.set()
            assert await client.chunk() == b"record %d" % number
        assert await client.chunk() == b""


async def test_twenty_megabytes_arrive_whole(authority: Authority) -> None:
    context = server_context(authority.issue("localhost"))
    data = bytes(range(251)) * 80_000

    def script(peer: TlsPeer) -> None:
        peer.send(data)
        peer.close_notify()

    async with (
        PeerServer(speaking_tls(context, script)) as upstream,
        serving(through, upstream, authority) as server,
        connected(server) as client,
    ):
        client.get("/")
        response = await within(client.response(), 30)
        assert hashlib.sha256(response.body).digest() == hashlib.sha256(data).digest()


async def test_a_slow_client_slows_the_upstream_down(authority: Authority) -> None:
    context = server_context(authority.issue("localhost"))

    def script(peer: TlsPeer) -> int:
        peer.raw.settimeout(0.5)
        sent = 0
        try:
            while sent < 128 * MEGABYTE:
                peer.send(b"." * 65_536)
                sent += 65_536
        except AssertionError:  # Nothing more was taken for half a second.
            pass
        return sent

    async with (
        PeerServer(speaking_tls(context, script), buffer_bytes=65_536) as upstream,
        serving(through, upstream, authority) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        assert await within(upstream.result(), 20) < 64 * MEGABYTE
        client.writer.transport.abort()


async def test_an_upstream_that_is_cut_off_cuts_the_response_off(authority: Authority) -> None:
    context = server_context(authority.issue("localhost"))
    recorder = Recorder()

    def script(peer: TlsPeer) -> None:
        peer.send(b"not all of it")
        peer.half_close()  # FIN, and no close_notify.

    async with (
        PeerServer(speaking_tls(context, script)) as upstream,
        serving(through, upstream, authority, recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        assert await client.chunk() == b"not all of it"
        rest = await asyncio.gather(client.rest(), return_exceptions=True)
        assert b"0\r\n\r\n" not in (rest[0] if isinstance(rest[0], bytes) else b"")
        error = await recorder.wait_for("body_failed")
        assert isinstance(error, SocketError)
        assert str(error.__cause__) == (
            "the peer closed the connection without ending TLS (no close_notify)"
        )


async def test_starttls_behind_a_request(authority: Authority, tmp_path: Path) -> None:
    context = server_context(authority.issue("localhost"))

    def script(peer: TlsPeer) -> None:
        peer.expect(b"TLS?")
        peer.send(b"S")
        peer.start_tls()
        peer.expect(b"hello")
        peer.send(b"hello over TLS")
        peer.close_notify()

    recorder = Recorder()
    async with (
        PeerServer(speaking(context, script)) as upstream,
        serving(upgraded, upstream, authority, recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"hello over TLS"
        record = await recorder.wait_for("event_finished")
        assert record.traffic.sockets == 1


async def test_a_client_that_goes_ends_the_upstreams_connection(authority: Authority) -> None:
    context = server_context(authority.issue("localhost"))

    def script(peer: TlsPeer) -> str:
        peer.send(b"begun")
        try:
            peer.read()
        except ConnectionError:
            return "reset"
        return "ended"

    async with (
        PeerServer(speaking_tls(context, script)) as upstream,
        serving(through, upstream, authority) as server,
    ):
        async with connected(server) as client:
            client.get("/")
            await client.head()
            assert await client.chunk() == b"begun"
            client.writer.transport.abort()
        assert await within(upstream.result()) in ("reset", "ended")
