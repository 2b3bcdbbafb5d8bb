"""What is said of a handshake that fails: whose certificate, why, who issued it, and the option that would help."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from emulator.errors import SocketError
from emulator.failures import summary
from emulator.sockets import Network, Trust, connect
from tests.support.certificates import (
    FUTURE,
    LONG_AGO,
    PAST,
    Authority,
    IssuedCertificate,
    self_signed,
)
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Peer, PeerServer
from tests.support.tls_peers import refused, server_context, speaking
from tests.support.waiting import until, within


async def refusal(
    certificate: IssuedCertificate,
    trust: Trust,
    alert: str,
    host: str = "localhost",
    version: ssl.TLSVersion | None = None,
) -> str:
    """The note on the cause of a connection that fails; the server hears `alert`."""
    observer = RecordingObserver()
    async with PeerServer(speaking(server_context(certificate, version), refused)) as server:
        with request(network=Network(10, trust), observer=observer):
            socket = connect(f"{host}:{server.port}", secure_transport="on")
            with pytest.raises(SocketError) as failure:
                await within(socket.opened)
        assert await within(server.result()) == alert
        assert server.connection_count == 1
    cause = failure.value.__cause__
    assert isinstance(cause, ssl.SSLCertVerificationError)
    assert [found[2] for found in observer.failures] == [cause]
    [note] = cause.__notes__
    assert summary(cause).endswith(note)
    return str(note)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_unknown_issuer(certificate: IssuedCertificate, version: ssl.TLSVersion) -> None:
    note = await refusal(certificate, Trust(), "TLSV1_ALERT_UNKNOWN_CA", version=version)
    assert note.startswith(
        "The certificate of localhost is refused: its issuer is not trusted (issuer: O=Test authority, OU="
    )
    assert note.endswith(
        "). To trust it: --tls-ca FILE, its issuer's PEM file. To check nothing: --tls-insecure localhost"
    )


async def test_a_self_signed_one(tmp_path: Path) -> None:
    note = await refusal(self_signed(tmp_path, "localhost"), Trust(), "TLSV1_ALERT_UNKNOWN_CA")
    assert note == (
        "The certificate of localhost is refused: it is self-signed (issuer: CN=localhost). "
        "To trust it: --tls-ca FILE, its PEM file. To check nothing: --tls-insecure localhost"
    )


async def test_one_whose_chain_ends_in_an_unknown_authority(
    authority: Authority, certificate: IssuedCertificate, tmp_path: Path
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate.certificate.read_bytes() + authority.certificate.read_bytes())
    whole = IssuedCertificate(chain, certificate.key, certificate.both)
    note = await refusal(whole, Trust(), "TLSV1_ALERT_UNKNOWN_CA")
    assert note.startswith(
        "The certificate of localhost is refused: the authority at the end of its chain is not trusted (issuer: "
    )


async def test_an_expired_one(authority: Authority) -> None:
    certificate = authority.issue("localhost", not_before=LONG_AGO, not_after=PAST)
    trust = Trust((authority.certificate,))
    note = await refusal(certificate, trust, "SSLV3_ALERT_CERTIFICATE_EXPIRED")
    assert note.startswith(
        "The certificate of localhost is refused: it expired on 2020-01-02 (issuer: O=Test authority, "
    )
    assert note.endswith(
        "). Mend it at the server, or check nothing for this host: --tls-insecure localhost"
    )


async def test_one_that_is_not_valid_yet(authority: Authority) -> None:
    certificate = authority.issue(
        "localhost", not_before=FUTURE, not_after=FUTURE.replace(year=2049)
    )
    trust = Trust((authority.certificate,))
    note = await refusal(certificate, trust, "SSLV3_ALERT_BAD_CERTIFICATE")
    assert "refused: it is valid from 2048-03-04 on (issuer: " in note


@pytest.mark.parametrize(
    ("names", "host", "shown"),
    [
        (("a.example", "b.example", "10.0.0.1"), "localhost", "a.example, b.example, 10.0.0.1"),
        (("localhost",), "127.0.0.1", "localhost"),
        (
            tuple(f"{letter}.example" for letter in "abcdefgh"),
            "localhost",
            "a.example, b.example, c.example, d.example, e.example and 3 more",
        ),
    ],
)
async def test_one_for_another_name(
    authority: Authority, names: tuple[str, ...], host: str, shown: str
) -> None:
    certificate = authority.issue(*names)
    trust = Trust((authority.certificate,))
    note = await refusal(certificate, trust, "SSLV3_ALERT_BAD_CERTIFICATE", host)
    assert note.startswith(
        f"The certificate of {host} is refused: it is for {shown} (issuer: O=Test authority"
    )
    assert note.endswith(f"--tls-insecure {host}")


# No TLS there.


@pytest.mark.parametrize(
    "answer", [b"220 mail ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown\r\n"]
)
async def test_a_handshake_with_a_plaintext_port_is_recognised(answer: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.send(answer)
        peer.stall()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address, secure_transport="on")
            with pytest.raises(SocketError) as failure:
                await within(socket.opened)
            assert str(failure.value.__cause__) == (
                f"the peer does not speak TLS here: it answered {answer!r}. Use the port that does, "
                'secureTransport "off", or "starttls" and start_tls() when the protocol says so'
            )


# TLS there, and plaintext here.

EXPECTED = (
    'connect() to {}: it answered with a TLS alert, so it expects TLS. Use secureTransport "on".'
)
MAYBE = (
    "connect() to {}: it closed the connection without an answer. "
    'If it expects TLS, use secureTransport "on".'
)


@pytest.mark.parametrize("piped", [False, True])
async def test_plaintext_to_a_tls_port_that_answers_with_an_alert_is_noted(piped: bool) -> None:
    observer = RecordingObserver()

    def script(peer: Peer) -> None:
        peer.read_line()
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46")
        peer.wait_for_eof()

    async with (
        PeerServer(script) as server,
        PeerServer(lambda peer: peer.stall()) as sink,
    ):
        with request(observer=observer):
            socket = connect(server.address)
            if piped:
                done = socket.readable.pipe_to(connect(sink.address).writable)
            socket.writable.get_writer().write(b"GET /\r\n")
            await until(lambda: EXPECTED.format(server.address) in observer.notes, "the note")
            if not piped:
                assert (await within(socket.readable.get_reader().read())).value is not None
                await within(socket.close())
            else:
                await within(socket.close())
                with pytest.raises(TypeError):
                    await within(done)


async def test_plaintext_to_a_tls_port_that_hangs_up_is_noted(
    certificate: IssuedCertificate,
) -> None:
    observer = RecordingObserver()
    async with PeerServer(speaking(server_context(certificate), refused)) as server:
        with request(observer=observer):
            socket = connect(f"localhost:{server.port}")
            socket.writable.get_writer().write(b"GET / HTTP/1.1\r\n\r\n")
            assert await within(server.result()) == "HTTP_REQUEST"
            await until(lambda: len(observer.notes) == 2, "the note")
        assert observer.notes[1] == MAYBE.format(f"localhost:{server.port}")


@pytest.mark.parametrize("answer", [b"", b"bye"])
async def test_a_peer_that_was_told_the_end_or_answered_is_not_noted(answer: bytes) -> None:
    observer = RecordingObserver()

    def script(peer: Peer) -> None:
        peer.read_line()
        if answer:
            peer.send(answer)
        else:
            peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request(observer=observer):
            socket = connect(server.address)
            writer = socket.writable.get_writer()
            writer.write(b"all\n")
            if not answer:
                await within(writer.close())
            assert (await within(socket.readable.get_reader().read())).value == (answer or None)
            await within(socket.close())
        assert [note for note in observer.notes if "TLS" in note] == []
