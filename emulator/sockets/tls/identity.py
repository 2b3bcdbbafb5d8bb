"""The certificate a server of ours shows.

Floor 3. Owns OpenSSL's settings for a server, and the answer to a client that speaks plain HTTP to it. Must not know
where the files come from, or a connection.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from emulator.errors import HTTPS_PAIR_UNUSABLE, ConfigError
from emulator.sockets.tls.certificate import Certificate, read_certificate

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Identity(NamedTuple):
    """PEM files of a server's certificate, with those that vouch for it, and of its key; one file may be both."""

    certificate: Path
    key: Path

    def server_context(self, to_plain_http: bytes) -> ssl.SSLContext:
        """Return OpenSSL's settings for this server, which answers plain HTTP with the bytes `to_plain_http`.

        Raises ConfigError for files that can't be used.
        """
        context = _ServerContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslobject_class = _ServerObject
        context.to_plain_http = to_plain_http
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            # A password would be asked for at the terminal: there is none to be had.
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                HTTPS_PAIR_UNUSABLE.format(
                    certificate=self.certificate, key=self.key, reason=_reason(error)
                )
            ) from error
        return context

    def read(self) -> Certificate:
        """Return what the certificate says. Raises OSError, and ValueError for a file that holds none."""
        found = _PEM.search(self.certificate.read_text("ascii"))
        if found is None:
            raise ValueError(f"no certificate in {self.certificate}")
        return read_certificate(ssl.PEM_cert_to_DER_cert(found[0]))


class _ServerObject(ssl.SSLObject):
    """A connection that answers in plain HTTP whoever speaks that."""

    outgoing: ssl.MemoryBIO
    to_plain_http: bytes

    def do_handshake(self) -> None:
        if not self.to_plain_http:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "plain HTTP went on")
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason != "HTTP_REQUEST":
                raise
            # "More is wanted" has the event loop send what there is; the client closes, or is timed out.
            self.outgoing.write(self.to_plain_http)
            self.to_plain_http = b""
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "plain HTTP") from error


class _ServerContext(ssl.SSLContext):
    """Tells its connections where their answer goes."""

    to_plain_http: bytes

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        if isinstance(made, _ServerObject):
            made.outgoing = outgoing
            made.to_plain_http = self.to_plain_http
        return made


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is another certificate's"
        return "they must be PEM files (-----BEGIN …), the key without a password"
    return str(getattr(error, "strerror", None) or error)
