"""Certificates for TLS tests: an authority of our own, and what it issues.

authority = Authority(tmp_path)
certificate = authority.issue("localhost", "127.0.0.1")     # for a server: .certificate, .key (PEM files)
trust = Trust((authority.certificate,))                     # for connect()
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class IssuedCertificate:
    """PEM files that a server is configured with: its chain, its key, and both in one."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """A certificate authority whose files live in `folder`. `certificate` is the PEM file to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self._issued = 0
        self.certificate = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.certificate))

    def issue(self, *names: str, not_after: datetime.datetime | None = None) -> IssuedCertificate:
        """Return a certificate for the host `names` and IP addresses, valid until `not_after`."""
        self._issued += 1
        issued = self._authority.issue_cert(*names, not_after=not_after)
        files = IssuedCertificate(
            *(
                self._folder / f"server-{self._issued}-{part}.pem"
                for part in ("chain", "key", "both")
            )
        )
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(files.certificate), append=True)
        issued.private_key_pem.write_to_path(str(files.key))
        files.key.chmod(0o600)
        issued.private_key_and_cert_chain_pem.write_to_path(str(files.both))
        files.both.chmod(0o600)
        return files
