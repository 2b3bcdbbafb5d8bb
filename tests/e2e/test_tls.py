"""`pyworker dev` and a server whose certificate nobody knows: what the terminal says, and the options that help."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.support.certificates import Authority
from tests.support.peers import PeerServer
from tests.support.process import ProcessFailure, pyworker
from tests.support.tls_peers import TlsPeer, server_context, speaking

WORKER = """
from cloudflare.sockets import connect
from workers import Response

async def on_fetch(request, env, ctx):
    socket = connect(request.headers["X-Address"], secure_transport="on")
    await socket.opened
    socket.writable.get_writer().write(b"hello")
    return Response(socket.readable)
"""


def greet(peer: TlsPeer) -> None:
    try:
        peer.start_tls()
    except OSError:
        return  # Refused: what the test asks for.
    peer.expect(b"hello")
    peer.send(b"hello yourself")
    peer.close_notify()
    peer.wait_for_eof()


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    path = tmp_path / "worker.py"
    path.write_text(WORKER)
    return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


async def get(url: str, address: str) -> tuple[int, str]:
    """Have the worker at `url` talk to `address`; return status and text."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"X-Address": address}) as response,
    ):
        return response.status, await response.text()


async def test_a_refused_certificate_is_one_line_that_says_everything(
    worker: Path, authority: Authority
) -> None:
    context = server_context(authority.issue("localhost"))
    async with (
        PeerServer(speaking(context, greet)) as server,
        pyworker("dev", str(worker), "--port", "0") as process,
    ):
        address = f"localhost:{server.port}"
        status, text = await get(process.url, address)
        line = await process.line("failed: SSL")
        note = "The certificate of localhost is refused: its issuer is not trusted (issuer: O=Test authority, "
        options = "). To trust it: --tls-ca FILE, its issuer's PEM file. To check nothing: --tls-insecure localhost"
        assert line.string.startswith(
            f'GET /: connect("{address}") failed: SSLCertVerificationError: '
        )
        assert note in line.string
        assert line.string.endswith(options)
        # The response says the same.
        assert status == 500
        assert "proxy request failed, cannot connect to the specified address" in text
        assert note in text
        assert options in text


@pytest.mark.parametrize("by", ["option", "file", "variable"])
async def test_an_authority_is_trusted_by_option_file_or_variable(
    worker: Path, authority: Authority, by: str
) -> None:
    arguments = ["--tls-ca", str(authority.certificate)] if by == "option" else []
    if by == "file":
        worker.with_name("wrangler.toml").write_text(
            'main = "worker.py"\n[dev]\ntls_ca = ["authority/authority.pem"]'
        )
    environ = {"SSL_CERT_FILE": str(authority.certificate)} if by == "variable" else {}
    context = server_context(authority.issue("localhost"))
    async with (
        PeerServer(speaking(context, greet)) as server,
        pyworker("dev", str(worker), "--port", "0", *arguments, environ=environ) as process,
    ):
        assert await get(process.url, f"localhost:{server.port}") == (200, "hello yourself")


async def test_an_unchecked_host_gives_a_warning_each_time(
    worker: Path, authority: Authority
) -> None:
    context = server_context(authority.issue("elsewhere.example"))
    async with (
        PeerServer(speaking(context, greet)) as server,
        pyworker("dev", str(worker), "--port", "0", "--tls-insecure", "localhost") as process,
    ):
        address = f"localhost:{server.port}"
        for _ in range(2):
            assert await get(process.url, address) == (200, "hello yourself")
        warning = f'GET /: connect("{address}") does not check the certificate (--tls-insecure).'
        assert process.lines.count(warning) == 2


async def test_a_file_that_is_none_is_said_at_the_start(worker: Path) -> None:
    with pytest.raises(ProcessFailure) as failure:
        async with pyworker("dev", str(worker), "--port", "0", "--tls-ca", str(worker)):
            pass
    assert (
        f"Error: {worker} can't be used to trust certificates: it holds no certificate in PEM form "
        "(-----BEGIN CERTIFICATE-----). Give --tls-ca or `dev.tls_ca` a PEM file."
    ) in str(failure.value)
    assert "Traceback" not in str(failure.value)


async def test_the_time_for_connecting_is_an_option(worker: Path) -> None:
    async with (
        PeerServer(lambda peer: peer.wait_for_eof()) as server,
        pyworker("dev", str(worker), "--port", "0", "--connect-timeout", "0.2") as process,
    ):
        status, text = await asyncio.wait_for(get(process.url, server.address), 5)
        assert status == 500
        assert "no answer within 0.2 s" in text
        line = await process.line("failed: TimeoutError")
        assert line.string.endswith(
            "TimeoutError: no answer within 0.2 s. The TCP connection was open; "
            "the TLS handshake was not over when the time was up."
        )
