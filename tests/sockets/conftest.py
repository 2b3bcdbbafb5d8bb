"""What tests of TLS share: an authority, a certificate for localhost, and settings that trust it."""

from __future__ import annotations

import pytest

from emulator.sockets import Network, Trust
from tests.support.certificates import Authority, IssuedCertificate


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the system does not know."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> IssuedCertificate:
    """What it issued for localhost and 127.0.0.1."""
    return authority.issue("localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def network(authority: Authority) -> Network:
    """Settings that trust it."""
    return Network(10, Trust((authority.certificate,)))
