"""`pyworker init`: a new project that runs.

Floor 8. Owns the command's words; what is written is emulator/dev/project.py's business.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from emulator.cli.manual import MISUSED, Manual

# The templates' folders are called the same.
TEMPLATES = ("hello", "tcp")


@click.command(
    "init",
    cls=Manual,
    short_help="Make a new project that runs.",
    groups={"What to write": ("template",)},
    examples=(
        ("pyworker init my-worker", "a project in the new folder my-worker"),
        ("pyworker init", "in this folder, which must be empty"),
        ("pyworker init mail --template tcp", "one that speaks TCP"),
    ),
    exit_codes=(
        ("0", "The project is there."),
        ("1", "The folder holds something already, or can't be written."),
        MISUSED,
    ),
    see_also=("pyworker dev", "pyworker check", "docs/tools.md"),
)
@click.argument("folder", metavar="[NAME]", type=click.Path(), default=".")
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default="hello",
    show_default=True,
    help="hello: an answer and its test. tcp: connect() to a server, with tests against a real one.",
)
def command(folder: str, template: str) -> None:
    """Make a project: a worker, its settings, a test and a README.

    NAME is the folder to make, and the worker's name; without it the current folder is used if it is empty. Nothing is
    ever overwritten. `pyworker dev` serves the project as it is, `pytest` passes in it, wrangler can deploy it.
    """
    # Imported on use, for the start-up time of the other commands.
    from emulator.dev.project import create

    project = create(Path(folder), template)
    for path in project.files:
        click.echo(f"  {path}")
    click.echo(f"\nMade the worker {project.name}. Next:\n")
    if project.folder != Path.cwd():
        click.echo(f"  cd {shlex.quote(folder)}")
    click.echo(
        "  pyworker dev      # serve it\n  pytest            # needs pytest and pytest-aiohttp"
    )
