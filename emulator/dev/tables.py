"""Tables for a person's terminal: what a worker is given, what is open, which keys there are.

Floor 7. Owns their columns; rich draws them, imported on first use since it takes longer to load than a worker. Must
not know what writes them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

from emulator.config import Config
from emulator.printable import printable
from emulator.sockets import OpenSocket

COLUMNS = 80
VALUE_COLUMNS = 60


def rows_of(config: Config) -> list[tuple[str, ...]]:
    """Return what the banner says of `config`; the values of secrets are not in it."""
    rows = [("Worker", f"{config.name} ({_shown(config.main)})")]
    words = "Vars"
    for name, value in config.vars.items():
        shown = "(hidden)" if name in config.secrets else _value(value)
        rows.append((words, printable(f"{name} = {shown}")))
        words = ""
    words = "Services"
    for service in config.services:
        rows.append((words, printable(f"{service.binding} → {service.service}")))
        words = ""
    return [*rows]


def rows_of_sockets(open_sockets: Sequence[OpenSocket]) -> list[tuple[str, ...]]:
    """Return a row each, oldest first: whose it is, where it goes, its state and age."""
    return [
        (
            printable(each.label),
            printable(each.address),
            each.state,
            f"{each.age_seconds:.1f} s",
        )
        for each in open_sockets
    ]


def rendered(rows: Sequence[Sequence[str]], columns: int, *, coloured: bool) -> str:
    """Return `rows` as lines of at most `columns`, the first column dim."""
    # Imported on use: a session that shows no table starts without it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), pad_edge=False)
    for number in range(max(map(len, rows), default=0)):
        table.add_column(style="dim" if number == 0 and coloured else "", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    file = io.StringIO()
    console = Console(
        file=file,
        width=columns,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        no_color=not coloured,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_COLUMNS else f"{text[: VALUE_COLUMNS - 1]}…"


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
