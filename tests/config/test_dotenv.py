"""The syntax of .dev.vars and .env: what npm's dotenv makes of it."""

from __future__ import annotations

import pytest

from emulator.config.dotenv import expand, parse
from emulator.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# a comment\n\n   # another\n", {}),
        ("A=1", {"A": "1"}),
        ("  A = one two  \nB=", {"A": "one two", "B": ""}),
        ("export A=1\nB: 2\nC.d-e_f=3", {"A": "1", "B": "2", "C.d-e_f": "3"}),
        ("A=1 # comment\nB=a#b", {"A": "1", "B": "a"}),
        (
            "A='a # b' # c\nB=\"a # b\"\nC=`a 'b' \"c\"`",
            {"A": "a # b", "B": "a # b", "C": "a 'b' \"c\""},
        ),
        (
            r"""A='a\nb'
B="a\nb\rc\td" """,
            {"A": r"a\nb", "B": "a\nb\rc\\td"},
        ),
        ('KEY="-----BEGIN\nline\n-----END"\nB=2', {"KEY": "-----BEGIN\nline\n-----END", "B": "2"}),
        (r'''A="say \"hi\""''', {"A": r"say \"hi\""}),
        ('A=it"s', {"A": 'it"s'}),
        ('A={"a": 1}\r\nB=2\r\n', {"A": '{"a": 1}', "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=a=b:c", {"A": "a=b:c"}),
        ("A=\nB=1", {"A": "", "B": "1"}),
    ],
)
def test_what_a_text_holds(text: str, values: dict[str, str]) -> None:
    assert {name: line.value for name, line in parse(text, ".env").items()} == values


def test_each_has_its_line() -> None:
    lines = parse('# one\nA="two\nthree"\n\nB=5', ".env")
    assert {name: line.number for name, line in lines.items()} == {"A": 2, "B": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nhunter2", ".dev.vars, line 2: a line must be KEY=value, or begin with #."),
        ("A B=hunter2", ".dev.vars, line 1: a line must be KEY=value, or begin with #."),
        ("=hunter2", ".dev.vars, line 1: a line must be KEY=value, or begin with #."),
        ("ü=hunter2", ".dev.vars, line 1: a line must be KEY=value, or begin with #."),
        ('A="hunter2', ".dev.vars, line 1: the value of A begins with a quote, which must end it"),
        ("\n\nA='hunter2' x", ".dev.vars, line 3: the value of A begins with a quote, which must"),
        ("A='hunter2\nB='x'", ".dev.vars, line 1: the value of A begins with a quote, which must"),
    ],
)
def test_a_line_that_means_nothing_is_named_and_not_shown(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, ".dev.vars")
    assert str(caught.value).startswith(message)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "expanded"),
    [
        ({"A": "1", "B": "${A}-$A"}, {"A": "1", "B": "1-1"}),
        ({"B": "${A}", "A": "$C", "C": "x"}, {"B": "x", "A": "x", "C": "x"}),
        ({"A": "${NO:-d}${NO-e}${NO}$NO"}, {"A": "de"}),
        ({"A": r"\$B", "B": "x"}, {"A": "$B", "B": "x"}),
        ({"A": "$5 and $"}, {"A": "$5 and $"}),
        ({"A": "a$A", "B": "$C", "C": "$B"}, {"A": "a", "B": "", "C": ""}),
    ],
)
def test_references(values: dict[str, str], expanded: dict[str, str]) -> None:
    assert expand(values) == expanded
