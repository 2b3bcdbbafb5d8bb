"""Where in a settings file each key and value is.

Floor 1. Owns the scan of a text that its reader has already taken; must not know what keys mean.
Made only when a message or `pyworker config` names a place: the readers of the standard library
tell none.

A path is written as messages write it: `connect[0].port`.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from typing import NamedTuple

from emulator.config.jsonc import STRING, plain

_JSON_STRING = re.compile(STRING)
_JSON_BARE = re.compile(r"[^,\]}\s]+")
_SPACE = re.compile(r"\s*")
_TOML_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_TOML_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_TOML_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_TOML_KEY = re.compile(rf"{_TOML_KEY_PART}(?:[ \t]*\.[ \t]*{_TOML_KEY_PART})*")
_TOML_BARE = re.compile(r"[^,\]}#\n]+")


class Spot(NamedTuple):
    """Offsets in the text: of a key, and of its value."""

    key: int
    value: int


def json_positions(text: str) -> dict[str, Spot]:
    """Return the places in `text`, which is JSON with comments, by path."""
    scan = _JsonScan(plain(text))
    scan.value(_end(_SPACE, scan.text, 0), "")
    return scan.spots


def toml_positions(text: str) -> dict[str, Spot]:
    """Return the places in `text`, which is TOML, by path."""
    scan = _TomlScan(text.replace("\r\n", " \n"))
    scan.document()
    return scan.spots


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where what `pattern` matches at `position` ends; `position` itself when it does not."""
    match = pattern.match(text, position)
    return position if match is None else match.end()


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


@dataclass(slots=True)
class _JsonScan:
    text: str
    spots: dict[str, Spot] = field(default_factory=dict)

    def value(self, position: int, path: str) -> int:
        """Take the value at `position`; return where it ends."""
        match self.text[position]:
            case "{":
                return self._members(position + 1, path)
            case "[":
                return self._items(position + 1, path)
            case '"':
                return _end(_JSON_STRING, self.text, position)
            case _:
                return _end(_JSON_BARE, self.text, position)

    def _members(self, position: int, path: str) -> int:
        while self.text[position := _end(_SPACE, self.text, position)] != "}":
            if self.text[position] == ",":
                position += 1
                continue
            key_end = _end(_JSON_STRING, self.text, position)
            member = _joined(path, json.loads(self.text[position:key_end]))
            start = _end(_SPACE, self.text, self.text.index(":", key_end) + 1)
            self.spots[member] = Spot(position, start)
            position = self.value(start, member)
        return position + 1

    def _items(self, position: int, path: str) -> int:
        number = 0
        while self.text[position := _end(_SPACE, self.text, position)] != "]":
            if self.text[position] == ",":
                position += 1
                continue
            item = f"{path}[{number}]"
            self.spots[item] = Spot(position, position)
            position = self.value(position, item)
            number += 1
        return position + 1


@dataclass(slots=True)
class _TomlScan:
    text: str
    spots: dict[str, Spot] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    def document(self) -> None:
        """Take the whole text."""
        table = ""
        position = self._skip(0)
        while position < len(self.text):
            if self.text[position] == "[":
                table, position = self._header(position)
            else:
                position = self._pair(position, table)
            position = self._skip(position)

    def _skip(self, position: int) -> int:
        return _end(_TOML_SPACE, self.text, position)

    def _header(self, position: int) -> tuple[str, int]:
        """Take `[a.b]` or `[[a.b]]`; return the path of the table that it opens, and its end."""
        repeated = self.text.startswith("[[", position)
        start = self._skip(position + (2 if repeated else 1))
        end = _end(_TOML_KEY, self.text, start)
        *parents, last = _key_parts(self.text[start:end])
        path = ""
        for parent in parents:
            path = self._newest(_joined(path, parent))
        path = _joined(path, last)
        spot = Spot(start, position)
        if repeated:
            self.spots.setdefault(path, spot)
            number = self.lengths.get(path, 0)
            self.lengths[path] = number + 1
            path = f"{path}[{number}]"
        self.spots.setdefault(path, spot)
        return path, self.text.index("]", end) + (2 if repeated else 1)

    def _newest(self, path: str) -> str:
        """The last entry of an array of tables; `path` itself when it is none."""
        length = self.lengths.get(path)
        return path if length is None else f"{path}[{length - 1}]"

    def _pair(self, position: int, table: str) -> int:
        """Take `key = value`; return where it ends."""
        key_end = _end(_TOML_KEY, self.text, position)
        start = self._skip(self.text.index("=", key_end) + 1)
        path = table
        for part in _key_parts(self.text[position:key_end]):
            path = _joined(path, part)
            self.spots.setdefault(path, Spot(position, start))
        return self._value(start, path)

    def _value(self, position: int, path: str) -> int:
        match self.text[position]:
            case "{":
                return self._inline_table(position + 1, path)
            case "[":
                return self._array(position + 1, path)
            case '"' | "'":
                return _end(_TOML_STRING, self.text, position)
            case _:
                return _end(_TOML_BARE, self.text, position)

    def _inline_table(self, position: int, path: str) -> int:
        while self.text[position := self._skip(position)] != "}":
            position = position + 1 if self.text[position] == "," else self._pair(position, path)
        return position + 1

    def _array(self, position: int, path: str) -> int:
        number = 0
        while self.text[position := self._skip(position)] != "]":
            if self.text[position] == ",":
                position += 1
                continue
            item = f"{path}[{number}]"
            self.spots[item] = Spot(position, position)
            position = self._value(position, item)
            number += 1
        return position + 1


def _key_parts(text: str) -> list[str]:
    """The parts of a dotted key, unquoted: TOML's own reader knows how."""
    parts: list[str] = []
    table: object = tomllib.loads(f"{text} = 0")
    while isinstance(table, dict):
        (part, table), *_ = table.items()
        parts.append(part)
    return parts
