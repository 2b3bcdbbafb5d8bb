"""HTTPS: with a certificate that a client can check, and a word to clients that don't speak it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from emulator.context import Outcome
from emulator.errors import ConfigError
from emulator.http import Request, Response
from emulator.runtime import Isolate, Worker
from emulator.server import Endpoint, RunningServer, start
from emulator.server.local_certificate import local_identity
from emulator.sockets.tls import Identity
from tests.server.serving import RawClient, Recorder, worker
from tests.support.certificates import Authority
from tests.support.waiting import within


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return local_identity("127.0.0.1", tmp_path, tell=lambda _: None)


@pytest.fixture
def trusting(identity: Identity, tmp_path: Path) -> ssl.SSLContext:
    """A client's settings that trust the certificate that was made."""
    return ssl.create_default_context(cafile=tmp_path / "localhost.pem")


@asynccontextmanager
async def started(
    identity: Identity, recorder: Recorder | None = None, host: str = "127.0.0.1", **handlers: Any
) -> AsyncIterator[RunningServer]:
    """Serve a worker with these handlers over HTTPS."""
    served = Worker(Isolate.load("w", worker(**handlers), {}))
    running = await start(served, Endpoint(host, 0, identity=identity), observer=recorder)
    try:
        yield running
    finally:
        await running.close(0)


@asynccontextmanager
async def client_of(
    running: RunningServer, context: ssl.SSLContext | None, name: str | None = None
) -> AsyncIterator[RawClient]:
    host, _, port = running.url.removeprefix("https://").rpartition(":")
    host = host.strip("[]")
    opening = asyncio.open_connection(
        host, int(port), ssl=context, server_hostname=None if context is None else name or host
    )
    client = RawClient(*await within(opening))
    try:
        yield client
    finally:
        client.writer.transport.abort()


async def url_of(request: Request) -> Response:
    return Response(request.url)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_requests_are_https(identity: Identity, trusting: ssl.SSLContext, host: str) -> None:
    async with started(identity, host=host, fetch=url_of) as running:
        assert running.url.startswith("https://")
        async with client_of(running, trusting) as client:
            for _ in range(2):
                client.get("/path?q=1")
                response = await client.response()
                assert response.body == b"https://test/path?q=1"


async def test_names_that_are_not_the_certificate_s_and_unknown_issuers_are_refused(
    identity: Identity, trusting: ssl.SSLContext
) -> None:
    async with started(identity, fetch=url_of) as running:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            async with client_of(running, trusting, "example.com"):
                pass
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
            async with client_of(running, ssl.create_default_context()):
                pass
        async with client_of(running, trusting) as client:
            client.get("/")
            assert (await client.response()).status == 200


async def test_a_certificate_of_one_s_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    issued = authority.issue("127.0.0.1")
    context = ssl.create_default_context(cafile=authority.certificate)
    async with (
        started(Identity(issued.certificate, issued.key), fetch=url_of) as running,
        client_of(running, context) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"https://test/"


async def test_large_bodies_go_both_ways(identity: Identity, trusting: ssl.SSLContext) -> None:
    size = 2_000_000

    async def echo(request: Request) -> Response:
        return Response(request.body)

    async with (
        started(identity, fetch=echo) as running,
        client_of(running, trusting) as client,
    ):
        client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
        client.send(b"x" * size)
        assert (await client.response(to="POST")).body == b"x" * size


async def test_plain_http_gets_an_answer_that_can_be_read(identity: Identity) -> None:
    recorder = Recorder()
    async with started(identity, recorder, fetch=url_of) as running:
        async with client_of(running, None) as client:
            client.get("/")
            response = await client.response()
            assert (response.status, response["connection"]) == (400, "close")
            assert response.body == (
                b"This port speaks HTTPS. Ask again with https:// in place of http://.\n"
            )
            client.get("/")
            assert await client.rest() == b""
        assert recorder.heard == []


async def test_other_bytes_are_closed_on_and_others_served(
    identity: Identity, trusting: ssl.SSLContext
) -> None:
    async with started(identity, fetch=url_of) as running:
        async with client_of(running, None) as client:
            client.send(b"\x00\x01\x02 neither of them" * 10)
            with suppress(ConnectionError):  # A clean end or a reset: either is an end.
                await client.rest()
        async with client_of(running, trusting) as client:
            client.get("/")
            assert (await client.response()).status == 200


async def test_a_client_that_goes_cancels_the_handler(
    identity: Identity, trusting: ssl.SSLContext
) -> None:
    recorder = Recorder()
    begun = asyncio.Event()

    async def wait() -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response("not reached")

    async with started(identity, recorder, fetch=wait) as running:
        async with client_of(running, trusting) as client:
            client.get("/")
            await within(begun.wait())
        assert (await recorder.wait_for("event_finished")).outcome is Outcome.CANCELED


async def test_files_of_no_use_are_an_error_and_leave_the_port(tmp_path: Path) -> None:
    file = tmp_path / "not.pem"
    file.write_text("nothing")
    with pytest.raises(ConfigError, match="they must be PEM files"):
        async with started(Identity(file, file), fetch=url_of):
            pass
