"""Where each key and value is, in any text that its reader takes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config.jsonc import plain
from emulator.config.positions import json_positions, toml_positions

KEYS = st.text("ab\"'\\ #=,}é_-0", min_size=1, max_size=4)
SCALARS = (
    st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.text("ab\"'\\ #=,[]{}\né/*", max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


def entries(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every path below `value` with what is there."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            yield inner, item
            yield from entries(item, inner)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield f"{path}[{number}]", item
            yield from entries(item, f"{path}[{number}]")


@given(tables=TABLES, indent=st.sampled_from([None, 2]))
def test_every_value_of_json_is_where_it_is_said_to_be(
    tables: dict[str, object], indent: int | None
) -> None:
    text = json.dumps(tables, indent=indent)
    assert plain(text) == text
    spots = json_positions(text)
    assert set(spots) == {path for path, _ in entries(tables)}
    for path, value in entries(tables):
        assert json.JSONDecoder().raw_decode(text, spots[path].value)[0] == value


def toml(value: object) -> str:
    """Write `value` within a line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {toml(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", # [\n".join(map(toml, value)) + "\n]" if value else "[ ]"
    return json.dumps(value)


def toml_document(tables: dict[str, object]) -> str:
    """Write what is no table first, then tables and arrays of tables with headers."""
    lines = [
        f'{json.dumps(key)} = {toml(value)} # \' """ ['
        for key, value in tables.items()
        if not isinstance(value, dict) and not is_tables(value)
    ]
    for key, value in tables.items():
        bodies = [value] if isinstance(value, dict) else value if is_tables(value) else []
        assert isinstance(bodies, list)
        for body in bodies:
            name = json.dumps(key)
            lines.append(f"[ {name} ]" if isinstance(value, dict) else f"[[{name}]]")
            lines += [f"  {json.dumps(inner)}={toml(item)}" for inner, item in body.items()]
    return "\n".join(lines)


def is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


@given(tables=TABLES)
def test_every_value_of_toml_is_where_it_is_said_to_be(tables: dict[str, object]) -> None:
    text = toml_document(tables)
    assert tomllib.loads(text) == tables
    spots = toml_positions(text)
    assert set(spots) == {path for path, _ in entries(tables)}
    for path, value in entries(tables):
        if not isinstance(value, (dict, list)):
            assert text.startswith(toml(value), spots[path].value)


TOML = """\
# first
title = '''
[not.a.header]
''' # after
a.b . "c.d" = 1
when = 2024-01-01 00:00:00
quotes = \"\"\"a\\\"\"\"b\"\"\"\"\"
[ x . y ]
z = { p = [ { q = 1 }, 2 ], "r" = "}" }
[[ list ]]
n = 1
[list.sub]
m = 2
[[list]]
[[list.inner]]
k = 3
"""


@pytest.mark.parametrize(
    ("path", "line", "starts"),
    [
        ("title", 2, "'''"),
        ("a.b.c.d", 5, "1"),
        ("a", 5, "1"),
        ("when", 6, "2024"),
        ("quotes", 7, '"""a'),
        ("x.y", 8, "[ x"),
        ("x.y.z.p[0].q", 9, "1 }"),
        ("x.y.z.r", 9, '"}"'),
        ("list", 10, "[[ list"),
        ("list[0].n", 11, "1"),
        ("list[0].sub.m", 13, "2"),
        ("list[1]", 14, "[[list]]"),
        ("list[1].inner[0].k", 16, "3"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_form_of_toml(path: str, line: int, starts: str, line_end: str) -> None:
    text = TOML.replace("\n", line_end)
    tomllib.loads(text)
    spot = toml_positions(text)[path]
    assert text.count("\n", 0, spot.key) + 1 == line
    assert text.startswith(starts, spot.value)


def test_comments_move_nothing_in_json() -> None:
    text = '{ // "a": 1\n /* { */ "a" : [ 1, /* , */ ], }'
    spots = json_positions(text)
    assert text[spots["a"].key :].startswith('"a" :')
    assert text[spots["a[0]"].value] == "1"
