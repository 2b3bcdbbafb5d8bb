"""What the settings mean for where a worker is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, load
from emulator.context import Observer
from emulator.dev.reach import PORT_TRIES, cron_notes, endpoint_of
from emulator.errors import CRONS_MISSING, CRONS_WITHOUT_HANDLER
from emulator.runtime.isolate import Isolate
from emulator.server import Endpoint
from emulator.sockets.tls import Identity
from tests.support.certificates import Authority

WITH = "async def scheduled(event, env, ctx):\n    pass\n"
WITHOUT = "async def fetch():\n    pass\n"
CRONS = '[triggers]\ncrons = ["*/5 1,2 * * 2-3", "0 0 * * *"]\n'


def config_of(folder: Path, worker: str = WITH, settings: str = "", **given: object) -> Config:
    """The settings of a worker in `folder`."""
    (folder / "worker.py").write_text(worker)
    (folder / "wrangler.toml").write_text(f'main = "worker.py"\n{settings}')
    return load(None, given, directory=folder, environ={})


def notes_of(config: Config, url: str = "http://localhost:8787") -> list[str]:
    isolate = Isolate.load("w", config.main, {})
    try:
        return list(cron_notes(config, isolate, url))
    finally:
        isolate.unload()


def test_a_port_a_path_and_https(tmp_path: Path) -> None:
    issued = Authority(tmp_path / "authority").issue("localhost")
    plain = config_of(tmp_path, ip="::1", port=1234)
    assert endpoint_of(plain, Observer()) == Endpoint("::1", 1234, PORT_TRIES)
    secret = config_of(
        tmp_path,
        unix_socket="a.sock",
        local_protocol="https",
        https_cert_path=str(issued.certificate),
        https_key_path=str(issued.key),
    )
    endpoint = endpoint_of(secret, Observer())
    assert endpoint.unix_socket == tmp_path / "a.sock"
    assert endpoint.identity == Identity(issued.certificate, issued.key)


def test_a_certificate_is_made_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    identity = endpoint_of(config_of(tmp_path, local_protocol="https"), Observer()).identity
    assert identity is not None
    assert identity.key.is_relative_to(tmp_path / "cache" / "pyworker")


def test_crons_by_hand(tmp_path: Path) -> None:
    (note,) = notes_of(config_of(tmp_path, settings=CRONS))
    assert note.endswith(
        "curl 'http://localhost:8787/cdn-cgi/local/scheduled?cron=*/5+1,2+*+*+2-3'"
    )
    (note,) = notes_of(config_of(tmp_path, settings=CRONS, unix_socket="a.sock"), "unix:a.sock")
    assert f"curl --unix-socket {tmp_path / 'a.sock'} 'http://localhost/cdn-cgi/" in note


def test_crons_that_run_need_no_word(tmp_path: Path) -> None:
    assert notes_of(config_of(tmp_path, settings=CRONS, run_crons=True)) == []
    assert notes_of(config_of(tmp_path)) == []


def test_what_is_missing(tmp_path: Path) -> None:
    assert notes_of(config_of(tmp_path, run_crons=True)) == [CRONS_MISSING]
    assert notes_of(config_of(tmp_path, WITHOUT, CRONS)) == [CRONS_WITHOUT_HANDLER]
