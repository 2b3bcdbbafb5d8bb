"""Each setting in force, and where it is from."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import SETTINGS, Effect
from emulator.config.explanation import Explanation, explain

TEXT = """\
{
  "name": "hello",
  "main": "worker.py",
  "vars": {
    "A": "a",
    "B": { "c": [1] }
  },
  "connect": [
    { "protocol": "tcp", "port": 0 },
    { "protocol": "tcp", "port": 0 }
  ],
  "services": [{ "binding": "AUTH", "service": "auth" }],
  "dev": {
    "tls_insecure": ["a"],
    "port": 9000 },
  "env": {
    "x": {
      "limits": { "cpu_ms": 7 },
      "vars": { "A": "x" } } }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.json").write_text(TEXT)
    (tmp_path / ".dev.vars").write_text("# secrets\nTOKEN=hunter2\n")
    return tmp_path


def explained(
    project: Path, environ: dict[str, str] | None = None, **overrides: object
) -> dict[str, tuple[str, str]]:
    (one,) = explain((), overrides, directory=project, environ=environ or {})
    return {setting.label: (setting.text, origin) for setting, origin in one.settings}


def test_each_source(project: Path) -> None:
    table = explained(
        project,
        {"PYWORKER_LOOP": "asyncio"},
        ip="::1",
        var=("B:b",),
        tls_insecure=("b",),
        tls_ca=(),
    )
    assert table["name"] == ('"hello"', "wrangler.json:2")
    assert table["dev.ip"] == ('"::1"', "command line")
    assert table["dev.port"] == ("9000", "wrangler.json:15")
    assert table["dev.tls_insecure"] == ('["a", "b"]', "wrangler.json:14, command line")
    assert table["dev.tls_ca"] == ("[]", "default")
    assert table["dev.reload"] == ("true", "default")
    assert table["--env"] == ("(none)", "default")
    assert table["--run-crons"] == ("false", "default")
    assert table["PYWORKER_LOOP"] == ('"asyncio"', "variable PYWORKER_LOOP")
    assert table["vars.A"] == ('"a"', "wrangler.json:5")
    assert table["vars.B"] == ('"b"', "command line")
    assert table["vars.TOKEN"] == ("(hidden)", ".dev.vars:2")
    assert table["connect[0]"][1] == "wrangler.json:9"
    assert table["connect[1]"][1] == "wrangler.json:10"
    assert table["services AUTH"] == ('{"service": "auth"}', "wrangler.json:12")


def test_an_environment(project: Path) -> None:
    table = explained(project, {"CLOUDFLARE_ENV": "x"})
    assert table["--env"] == ('"x"', "variable CLOUDFLARE_ENV")
    assert table["name"] == ('"hello-x"', "wrangler.json:2")
    assert table["limits.cpu_ms"] == ("7", "wrangler.json:18")
    assert table["vars.A"] == ('"x"', "wrangler.json:19")


def test_no_secret_is_in_it(project: Path) -> None:
    (one,) = explain((), {}, directory=project, environ={})
    assert isinstance(one, Explanation)
    assert "hunter2" not in str(one.settings)


def test_every_setting_that_is_applied_is_explained(project: Path) -> None:
    (one,) = explain((), {}, directory=project, environ={})
    names = {setting.name for setting, _ in one.settings}
    elsewhere = {
        *("config_file", "environments", "var", "env_file", "secrets_required", "load_dot_env"),
        *(row.name for row in SETTINGS if row.key is not None and "[]" in row.key),
    }
    applied = {row.name for row in SETTINGS if row.effect is Effect.APPLIED}
    assert applied - names == elsewhere & applied
