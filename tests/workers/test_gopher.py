"""The sample worker, both of its faces: HTTP to gopher, and the gopher hole itself, over real TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from emulator import serve
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.waiting import within

GOPHER = Path(__file__).parents[2] / "workers" / "gopher.py"

NO_SELECTOR = b"3That is no selector: send one line, CRLF at its end.\t\t"


@asynccontextmanager
async def hole() -> AsyncIterator[str]:
    """The worker's connect() handler on a free port; gives its address."""
    async with serve(GOPHER, env={"GOPHER": "localhost:70"}, connect=1) as server:
        yield server.connect_addresses[0]


async def visit(address: str, request: bytes, *, half_close: bool = False) -> bytes:
    """Send `request` to the hole as a gopher client does; return all that it answers."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        if half_close:
            writer.write_eof()
        return await within(reader.read())
    finally:
        writer.close()
        await writer.wait_closed()


async def get(gopher: str, path: str) -> tuple[int, str, bytes]:
    """GET `path` from the worker with env.GOPHER = `gopher`; return status, content type and body."""
    async with (
        serve(GOPHER, env={"GOPHER": gopher}) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{path}") as response,
    ):
        return response.status, response.headers["Content-Type"], await within(response.read())


# The hole.


@pytest.mark.parametrize("request_", [b"\r\n", b"/\r\n", b"\n", b"/\tsearch words\r\n"])
async def test_the_empty_selector_and_a_slash_are_the_top_menu(request_: bytes) -> None:
    async with hole() as address:
        host, _, port = address.rpartition(":")
        place = f"{host}\t{port}".encode()
        assert await visit(address, request_) == (
            b"iWelcome to this hole.\t\t%b\r\n"
            b"0About it\t/about.txt\t%b\r\n"
            b"1Deeper down\t/deeper\t%b\r\n"
            b".\r\n"
        ) % (place, place, place)


async def test_everything_a_menu_points_at_is_there() -> None:
    async with hole() as address:
        seen: set[bytes] = set()
        ahead = [b""]
        while ahead:
            selector = ahead.pop()
            seen.add(selector)
            answer = await visit(address, selector + b"\r\n")
            assert answer.endswith(b"\r\n.\r\n")
            assert not answer.startswith(b"3")
            for line in answer.split(b"\r\n"):
                fields = line.split(b"\t")
                if len(fields) == 4 and line[:1] in (b"0", b"1") and fields[1] not in seen:
                    ahead.append(fields[1])
        assert seen == {b"", b"/", b"/about.txt", b"/deeper", b"/dots.txt"}


async def test_lines_that_begin_with_a_dot_are_stuffed_and_a_dot_ends_the_text() -> None:
    async with hole() as address:
        assert await visit(address, b"/dots.txt\r\n") == (
            b"A line of a gopher text that begins with a dot is sent with two:\r\n"
            b"..like this one\r\n"
            b"because a dot alone\r\n"
            b"..\r\n"
            b"is how the text ends.\r\n"
            b".\r\n"
        )


async def test_an_unknown_selector_is_an_error_item_that_cannot_be_broken_out_of() -> None:
    async with hole() as address:
        answer = await visit(address, b"/nope\x1b[31m\xff\rx\r\n")
        assert answer.startswith("3There is no /nope?[31m\ufffd?x in this hole.\t\t".encode())
        assert answer.endswith(b"\r\n.\r\n")
        assert answer.count(b"\r\n") == 2


@pytest.mark.parametrize(
    ("request_", "half_close"),
    [(b"", True), (b"/about.txt", True), (b"x" * 256 + b"\r\n", False), (b"x" * 5000, False)],
    ids=["nothing", "no line end", "256 bytes", "endless"],
)
async def test_what_is_no_selector_gets_an_error_item(request_: bytes, half_close: bool) -> None:
    async with hole() as address:
        answer = await visit(address, request_, half_close=half_close)
        assert answer.startswith(NO_SELECTOR)
        assert answer.endswith(b"\r\n.\r\n")


async def test_the_longest_selector_is_looked_up() -> None:
    async with hole() as address:
        answer = await visit(address, b"x" * 255 + b"\r\n")
        assert answer.startswith(b"3There is no xxx")


async def test_a_client_that_closes_its_side_after_the_selector_is_answered() -> None:
    async with hole() as address:
        answer = await visit(address, b"/about.txt\r\n", half_close=True)
        assert answer.startswith(b"This text came over TCP")


async def test_a_selector_may_come_in_pieces() -> None:
    async with hole() as address:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for piece in (b"/ab", b"out.t", b"xt\r", b"\n"):
            writer.write(piece)
            await writer.drain()
        assert (await within(reader.read())).startswith(b"This text came over TCP")
        writer.close()
        await writer.wait_closed()


# HTTP to gopher.


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/", b"\r\n"),
        ("", b"\r\n"),
        ("/about.txt", b"/about.txt\r\n"),
        ("/a%20b/%C3%A9?ignored=1", b"/a b/\xc3\xa9\r\n"),
        ("//", b"//\r\n"),
    ],
)
async def test_the_path_is_the_selector(path: str, line: bytes) -> None:
    def script(peer: Peer) -> None:
        assert peer.read_line() == line
        peer.send(b"iHello\t\th\t1\r\n")
        peer.trickle(b".\r\n")

    async with PeerServer(script) as server:
        assert await get(server.address, path) == (
            200,
            "text/plain",
            b"iHello\t\th\t1\r\n.\r\n",
        )


@pytest.mark.parametrize("path", ["/a%0D%0Ab", "/a%09b", "/%00"])
async def test_a_selector_cannot_be_broken_out_of(path: str) -> None:
    async with (
        serve(GOPHER, env={"GOPHER": "localhost:70"}) as server,
        asyncio.timeout(10),
    ):
        host, _, port = server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b"A selector is one line without control characters.\n")


async def test_a_gopher_server_that_is_not_there_is_a_502_with_the_sentence() -> None:
    with refusing_port() as refusing:
        status, _, body = await get(f"127.0.0.1:{refusing.getsockname()[1]}", "/")
    assert status == 502
    assert body == b"proxy request failed, cannot connect to the specified address\n"


async def test_the_worker_talks_to_its_own_hole() -> None:
    async with hole() as address:
        status, content_type, body = await get(address, "/about.txt")
    assert (status, content_type) == (200, "text/plain")
    assert body.startswith(b"This text came over TCP")
    assert body.endswith(b"as they arrived.\r\n.\r\n")
