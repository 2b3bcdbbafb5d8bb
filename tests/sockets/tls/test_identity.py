"""What a server of ours shows: files that serve, and what is said of files that don't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.errors import ConfigError
from emulator.sockets.tls import Identity
from tests.support.certificates import Authority

ANSWER = b"HTTP/1.1 400 Bad Request\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_pairs_and_files_that_are_both(authority: Authority) -> None:
    issued = authority.issue("localhost")
    for identity in (
        Identity(issued.certificate, issued.key),
        Identity(issued.both, issued.both),
    ):
        identity.server_context(ANSWER)
        assert identity.read().names == ("localhost",)


def test_another_certificate_s_key(authority: Authority) -> None:
    one, other = authority.issue("localhost"), authority.issue("localhost")
    with pytest.raises(ConfigError, match="the key is another certificate's"):
        Identity(one.certificate, other.key).server_context(ANSWER)


def test_files_of_something_else(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue("localhost")
    other = tmp_path / "notes.txt"
    other.write_text("nothing of the kind")
    for identity in (Identity(other, issued.key), Identity(issued.certificate, other)):
        with pytest.raises(ConfigError, match=re.escape("they must be PEM files")):
            identity.server_context(ANSWER)
    with pytest.raises(ValueError, match="no certificate in"):
        Identity(other, other).read()
    with pytest.raises(ConfigError, match="No such file"):
        Identity(tmp_path / "none", issued.key).server_context(ANSWER)


def test_a_key_with_a_password_asks_nobody(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue("localhost")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigError, match="the key without a password"):
        Identity(issued.certificate, locked).server_context(ANSWER)
