"""`pyworker config`: the settings in force, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        'name = "hello"\nmain = "worker.py"\nvars = { A = "\\u001b[31m" }\nworkers_dev = true\n'
    )
    (tmp_path / ".dev.vars").write_text("TOKEN=hunter2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLOUDFLARE_ENV", raising=False)
    return tmp_path


def test_a_line_a_setting(project: Path) -> None:
    result = CliRunner().invoke(main, ["config", "--port", "0"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["name", '"hello"', "wrangler.toml:1"] in lines
    assert ["dev.port", "0", "command", "line"] in lines
    assert ["vars.TOKEN", "(hidden)", ".dev.vars:1"] in lines
    assert result.stderr == "wrangler.toml: `workers_dev` has no effect here yet.\n"
    assert "hunter2" not in result.output
    assert "\x1b" not in result.output


def test_for_programs(project: Path) -> None:
    result = CliRunner().invoke(main, ["config", "--json"])
    assert result.exit_code == 0
    (document,) = json.loads(result.stdout)
    assert document["source"] == str(project / "wrangler.toml")
    assert document["notes"] == ["wrangler.toml: `workers_dev` has no effect here yet."]
    settings = {entry.pop("setting"): entry for entry in document["settings"]}
    assert settings["dev.port"] == {"value": 8787, "hidden": False, "from": "default"}
    assert settings["vars.TOKEN"] == {"value": None, "hidden": True, "from": ".dev.vars:1"}
    assert "hunter2" not in result.output


def test_several_workers(project: Path) -> None:
    (project / "other.jsonc").write_text('{ "name": "other", "main": "worker.py", }')
    result = CliRunner().invoke(main, ["config", "-c", "wrangler.toml", "-c", "other.jsonc"])
    assert result.exit_code == 0
    first, second = result.stdout.split("\n\n")
    assert '"hello"' in first
    assert '"other"' in second


def test_a_mistake_is_exit_code_1(project: Path) -> None:
    (project / "wrangler.toml").write_text('main = "worker.py"\n[dev]\nprot = 1\n')
    result = CliRunner().invoke(main, ["config"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: wrangler.toml, line 3, column 1: unknown key `dev.prot`. Did you mean `dev.port`?\n"
        "  3 | prot = 1\n"
        "      ^\n"
    )
