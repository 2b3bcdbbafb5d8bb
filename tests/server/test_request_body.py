"""Request bodies from outside: streamed in, asked for, refused, left unread."""

from __future__ import annotations

import array
import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator import errors
from emulator.config.limits import DEFAULT_LIMITS
from emulator.http import Request, Response
from emulator.server.embedded import serve
from emulator.server.limits import body_too_large
from tests.server.serving import RawClient, Recorder, connected, exchanged, serving, worker
from tests.support.waiting import within

Client = Any
FIVE_MB = bytes(range(256)) * 20_000
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def echo(request: Request) -> Response:
    return Response(request.body)


async def length(request: Request) -> Response:
    return Response(str(len(await request.bytes())))


async def unread(request: Request) -> Response:
    return Response("unread")


def post(client: RawClient, *headers: str, path: str = "/", version: str = "1.1") -> None:
    client.get(path, *headers, method="POST", version=version)


async def five_mb() -> AsyncIterator[bytes]:
    for start in range(0, len(FIVE_MB), 50_000):
        yield FIVE_MB[start : start + 50_000]


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_streams_through(aiohttp_client: Client, chunked: bool) -> None:
    client = await aiohttp_client(serve(worker(fetch=echo)))
    for _ in range(2):
        async with client.post("/", data=five_mb() if chunked else io.BytesIO(FIVE_MB)) as response:
            assert await response.read() == FIVE_MB


async def test_a_body_is_echoed_as_it_comes() -> None:
    async with serving(echo) as server, connected(server) as client:
        post(client, "Transfer-Encoding: chunked")
        await client.head()
        for piece in (b"one", b"two"):
            client.send(b"3\r\n" + piece + b"\r\n")
            assert await client.chunk() == piece
        client.send(b"0\r\n\r\n")
        assert await client.chunk() == b""


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_is_read_into_views(chunked: bool) -> None:
    async def add_up(request: Request) -> Response:
        assert request.body is not None
        reader = request.body.get_reader(mode="byob")
        head = bytearray(2)
        await reader.read_at_least(2, head)
        numbers = array.array("I", bytes(4 * int.from_bytes(head, "big")))
        value, _ = await reader.read(numbers, min=len(numbers))
        assert list(value) == list(numbers)
        rest, done = await reader.read(bytearray(8), min=8)
        assert (await reader.read(bytearray(8))).done
        return Response(f"{sum(numbers)} {bytes(rest)!r} {done}")

    pieces = [b"\0", b"\3" + array.array("I", [1, 20]).tobytes()[:-1], b"\0"]
    pieces += [array.array("I", [300]).tobytes() + b"rest"]
    async with serving(add_up) as server, connected(server) as client:
        if chunked:
            post(client, "Transfer-Encoding: chunked")
            for piece in pieces:
                client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            client.send(b"0\r\n\r\n")
        else:
            post(client, f"Content-Length: {sum(map(len, pieces))}")
            for piece in pieces:
                client.send(piece)
        assert (await client.response()).body == b"321 b'rest' False"


async def test_a_body_is_read_once() -> None:
    recorder = Recorder()

    async def twice(request: Request) -> Response:
        await request.text()
        return Response(await request.text())

    async with serving(twice, observer=recorder) as server, connected(server) as client:
        post(client, "Content-Length: 3")
        client.send(b"abc")
        assert (await client.response()).status == 500
        (error,) = recorder.of("handler_failed")
        assert (type(error), str(error)) == (OSError, errors.BODY_USED)


@pytest.mark.parametrize("kind", ["length", "chunked"])
@pytest.mark.parametrize("late", [True, False])
async def test_an_unread_body_is_out_of_the_next_requests_way(kind: str, late: bool) -> None:
    body = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n" * 30_000
    framed = body if kind == "length" else b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    header = f"Content-Length: {len(body)}" if kind == "length" else "Transfer-Encoding: chunked"

    async with serving(unread) as server, connected(server) as client:
        for _ in range(2):
            post(client, header)
            if late:
                assert (await client.response()).body == b"unread"
            client.send(framed)
            if not late:
                assert (await client.response()).body == b"unread"
        client.get("/next", "Connection: close")
        assert (await client.response()).body == b"unread"
        assert await client.rest() == b""


async def test_a_body_that_is_read_in_part_is_out_of_the_way_too() -> None:
    async def first_piece(request: Request) -> Response:
        assert request.body is not None
        reader = request.body.get_reader()
        value, _ = await reader.read()
        pending = reader.read()  # Left behind.
        assert not pending.settled
        return Response(value)

    recorder = Recorder()
    async with serving(first_piece, observer=recorder) as server, connected(server) as client:
        for _ in range(2):
            post(client, "Content-Length: 6")
            client.send(b"abc")
            assert (await client.response()).body == b"abc"
            client.send(b"def")
    assert [record.status for record in recorder.of("event_finished")] == ["200 OK"] * 2


@pytest.mark.parametrize("begun", [True, False])
async def test_a_body_is_not_there_after_the_response(begun: bool) -> None:
    """As on the platform: what wait_until work reads then is an error that says so."""
    recorder = Recorder()
    responded = asyncio.Event()

    async def read_later(request: Request) -> None:
        if not begun:
            await responded.wait()
        await request.text()

    def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(read_later(request))
        return Response("out")

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        post(client, "Content-Length: 6")
        client.send(b"abc")
        assert (await client.response()).body == b"out"
        await recorder.wait_for("event_finished")
        responded.set()
        error = await recorder.wait_for("background_failed")
        assert (type(error), str(error)) == (TypeError, errors.REQUEST_BODY_AFTER_RESPONSE)
        client.send(b"def")
        client.get("/")
        assert (await client.response()).body == b"out"


async def test_a_client_that_goes_while_its_body_is_read() -> None:
    recorder = Recorder()
    reading = asyncio.Event()
    heard = []

    async def fetch(request: Request) -> Response:
        assert request.body is not None
        reader = request.body.get_reader()
        await reader.read()
        reading.set()
        try:
            await reader.read()
        except BaseException as error:
            heard.append(type(error))
            raise
        return Response("never")

    async with serving(fetch, observer=recorder) as server:
        async with connected(server) as client:
            post(client, "Content-Length: 6")
            client.send(b"abc")
            await within(reading.wait())
        await recorder.wait_for("event_finished")
    assert len(heard) == 1
    assert recorder.of("handler_failed") == []


async def test_a_body_over_the_limit_is_refused_by_its_length() -> None:
    begun = []
    async with serving(lambda: begun.append(1)) as server, connected(server) as client:
        post(client, f"Content-Length: {DEFAULT_LIMITS.body_bytes + 1}")
        response = await client.response()
        assert (response.status, response.body.decode()) == (
            413,
            body_too_large(DEFAULT_LIMITS.body_bytes).text + "\n",
        )
        # The client may send on: it is heard no more, and can read the answer.
        client.send(b"x" * 1_000_000)
        assert await client.rest() == b""
    assert begun == []


async def test_a_body_of_just_the_limit_passes() -> None:
    async with serving(unread) as server, connected(server) as client:
        post(client, f"Content-Length: {DEFAULT_LIMITS.body_bytes}")
        assert (await client.response()).body == b"unread"


@pytest.mark.parametrize("handler", ["reads", "survives"])
async def test_a_chunked_body_over_the_limit_is_refused_when_it_gets_there(handler: str) -> None:
    async def fetch(request: Request) -> Response:
        assert request.body is not None
        count = 0
        try:
            async for piece in request.body:
                count += len(piece)
        except OSError:
            if handler == "reads":
                raise
        return Response(str(count))

    megabyte = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    async with serving(fetch) as server, connected(server) as client:
        post(client, "Transfer-Encoding: chunked")
        for _ in range(101):
            client.send(megabyte)
            await within(client.writer.drain())
        response = await client.response()
        if handler == "reads":
            assert (response.status, response.body.decode()) == (
                413,
                body_too_large(DEFAULT_LIMITS.body_bytes).text + "\n",
            )
        else:
            assert response.status == 200
            assert int(response.body) <= DEFAULT_LIMITS.body_bytes


@pytest.mark.parametrize("handler", [length, echo])
async def test_expect_is_answered_when_the_body_is_asked_for(handler: Any) -> None:
    asked = asyncio.Event()

    async def fetch(request: Request) -> Any:
        await asked.wait()
        answer = handler(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    async with serving(fetch) as server, connected(server) as client:
        for _ in range(2):
            asked.clear()
            post(client, "Content-Length: 3", "Expect: 100-Continue")
            early = asyncio.ensure_future(client.reader.readexactly(len(CONTINUE)))
            await asyncio.sleep(0)
            assert not early.done()
            asked.set()
            assert await within(early) == CONTINUE
            client.send(b"abc")
            response = await client.response()
            assert response.body in (b"3", b"abc")
            assert not response.all("connection")


async def test_a_body_that_was_never_asked_for_ends_the_connection() -> None:
    async with serving(unread) as server, connected(server) as client:
        post(client, "Content-Length: 3", "Expect: 100-continue")
        response = await client.response()
        assert (response.status, response.body) == (200, b"unread")
        assert response["connection"] == "close"
        assert await client.rest() == b""


async def test_a_failing_handler_never_asks_for_the_body() -> None:
    def fetch() -> Response:
        raise ValueError("early")

    async with serving(fetch) as server, connected(server) as client:
        post(client, "Content-Length: 3", "Expect: 100-continue")
        response = await client.response()
        assert (response.status, response["connection"]) == (500, "close")
        assert await client.rest() == b""


async def test_a_streaming_response_asks_before_its_head() -> None:
    """A generator may read the request's body when the head is out: 100 Continue can't come after that."""

    async def lines(request: Request) -> AsyncIterator[bytes]:
        yield b"got "
        yield await request.bytes()

    async with (
        serving(lambda request: Response(lines(request))) as server,
        connected(server) as client,
    ):
        post(client, "Content-Length: 3", "Expect: 100-continue")
        assert await within(client.reader.readexactly(len(CONTINUE))) == CONTINUE
        client.send(b"abc")
        assert (await client.response()).body == b"got abc"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_expect_without_a_body_or_from_http_1_0_is_nothing(version: str) -> None:
    async with serving(length) as server, connected(server) as client:
        headers = ["Content-Length: 3"] if version == "1.0" else []
        post(client, "Expect: 100-continue", "Connection: keep-alive", *headers, version=version)
        if headers:
            client.send(b"abc")
        response = await client.response()
        assert response.body == (b"3" if headers else b"0")
        post(client, "Connection: close")
        assert (await client.response()).body == b"0"


async def test_another_expectation_fails() -> None:
    async with serving(unread) as server:
        request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: tea\r\n\r\n"
        answer = await exchanged(server, request)
    assert answer.startswith(b"HTTP/1.1 417 Expectation Failed\r\n")
    assert answer.endswith(b"The only Expect that is known is 100-continue.\n")


BROKEN = [b"zz\r\n\r\n", b"5\r\nabcdefg\r\n", b"-1\r\n\r\n", b"5 5\r\nabcde\r\n"]
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("broken", BROKEN)
async def test_chunks_that_are_none(broken: bytes) -> None:
    async with serving(length) as server:
        answer = await exchanged(server, CHUNKED + broken)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("broken", BROKEN)
async def test_chunks_that_are_none_while_the_body_is_read(
    broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    reading = asyncio.Event()

    async def fetch(request: Request) -> Response:
        assert request.body is not None
        reader = request.body.get_reader()
        assert await reader.read() == (b"abc", False)
        reading.set()
        while not (await reader.read()).done:
            pass
        return Response("never")

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.send(CHUNKED + b"3\r\nabc\r\n")
        await within(reading.wait())
        client.send(broken)
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"HTTP request: its body's chunks are not well-formed.\n")
    assert recorder.of("handler_failed") == []
    assert caplog.records == []


@pytest.mark.parametrize("broken", BROKEN)
async def test_chunks_that_are_none_when_nobody_reads_them(
    broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(unread) as server, connected(server) as client:
        client.send(CHUNKED + b"3\r\nabc\r\n")
        assert (await client.response()).body == b"unread"
        client.send(broken)
        assert await client.rest() == b""
    assert caplog.records == []
