"""Which certificates connect() accepts.

Floor 3. Owns OpenSSL's settings for a client. Must not know a connection. The system's certificates are trusted, and
those that `SSL_CERT_FILE` and the settings name, too: nothing takes any away.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from emulator.errors import CERT_FILE_MISSING, TLS_CA_UNUSABLE, ConfigError


@dataclass(frozen=True)
class Trust:
    """Which certificates are trusted beside the system's.

    `authorities` are PEM files of certificates to trust as well; for `insecure_hosts` nothing is checked.
    """

    authorities: tuple[Path, ...] = ()
    insecure_hosts: frozenset[str] = frozenset()
    _contexts: dict[bool, ssl.SSLContext] = field(default_factory=dict, compare=False, repr=False)

    def checks(self, host: str) -> bool:
        """False for a host whose certificate is accepted whatever it is."""
        return _plain(host) not in map(_plain, self.insecure_hosts)

    def load(self) -> None:
        """Read `authorities` now, not with the first connection. Raises ConfigError for one that can't be used."""
        if self.authorities:
            self._context(checks=True)

    def notes(self) -> Iterable[str]:
        """Sentences for the user about what the environment asks for and can't be done."""
        named = os.environ.get("SSL_CERT_FILE")
        if named and not Path(named).is_file():
            yield CERT_FILE_MISSING.format(file=named)

    def client_context(self, host: str) -> ssl.SSLContext:
        """Return OpenSSL's settings for a client of `host`. Raises ConfigError for an unusable authority file."""
        return self._context(self.checks(host))

    def _context(self, checks: bool) -> ssl.SSLContext:
        context = self._contexts.get(checks)
        if context is None:
            context = self._contexts[checks] = self._make_context(checks)
        return context

    def _make_context(self, checks: bool) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.options |= ssl.OP_NO_RENEGOTIATION
        if not checks:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        # Python 3.13 refuses authorities that lack extensions nobody else asks for. On every version alike: a file
        # that holds a server's own certificate, or its issuer's, is enough to trust it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        system = ssl.get_default_verify_paths().openssl_cafile
        if os.environ.get("SSL_CERT_FILE") and Path(system).is_file():
            # OpenSSL reads the variable's file in place of the system's; here it adds to it.
            context.load_verify_locations(cafile=system)
        for file in self.authorities:
            _add(context, file)
        return context


def _add(context: ssl.SSLContext, file: Path) -> None:
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        reason = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        raise ConfigError(TLS_CA_UNUSABLE.format(file=file, reason=reason)) from error
    except OSError as error:
        raise ConfigError(TLS_CA_UNUSABLE.format(file=file, reason=error.strerror)) from error


def _plain(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("[").removesuffix("]")
