"""Connections that were closed and are not gone yet: a reset that is not noticed, and a loop that is to stop."""

from __future__ import annotations

import asyncio
import contextlib
import select
import time

from emulator.sockets import connect, end_lingering
from tests.support.contexts import request
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within


async def test_a_close_before_the_loop_has_noticed_the_reset_is_a_close() -> None:
    async with PeerServer() as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            await within(socket.opened)
            await within(socket.writable.get_writer().write(b"!"))
            await asyncio.to_thread(peer.expect, b"!")
            peer.reset()
            # Over the loopback the reset is here at once, and the loop has had no turn to see it.
            await within(socket.close())
            await within(socket.closed)


async def test_a_stopping_loop_ends_a_connection_whose_peer_stays() -> None:
    def stay(peer: Peer) -> None:
        assert peer.wait_for_eof() == b"bye"
        hung_up = select.poll()
        hung_up.register(peer.raw, 0)  # Both directions are over once the other side is gone.
        with contextlib.suppress(ConnectionError):
            while not hung_up.poll(
                20
            ):  # What it still takes tells nothing; a reset answers what comes later.
                peer.send(b"late")

    async with PeerServer(stay) as server:
        with request():
            socket = connect(server.address)
            socket.writable.get_writer().write(b"bye")
            await within(socket.close())
        began = time.monotonic()
        await within(end_lingering(5))
        assert time.monotonic() - began < 0.5
        await within(server.result())


async def test_a_stopping_loop_sends_the_last_bytes() -> None:
    size = 20_000_000
    async with PeerServer(lambda peer: peer.read_slowly(40_000_000)) as server:
        with request():
            socket = connect(server.address)
            socket.writable.get_writer().write(bytes(size))
            await within(socket.opened)
        await within(end_lingering(5))
        assert await within(server.result()) == size


async def test_a_stopping_loop_resets_a_peer_that_takes_nothing() -> None:
    async with PeerServer(buffer_bytes=4096) as server:
        with request():
            socket = connect(server.address)
            peer = await server.accepted()
            await within(socket.opened)
            socket.writable.get_writer().write(bytes(20_000_000))
        await within(end_lingering(0.05))
        await asyncio.to_thread(peer.wait_for_reset)
