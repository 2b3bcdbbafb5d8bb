"""Whom connect() trusts: the system, SSL_CERT_FILE, --tls-ca; and one host of which nothing is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import emulator
from emulator.errors import ConfigError, SocketError
from emulator.sockets import Network, Trust, connect
from tests.support.certificates import PAST, Authority, IssuedCertificate, self_signed
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import PeerServer
from tests.support.tls_peers import TlsPeer, server_context, speaking
from tests.support.waiting import within


def shake_hands(peer: TlsPeer) -> None:
    try:
        peer.start_tls()
        peer.wait_for_eof()
    except (OSError, EOFError):
        pass  # Whether the other side accepts is what the test asks of it.


async def accepts(certificate: IssuedCertificate, trust: Trust, host: str = "localhost") -> bool:
    """True when connect() opens TLS with a server that shows `certificate`."""
    async with PeerServer(speaking(server_context(certificate), shake_hands)) as server:
        with request(network=Network(10, trust)):
            socket = connect(f"{host}:{server.port}", secure_transport="on")
            try:
                await within(socket.opened)
            except SocketError:
                return False
            await within(socket.close())
            return True


@pytest.fixture
def system(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> IssuedCertificate:
    """A certificate whose authority is the system's, by the folder that OpenSSL takes for it."""
    folder = tmp_path / "system"
    folder.mkdir()
    named = subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", str(authority.certificate)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (folder / f"{named}.0").write_bytes(authority.certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    return authority.issue("localhost")


async def test_the_systems_authorities_are_trusted_by_default(system: IssuedCertificate) -> None:
    assert await accepts(system, Trust())


async def test_others_are_not(certificate: IssuedCertificate) -> None:
    assert not await accepts(certificate, Trust())


async def test_a_file_of_ours_adds_to_the_systems(
    system: IssuedCertificate, tmp_path: Path
) -> None:
    first, second = (Authority(tmp_path / name) for name in ("first", "second"))
    trust = Trust((first.certificate, second.certificate))
    assert await accepts(first.issue("localhost"), trust)
    assert await accepts(second.issue("localhost"), trust)
    assert await accepts(system, trust)


async def test_the_variables_file_adds_to_the_systems_and_to_ours(
    system: IssuedCertificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, variables = (Authority(tmp_path / name) for name in ("ours", "variables"))
    monkeypatch.setenv("SSL_CERT_FILE", str(variables.certificate))
    trust = Trust((ours.certificate,))
    assert await accepts(ours.issue("localhost"), trust)
    assert await accepts(variables.issue("localhost"), trust)
    assert await accepts(system, trust)
    assert list(trust.notes()) == []


def test_a_variables_file_that_is_not_there_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no.pem"))
    assert list(Trust().notes()) == [
        f"The variable SSL_CERT_FILE names {tmp_path}/no.pem, which is not there: "
        "the system's certificates are trusted alone."
    ]


async def test_a_servers_own_certificate_is_enough_to_trust_it(
    certificate: IssuedCertificate, tmp_path: Path
) -> None:
    alone = self_signed(tmp_path, "localhost")
    assert not await accepts(alone, Trust())
    assert await accepts(alone, Trust((alone.certificate,)))
    assert await accepts(certificate, Trust((certificate.certificate,)))


async def test_trust_is_no_help_against_a_wrong_name_or_an_end(authority: Authority) -> None:
    trust = Trust((authority.certificate,))
    assert not await accepts(authority.issue("elsewhere.example"), trust)
    assert not await accepts(authority.issue("localhost", not_after=PAST), trust)
    assert not await accepts(authority.issue("localhost"), trust, "127.0.0.1")


@pytest.mark.parametrize("named", ["localhost", "LocalHost", "localhost."])
async def test_of_an_insecure_host_nothing_is_asked(authority: Authority, named: str) -> None:
    trust = Trust(insecure_hosts=frozenset({named}))
    for name in ("localhost", "elsewhere.example"):
        assert await accepts(authority.issue(name, not_after=PAST), trust)
    assert not await accepts(authority.issue("localhost"), trust, "127.0.0.1")


async def test_each_use_of_an_insecure_host_is_told(certificate: IssuedCertificate) -> None:
    observer = RecordingObserver()
    trust = Trust(insecure_hosts=frozenset({"localhost"}))
    async with PeerServer(speaking(server_context(certificate), shake_hands)) as server:
        with request(network=Network(10, trust), observer=observer):
            address = f"localhost:{server.port}"
            for option in ("on", "on", "starttls", "off"):
                socket = connect(address, secure_transport=option)
                if option == "starttls":
                    socket = socket.start_tls()
                await within(socket.opened)
                await within(socket.close())
            assert observer.unchecked == [address] * 3


# Files that can't be used.


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "No such file or directory"),
        ("", "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"),
        ("not PEM", "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"),
    ],
)
async def test_a_file_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    file = tmp_path / "authority.pem"
    if text is not None:
        file.write_text(text)
    trust = Trust((file,))
    sentence = (
        f"{file} can't be used to trust certificates: {reason}. "
        "Give --tls-ca or `dev.tls_ca` a PEM file."
    )
    with pytest.raises(ConfigError) as failure:
        trust.load()
    assert str(failure.value) == sentence
    worker = tmp_path / "worker.py"
    worker.write_text("async def on_fetch(request, env, ctx): ...")
    with pytest.raises(ConfigError) as failure:
        await emulator.serve(worker, network=Network(10, trust)).start_server()
    assert str(failure.value) == sentence


def test_without_files_nothing_is_read_at_the_start() -> None:
    trust = Trust()
    trust.load()
    assert trust._contexts == {}
