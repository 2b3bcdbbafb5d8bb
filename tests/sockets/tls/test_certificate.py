"""The reader of certificates, against what wrote them, and against bytes that are none."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.sockets.tls.certificate import read_certificate

KEY = ec.generate_private_key(ec.SECP256R1())


def name(**parts: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(getattr(NameOID, key), text) for key, text in parts.items()]
    )


def encoded(
    subject: x509.Name,
    issuer: x509.Name,
    names: list[x509.GeneralName],
    begin: datetime = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
    end: datetime = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC),
) -> bytes:
    """DER of a certificate that says so."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_what_a_certificate_says() -> None:
    read = read_certificate(
        encoded(
            name(COUNTRY_NAME="CH", ORGANIZATION_NAME="Käserei", COMMON_NAME="db.example"),
            name(ORGANIZATION_NAME="Authority", ORGANIZATIONAL_UNIT_NAME="Unit", LOCALITY_NAME="X"),
            [
                x509.DNSName("db.example"),
                x509.RFC822Name("a@db.example"),
                x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
                x509.DNSName("*.db.example"),
                x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
            ],
        )
    )
    assert read.subject == "CN=db.example, C=CH, O=Käserei"
    assert read.issuer == "O=Authority, OU=Unit"
    assert read.names == ("db.example", "10.0.0.1", "*.db.example", "2001:db8::1")
    assert read.not_before == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert read.not_after == datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_one_without_names() -> None:
    read = read_certificate(encoded(x509.Name([]), x509.Name([]), []))
    assert (read.subject, read.issuer, read.names) == ("", "", ())


@given(
    begin=st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1)),
    days=st.integers(1, 20_000),
    common_name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=16),
)
@settings(max_examples=50)
def test_any_time_and_any_text(begin: datetime, days: int, common_name: str) -> None:
    begin = begin.replace(microsecond=0, tzinfo=UTC)
    end = begin + timedelta(days=days)
    subject = name(COMMON_NAME=common_name)
    read = read_certificate(encoded(subject, subject, [], begin, end))
    assert (read.not_before, read.not_after) == (begin, end)
    assert read.subject == read.issuer == f"CN={common_name}"


WHOLE = encoded(name(COMMON_NAME="a"), name(COMMON_NAME="b"), [x509.DNSName("a")])


@given(st.data())
@settings(max_examples=300)
def test_broken_bytes_are_a_value_error_or_read(data: st.DataObject) -> None:
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    for broken in (bytes(der), bytes(der[:cut])):
        try:
            read_certificate(broken)
        except ValueError:
            continue


@pytest.mark.parametrize("junk", [b"", b"\x30", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"hello"])
def test_junk(junk: bytes) -> None:
    with pytest.raises(ValueError):
        read_certificate(junk)


def test_every_authority_of_this_system_is_readable() -> None:
    folder = Path(ssl.get_default_verify_paths().openssl_capath)
    files = list(folder.glob("*.0"))
    if not files:
        pytest.skip(f"this system has no certificates in {folder}")
    for file in files:
        read = read_certificate(ssl.PEM_cert_to_DER_cert(file.read_text().strip()))
        assert read.subject
        assert read.not_before < read.not_after
