"""What a shell completes, asked of a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import main
from tests.support.process import REPOSITORY

BASH = shutil.which("bash")
TIMEOUT_SECONDS = 30


@pytest.fixture
def bash(tmp_path: Path) -> dict[str, str]:
    """The variables of a shell that finds this tree's `pyworker`."""
    if BASH is None:
        pytest.skip("bash is not installed")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    script = binaries / "pyworker"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m emulator "$@"\n')
    script.chmod(0o755)
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY)}


def completed(bash: dict[str, str], folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of `words`, with the script of `pyworker completion bash`."""
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        [
            str(BASH),
            "-c",
            'source <(pyworker completion bash); compopt() { echo "option $*"; }\n'
            f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
            "complete -p pyworker >/dev/null || exit 9\n"
            "_pyworker_completion pyworker\n"
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ],
        env=bash,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_commands(bash: dict[str, str], tmp_path: Path) -> None:
    assert completed(bash, tmp_path, "pyworker", "c") == ["call", "check", "config", "completion"]


def test_options(bash: dict[str, str], tmp_path: Path) -> None:
    assert completed(bash, tmp_path, "pyworker", "dev", "--tls") == ["--tls-ca", "--tls-insecure"]


def test_choices(bash: dict[str, str], tmp_path: Path) -> None:
    assert completed(bash, tmp_path, "pyworker", "init", "--template", "") == ["hello", "tcp"]


def test_environments(bash: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("[env.staging]\n[env.production]\n")
    assert completed(bash, tmp_path, "pyworker", "dev", "--env", "s") == ["staging"]
    (tmp_path / "other.toml").write_text("[env.canary]\n")
    words = ("pyworker", "dev", "-c", "other.toml", "--env", "")
    assert completed(bash, tmp_path, *words) == ["canary"]


def test_a_broken_settings_file_offers_nothing(bash: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text("[env.staging\n")
    assert completed(bash, tmp_path, "pyworker", "dev", "--env", "s") == [""]


@pytest.mark.parametrize("words", [("dev", "work"), ("dev", "-c", ""), ("call", "/", "--main", "")])
def test_files_are_left_to_the_shell(
    words: tuple[str, ...], bash: dict[str, str], tmp_path: Path
) -> None:
    assert completed(bash, tmp_path, "pyworker", *words)[:2] == ["option -o", "default"]


@pytest.mark.parametrize(("shell", "sign"), [("zsh", "#compdef pyworker"), ("fish", "complete ")])
def test_other_shells_have_scripts(shell: str, sign: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert sign in result.output


def test_the_users_shell_is_taken() -> None:
    result = CliRunner().invoke(main, ["completion"], env={"SHELL": "/usr/bin/fish"})
    assert result.output == CliRunner().invoke(main, ["completion", "fish"]).output


def test_a_shell_that_is_not_known_is_misuse() -> None:
    result = CliRunner().invoke(main, ["completion"], env={"SHELL": "/bin/ksh"})
    assert result.exit_code == 2
    assert "Which shell? Name one: bash, zsh, fish." in result.stderr
