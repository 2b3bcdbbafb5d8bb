"""The table of settings as the page docs/settings.md.

Floor 1. Owns the page's text; `python -m emulator.config.reference > docs/settings.md` writes it
anew.
"""

from __future__ import annotations

from emulator.config.environments import NOT_INHERITED, TOP_LEVEL_ONLY
from emulator.config.settings import FILE_NAMES, SETTINGS
from emulator.config.table import Effect, Owner, Setting

_OPENING = f"""\
# Settings

Made from the table in `emulator/config/settings.py`; to change this page, change the table and run
`python -m emulator.config.reference > docs/settings.md`.

The command line wins over the settings file, the file over variables, variables over the defaults.
`pyworker config` shows what is in force, and where each setting is from. Without `--config` the
file is the nearest in the worker's folder or above it of
{", ".join(f"`{name}`" for name in FILE_NAMES)};
the JSON ones may have comments and trailing commas.

With several `--config` the first one's worker is served, and may call the others
([services.md](services.md)). Options are for the first, `--env` is for all.

## Environments

`--env NAME` chooses `env.NAME`, as does the variable `CLOUDFLARE_ENV`; `--env ""` is the top level.
The environment inherits each top-level key that it does not have itself, a table whole or not at
all, but for these, of which it has only its own:
{", ".join(f"`{name}`" for name in sorted(NOT_INHERITED))}.
{", ".join(f"`{name}`" for name in sorted(TOP_LEVEL_ONLY))} have no place in it. The worker
is called after both, `name-NAME`, unless the environment has a `name`.

## Variables and secrets

`env` holds `vars`, then secrets, then `--var`; the later wins. Secrets come from the folder of the
settings file, or of the worker when there is none: from `.dev.vars.NAME` when there is one for the
environment, else from `.dev.vars`, else from `.env`, `.env.local`, `.env.NAME` and
`.env.NAME.local` together, of which the later wins; `--env-file` names other files for these.
Their syntax is npm's dotenv; in `.env` files `${{NAME}}` is replaced. A line that is neither a
variable nor a comment is an error.

## Settings

| setting | command line | variable | holds | default | meaning |
| --- | --- | --- | --- | --- | --- |
"""

_NOTED = """
## Keys of the platform that have no effect here yet

A project's file may hold them: each gives one note when `pyworker dev` starts. Any other key is an
error.

| key | holds | meaning on the platform |
| --- | --- | --- |
"""


def markdown() -> str:
    """Return the whole page."""
    applied = [row for row in SETTINGS if row.effect is Effect.APPLIED]
    others = [row for row in SETTINGS if row.effect is Effect.NOTED]
    return (
        _OPENING
        + "".join(map(_applied_line, applied))
        + _NOTED
        + "".join(f"| `{row.key}` | {row.kind.value} | {row.help} |\n" for row in others)
    )


def _applied_line(row: Setting) -> str:
    command_line = ", ".join(filter(None, [row.argument, *row.option]))
    holds = " or ".join(f"`{choice}`" for choice in row.choices) or row.kind.value
    ours = " (pyworker's own)" if row.owner is Owner.OURS else ""
    cells = [
        _code(row.key),
        _code(command_line),
        _code(row.variable),
        holds,
        _code(row.default),
        row.help + ours,
    ]
    return f"| {' | '.join(cells)} |\n"


def _code(text: object) -> str:
    if isinstance(text, bool):
        text = str(text).lower()
    return f"`{text}`" if text not in (None, "") else ""


if __name__ == "__main__":
    print(markdown(), end="")
