"""Responses from outside: which bytes go to the client for what a handler returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest

from emulator import errors
from emulator.http import Blob, File, FormData, Request, Response
from emulator.server.embedded import serve
from emulator.server.exchange import JOINED_BODY_BYTES
from tests.server.serving import Recorder, connected, exchanged, serving, worker
from tests.support.waiting import within

Client = Any  # pytest-aiohttp's client, which its own type hides behind a protocol of fixtures.


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def routed(**routes: Any) -> Any:
    """A fetch handler that answers /name with `routes[name]()`."""

    def fetch(request: Request) -> Any:
        return routes[request.url.rsplit("/", 1)[1]]()

    return fetch


BODIES = {
    "none": lambda: Response(),
    "text": lambda: Response("grüße"),
    "empty": lambda: Response(""),
    "bytes": lambda: Response(b"\x00\xff"),
    "bytearray": lambda: Response(bytearray(b"ba")),
    "memoryview": lambda: Response(memoryview(b"mv")),
    "large": lambda: Response(b"x" * (JOINED_BODY_BYTES + 1)),
    "blob": lambda: Response(Blob([b"blob"], content_type="image/png")),
    "stream": lambda: Response(Response("streamed").body),
    "iterable": lambda: Response(pieces(b"one", b"", b"two" * 10_000)),
    "nothing": lambda: Response(pieces()),
}
EXPECTED = {
    "none": b"",
    "text": "grüße".encode(),
    "empty": b"",
    "bytes": b"\x00\xff",
    "bytearray": b"ba",
    "memoryview": b"mv",
    "large": b"x" * (JOINED_BODY_BYTES + 1),
    "blob": b"blob",
    "stream": b"streamed",
    "iterable": b"one" + b"two" * 10_000,
    "nothing": b"",
}


@pytest.mark.parametrize("kind", BODIES)
async def test_every_kind_of_body(aiohttp_client: Client, kind: str) -> None:
    client = await aiohttp_client(serve(worker(fetch=routed(**BODIES))))
    for _ in range(2):  # On one connection.
        async with client.get(f"/{kind}") as response:
            assert response.status == 200
            assert await response.read() == EXPECTED[kind]
    by_length = kind not in ("stream", "iterable", "nothing")
    assert ("Content-Length" in response.headers) is by_length
    assert ("Transfer-Encoding" in response.headers) is not by_length
    types = {
        "text": "text/plain;charset=UTF-8",
        "empty": "text/plain;charset=UTF-8",
        "blob": "image/png",
    }
    assert response.headers.get("Content-Type") == types.get(kind)


async def test_a_form_is_a_body(aiohttp_client: Client) -> None:
    def fetch() -> Response:
        form = FormData()
        form.append("name", "value")
        form.append("file", File([b"content"], "f.txt"))
        return Response(form)

    client = await aiohttp_client(serve(worker(fetch=fetch)))
    async with client.get("/") as response:
        sent = await response.read()
    again = Response(sent, headers={"Content-Type": response.headers["Content-Type"]})
    form = await again.form_data()
    assert form["name"] == "value"


@pytest.mark.parametrize("kind", ["text", "large", "iterable"])
async def test_head_has_the_headers_and_no_body(kind: str) -> None:
    async with serving(routed(**BODIES)) as server, connected(server) as client:
        client.get(f"/{kind}", method="HEAD")
        client.get("/text")
        head = await client.response(to="HEAD")
        assert head.status == 200
        length = [] if kind == "iterable" else [str(len(EXPECTED[kind]))]
        assert head.all("content-length") == length
        assert (await client.response()).body == EXPECTED["text"]


async def test_head_keeps_the_content_length_that_a_handler_gives() -> None:
    def fetch(request: Request) -> Response:
        return Response(None, headers={"Content-Length": "12"})

    async with serving(fetch) as server, connected(server) as client:
        client.get("/", method="HEAD")
        assert (await client.response(to="HEAD"))["content-length"] == "12"
        client.get("/")
        assert (await client.response())["content-length"] == "0"


@pytest.mark.parametrize("status", [204, 304, 205])
async def test_statuses_without_a_body(status: int) -> None:
    def fetch() -> Response:
        return Response(None, status=status, headers={"ETag": '"a"', "Content-Length": "5"})

    async with serving(fetch) as server, connected(server) as client:
        for _ in range(2):
            client.get("/")
            response = await client.response()
            assert (response.status, response.reason) == (status, HTTPStatus(status).phrase)
            assert response["etag"] == '"a"'
            # 205 is not among those that end with their head: only a length says that nothing comes.
            assert response.all("content-length") == (["0"] if status == 205 else [])
            assert not response.all("transfer-encoding")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_right_content_length_frames_a_stream(version: str) -> None:
    def fetch() -> Response:
        return Response(pieces(b"abc", b"def"), headers={"Content-Length": "6"})

    async with serving(fetch) as server, connected(server) as client:
        for _ in range(2):
            client.get("/", "Connection: keep-alive", version=version)
            response = await client.response()
            assert response["content-length"] == "6"
            assert response.body == b"abcdef"


@pytest.mark.parametrize(
    ("length", "sent", "sentence"),
    [
        (4, b"abc", errors.BODY_LONGER_THAN_LENGTH.format(length=4)),
        (2, b"", errors.BODY_LONGER_THAN_LENGTH.format(length=2)),
        (9, b"abcdef", errors.BODY_SHORTER_THAN_LENGTH.format(length=9, sent=6)),
    ],
)
async def test_a_wrong_content_length_breaks_the_response_off(
    length: int, sent: bytes, sentence: str
) -> None:
    recorder = Recorder()

    def fetch() -> Response:
        return Response(pieces(b"abc", b"def"), headers={"Content-Length": str(length)})

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/")
        assert (await client.head())["content-length"] == str(length)
        assert await client.rest() == sent
        assert str(await recorder.wait_for("body_failed")) == sentence


async def test_a_body_at_hand_decides_over_the_content_length_given() -> None:
    def fetch() -> Response:
        return Response("four", headers={"Content-Length": "9"})

    async with serving(fetch) as server, connected(server) as client:
        client.get("/")
        response = await client.response()
        assert (response["content-length"], response.body) == ("4", b"four")


async def test_http_1_0_gets_its_stream_up_to_the_close() -> None:
    async with serving(routed(**BODIES)) as server, connected(server) as client:
        client.get("/iterable", "Connection: keep-alive", version="1.0")
        response = await client.response()
        assert not response.all("transfer-encoding")
        assert not response.all("content-length")
        assert response["connection"] == "close"
        assert response.body == EXPECTED["iterable"]


@pytest.mark.parametrize(
    ("version", "asked", "answered", "kept"),
    [
        ("1.1", None, [], True),
        ("1.1", "close", ["close"], False),
        ("1.0", None, ["close"], False),
        ("1.0", "keep-alive", ["keep-alive"], True),
    ],
)
async def test_whether_a_connection_is_kept(
    version: str, asked: str | None, answered: list[str], kept: bool
) -> None:
    async with serving(routed(**BODIES)) as server, connected(server) as client:
        headers = [f"Connection: {asked}"] if asked else []
        client.get("/text", *headers, version=version)
        response = await client.response()
        assert response.all("connection") == answered
        assert response.body == EXPECTED["text"]
        if kept:
            client.get("/bytes", "Connection: close")
            assert (await client.response()).body == EXPECTED["bytes"]
        assert await client.rest() == b""


async def test_pipelined_requests_are_answered_in_order() -> None:
    names = ["text", "iterable", "bytes", "none", "nothing", "large"] * 20
    async with serving(routed(**BODIES)) as server, connected(server) as client:
        for name in names:
            client.get(f"/{name}")
        for name in names:
            assert (await client.response()).body == EXPECTED[name]


async def test_headers_about_the_connection_are_the_servers() -> None:
    dropped = {
        "Connection": "X-Mine",
        "Keep-Alive": "timeout=5",
        "Proxy-Connection": "keep-alive",
        "TE": "trailers",
        "Trailer": "X-Mine",
        "Transfer-Encoding": "gzip",
        "Upgrade": "h2c",
    }

    def fetch() -> Response:
        return Response("x", headers={**dropped, "X-Mine": "kept", "Date": "yesterday"})

    async with serving(fetch) as server, connected(server) as client:
        client.get("/")
        response = await client.response()
        assert [name for name in dropped if response.all(name.lower())] == []
        assert (response["x-mine"], response["date"]) == ("kept", "yesterday")


async def test_each_set_cookie_is_a_line_of_its_own() -> None:
    def fetch() -> Response:
        headers = [
            ("Set-Cookie", "a=1; Path=/"),
            ("X-Many", "1"),
            ("Set-Cookie", "b=2"),
            ("X-Many", "2"),
        ]
        return Response("x", headers=headers)

    async with serving(fetch) as server, connected(server) as client:
        client.get("/")
        response = await client.response()
        assert response.all("set-cookie") == ["a=1; Path=/", "b=2"]
        assert response.all("x-many") == ["1, 2"]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0b"])
async def test_a_header_can_t_carry_a_line_break(value: str) -> None:
    recorder = Recorder()

    def fetch(request: Request) -> Response:
        if request.url.endswith("/reason"):
            return Response("x", status_text=value)
        if request.url.endswith("/name"):
            return Response("x", headers={value: "x"})
        response = Response("x")
        if request.url.endswith("/later"):
            response.headers["X-Mine"] = value
            return response
        return Response("x", headers={"X-Mine": value})

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        for path in ("/value", "/name", "/later", "/reason"):
            client.get(path)
            response = await client.response()
            assert response.status == 500
            assert not response.all("x-evil")
    assert len(recorder.of("handler_failed")) == 4


async def test_a_header_that_is_not_latin_1_says_so() -> None:
    recorder = Recorder()

    def fetch() -> Response:
        return Response("x", headers={"X-Mine": "日本"})

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/")
        response = await client.response()
        assert response.status == 500
        sentence = "Invalid value of header 'X-Mine': the character '日', which is not Latin-1, at position 0."
        assert sentence in response.body.decode()
        assert str(recorder.of("handler_failed")[0]) == sentence


@pytest.mark.parametrize("streamed", [True, False])
async def test_headers_over_the_limit_are_the_workers_failure(streamed: bool) -> None:
    recorder = Recorder()

    def fetch() -> Response:
        body = pieces(b"x") if streamed else "x"
        return Response(body, headers=[(f"X-{n}", "y" * 1_000) for n in range(140)])

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        for _ in range(2):
            client.get("/")
            response = await client.response()
            assert response.status == 500
            sentence = "bytes; the platform lets 131072 through. Send fewer or shorter headers."
            assert sentence in response.body.decode()
            assert sentence in str(recorder.of("handler_failed")[-1])


async def test_status_101_is_refused_in_words() -> None:
    recorder = Recorder()
    async with serving(lambda: Response(status=101), observer=recorder) as server:
        answer = await exchanged(server, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert str(recorder.of("handler_failed")[0]) == errors.SWITCHING_PROTOCOLS


async def test_a_slow_client_holds_the_next_response_back() -> None:
    """A handler is not begun while its client has not taken what was sent before."""
    begun = []

    def fetch(request: Request) -> Response:
        begun.append(request.url)
        return Response(b"x" * 16_000_000)

    recorder = Recorder()
    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/1")
        client.get("/2")
        await client.head()
        await within(client.reader.readexactly(1_000_000))
        assert len(begun) == 1
        await within(client.reader.readexactly(15_000_000))
        assert len((await client.response()).body) == 16_000_000
        assert len(begun) == 2


async def test_the_record_of_a_request() -> None:
    recorder = Recorder()
    async with serving(lambda: Response("x", status=418), observer=recorder) as server:
        await exchanged(server, b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        record = await recorder.wait_for("event_finished")
    assert (record.label, record.status) == ("GET /a?b=c", "418 I'm a Teapot")
    assert 0 <= record.seconds < 5


@pytest.mark.parametrize(
    ("line", "host", "url"),
    [
        ("GET http://x.example/y?z HTTP/1.1", "h", "http://x.example/y?z"),
        ("OPTIONS * HTTP/1.1", "h", "http://h/"),
        ("GET /%C3%A9 HTTP/1.1", "h", "http://h/%C3%A9"),
        ("GET //evil.example/ HTTP/1.1", "h", "http://h//evil.example/"),
    ],
)
async def test_the_url_that_a_handler_sees(line: str, host: str, url: str) -> None:
    async with serving(lambda request: Response(request.url)) as server:
        request = f"{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        answer = await exchanged(server, request)
    assert answer.rpartition(b"\r\n\r\n")[2].decode() == url


async def test_the_url_of_a_request_without_host() -> None:
    async with serving(lambda request: Response(request.url)) as server:
        answer = await exchanged(server, b"GET /a HTTP/1.0\r\n\r\n")
        assert answer.rpartition(b"\r\n\r\n")[2].decode() == f"{server.url}/a"
