"""`pyworker completion`: what a shell needs to complete pyworker's commands, options and files.

Floor 8. Owns the command's words; the scripts, and the completing, are click's.
"""

from __future__ import annotations

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from emulator import errors
from emulator.cli.manual import MISUSED, Manual

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Manual,
    short_help="Print what a shell needs to complete pyworker.",
    examples=(
        ('eval "$(pyworker completion bash)"', "in ~/.bashrc"),
        ('eval "$(pyworker completion zsh)"', "in ~/.zshrc, after compinit"),
        ("pyworker completion fish", "into ~/.config/fish/completions/pyworker.fish"),
    ),
    exit_codes=(("0", "The script was printed."), MISUSED),
    see_also=("pyworker --help",),
)
@click.argument("shell", metavar="[SHELL]", type=click.Choice(SHELLS), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print a script that has the shell complete commands, options, files and environments.

    SHELL is bash, zsh or fish. Without it the one that $SHELL names is taken.
    """
    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    completion = get_completion_class(shell) if shell in SHELLS else None
    if completion is None:
        raise click.UsageError(errors.COMPLETION_SHELL.format(shells=", ".join(SHELLS)))
    root = ctx.find_root().command
    click.echo(completion(root, {}, "pyworker", "_PYWORKER_COMPLETE").source())
