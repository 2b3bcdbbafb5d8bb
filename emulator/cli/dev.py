"""`pyworker dev`: serve a worker while it is being written.

Floor 8. Owns the command's words; the session itself is emulator/dev/session.py.
"""

from __future__ import annotations

import click

from emulator.cli.manual import FAILED, MISUSED, Manual
from emulator.cli.options import SESSION, from_settings
from emulator.cli.sessions import serve


@click.command(
    "dev",
    cls=Manual,
    short_help="Serve a worker on this machine.",
    examples=(
        ("pyworker dev", "what the settings file says"),
        ("pyworker dev hello.py", "one file, no settings needed"),
        ("pyworker dev hello.py --port 0", "on any free port"),
        ("pyworker dev --ip 0.0.0.0", "reachable from other machines"),
        ("pyworker dev -c other.toml", "another settings file"),
        ("pyworker dev -c a.toml -c b.toml", "two workers, the first served; see docs/services.md"),
        ("pyworker dev --env staging", "what env.staging says in the settings file"),
        ("pyworker dev --var DEBUG:1", "one more variable"),
        ("pyworker dev --workers 2", "two processes on one port"),
        ("pyworker dev --strict", "refuse what production refuses"),
    ),
    exit_codes=(
        ("0", "It was stopped, by Ctrl-C or SIGTERM."),
        FAILED,
        MISUSED,
        ("130", "It was interrupted while the worker was loaded, or a second time."),
    ),
    see_also=(
        "pyworker serve",
        "pyworker call",
        "pyworker check",
        "docs/settings.md",
        "docs/sockets.md",
    ),
)
@from_settings(*SESSION)
def command(config_file: tuple[str, ...], **overrides: object) -> None:
    """Serve a worker on this machine, one line a request, until Ctrl-C.

    SCRIPT is the worker's file. Without it, the settings file's `main` is served; with it, SCRIPT
    takes the place of `main` and the other settings stay. With several -c the first worker is
    served, and may call the others through its service bindings.
    """
    serve(config_file, overrides)
