"""`pyworker serve`: serve a worker to others, as it is.

Floor 8. Owns the command's words; the session itself is emulator/dev/session.py.
"""

from __future__ import annotations

import click

from emulator.cli.manual import FAILED, MISUSED, Manual
from emulator.cli.options import SESSION, from_settings
from emulator.cli.sessions import serve

# What is for a worker that is being written.
_FOR_WRITING = ("reload", "keep_last_good", "show_errors")


@click.command(
    "serve",
    cls=Manual,
    short_help="Serve a worker as it is: no reloading, no keys, no details of errors.",
    examples=(
        ("pyworker serve --workers 2", "two processes on one port"),
        ("pyworker serve --ip 0.0.0.0 --port 80", "reachable from other machines"),
        ("pyworker serve --log-format json", "a log for a program"),
    ),
    exit_codes=(
        ("0", "It was stopped, by Ctrl-C or SIGTERM."),
        FAILED,
        MISUSED,
        ("130", "It was interrupted while the worker was loaded, or a second time."),
    ),
    see_also=("pyworker dev", "docs/processes.md", "docs/logging.md"),
)
@from_settings(*(name for name in SESSION if name not in _FOR_WRITING))
def command(config_file: tuple[str, ...], **overrides: object) -> None:
    """Serve a worker as it is, until Ctrl-C.

    As `pyworker dev`, but saved files change nothing, no keys are heeded, and a client learns of a failure what
    production says and no more. The log has the rest.
    """
    fixed = {"reload": False, "keep_last_good": False, "show_errors": False}
    serve(config_file, {**overrides, **fixed}, keys=False)
