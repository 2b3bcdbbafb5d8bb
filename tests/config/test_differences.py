"""What a change of settings changed, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, differences, load


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text("")
    return tmp_path


def loaded(project: Path, text: str, secrets: str = "") -> Config:
    (project / "wrangler.toml").write_text(f'main = "worker.py"\n{text}')
    (project / ".dev.vars").write_text(secrets)
    return load(None, {}, directory=project, environ={})


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("", "", []),
        ("", "[dev]\nport = 9000", ["`dev.port` was 8787, is 9000."]),
        ("", "[limits]\ncpu_ms = 9", ["`limits.cpu_ms` was (none), is 9."]),
        ("vars = { A = 1 }", "vars = { A = '1' }", ['`vars.A` was 1, is "1".']),
        ("vars = { A = 1 }", "vars = { B = 1 }", ["`vars.A` is gone.", "`vars.B` is new: 1."]),
        ("vars = { A = 'x' }", f"vars = {{ A = '{'y' * 99}' }}", ["`vars.A` has another value."]),
        (
            "",
            "[[services]]\nbinding = 'A'\nservice = 'a'",
            ['`services A` is new: {"service": "a"}.'],
        ),
        (
            "[triggers]\ncrons = ['1 * * * *']",
            "[triggers]\ncrons = ['2 * * * *']",
            ['`triggers.crons` was ["1 * * * *"], is ["2 * * * *"].'],
        ),
        (
            "",
            "strict = true",
            ["`limits.cpu_ms` was (none), is 30000.", "`strict.enabled` was false, is true."],
        ),
    ],
)
def test_a_change_has_a_sentence(project: Path, old: str, new: str, sentences: list[str]) -> None:
    assert differences(loaded(project, old), loaded(project, new)) == sentences


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("T=hunter2", "T=hunter2", []),
        ("T=hunter2", "T=hunter3", ["`vars.T` has another value."]),
        ("T=hunter2", "", ["`vars.T` is gone."]),
        ("", "T=hunter2", ["`vars.T` is new: (hidden)."]),
    ],
)
def test_of_a_secret_the_name_only(project: Path, old: str, new: str, sentences: list[str]) -> None:
    assert differences(loaded(project, "", old), loaded(project, "", new)) == sentences


def test_a_variable_that_becomes_a_secret(project: Path) -> None:
    told = differences(loaded(project, "vars = { T = 'a' }"), loaded(project, "", "T=hunter2"))
    assert told == ["`vars.T` has another value."]


def test_settings_read_again_are_the_same(project: Path) -> None:
    text = "[triggers]\ncrons = ['1 * * * *']"
    assert loaded(project, text) == loaded(project, text)


def test_another_file(project: Path) -> None:
    old = loaded(project, "")
    (project / "wrangler_py.toml").write_text('main = "worker.py"')
    new = load(None, {}, directory=project, environ={})
    assert differences(old, new) == [
        f"The settings are those of {project / 'wrangler_py.toml'} now, not of "
        f"{project / 'wrangler.toml'}."
    ]
