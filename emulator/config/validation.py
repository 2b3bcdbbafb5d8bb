"""What a settings file says, held against the table of settings.

Floor 1. Owns the check of every key and value; must not know where the file was found, what other
sources say or what an environment inherits. `validate` hands back the values by setting name,
arrays of tables as lists of such mappings.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import NamedTuple

from emulator import errors
from emulator.config.document import Document, Part, Syntax
from emulator.config.settings import SETTINGS
from emulator.config.table import Effect, Kind, Setting
from emulator.nearest import nearest
from emulator.printable import printable

_TYPE_NAMES = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number with a fraction",
    str: "a string",
    list: "an array",
    dict: "a table",
    datetime.date: "a date",
    datetime.datetime: "a date and time",
    datetime.time: "a time",
    type(None): "null",
}
_PYTHON_TYPES: dict[Kind, type] = {
    Kind.STRING: str,
    Kind.INTEGER: int,
    Kind.PORT: int,
    Kind.BOOLEAN: bool,
    Kind.STRINGS: list,
    Kind.STRING_OR_STRINGS: object,
    Kind.SECONDS: object,
    Kind.TABLE: dict,
    Kind.TABLES: list,
    Kind.JSON_TABLE: dict,
    Kind.ANY: object,
}


class _Branch:
    """A table that has rows of its own: its keys, and whether the file holds an array of it."""

    __slots__ = ("children", "repeated")

    def __init__(self) -> None:
        self.repeated = False
        self.children: dict[str, _Branch | Setting] = {}


class Values(NamedTuple):
    """What a file says: `plain` by setting name, `repeated` by array, `noted` keys in order.

    `places` are the paths in the file, by setting name and by array.
    """

    plain: dict[str, object]
    repeated: dict[str, list[dict[str, object]]]
    noted: list[str]
    places: dict[str, str]


def first_part(path: str) -> str:
    """Return the key under which `path` is at the top level or in its environment."""
    parts = path.split(".")
    key = parts[2] if parts[0] == "env" and len(parts) > 2 else parts[0]
    return key.split("[")[0]


def _tree() -> _Branch:
    root = _Branch()
    for row in SETTINGS:
        if row.key is None:
            continue
        branch = root
        *parents, leaf = row.key.split(".")
        for parent in parents:
            child = branch.children.setdefault(parent.removesuffix("[]"), _Branch())
            if isinstance(child, Setting):
                raise TypeError(f"{row.key} lies inside another setting")
            child.repeated = parent.endswith("[]")
            branch = child
        branch.children[leaf] = row
    return root


def validate(
    document: Document, table: Mapping[str, object] | None = None, prefix: str = ""
) -> Values:
    """Check `table` of `document`, by default the whole, against the table of settings.

    `prefix` is where `table` is in the file, with a dot at its end. Raises ConfigError naming the
    place, the key and what is wrong.
    """
    values = Values({}, {}, [], {})
    tables = document.tables if table is None else table
    _walk(document, tables, _tree(), prefix, values.plain, values)
    return values


def _walk(
    document: Document,
    table: Mapping[str, object],
    branch: _Branch,
    prefix: str,
    into: dict[str, object],
    values: Values,
) -> None:
    for key, value in table.items():
        path = f"{prefix}{key}"
        node = branch.children.get(key)
        if node is None:
            raise _unknown_key(document, path, key, prefix, branch)
        if isinstance(node, Setting):
            into[node.name] = _checked(document, path, value, node)
            values.places.setdefault(node.name, path)
            if node.effect is Effect.NOTED:
                values.noted.append(path)
        elif node.repeated:
            entries = _expect_tables(document, path, value)
            values.repeated[key] = [{} for _ in entries]
            values.places[key] = path
            for number, entry in enumerate(entries):
                entry_prefix = f"{path}[{number}]."
                collected = values.repeated[key][number]
                _walk(document, entry, node, entry_prefix, collected, values)
                _require(document, node, entry_prefix, entry)
        elif isinstance(value, dict):
            _walk(document, value, node, f"{path}.", into, values)
        elif isinstance(value, bool) and "enabled" in node.children:
            _walk(document, {"enabled": value}, node, f"{path}.", into, values)
        elif "enabled" in node.children:
            raise _wrong_value(document, path, "true, false or a table", _found(value))
        else:
            raise wrong_type(document, path, Kind.TABLE, value)


def _checked(document: Document, path: str, value: object, row: Setting) -> object:
    """Return `value` if it is what `row` holds."""
    wanted = _PYTHON_TYPES[row.kind]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise wrong_type(document, path, row.kind, value)
    if row.kind is Kind.STRING_OR_STRINGS:
        return _checked_strings(document, path, value)
    if row.kind is Kind.SECONDS and not is_seconds(value):
        raise wrong_type(document, path, row.kind, value)
    if row.kind is Kind.PORT and isinstance(value, int) and not 0 <= value <= 65535:
        raise _wrong_value(document, path, row.kind.value, str(value))
    if row.kind is Kind.STRINGS and isinstance(value, list):
        for number, item in enumerate(value):
            if not isinstance(item, str):
                raise wrong_type(document, f"{path}[{number}]", Kind.STRING, item)
    if row.kind is Kind.TABLES:
        _expect_tables(document, path, value)
    if row.kind is Kind.JSON_TABLE:
        _expect_json(document, path, value)
    if row.choices and value not in row.choices:
        expected = " or ".join(f'"{choice}"' for choice in row.choices)
        raise _wrong_value(document, path, expected, f'"{printable(str(value))}"')
    return value


def is_seconds(value: object) -> bool:
    """True for a number that a clock can wait for."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 < value < math.inf


def _checked_strings(document: Document, path: str, value: object) -> list[str]:
    """Return the strings that `value`, one or a list of them, holds."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise wrong_type(document, path, Kind.STRING_OR_STRINGS, value)
    for number, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong_type(document, f"{path}[{number}]", Kind.STRING, item)
    return value


def _require(document: Document, branch: _Branch, prefix: str, table: Mapping[str, object]) -> None:
    for key, node in branch.children.items():
        if isinstance(node, Setting) and node.required and key not in table:
            raise document.refusal(
                errors.CONFIG_REQUIRED,
                prefix.rstrip("."),
                Part.KEY,
                name=key,
                example=document.assignment(key, node.example),
            )


def _expect_tables(document: Document, path: str, value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise wrong_type(document, path, Kind.TABLES, value)
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise wrong_type(document, f"{path}[{number}]", Kind.TABLE, entry)
    return value


def _expect_json(document: Document, path: str, value: object) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _expect_json(document, f"{path}.{key}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _expect_json(document, f"{path}[{number}]", item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _wrong_value(document, path, "a value that JSON can hold", f"{value}")
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise _wrong_value(document, path, "text", "half of a surrogate pair")
    elif value is None and document.syntax is Syntax.JSON:
        pass
    elif not isinstance(value, (int, float)):
        found = f"{_type_name(value)}; write it as a string, in quotes"
        raise _wrong_value(document, path, "a value that JSON can hold", found)


def wrong_type(document: Document, path: str, kind: Kind, value: object) -> errors.ConfigError:
    """Return the error of a `value` at `path` that is not of `kind`."""
    return _wrong_value(document, path, kind.value, _found(value))


def _wrong_value(document: Document, path: str, expected: str, found: str) -> errors.ConfigError:
    return document.refusal(
        errors.CONFIG_WRONG_VALUE,
        path,
        expected=document.named(expected),
        found=document.named(found),
    )


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def _found(value: object) -> str:
    """How a message shows a value of the wrong type: what it is, and itself when that is short."""
    name = _type_name(value)
    if isinstance(value, bool):
        return f"{name} ({str(value).lower()})"
    if isinstance(value, str):
        return f'{name} ("{printable(value)}")' if len(value) <= 40 else name
    if isinstance(value, (int, float, datetime.date, datetime.time)):
        return f"{name} ({value})"
    return name


def _unknown_key(
    document: Document, path: str, key: str, prefix: str, branch: _Branch
) -> errors.ConfigError:
    near = nearest(key, branch.children)
    suggestion = f"{prefix}{near}" if near else _same_key_elsewhere(key)
    hint = f" Did you mean `{suggestion}`?" if suggestion else ""
    return document.refusal(errors.CONFIG_UNKNOWN_KEY, path, Part.KEY, hint=hint)


def _same_key_elsewhere(key: str) -> str | None:
    """`port` at the top level is unknown, but `dev.port` exists; a table comes before an array."""
    paths = [row.key for row in SETTINGS if row.key is not None and row.key.endswith(f".{key}")]
    paths.sort(key=lambda path: "[]" in path)
    return paths[0].replace("[]", "") if paths else None
