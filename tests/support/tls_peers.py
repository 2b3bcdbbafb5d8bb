"""Peers that speak TLS, as scripts of one connection; each step of it is the script's own.

    def script(peer: TlsPeer) -> None:
        peer.start_tls()
        peer.expect(b"hello")
        peer.close_notify()

    async with PeerServer(speaking(server_context(certificate), script)) as server: ...

It is OpenSSL over memory, as a server: records, close_notify and FIN can be sent apart from each other.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any

from tests.support.certificates import IssuedCertificate
from tests.support.peers import CHUNK_BYTES, Peer, PeerFailure, Script


def server_context(
    certificate: IssuedCertificate, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """Return a server's settings; with `version` it speaks no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class TlsPeer(Peer):
    """A Peer that goes over to TLS with `start_tls()`. `server_name` is the SNI it was sent."""

    def __init__(self, plain: Peer, context: ssl.SSLContext) -> None:
        super().__init__(plain.raw, plain._stopping)
        self.server_name: str | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        context.sni_callback = self._hear_name
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_secure = False

    @property
    def tls(self) -> ssl.SSLObject:
        """OpenSSL's own view of the connection."""
        return self._tls

    def start_tls(self) -> None:
        """Shake hands as the server. Raises ssl.SSLError, and EOFError when the other side hangs up."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send_records()
                self._take_records()
            except ssl.SSLError:
                self._send_records()
                raise
            else:
                self._send_records()
                self._is_secure = True
                return

    def hello(self) -> bytes:
        """Read the other side's first record, without answering it."""
        head = self.raw.recv(5)
        assert head[0] == 0x16
        return head + self.read_raw(int.from_bytes(head[3:5], "big"))

    def read_raw(self, count: int) -> bytes:
        """Read `count` bytes as they are on the wire."""
        data = b""
        while len(data) < count:
            data += self.raw.recv(count - len(data)) or b""
        return data

    def send(self, data: bytes) -> None:
        if not self._is_secure:
            super().send(data)
            return
        for start in range(0, len(data), CHUNK_BYTES):
            self._tls.write(data[start : start + CHUNK_BYTES])
            self._send_records()

    def read(self, limit_bytes: int = CHUNK_BYTES) -> bytes:
        if not self._is_secure or self._unread:
            return super().read(limit_bytes)
        while True:
            try:
                return self._tls.read(limit_bytes)
            except ssl.SSLWantReadError:
                self._send_records()
                try:
                    self._take_records()
                except EOFError:
                    raise PeerFailure("the other side ended without close_notify") from None
            except ssl.SSLZeroReturnError:
                return b""

    def close_notify(self) -> None:
        """Say in TLS that nothing more comes; TCP goes on."""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := self._tls.read(CHUNK_BYTES):  # OpenSSL forgives none that it finds later.
                self._unread += data
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._send_records()

    def _hear_name(self, _: object, name: str | None, __: object) -> None:
        self.server_name = name

    def _send_records(self) -> None:
        if records := self._outgoing.read():
            super().send(records)

    def _take_records(self) -> None:
        data = self.raw.recv(CHUNK_BYTES)
        if not data:
            raise EOFError
        self._incoming.write(data)


def speaking(context: ssl.SSLContext, script: Callable[[TlsPeer], Any]) -> Script:
    """Return a script that begins in the clear and can start TLS."""
    return lambda peer: script(TlsPeer(peer, context))


def speaking_tls(context: ssl.SSLContext, script: Callable[[TlsPeer], Any]) -> Script:
    """Return a script that speaks TLS from the first byte."""

    def secured(peer: Peer) -> Any:
        tls = TlsPeer(peer, context)
        tls.start_tls()
        return script(tls)

    return secured


def refused(peer: TlsPeer) -> str:
    """A script whose handshake fails; returns OpenSSL's word for what the other side says of it."""
    try:
        peer.start_tls()
        peer.read()
    except ssl.SSLError as error:
        return error.reason or str(error)
    except (EOFError, ConnectionError) as error:
        return type(error).__name__
    raise PeerFailure("the other side accepted")
