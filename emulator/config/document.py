"""The settings file itself: finding it, reading it, and naming a place in it.

Floor 1. Owns where a file is looked for, what is said of one that can't be read, and how a message
shows a place; must not know what any key means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from emulator import errors
from emulator.config.settings import FILE_NAMES
from emulator.printable import printable

EXCERPT_COLUMNS = 100

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Syntax(Enum):
    """How a settings file is written."""

    TOML = "TOML"
    JSON = "JSON"


class Part(Enum):
    """What of a key a message points at."""

    KEY = "key"
    VALUE = "value"


class Document(NamedTuple):
    """One settings file: where it is, how messages call it, what it says, and its text."""

    path: Path
    shown: str
    syntax: Syntax
    tables: dict[str, object]
    text: str

    def line_of(self, key: str) -> int | None:
        """Return the line of `key`, counted from 1, or None when it has none of its own."""
        offset = self._offset(key, Part.KEY)
        return None if offset is None else _line_and_column(self.text, offset)[0]

    def place(self, key: str, part: Part = Part.VALUE) -> str:
        """Return the words for where `key` is: the file, and its line and column if it has any."""
        offset = self._offset(key, part)
        if offset is None:
            return self.shown
        line, column = _line_and_column(self.text, offset)
        return errors.CONFIG_PLACE.format(file=self.shown, line=line, column=column)

    def refusal(
        self, template: str, key: str, part: Part = Part.VALUE, /, **fields: object
    ) -> errors.ConfigError:
        """Return the error that `template` words, with the place of `key` and its line.

        `template` names the file as {file}, the key as {key}, and `fields`.
        """
        message = template.format(file=self.place(key, part), key=key, **fields)
        offset = self._offset(key, part)
        if offset is None:
            return errors.ConfigError(message)
        shown = excerpt(self.text, *_line_and_column(self.text, offset))
        return errors.ConfigError(f"{message}\n{shown}")

    def assignment(self, key: str, value: str) -> str:
        """Return the words that give `key` the `value` in this file's syntax."""
        return f'"{key}": {value}' if self.syntax is Syntax.JSON else f"{key} = {value}"

    def named(self, kind: str) -> str:
        """Return `kind`, which names a type as TOML does, as this file's syntax names it."""
        if self.syntax is Syntax.TOML:
            return kind
        return kind.replace("a table", "an object").replace("tables", "objects")

    def _offset(self, key: str, part: Part) -> int | None:
        """Where `key`, or the nearest that holds it, is in the text."""
        # Imported on use: a file without mistakes needs no places.
        from emulator.config.positions import json_positions, toml_positions

        find_all = json_positions if self.syntax is Syntax.JSON else toml_positions
        spots = find_all(self.text)
        while key not in spots:
            cut = max(key.rfind("."), key.rfind("["))
            if cut < 0:
                return None
            key, part = key[:cut], Part.KEY
        return spots[key].key if part is Part.KEY else spots[key].value


def shown_path(path: Path, directory: Path) -> str:
    """Return `path` as a message shows it: relative to `directory` when it lies inside."""
    if path.is_relative_to(directory):
        return str(path.relative_to(directory))
    return str(path)


def find(start: Path) -> tuple[Path | None, tuple[Path, ...]]:
    """Return the nearest settings file in `start` or above it, as the platform's tool does.

    With it come the files that would be read in its place if they were there; without any, those of
    `start` itself.
    """
    looked_for: list[Path] = []
    for candidate in _candidates(start):
        if os.path.isfile(candidate):
            return candidate, tuple(looked_for)
        looked_for.append(candidate)
    return None, tuple(looked_for[: len(FILE_NAMES)])


def _candidates(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        for name in FILE_NAMES:
            yield folder / name


def read(path: Path, directory: Path) -> Document:
    """Read the settings file `path`; messages show it relative to `directory`.

    A name that ends with .json or .jsonc is JSON, any other TOML. Raises ConfigError.
    """
    shown = shown_path(path, directory)
    return parse(path, shown, read_text(path, shown))


def read_text(path: Path, shown: str) -> str:
    """Return the text of a file of settings or secrets. Raises ConfigError, which calls it `shown`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
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


def parse(path: Path, shown: str, text: str) -> Document:
    """Read `text`, which is in the file `path`. Raises ConfigError, which calls it `shown`."""
    syntax = Syntax.JSON if path.suffix in (".json", ".jsonc") else Syntax.TOML
    parse_text = _parse_json if syntax is Syntax.JSON else _parse_toml
    try:
        return Document(path, shown, syntax, parse_text(shown, text), text)
    except RecursionError as error:
        raise errors.ConfigError(errors.CONFIG_TOO_DEEP.format(file=shown)) from error
    except ValueError as error:
        # What neither reader has a position for: a number with too many digits.
        message = errors.CONFIG_SYNTAX.format(file=shown, reason=str(error).rstrip("."))
        raise errors.ConfigError(message) from error


def _parse_toml(shown: str, text: str) -> dict[str, object]:
    # Imported on use: a worker without settings starts without it.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        position = _POSITION.search(reason)
        if position is None:
            raise
        if position[1] is not None:
            line, column = int(position[1]), int(position[2])
        else:
            line, column = _line_and_column(text, len(text))
        raise _mistake(shown, text, reason[: position.start()], line, column) from error


def _parse_json(shown: str, text: str) -> dict[str, object]:
    # Imported on use, like TOML's reader.
    import json

    from emulator.config.jsonc import loads

    try:
        tables = loads(text)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")
        raise _mistake(shown, text, reason, error.lineno, error.colno) from error
    if not isinstance(tables, dict):
        raise errors.ConfigError(errors.CONFIG_NOT_OBJECT.format(file=shown))
    return tables


def _mistake(shown: str, text: str, reason: str, line: int, column: int) -> errors.ConfigError:
    """Name file, line and column of the mistake, and show the line with a mark under it."""
    place = errors.CONFIG_PLACE.format(file=shown, line=line, column=column)
    message = errors.CONFIG_SYNTAX.format(file=place, reason=reason)
    return errors.ConfigError(f"{message}\n{excerpt(text, line, column)}")


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def excerpt(text: str, line: int, column: int) -> str:
    """Return the `line` of `text` with a mark under `column`; of a long line, what is around it."""
    source = text.split("\n")[line - 1].rstrip("\r").replace("\t", " ")
    start = max(0, column - EXCERPT_COLUMNS // 2) if len(source) > EXCERPT_COLUMNS else 0
    before = printable(source[start : column - 1])
    after = printable(source[column - 1 : start + EXCERPT_COLUMNS])
    margin = f"  {line} | "
    return f"{margin}{before}{after}\n{' ' * (len(margin) + len(before))}^"
