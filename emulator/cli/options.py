"""The command line's part of the table of settings, as click parameters.

Floor 8. Owns how a row becomes an option; what the rows are is the table's business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emulator.config.settings import setting
from emulator.config.table import Kind, Setting
from emulator.errors import ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])

# A file that need not be there: the shell completes it, the settings' reader says what is wrong with it.
FILE = click.Path()


def _environments(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """What the shell offers for --env: the environments of the settings file that would be read."""
    # Imported on use: only a shell that completes needs these.
    from click.shell_completion import CompletionItem

    from emulator.config.document import find, read

    named, here = ctx.params.get("config_file"), Path.cwd()
    start = here.joinpath(ctx.params.get("main") or "worker.py").resolve().parent
    path = Path(named[0]).resolve() if named else find(start)[0]
    try:
        environments = {} if path is None else read(path, here).tables.get("env")
    except ConfigError:
        return []
    names = environments if isinstance(environments, dict) else ()
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_COMPLETIONS = {"environment": _environments}

_TYPES: dict[Kind, click.ParamType[Any]] = {
    Kind.STRING: click.STRING,
    Kind.INTEGER: click.INT,
    Kind.PORT: click.IntRange(0, 65535),
    Kind.BOOLEAN: click.BOOL,
    Kind.SECONDS: click.FLOAT,
    Kind.STRING_OR_STRINGS: click.STRING,
}


# What a session is started with, in the order of its help.
SESSION = (
    "main",
    "port",
    "ip",
    "config_file",
    "environment",
    "var",
    "env_file",
    "local_protocol",
    "https_key_path",
    "https_cert_path",
    "unix_socket",
    "workers",
    "reload",
    "keep_last_good",
    "show_errors",
    "run_crons",
    "log_level",
    "log_format",
    "tls_ca",
    "tls_insecure",
    "connect_timeout_seconds",
    "strict",
)


def from_settings(*names: str) -> Callable[[Command], Command]:
    """Decorate a command with the settings called `names`, in that order; absent ones are None."""

    def decorate(function: Command) -> Command:
        for name in reversed(names):
            function = _parameter(setting(name))(function)
        return function

    return decorate


def _parameter(row: Setting) -> Callable[[Command], Command]:
    if row.argument is not None:
        return click.argument(row.name, metavar=f"[{row.argument}]", type=FILE, required=False)
    if row.kind is Kind.BOOLEAN:
        return click.option(*row.option, row.name, is_flag=True, default=None, help=row.help)
    several = row.kind is Kind.STRING_OR_STRINGS
    type_: click.ParamType[Any] = _TYPES[row.kind]
    if row.choices:
        type_ = click.Choice(row.choices)
    elif row.metavar == "FILE":
        type_ = FILE
    help_text = row.help if row.default is None else f"{row.help}  [default: {row.default}]"
    if several:
        help_text = f"{help_text}  [may be given several times]"
    return click.option(
        *row.option,
        row.name,
        type=type_,
        metavar=row.metavar,
        multiple=several,
        shell_complete=_COMPLETIONS.get(row.name),
        help=help_text,
    )
