"""What is not HTTP, or not safely so: refused with a 4xx or a close, never a 500, never a line in a log."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.context import Outcome
from emulator.http import Request, Response
from emulator.server.embedded import WorkerServer
from emulator.server.limits import HEADERS_LIMIT_COUNT
from tests.server.serving import Recorder, connected, exchanged, serving
from tests.support.waiting import within

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
URL_LIMIT = b"The URL is longer than 16 KB, the platform's limit.\n"
HEADERS_LIMIT = b"The request's headers are larger than 128 KB, the platform's limit.\n"


async def echo(request: Request) -> Response:
    return Response(await request.bytes())


REFUSED = {
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "binary": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 505),
    "no target": (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "target without slash": (b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "odd version": (b"GET / HTTP/1.11\r\nHost: a\r\n\r\n", 400),
    "version 2": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "version 3": (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400),
    "lower-case protocol": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "connect": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "bytes in the path": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "host with space": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "host with slash": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "host with user": (b"GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "NUL in name": (GET + b"Foo\x00: a\r\n\r\n", 400),
    "NUL in value": (GET + b"Foo: a\x00b\r\n\r\n", 400),
    "bare CR in value": (GET + b"Foo: a\rb\r\n\r\n", 400),
    "no colon": (GET + b"Foo\r\n\r\n", 400),
    "empty name": (GET + b": a\r\n\r\n", 400),
    "folded line": (GET + b"Foo: a\r\n continued\r\n\r\n", 400),
    "length and chunks": (
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks and length": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "two equal lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "length list": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "negative length": (POST + b"Content-Length: -3\r\n\r\nabcd", 400),
    "signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "hex length": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "empty length": (POST + b"Content-Length: \r\n\r\nabc", 400),
    "huge length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabcd", 400),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked, gzip": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "identity": (POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 400),
    "chunked twice": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunked with tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in 1.0": (
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "another expectation": (POST + b"Content-Length: 3\r\nExpect: foo\r\n\r\nabc", 417),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_is_refused(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    request, status = REFUSED[kind]
    recorder = Recorder()
    async with serving(echo, observer=recorder) as server:
        answer = await exchanged(server, request)
        record = await recorder.wait_for("event_finished")
        assert await is_alive(server)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Length: %d" % len(body) in head
    assert body.count(b"\n") == 1  # One sentence, one response.
    assert record.outcome is Outcome.OK
    assert record.status.startswith(f"{status} ")
    assert recorder.of("handler_failed") == []
    assert caplog.records == []


ACCEPTED = {
    "leading line breaks": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "unusual method": b"PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "empty host": b"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "upgrade": GET + b"Upgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    "obs-text": GET + b"X: \xff\xfe\r\nConnection: close\r\n\r\n",
    "trailers": POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    "chunk extension": POST
    + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n",
    "get with a body": GET + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc",
    "1.0 without host": b"GET / HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("kind", ACCEPTED)
async def test_what_is_unusual_and_answered(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    async with serving(echo, observer=recorder) as server:
        answer = await exchanged(server, ACCEPTED[kind])
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    assert caplog.records == []


async def test_a_body_is_never_taken_for_a_request() -> None:
    """The shapes of request smuggling: after any of them the connection carries nothing more."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
    shapes = [
        POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        POST
        + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(hidden), hidden),
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + hidden,
        POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + hidden,
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"
        + hidden,
    ]
    recorder = Recorder()
    async with serving(echo, observer=recorder) as server:
        for shape in shapes:
            answer = await exchanged(server, shape)
            assert answer.startswith(b"HTTP/1.1 400 "), shape
            assert answer.count(b"HTTP/1.1 ") == 1, shape
    assert [
        record.label for record in recorder.of("event_finished") if "hidden" in record.label
    ] == []


async def test_a_good_request_is_answered_before_the_garbage_behind_it() -> None:
    async with serving(echo) as server, connected(server) as client:
        client.send(POST + b"Content-Length: 3\r\n\r\nabc")
        assert (await client.response()).body == b"abc"
        client.send(b"GARBAGE\r\n\r\n")
        assert (await client.response()).status == 400
        assert await client.rest() == b""


@pytest.mark.parametrize("size", [17_000, 65_536, 1_000_000])
async def test_a_long_url(size: int) -> None:
    async with serving(echo) as server:
        answer = await exchanged(server, b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * size))
    assert answer.startswith(b"HTTP/1.1 414 URI Too Long\r\n")
    assert answer.endswith(URL_LIMIT)


async def test_the_longest_url() -> None:
    async with serving(echo) as server:
        request = b"GET /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (b"a" * 16_383)
        assert (await exchanged(server, request)).startswith(b"HTTP/1.1 200 ")
        request = b"GET /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (b"a" * 16_384)
        assert (await exchanged(server, request)).startswith(b"HTTP/1.1 414 ")


@pytest.mark.parametrize(
    "headers",
    [
        b"X: %b\r\n" % (b"y" * 300_000),
        b"".join(b"X-%d: %b\r\n" % (n, b"y" * 990) for n in range(300)),
        b"".join(b"X-%d: %b\r\n" % (n, b"y" * 90) for n in range(3_000)),
        b"%b: y\r\n" % (b"X" * 300_000),
        b"X: y\r\n" * (HEADERS_LIMIT_COUNT + 1),
    ],
    ids=["one line", "300 lines", "3000 lines", "a name", "many short lines"],
)
async def test_large_headers(headers: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(echo) as server:
        answer = await exchanged(server, GET + headers + b"\r\n")
        assert await is_alive(server)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(HEADERS_LIMIT)
    assert caplog.records == []


async def test_headers_under_the_limit_pass() -> None:
    async with serving(lambda request: Response(str(len(request.headers["x"])))) as server:
        request = GET + b"Connection: close\r\nX: %b\r\n\r\n" % (b"y" * 130_000)
        assert (await exchanged(server, request)).endswith(b"\r\n\r\n130000")


async def test_a_client_that_breaks_off_its_request(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(echo) as server:
        for part in (b"", b"G", b"GET / HTTP/1.1\r\nHo", POST + b"Content-Length: 9\r\n\r\nabc"):
            async with connected(server) as client:
                client.send(part)
                client.writer.write_eof()
                assert await client.rest() == b""
        assert await is_alive(server)
    assert caplog.records == []


# Fuzz.

VALID = [
    GET + b"\r\n",
    POST + b"Content-Length: 5\r\n\r\nhello",
    POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"GET http://a:1/b?c HTTP/1.0\r\nConnection: keep-alive\r\nCookie: a=b\r\n\r\n",
    GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\nmore",
]
MORSELS = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b" ",
    b"\t",
    b"\xff",
    b"%",
    b"[",
    b"]",
    b"//",
    b"#",
    b"-1",
    b"chunked",
    b"0",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(VALID), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 6))
        data[at : at + length] = draw(st.sampled_from(MORSELS) | st.binary(max_size=4))
    return bytes(data)


def target() -> st.SearchStrategy[bytes]:
    """Requests whose target or Host is any bytes that don't end the line."""
    word = st.binary(min_size=1, max_size=20).map(lambda data: data.translate(None, b"\r\n "))
    return st.one_of(
        word.map(lambda data: b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % data),
        word.map(lambda data: b"GET http://%b HTTP/1.1\r\nHost: a\r\n\r\n" % data),
        word.map(lambda data: b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % data),
    )


async def look_at_everything(request: Request) -> Response:
    """Use all that came from the client, so that nothing of it fails late."""
    assert request.url
    dict(request.headers.items())
    return Response(await request.bytes())


@pytest.mark.parametrize("kind", ["garbage", "mutated", "target"])
async def test_fuzz(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    strategies = {
        "garbage": st.binary(min_size=1, max_size=200),
        "mutated": mutated(),
        "target": target(),
    }
    loop = asyncio.get_running_loop()
    recorder = Recorder()

    async with serving(look_at_everything, observer=recorder) as server:
        assert server.port is not None
        address = ("127.0.0.1", server.port)

        @settings(max_examples=250, deadline=None)
        @given(strategies[kind])
        def send(data: bytes) -> None:
            answer = blocking_exchange(address, data)
            statuses = [
                line.split(b" ")[1] for line in answer.split(b"\n") if line.startswith(b"HTTP/1.1 ")
            ]
            for status in statuses:
                assert (
                    status == b"200" or status == b"100" or status[:1] == b"4" or status == b"505"
                ), answer

        await within(loop.run_in_executor(None, send), 60)
        assert await is_alive(server)
    assert recorder.of("handler_failed") == []
    assert [record for record in caplog.records if record.name != "hypothesis"] == []


def blocking_exchange(address: tuple[str, int], data: bytes) -> bytes:
    """Send `data` and the end; return what comes back up to the server's end, clean or not."""
    answer = b""
    with socket.create_connection(address, timeout=10) as client:
        try:
            # A last request, so that the server answers before the end tells it that the client is gone.
            client.sendall(
                data + b"\r\n\r\nGET / HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
            )
            client.settimeout(0.2)
            while more := client.recv(65_536):
                answer += more
        except TimeoutError:
            client.settimeout(10)
            client.shutdown(socket.SHUT_WR)
            while more := client.recv(65_536):
                answer += more
        except ConnectionError:
            pass
    return answer


async def is_alive(server: WorkerServer) -> bool:
    """Tell whether a new connection is served."""
    request = POST + b"Connection: close\r\nContent-Length: 5\r\n\r\nalive"
    return (await exchanged(server, request)).endswith(b"\r\n\r\nalive")
