"""http_over_tcp.py against nginx, plain and over TLS; against scripted peers for what nginx never sends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import worker
from tests.support.certificates import Authority
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, Script, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import within

BIG_BYTES = 8_000_000
NOT_THERE = "proxy request failed, cannot connect to the specified address\n"
SETTINGS = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {folder}/files;
        location /told {{ return 200 "$request_method $request_uri $http_host $http_connection"; }}
        location /moved {{ return 302 https://elsewhere.example/; }}
        location /nothing {{ return 204; }}
        location /chunked {{
            ssi on;
            alias {folder}/files/;
            default_type text/html;
            add_header Set-Cookie a=1;
            add_header Set-Cookie b=2;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class WebServer:
    """An nginx that runs: where, its files, and whom it is certified by."""

    address: str
    tls_address: str
    files: Path
    authority: Path

    def env(self, tls: str) -> dict[str, str]:
        address = self.tls_address if tls == "on" else self.address
        return {"HTTP_SERVER": address, "HTTP_TLS": tls}


@asynccontextmanager
async def started(program: str, settings: Path, port: int) -> AsyncIterator[None]:
    argv = [program, "-p", str(settings.parent), "-c", str(settings), "-e", "stderr"]
    async with running(argv, ready=port) as process:
        yield
        process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.fixture(scope="module")
def nginx(
    require_program: RequireProgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    program = require_program("nginx", debian="nginx-light")
    authority = Authority(tmp_path_factory.mktemp("authority"))
    certificate = authority.issue("localhost", "127.0.0.1")
    with open_folder() as folder:
        files = folder / "files"
        files.mkdir()
        (files / "a.txt").write_text("hello\n")
        (files / "empty.txt").write_text("")
        (files / "big.bin").write_bytes(bytes(range(256)) * (BIG_BYTES // 256))
        (files / "included.html").write_text('one <!--# echo var="arg_x" --> two\n' * 2000)
        port, tls_port = free_port(), free_port()
        settings = folder / "nginx.conf"
        settings.write_text(
            SETTINGS.format(
                folder=folder,
                user="user root;" if os.geteuid() == 0 else "",
                port=port,
                tls_port=tls_port,
                certificate=certificate.certificate,
                key=certificate.key,
            )
        )
        with beside(started(program, settings, port)):
            yield WebServer(
                f"localhost:{port}", f"localhost:{tls_port}", files, authority.certificate
            )


@asynccontextmanager
async def asked(server: WebServer, tls: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        worker("http_over_tcp", server.env(tls), authority=server.authority) as client,
        client.get(path, allow_redirects=False) as response,
    ):
        yield response


both = pytest.mark.parametrize("tls", ["off", "on"])


@both
async def test_a_file_comes_with_its_headers(nginx: WebServer, tls: str) -> None:
    async with asked(nginx, tls, "/a.txt") as response:
        assert (response.status, await within(response.text())) == (200, "hello\n")
        assert response.headers["Content-Length"] == "6"
        assert response.headers["Content-Type"] == "text/plain"
        assert "ETag" in response.headers
        assert response.headers.getall("Date") == [response.headers["Date"]]


@both
async def test_a_large_file_comes_whole(nginx: WebServer, tls: str) -> None:
    async with asked(nginx, tls, "/big.bin") as response:
        assert await within(response.read()) == (nginx.files / "big.bin").read_bytes()


@both
async def test_an_empty_file_is_an_empty_body(nginx: WebServer, tls: str) -> None:
    async with asked(nginx, tls, "/empty.txt") as response:
        assert (response.status, await within(response.read())) == (200, b"")
        assert response.headers["Content-Length"] == "0"


@both
async def test_a_chunked_body_is_put_together(nginx: WebServer, tls: str) -> None:
    async with asked(nginx, tls, "/chunked/included.html?x=and") as response:
        assert await within(response.text()) == "one and two\n" * 2000
        assert "Content-Length" not in response.headers
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]


async def test_path_and_query_are_passed_on(nginx: WebServer) -> None:
    async with asked(nginx, "off", "/told/a%20b?c=d&e") as response:
        told = await within(response.text())
        assert told == f"GET /told/a%20b?c=d&e {nginx.address} close"


async def test_statuses_are_passed_on(nginx: WebServer) -> None:
    async with asked(nginx, "off", "/none.txt") as response:
        assert response.status == 404
        assert "404 Not Found" in await within(response.text())
    async with asked(nginx, "off", "/moved") as response:
        assert response.status == 302
        assert response.headers["Location"] == "https://elsewhere.example/"
    async with asked(nginx, "off", "/nothing") as response:
        assert (response.status, await within(response.read())) == (204, b"")


async def test_other_methods_are_refused() -> None:
    async with worker("http_over_tcp", {}) as client, client.post("/", data="x") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET")
        assert await response.text() == "This worker sends GET only.\n"


async def test_a_certificate_of_nobody_we_trust_is_a_502(nginx: WebServer) -> None:
    async with worker("http_over_tcp", nginx.env("on")) as client, client.get("/") as response:
        assert (response.status, await response.text()) == (502, NOT_THERE)


async def test_a_server_that_is_not_there_is_a_502() -> None:
    with refusing_port() as refusing:
        env = {"HTTP_SERVER": f"127.0.0.1:{refusing.getsockname()[1]}", "HTTP_TLS": "off"}
        async with worker("http_over_tcp", env) as client, client.get("/") as response:
            assert (response.status, await response.text()) == (502, NOT_THERE)


def answering(data: bytes) -> Script:
    """A server that answers `data` and closes."""

    def script(peer: Peer) -> None:
        while peer.read_line() != b"\r\n":
            pass
        peer.send(data)
        peer.half_close()
        peer.wait_for_eof()

    return script


@asynccontextmanager
async def answered(data: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
    async with (
        PeerServer(answering(data)) as peer,
        worker("http_over_tcp", {"HTTP_SERVER": peer.address, "HTTP_TLS": "off"}) as client,
        client.get("/") as response,
    ):
        yield response


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200\r\n\r\n", b""),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nlate", b"late"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\nabc", b"abc"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"3;name=value\r\nabc\r\n0A \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            b"abc0123456789",
        ),
    ],
)
async def test_the_body_ends_where_the_framing_says(data: bytes, body: bytes) -> None:
    async with answered(data) as response:
        assert (response.status, await within(response.read())) == (200, body)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it ends within its head"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "it ends within its head"),
        (b"SSH-2.0-x\r\n\r\n", "it begins with 'SSH-2.0-x'"),
        (b"HTTP/1.1 999 Odd\r\n\r\n", "it begins with 'HTTP/1.1 999 Odd'"),
        (b"HTTP/2 200\r\n\r\n", "it begins with 'HTTP/2 200'"),
        (b"HTTP/1.1 200 OK\r\nno field\r\n\r\n", "'no field' is no header field"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "'A : b' is no header field"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "' folded' is no header field"),
        (b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n", "'A: b\\nB: c' is no header field"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its Content-Length is no length"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "its Content-Length is no length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "nobody can tell where its body ends",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "nobody can tell where its body ends",
        ),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n", "its head is too long"),
    ],
)
async def test_what_is_no_response_is_a_502_that_says_why(data: bytes, told: str) -> None:
    async with answered(data) as response:
        assert response.status == 502
        assert await response.text() == f"The server's response can't be read: {told}\n"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n-1\r\n\r\n",
    ],
)
async def test_a_body_that_is_cut_off_or_misframed_is_broken_off(data: bytes) -> None:
    async with answered(data) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await within(response.read())


async def test_a_reset_breaks_the_body_off() -> None:
    heard = threading.Event()

    def script(peer: Peer) -> None:
        while peer.read_line() != b"\r\n":
            pass
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        assert heard.wait(10)
        peer.reset()

    async with (
        PeerServer(script) as peer,
        worker("http_over_tcp", {"HTTP_SERVER": peer.address, "HTTP_TLS": "off"}) as client,
        client.get("/") as response,
    ):
        assert await within(response.content.readexactly(3)) == b"abc"
        heard.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await within(response.read())
