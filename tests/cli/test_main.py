"""The command itself: light to start, clear when it is misused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import __version__
from emulator.cli import COMMANDS, main

HEAVY = (
    *("aiohttp", "asyncio", "ssl", "uvloop", "tomllib", "traceback"),
    *("emulator.dev", "emulator.server", "emulator.runtime", "emulator.context"),
)


def test_importing_the_command_loads_none_of_the_runtime() -> None:
    code = (
        f"import sys, emulator.cli, {', '.join(f'emulator.cli.{name}' for name in COMMANDS)}\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_version() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, f"pyworker {__version__}\n")


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output
    assert re.search(r"^  dev +Serve a worker on this machine\.$", result.output, re.MULTILINE)


def test_help_of_dev_has_examples_and_defaults() -> None:
    result = CliRunner().invoke(main, ["dev", "-h"])
    assert result.exit_code == 0
    assert "pyworker dev hello.py             one file, no settings needed" in result.output
    assert "[default: 8787]" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dve"], "No such command 'dve'. Did you mean 'dev'?"),
        (["xyzzy"], "No such command 'xyzzy'. Try 'pyworker --help'."),
        (["a.py"], "'a.py' is a file, not a command. To serve it: pyworker dev a.py"),
        (["dev", "--prot", "1"], "--port"),
        (["dev", "--port", "70000"], "70000 is not in the range 0<=x<=65535."),
        (["dev", "a.py", "b.py"], "unexpected extra argument (b.py)"),
    ],
)
def test_misuse_is_exit_code_2(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dev", "no.py"], "Error: SCRIPT no.py: there is no file no.py.\n"),
        (
            ["dev", "-c", "no.toml"],
            "Error: no.toml does not exist. Check the path given to --config.\n",
        ),
    ],
)
def test_a_mistake_of_ours_is_one_message_and_exit_code_1(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", message)


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"pyworker {__version__}\n"
