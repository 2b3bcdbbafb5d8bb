"""Clients that end their side behind a request, as `nc -N` and some health checkers do, and still want the answer."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import pytest

from emulator.context import Outcome
from emulator.http import Request, Response
from tests.server.serving import Recorder, connected, serving
from tests.support.waiting import within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def later(request: Request) -> Response:
    await asyncio.sleep(0)
    return Response("answer")


@pytest.mark.parametrize("count", [1, 3])
async def test_every_request_is_answered_and_then_the_connection_closed(count: int) -> None:
    async with serving(later) as server, connected(server) as client:
        client.send(GET * count)
        client.writer.write_eof()
        for _ in range(count):
            assert (await client.response()).body == b"answer"
        assert await client.rest() == b""


async def test_the_answer_may_take_its_time() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        begun.set()
        await go_on.wait()
        return Response(await request.text())

    recorder = Recorder()
    async with serving(wait, observer=recorder) as server, connected(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
        client.writer.write_eof()
        await within(begun.wait())
        asyncio.get_running_loop().call_later(0.3, go_on.set)
        assert (await client.response(to="POST")).body == b"body"
        assert await client.rest() == b""
        assert (await recorder.wait_for("event_finished")).outcome is Outcome.OK


async def test_a_client_that_goes_all_the_way_later_cancels() -> None:
    begun = asyncio.Event()

    async def wait() -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response("not reached")

    recorder = Recorder()
    async with serving(wait, observer=recorder) as server:
        async with connected(server) as client:
            client.send(GET)
            client.writer.write_eof()
            await within(begun.wait())
        assert (await recorder.wait_for("event_finished")).outcome is Outcome.CANCELED


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"GET / HTT",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n",
    ],
)
async def test_a_request_that_is_cut_off_is_not_waited_for(cut: bytes) -> None:
    async def read(request: Request) -> Response:
        return Response(await request.text())

    async with serving(read) as server, connected(server) as client:
        client.send(cut)
        client.writer.write_eof()
        with suppress(ConnectionResetError):
            assert not (await client.rest()).startswith(b"HTTP/1.1 200")


async def test_a_kept_connection_is_closed() -> None:
    async with serving(later) as server, connected(server) as client:
        client.send(GET)
        assert (await client.response()).body == b"answer"
        client.writer.write_eof()
        assert await client.rest() == b""
