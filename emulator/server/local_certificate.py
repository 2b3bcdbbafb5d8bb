"""The certificate that HTTPS on this machine is served with: made on first use, kept, and made again before it expires.

Floor 6. Owns where it lies and what it says; the library that makes it is an extra, imported when one is to be made.
Must not know connections.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from emulator import errors
from emulator.errors import ConfigError
from emulator.sockets.tls import Identity

VALID_FOR = timedelta(days=365)
RENEWED_AHEAD = timedelta(days=7)
# Clocks of clients may be behind.
VALID_BEFORE = timedelta(hours=1)
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})


def local_identity(
    host: str, folder: Path, *, tell: Callable[[str], None], now: datetime | None = None
) -> Identity:
    """Return the certificate kept in `folder` for this machine and `host`, made now if there is none that is valid.

    Raises ConfigError when the library is missing or the folder can't be used.
    """
    now = now or datetime.now(UTC)
    extra = () if host.lower() in (*_EVERY_ADDRESS, *LOCAL_NAMES) else (host.lower(),)
    names = (*LOCAL_NAMES, *extra)
    stem = "+".join(("localhost", *extra)).replace(":", "-").replace("%", "-")
    both = folder / f"{stem}-with-key.pem"
    identity = Identity(both, both)
    if _serves(identity, names, now):
        return identity
    certificate, key = _made(names, now)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / f"{stem}.pem", certificate, 0o644)
        _write(both, certificate + key, 0o600)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            errors.HTTPS_CACHE_UNUSABLE.format(folder=folder, reason=reason)
        ) from error
    tell(errors.HTTPS_CERTIFICATE_MADE.format(file=folder / f"{stem}.pem"))
    return identity


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return where this system keeps what a program can make again. Source: the XDG Base Directory Specification."""
    environ = os.environ if environ is None else environ
    named = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        return Path(named) / "pyworker"
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "pyworker" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pyworker"
    return Path.home() / ".cache" / "pyworker"


def _serves(identity: Identity, names: tuple[str, ...], now: datetime) -> bool:
    try:
        kept = identity.read()
    except (OSError, ValueError):
        return False
    return set(kept.names) >= set(names) and kept.not_before <= now < kept.not_after - RENEWED_AHEAD


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write `data` at once for whoever reads, from the first byte on with `mode`."""
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _made(names: tuple[str, ...], now: datetime) -> tuple[bytes, bytes]:
    """Return a new certificate for `names`, signed by itself, and its key, in PEM."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError as error:
        raise ConfigError(errors.HTTPS_NEEDS_LIBRARY) from error

    def general_name(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pyworker on localhost")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID_BEFORE)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(identifier, False)
        .add_extension(authority, False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
