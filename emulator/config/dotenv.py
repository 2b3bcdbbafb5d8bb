"""The text of .dev.vars and .env files.

Floor 1. Owns the syntax, which is that of the platform's tool (npm's dotenv and dotenv-expand), so
that a file means the same in both; must not know where files are. It differs from Python's
libraries for such files: a # ends an unquoted value wherever it stands, backticks are quotes, and
`KEY: value` is a line. A line that means nothing is an error here, not skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator import errors

_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=|:[ \t])[ \t]*", re.ASCII)
_QUOTED = re.compile(
    r"""('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)[ \t]*(?:#[^\n]*)?(?:\n|\Z)"""
)
_BARE = re.compile(r"([^#\n]*)(?:#[^\n]*)?(?:\n|\Z)")
_REFERENCE = re.compile(
    r"\\(?P<escaped>\$)"
    r"|\$\{(?P<braced>[A-Za-z_][\w.]*)(?::?-(?P<default>[^{}]*))?\}"
    r"|\$(?P<plain>[A-Za-z_]\w*)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One variable of a file: its value, and its line, counted from 1."""

    value: str
    number: int


def parse(text: str, shown: str) -> dict[str, Line]:
    """Return the variables of `text` by name.

    Raises ConfigError, which calls the file `shown` and never tells what a line holds.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: dict[str, Line] = {}
    position = 0
    while position < len(text):
        if nothing := _NOTHING.match(text, position):
            position = nothing.end()
            continue
        number = text.count("\n", 0, position) + 1
        head = _NAME.match(text, position)
        if head is None:
            raise errors.ConfigError(errors.SECRET_BAD_LINE.format(file=shown, line=number))
        name = head[1]
        start = head.end()
        is_quoted = text[start : start + 1] in ("'", '"', "`")
        rest = (_QUOTED if is_quoted else _BARE).match(text, start)
        if rest is None:
            message = errors.SECRET_QUOTES.format(file=shown, line=number, name=name)
            raise errors.ConfigError(message)
        found[name] = Line(_unquoted(rest[1]) if is_quoted else rest[1].strip(), number)
        position = rest.end()
    return found


def _unquoted(text: str) -> str:
    value = text[1:-1]
    if text[0] != '"':
        return value
    return value.replace("\\n", "\n").replace("\\r", "\r")


def expand(values: Mapping[str, str]) -> dict[str, str]:
    r"""Return `values` with ${NAME}, ${NAME:-default} and $NAME replaced; \$ is a plain $.

    Names are those of `values` itself; one that is not there is empty.
    """
    return {name: _expanded(values, name, ()) for name in values}


def _expanded(values: Mapping[str, str], name: str, within: tuple[str, ...]) -> str:
    within = (*within, name)

    def replacement(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        wanted = match["braced"] or match["plain"]
        # A name inside itself has no value yet.
        if wanted in values and wanted not in within:
            value = _expanded(values, wanted, within)
            return value or match["default"] or ""
        return match["default"] or ""

    return _REFERENCE.sub(replacement, values[name])
