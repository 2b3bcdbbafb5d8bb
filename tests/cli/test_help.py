"""Every command's help reads like a manual's page, and its examples are commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from emulator.cli import COMMANDS, main
from emulator.cli.manual import GROUPS, Manual
from emulator.config.settings import SETTINGS

REPOSITORY = Path(__file__).parents[2]


def command(name: str) -> Manual:
    found = main.get_command(click.Context(main), name)
    assert isinstance(found, Manual)
    return found


def examples() -> list[str]:
    return [line for name in COMMANDS for line, _ in command(name).examples]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_every_section(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: pyworker {name} ")
    for title in ("Other options:", "Examples:", "Exit codes:", "See also:"):
        assert f"\n{title}\n" in result.output
    assert "\n  0 " in result.output
    assert "\n  2 " in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option_once(name: str) -> None:
    page = command(name)
    options = [param for param in page.params if isinstance(param, click.Option)]
    text = CliRunner().invoke(main, [name, "--help"]).output
    listed = text.partition("Examples:")[0]
    for option in options:
        assert (
            len(re.findall(rf"^  (?:-\w, )?{re.escape(option.opts[-1])}(?![\w-])", listed, re.M))
            == 1
        )


def test_every_option_of_a_session_is_in_a_group() -> None:
    text = CliRunner().invoke(main, ["dev", "--help"]).output
    rest = text.partition("\nOther options:\n")[2].partition("\n\n")[0]
    assert rest == "  -h, --help  Show this message and exit."


@pytest.mark.parametrize("line", examples())
def test_examples_parse(line: str) -> None:
    called = re.search(r"\bpyworker [^|)]*", line)
    assert called is not None
    _, name, *arguments = shlex.split(called.group())
    context = command(name).make_context(f"pyworker {name}", arguments)
    assert context.command.name == name


def test_an_example_with_a_wrong_option_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        command("call").make_context("pyworker call", ["/", "--nonsense"])


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_seen_also_is_there(name: str) -> None:
    for also in command(name).see_also:
        if also.startswith("docs/"):
            assert (REPOSITORY / also).is_file()
        else:
            assert also.removeprefix("pyworker ") in (*COMMANDS, "--help")


def test_groups_hold_what_exists() -> None:
    known = {row.name for row in SETTINGS}
    known |= {param.name or "" for name in COMMANDS for param in command(name).params}
    assert {name for names in GROUPS.values() for name in names} - known == set()
