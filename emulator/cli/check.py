"""`pyworker check`: what a worker has, and what production would say of it.

Floor 8. Owns the command's words and exit codes; the report is emulator/dev/check.py's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from emulator.cli.manual import MISUSED, Manual
from emulator.cli.options import from_settings
from emulator.errors import PyworkerError
from emulator.memory import importing

INTERRUPTED_EXIT_CODE = 130


@click.command(
    "check",
    cls=Manual,
    short_help="Load a worker and say what production would refuse.",
    groups={"What is shown": ("as_json",)},
    examples=(
        ("pyworker check", "the worker of this folder's settings"),
        ("pyworker check worker.py", "one file"),
        ("pyworker check --env staging", "what env.staging says in the settings file"),
        ("pyworker check --strict", "for CI: a note is a failure"),
        ("pyworker check --json", "for programs; see docs/tools.md"),
    ),
    exit_codes=(
        ("0", "The worker can be loaded; there may be notes."),
        ("1", "It can't, or its settings are wrong; with --strict, or there are notes."),
        MISUSED,
        (str(INTERRUPTED_EXIT_CODE), "It was interrupted."),
    ),
    see_also=("pyworker dev", "pyworker call", "docs/tools.md"),
)
@from_settings("main", "config_file", "environment", "var", "env_file", "strict")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def command(config_file: tuple[str, ...], as_json: bool, **overrides: object) -> None:
    """Load a worker as production would, under the rules of global scope, and report.

    Listed are its handlers, what env holds (secrets by name only), its modules and their size, and its start-up time.
    Notes name settings without effect here, imports that production does not have, addresses that it refuses.
    No handler is called. With --strict every note is a failure.
    """
    # Imported on use: `pyworker check --help` loads neither the settings' reader nor the runtime.
    with importing():
        from emulator.config import load_all

    try:
        configs = load_all([Path(file) for file in config_file], overrides)

        with importing():
            from emulator.dev.check import check, text_of

        reports = [check(config) for config in configs]
    except PyworkerError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            sys.exit(INTERRUPTED_EXIT_CODE)
        if not as_json:
            raise
        from emulator.failures import describe_failure

        click.echo(json.dumps({"ok": False, "error": describe_failure(error)}, indent=2))
        sys.exit(1)
    ok = not (overrides.get("strict") and any(report.notes for report in reports))
    if as_json:
        workers = [report.as_json() for report in reports]
        click.echo(json.dumps({"ok": ok, "workers": workers}, indent=2))
    else:
        click.echo("\n\n".join(map(text_of, reports)))
    if not ok:
        sys.exit(1)
