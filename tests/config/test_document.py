"""Settings files as text: JSON with comments, TOML, what is said of a broken one, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config.document import Document, Part, Syntax, excerpt, find, parse
from emulator.errors import ConfigError

JSONC = """\
// The worker.
{
  "name": "a//b", /* not a , } comment
  end */ "main": "/* neither */",
  "vars": { "LIST": [1, 2, ], "TEXT": "a,]", }, // last
}
"""


def document(name: str, text: str) -> Document:
    return parse(Path(name), name, text)


def refusal(name: str, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        document(name, text)
    return str(caught.value)


@pytest.mark.parametrize("name", ["wrangler.json", "wrangler.jsonc"])
def test_json_may_have_comments_and_trailing_commas(name: str) -> None:
    read = document(name, JSONC)
    assert read.syntax is Syntax.JSON
    assert read.tables == {
        "name": "a//b",
        "main": "/* neither */",
        "vars": {"LIST": [1, 2], "TEXT": "a,]"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{\n  "main": "worker.py"\n  "name": "a"\n}',
            "wrangler.json, line 3, column 3: Expecting ',' delimiter.\n"
            '  3 |   "name": "a"\n'
            "        ^",
        ),
        (
            '{ "main": /* never',
            "wrangler.json, line 1, column 11: Comment is never closed.\n"
            '  1 | { "main": /* never\n'
            "                ^",
        ),
        ('{ "a": [,] }', "wrangler.json, line 1, column 9: Expecting value.\n"),
        ('{ "a": 1,, }', "wrangler.json, line 1, column 10: "),
        ('{ "a": "b }', "wrangler.json, line 1, column 8: Unterminated string starting.\n"),
        ("", "wrangler.json, line 1, column 1: Expecting value.\n"),
        ("[]", 'wrangler.json: settings are an object. Write them as { "main": "worker.py" }.'),
        ("[" * 100_000, "wrangler.json: too many tables or arrays lie inside each other."),
        ("1" * 5000, "wrangler.json: Exceeds the limit (4300 digits) for integer string"),
    ],
)
def test_broken_json_names_line_and_column(text: str, message: str) -> None:
    assert refusal("wrangler.json", text).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 100_000, "wrangler.toml: too many tables or arrays lie inside each other."),
        ("a = " + "1" * 5000, "wrangler.toml: Exceeds the limit (4300 digits) for integer string"),
    ],
)
def test_toml_that_its_reader_gives_up_on(text: str, message: str) -> None:
    assert refusal("wrangler.toml", text).startswith(message)


def test_a_refusal_shows_the_value_or_the_key() -> None:
    read = document("wrangler.toml", '[dev]\n  ip = "x"\n')
    of_value = read.refusal("{file}: `{key}` is {what}.", "dev.ip", what="odd")
    assert str(of_value) == (
        'wrangler.toml, line 2, column 8: `dev.ip` is odd.\n  2 |   ip = "x"\n             ^'
    )
    of_key = read.refusal("{file}: `{key}`.", "dev.ip", Part.KEY)
    assert str(of_key).startswith("wrangler.toml, line 2, column 3: ")


def test_what_has_no_place_is_where_its_table_is() -> None:
    read = document("wrangler.json", '{\n "dev": {}\n}')
    assert str(read.refusal("{file}: {key}", "dev.ip.x")).startswith(
        "wrangler.json, line 2, column 2: dev.ip.x"
    )
    assert str(read.refusal("{file}: {key}", "other.ip")) == "wrangler.json: other.ip"
    assert (read.line_of("dev"), read.line_of("other")) == (2, None)


def test_a_line_that_could_steer_a_terminal_or_flood_it_does_not() -> None:
    assert excerpt("\x1b[31m'x", 1, 6) == "  1 | \\x1b[31m'x\n              ^"
    shown, mark = excerpt("a" * 5000 + "!" + "b" * 5000, 1, 5001).split("\n")
    assert len(shown) < 120
    assert shown[len(mark) - 1] == "!"


def test_words_are_those_of_the_syntax() -> None:
    read = document("wrangler.json", "{}")
    assert read.named("an array of tables") == "an array of objects"
    assert read.named("a table") == "an object"
    assert read.assignment("port", "1") == '"port": 1'
    assert document("a.toml", "").assignment("port", "1") == "port = 1"


def test_the_order_of_names_and_what_else_was_looked_for(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    names = ["wrangler_py.toml", "wrangler.toml", "wrangler.json", "wrangler.jsonc"]
    assert find(inner) == (None, tuple(inner / name for name in names))
    for name in reversed(names):
        (inner / name).write_text("")
        found, searched = find(inner)
        assert found == inner / name
        assert searched == tuple(inner / earlier for earlier in names[: names.index(name)])
    (inner / "wrangler_py.toml").unlink()
    (inner / "wrangler.toml").unlink()
    (inner / "wrangler.toml").mkdir()
    assert find(inner)[0] == inner / "wrangler.json"
