"""Who asks is told of sockets that are open, and of no other."""

from __future__ import annotations

from emulator.sockets import connect, open_sockets
from tests.support.contexts import request
from tests.support.peers import PeerServer


async def test_an_open_socket_is_told_of_until_its_request_ends() -> None:
    async with PeerServer() as peers:
        with request("GET /census"):
            socket = connect(peers.address)
            assert [each.state for each in open_sockets() if each.label == "GET /census"] == [
                "connecting"
            ]
            await socket.opened
            (told,) = [each for each in open_sockets() if each.label == "GET /census"]
            assert (told.address, told.state) == (peers.address, "open")
            assert 0 <= told.age_seconds < 10
        assert [each for each in open_sockets() if each.label == "GET /census"] == []
