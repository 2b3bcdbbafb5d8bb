"""The certificate for HTTPS on this machine: made once, kept safe, made again in time."""

from __future__ import annotations

import builtins
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import HTTPS_NEEDS_LIBRARY, ConfigError
from emulator.server.local_certificate import (
    LOCAL_NAMES,
    RENEWED_AHEAD,
    VALID_FOR,
    cache_folder,
    local_identity,
)
from emulator.sockets.tls import Identity

NOW = datetime.now(UTC).replace(microsecond=0)


def made_in(
    folder: Path, host: str = "localhost", now: datetime = NOW
) -> tuple[Identity, list[str]]:
    """Return the identity for `host`, and what was told."""
    told: list[str] = []
    return local_identity(host, folder, tell=told.append, now=now), told


def test_it_is_made_on_first_use_and_then_kept(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    identity, told = made_in(folder)
    assert told == [
        f"Made a certificate for HTTPS on this machine. To have a client trust it: "
        f"curl --cacert {folder / 'localhost.pem'}"
    ]
    before = identity.key.read_bytes()
    again, told = made_in(folder)
    assert (again, told, again.key.read_bytes()) == (identity, [], before)


def test_what_it_says(tmp_path: Path) -> None:
    certificate = made_in(tmp_path)[0].read()
    assert certificate.names == LOCAL_NAMES
    assert certificate.not_before < NOW
    assert certificate.not_after == NOW + VALID_FOR


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_the_key_is_its_user_s_alone(tmp_path: Path) -> None:
    identity, _ = made_in(tmp_path / "new")
    assert stat.S_IMODE(identity.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert "PRIVATE KEY" not in (tmp_path / "new" / "localhost.pem").read_text()
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "localhost.pem",
        "localhost-with-key.pem",
    }


def test_it_is_made_again_before_it_expires(tmp_path: Path) -> None:
    first, _ = made_in(tmp_path)
    key = first.key.read_bytes()
    last = NOW + VALID_FOR - RENEWED_AHEAD
    made_in(tmp_path, now=last - timedelta(seconds=1))
    assert first.key.read_bytes() == key
    made_in(tmp_path, now=last)
    assert first.key.read_bytes() != key
    assert first.read().not_after == last + VALID_FOR


@pytest.mark.parametrize(
    "text", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "\xff"]
)
def test_a_broken_one_is_made_again(tmp_path: Path, text: str) -> None:
    identity, _ = made_in(tmp_path)
    identity.key.write_text(text, "latin-1")
    made_in(tmp_path)
    assert set(identity.read().names) == set(LOCAL_NAMES)


@pytest.mark.parametrize(
    ("host", "extra"),
    [
        ("192.168.1.5", ("192.168.1.5",)),
        ("fe80::1", ("fe80::1",)),
        ("Dev.Example", ("dev.example",)),
    ],
)
def test_another_address_has_its_own(tmp_path: Path, host: str, extra: tuple[str, ...]) -> None:
    identity, _ = made_in(tmp_path, host)
    assert identity.read().names == (*LOCAL_NAMES, *extra)
    assert identity.key != made_in(tmp_path)[0].key


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "127.0.0.1", "::1", "LOCALHOST"])
def test_every_address_and_this_machine_s_share_one(tmp_path: Path, host: str) -> None:
    assert made_in(tmp_path, host)[0] == made_in(tmp_path)[0]


def test_a_folder_that_can_t_be_written_to(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(ConfigError, match=r"can't be kept in .*Have XDG_CACHE_HOME name a folder"):
        made_in(blocked / "cache")


def test_without_the_library_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, _ = made_in(tmp_path)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert made_in(tmp_path)[0] == kept
    with pytest.raises(ConfigError) as caught:
        made_in(tmp_path / "elsewhere")
    assert str(caught.value) == HTTPS_NEEDS_LIBRARY
    assert 'pip install "cryptography>=43"' in HTTPS_NEEDS_LIBRARY


def test_where_it_is_kept() -> None:
    home = Path.home()
    usual = cache_folder({})
    assert usual.is_relative_to(home)
    assert cache_folder({"XDG_CACHE_HOME": str(home / "x")}) == home / "x" / "pyworker"
    # The specification has relative paths ignored.
    assert cache_folder({"XDG_CACHE_HOME": "x"}) == usual


def test_strict_clients_take_it(tmp_path: Path) -> None:
    made_in(tmp_path)
    context = ssl.create_default_context(cafile=tmp_path / "localhost.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = made_in(tmp_path)[0].server_context(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    for name in LOCAL_NAMES:
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        client_side = context.wrap_bio(to_client, to_server, server_hostname=name)
        server_side = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(3):
            for side in (client_side, server_side):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        assert client_side.version() == "TLSv1.3"
        assert client_side.getpeercert()
