"""Headers: what they are made of, what is refused, and how values of one name go together."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.http import Headers


def message(*pairs: tuple[str, str]) -> HTTPMessage:
    built = HTTPMessage()
    for name, value in pairs:
        built[name] = value
    return built


@pytest.mark.parametrize(
    "init",
    [
        {"Content-Type": "a/b", "X-One": "1"},
        [("Content-Type", "a/b"), ("X-One", "1")],
        (["Content-Type", "a/b"], ["X-One", 1]),
        Headers({"Content-Type": "a/b", "X-One": "1"}),
        message(("Content-Type", "a/b"), ("X-One", "1")),
    ],
)
def test_made_of_every_kind_of_init(init: Any) -> None:
    headers = Headers(init)
    assert headers.items() == [("content-type", "a/b"), ("x-one", "1")]
    assert headers.as_written() == [("Content-Type", "a/b"), ("X-One", "1")]


@pytest.mark.parametrize(
    ("init", "sentence"),
    [
        ("Content-Type: a/b", "Received unexpected type for headers argument"),
        (b"x", "Received unexpected type for headers argument"),
        (5, "Received unexpected type for headers argument"),
        ({"a", "b"}, "Received unexpected type for headers argument"),
        (["x"], "Headers as a list are pairs of name and value: found 'x'."),
        (
            [("a", "b", "c")],
            "Headers as a list are pairs of name and value: found ('a', 'b', 'c').",
        ),
        ({1: "x"}, "A header's name must be str, not int: 1."),
        (
            {"": "x"},
            "Invalid header name '': letters, digits and !#$%&'*+-.^_`|~ are allowed, at least one.",
        ),
        (
            {"X Y": "x"},
            "Invalid header name 'X Y': letters, digits and !#$%&'*+-.^_`|~ are allowed, at least one.",
        ),
        (
            {"X\n": "x"},
            "Invalid header name 'X\\n': letters, digits and !#$%&'*+-.^_`|~ are allowed, at least one.",
        ),
        ({"X": None}, "The value of header 'X' must be str, not NoneType."),
        ({"X": ["a", "b"]}, "The value of header 'X' must be str, not list."),
        ({"X": b"a"}, "The value of header 'X' must be str, not bytes."),
        ({"X": True}, "The value of header 'X' must be str, not bool."),
        ({"X": "a\r\nEvil: 1"}, "Invalid value of header 'X': a line break at position 1."),
        ({"X": "ab\ncd"}, "Invalid value of header 'X': a line break at position 2."),
        ({"X": "a\0"}, "Invalid value of header 'X': a NUL character at position 1."),
        (
            {"X": "5 €"},
            "Invalid value of header 'X': the character '€', which is not Latin-1, at position 2.",
        ),
    ],
)
def test_refused(init: Any, sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        Headers(init)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("method", ["append", "set", "__setitem__", "add_header"])
def test_every_way_in_validates(method: str) -> None:
    headers = Headers()
    with pytest.raises(TypeError, match="Invalid value of header 'X': a line break"):
        getattr(headers, method)("X", "a\nb")
    with pytest.raises(TypeError, match="Invalid header name 'X:'"):
        getattr(headers, method)("X:", "a")
    assert len(headers) == 0


def test_is_an_http_message_and_a_mapping() -> None:
    headers = Headers({"Accept": "a"})
    assert isinstance(headers, HTTPMessage)
    assert issubclass(Headers, Mapping)
    assert dict(headers) == {"accept": "a"}
    assert list(headers) == ["accept"]
    assert headers.values() == ["a"]


def test_reading_is_case_insensitive() -> None:
    headers = Headers({"X-One": "1"})
    assert headers["x-one"] == headers.get("X-ONE") == "1"
    assert "x-ONE" in headers
    assert headers.has("x-one")
    assert headers.get("none") is None
    assert headers["none"] is None
    assert headers.get_all("none") is None
    assert headers.get_all("X-one") == ["1"]


def test_values_of_one_name_are_joined_but_cookies_stay_apart() -> None:
    headers = Headers(
        [("Accept", "a"), ("Set-Cookie", "x=1"), ("accept", "b"), ("set-cookie", "y=2")]
    )
    assert headers.get("accept") == "a, b"
    assert headers.get_all("accept") == ["a, b"]
    assert headers.get_all("set-cookie") == ["x=1", "y=2"]
    assert headers.getSetCookie() == headers.get_set_cookie() == ["x=1", "y=2"]  # type: ignore[attr-defined]
    assert headers.entries() == headers.items()


def test_assignment_replaces_but_adds_a_cookie() -> None:
    headers = Headers([("A", "1"), ("B", "2")])
    headers["a"] = "3"
    headers["Set-Cookie"] = "x=1"
    headers["Set-Cookie"] = "y=2"
    assert headers.items() == [("a", "3"), ("b", "2"), ("set-cookie", "x=1"), ("set-cookie", "y=2")]


def test_set_leaves_one_value() -> None:
    headers = Headers([("Set-Cookie", "x=1"), ("B", "2"), ("Set-Cookie", "y=2")])
    headers.set("set-cookie", "z=3")
    headers.set("C", "4")
    assert headers.items() == [("set-cookie", "z=3"), ("b", "2"), ("c", "4")]


def test_delete() -> None:
    headers = Headers([("Set-Cookie", "x=1"), ("B", "2"), ("set-cookie", "y=2")])
    headers.delete("SET-cookie")
    headers.delete("not-there")
    assert headers.items() == [("b", "2")]


def test_http_message_methods_keep_the_rules() -> None:
    headers = Headers({"A": "1"})
    headers.add_header("Content-Disposition", "attachment", filename="a.txt")
    assert headers["content-disposition"] == 'attachment; filename="a.txt"'
    headers.replace_header("a", "2")
    assert headers["A"] == "2"
    with pytest.raises(KeyError, match="None-Such"):
        headers.replace_header("None-Such", "2")
    assert Headers({"Content-Type": "Text/HTML; charset=x"}).get_content_type() == "text/html"


def test_white_space_around_a_value_is_dropped() -> None:
    assert Headers({"X": " \ta b\r\n"})["x"] == "a b"


def test_from_raw_joins_and_decodes_latin_1() -> None:
    raw = [
        (b"Host", b"h"),
        (b"X", b" caf\xe9 "),
        (b"x", b"2"),
        (b"Set-Cookie", b"a"),
        (b"X", b"3"),
        (b"set-cookie", b"b"),
    ]
    assert Headers.from_raw(raw).items() == [
        ("host", "h"),
        ("x", "café, 2, 3"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
    ]


def test_a_copy_is_independent() -> None:
    first = Headers({"A": "1"})
    second = Headers(first)
    second.set("A", "2")
    assert first["a"] == "1"
    assert repr(first) == "Headers([('a', '1')])"


@given(st.text(), st.text())
def test_what_is_taken_fits_on_one_line(name: str, value: str) -> None:
    headers = Headers()
    try:
        headers.append(name, value)
    except TypeError as refused:
        sentence = str(refused)
    else:
        sentence = ""
    assert len(headers) == 1 or "header" in sentence
    for part in (part for pair in headers.as_written() for part in pair):
        assert not set(part.encode("latin-1")) & {0, 10, 13}
