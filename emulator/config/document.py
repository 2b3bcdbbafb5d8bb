"""The settings file itself: finding it and reading its TOML.

Floor 1. Owns where a file is looked for and what is said of one that can't be read; must not know
what any key means.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from emulator import errors
from emulator.config.settings import FILE_NAMES

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Document:
    """One settings file: where it is, how messages call it, what it says."""

    path: Path
    shown: str
    tables: dict[str, object]


def shown_path(path: Path, directory: Path) -> str:
    """Return `path` as a message shows it: relative to `directory` when it lies inside."""
    if path.is_relative_to(directory):
        return str(path.relative_to(directory))
    return str(path)


def find(start: Path) -> Path | None:
    """Return the nearest settings file in `start` or above it, as the platform's tool does."""
    for folder in (start, *start.parents):
        for name in FILE_NAMES:
            candidate = folder / name
            if os.path.isfile(candidate):
                return candidate
    return None


def is_readable_format(path: Path) -> bool:
    """True for a file that `read` can read; JSON files are not."""
    return path.suffix not in (".json", ".jsonc")


def read(path: Path, directory: Path) -> Document:
    """Read the TOML file `path`; messages show it relative to `directory`. Raises ConfigError."""
    shown = shown_path(path, directory)
    if not is_readable_format(path):
        raise errors.ConfigError(errors.CONFIG_JSON.format(file=shown, name=path.name))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise errors.ConfigError(errors.CONFIG_MISSING.format(file=shown)) from error
    except IsADirectoryError as error:
        raise errors.ConfigError(errors.CONFIG_IS_DIRECTORY.format(file=shown)) from error
    except UnicodeDecodeError as error:
        message = errors.CONFIG_NOT_UTF8.format(file=shown, byte=error.start)
        raise errors.ConfigError(message) from error
    except OSError as error:
        message = errors.CONFIG_UNREADABLE.format(file=shown, reason=error.strerror)
        raise errors.ConfigError(message) from error
    # Imported on use: a worker without settings starts without it.
    import tomllib

    try:
        return Document(path, shown, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(_syntax_message(shown, text, str(error))) from error


def _syntax_message(shown: str, text: str, reason: str) -> str:
    """Name file, line and column of the mistake, and show the line with a mark under it."""
    lines = text.replace("\r\n", "\n").split("\n")
    position = _POSITION.search(reason)
    if position is None:
        return errors.CONFIG_SYNTAX.format(file=shown, position="", reason=reason)
    if position[1] is not None:
        line_number, column = int(position[1]), int(position[2])
    else:
        line_number, column = len(lines), len(lines[-1]) + 1
    message = errors.CONFIG_SYNTAX.format(
        file=shown,
        position=f", line {line_number}, column {column}",
        reason=reason[: position.start()],
    )
    margin = f"  {line_number} | "
    source = lines[line_number - 1].replace("\t", " ")
    return f"{message}\n{margin}{source}\n{' ' * (len(margin) + column - 1)}^"
