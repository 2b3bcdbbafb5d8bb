"""The command `pyworker`: which commands there are, and what becomes of our errors.

Floor 8. Kept small: `pyworker --help` must not load the runtime. A command's file is imported when
it is needed; what it runs, when it is run.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from emulator import __version__
from emulator.errors import COMMAND_IS_FILE, COMMAND_UNKNOWN, PyworkerError
from emulator.nearest import nearest

__all__ = ["COMMANDS", "LazyGroup", "main"]

COMMANDS = ("dev", "serve", "call", "check", "config", "init", "completion")


class LazyGroup(click.Group):
    """A group whose commands live one in a file, `emulator/cli/NAME.py`, as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's file; None for a name that is no command."""
        if cmd_name not in COMMANDS:
            return None
        # Imported on use: no command pays for another's start-up.
        command = import_module(f"emulator.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with. A usage error names the nearest one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            if name.endswith(".py"):
                ctx.fail(COMMAND_IS_FILE.format(file=name))
            near = nearest(name, COMMANDS)
            hint = f" Did you mean {near!r}?" if near else " Try 'pyworker --help'."
            ctx.fail(COMMAND_UNKNOWN.format(name=name, hint=hint))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a mistake that the user can mend is one message and exit code 1."""
        try:
            return super().invoke(ctx)
        except PyworkerError as error:
            # Imported on use: only a failure needs it.
            describe: Callable[[BaseException], str] = import_module(
                "emulator.failures"
            ).describe_failure
            raise click.ClickException(describe(error)) from error


@click.group("pyworker", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__, "--version", prog_name="pyworker", message="%(prog)s %(version)s"
)
def main() -> None:
    """Run Python Workers on this machine: fetch handlers, TCP sockets, streams.

    \b
    Examples:
      pyworker init my-worker     make a project
      pyworker dev hello.py       serve one file on http://localhost:8787
      pyworker call /             one request, without a server
      pyworker COMMAND --help     everything about a command
    """
