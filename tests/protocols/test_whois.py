"""whois.py against a scripted peer: the servers of registries are not for a test to ask."""

from __future__ import annotations

import threading

import aiohttp
import pytest

from tests.protocols.gallery import worker
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.waiting import within

USAGE = "Ask for one name or address: /example.com\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/example.com", b"example.com\r\n"),
        ("/2001:db8::", b"2001:db8::\r\n"),
        ("/b%C3%BCcher.example?ignored=1", "bücher.example\r\n".encode()),
        ("/%20-T%20dn%20example.com%20", b"-T dn example.com\r\n"),
        ("/" + "x" * 255, b"x" * 255 + b"\r\n"),
    ],
)
async def test_the_path_is_the_question(path: str, line: bytes) -> None:
    def script(peer: Peer) -> None:
        assert peer.read_line() == line
        peer.send(b"domain: EXAMPLE.COM\r\n")
        peer.trickle(b"status: \xe9ctive\r\n")

    async with (
        PeerServer(script) as peer,
        worker("whois", {"WHOIS": peer.address}) as client,
        client.get(path) as response,
    ):
        assert (response.status, response.content_type) == (200, "text/plain")
        body = await within(response.read())
    assert body == b"domain: EXAMPLE.COM\r\nstatus: \xe9ctive\r\n"


@pytest.mark.parametrize("path", ["/", "", "/%20", "/a%0D%0Ab", "/a%00", "/" + "x" * 256])
async def test_what_is_no_question_is_a_400(path: str) -> None:
    async with worker("whois", {}) as client, client.get(path) as response:
        assert (response.status, await response.text()) == (400, USAGE)


async def test_a_server_that_is_not_there_is_a_502() -> None:
    with refusing_port() as refusing:
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        async with (
            worker("whois", {"WHOIS": address}) as client,
            client.get("/example.com") as response,
        ):
            told = await response.text()
    sentence = "proxy request failed, cannot connect to the specified address\n"
    assert (response.status, told) == (502, sentence)


async def test_a_connection_that_breaks_breaks_the_answer_off() -> None:
    heard = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_line()
        peer.send(b"domain: ")
        assert heard.wait(10)
        peer.reset()

    async with (
        PeerServer(script) as peer,
        worker("whois", {"WHOIS": peer.address}) as client,
        client.get("/example.com") as response,
    ):
        assert await within(response.content.readexactly(8)) == b"domain: "
        heard.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await within(response.read())
