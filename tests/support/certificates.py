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
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONG_AGO = datetime.datetime(2019, 1, 2, tzinfo=datetime.UTC)
PAST = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
FUTURE = datetime.datetime(2048, 3, 4, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class IssuedCertificate:
    """PEM files that a server is configured with: its chain, its key, and both in one."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """A certificate authority whose files live in `folder`. `certificate` is the PEM file to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA(organization_name="Test authority")
        self._issued = 0
        self.certificate = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.certificate))

    def issue(
        self,
        *names: str,
        not_before: datetime.datetime | None = None,
        not_after: datetime.datetime | None = None,
        common_name: str | None = None,
    ) -> IssuedCertificate:
        """Return a certificate for the host `names` and IP addresses, valid from `not_before` until `not_after`."""
        self._issued += 1
        issued = self._authority.issue_cert(
            *names, not_before=not_before, not_after=not_after, common_name=common_name
        )
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


def self_signed(folder: Path, name: str) -> IssuedCertificate:
    """Return a certificate for the host `name` that nobody but itself has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(PAST)
        .not_valid_after(FUTURE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    files = IssuedCertificate(*(folder / f"self-{part}.pem" for part in ("chain", "key", "both")))
    files.certificate.write_bytes(certificate)
    files.key.write_bytes(private)
    files.both.write_bytes(private + certificate)
    return files
