"""Forms as bytes: round trips, real browsers' bytes, and garbage."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.http import File, FormData
from emulator.http.form_codec import check_form_type, decode_form, encode_form

BROWSER = (
    b"------WebKitFormBoundaryX\r\n"
    b'Content-Disposition: form-data; name="title"\r\n\r\n'
    b"caf\xc3\xa9\r\n"
    b"------WebKitFormBoundaryX\r\n"
    b'Content-Disposition: form-data; name="up"; filename="a %22b%22.bin"\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    b"\x00\r\n--\xff\r\n\r\n"
    b"------WebKitFormBoundaryX--\r\n"
)
BROWSER_TYPE = "multipart/form-data; boundary=----WebKitFormBoundaryX"

# What has no notation of its own: "%22" is how a quote is written, half a surrogate pair is no character, and a
# backslash in a filename is read as a Windows path.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%\\"), max_size=30)
VALUES = st.text(st.characters(exclude_categories=["Cs"]))
TYPES = st.sampled_from(["image/png", "text/plain;charset=utf-8", "application/octet-stream"])
FILES = st.builds(lambda data, name, kind: File(data, name, kind), st.binary(), NAMES, TYPES)


def plain(form: FormData) -> list[tuple[str, object]]:
    """Return the fields as values that compare equal when they are."""
    return [
        (name, (value.name, value.content_type, value.data) if isinstance(value, File) else value)
        for name, value in form.entries()
    ]


def built(fields: list[tuple[str, str | File]]) -> FormData:
    form = FormData()
    for name, value in fields:
        form.append(name, value)
    return form


@given(st.lists(st.tuples(NAMES, VALUES | FILES), max_size=6))
@example([("a\r\nb", 'x"'), ("", ""), ("ü", "\r\n--\r\n")])
@example([('"', File(b"\r\n", '"\n', "a/b"))])
def test_multipart_round_trip(fields: list[tuple[str, str | File]]) -> None:
    form = built(fields)
    data, content_type = encode_form(form)
    assert plain(decode_form(content_type, data)) == plain(form)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=6))
def test_urlencoded_round_trip(fields: list[tuple[str, str]]) -> None:
    data = urlencode(fields).encode()
    form = decode_form("application/x-www-form-urlencoded;charset=UTF-8", data)
    assert form.entries() == fields


def test_a_browsers_form() -> None:
    form = decode_form(BROWSER_TYPE, BROWSER)
    assert plain(form) == [
        ("title", "café"),
        ("up", ('a "b".bin', "text/plain; charset=utf-8", b"\x00\r\n--\xff\r\n")),
    ]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"", []),
        (b"a=1&a=2&b", [("a", "1"), ("a", "2"), ("b", "")]),
        (b"&&a=+%2B&=x", [("a", " +"), ("", "x")]),
        (b"a=%ff%zz;b", [("a", "\ufffd%zz;b")]),
    ],
)
def test_urlencoded(data: bytes, fields: list[tuple[str, str]]) -> None:
    assert decode_form("Application/X-WWW-Form-URLEncoded", data).entries() == fields


def test_a_file_without_a_type() -> None:
    data = b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\nd\r\n--x--\r\n'
    assert plain(decode_form('multipart/form-data; boundary="x"', data)) == [
        ("f", ("n", "text/plain", b"d"))
    ]
    typed, _ = encode_form(built([("f", File(b"d", "n"))]))
    assert b"Content-Type: application/octet-stream\r\n" in typed


@pytest.mark.parametrize(
    ("content_type", "sentence"),
    [
        (None, "Parsing a Body as FormData requires a Content-Type header."),
        (
            "text/plain",
            "Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
            "multipart/form-data, application/x-www-form-urlencoded. Found: text/plain",
        ),
    ],
)
def test_types_that_no_form_has(content_type: str | None, sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_form_type(content_type)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", 'multipart/form-data; boundary=""']
)
def test_multipart_without_a_boundary(content_type: str) -> None:
    with pytest.raises(TypeError) as caught:
        decode_form(content_type, BROWSER)
    assert str(caught.value) == (
        "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary "
        "parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4."
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Unexpected end of multipart stream (parser closed)"),
        (b"no boundary at all", "Unexpected end of multipart stream (parser closed)"),
        (BROWSER[:-20], "Unexpected end of multipart stream (parser closed)"),
        (
            BROWSER.replace(b"form-data;", b"attachment;"),
            "Invalid Content-Disposition segment header: Wrong type",
        ),
        (
            BROWSER.replace(b"Content-Disposition:", b"X:"),
            "Missing Content-Disposition segment header",
        ),
        (BROWSER.replace(b"title", b"\xff"), "Segment header failed to decode"),
        (BROWSER.replace(b"\r\n", b"\n"), "Invalid line break after first boundary"),
    ],
)
def test_malformed_multipart(data: bytes, reason: str) -> None:
    with pytest.raises(TypeError) as caught:
        decode_form(BROWSER_TYPE, data)
    assert str(caught.value) == f"The body is not valid multipart/form-data: {reason}."


PIECES = st.sampled_from(
    [
        b"--x",
        b"\r\n--x",
        b"--",
        b"\r\n",
        b"\n",
        b"Content-Disposition: form-data; ",
        b'name="a"',
        b'; filename="',
        b"Content-Type: text/plain",
        b"Content-Length: 1",
        b" ",
        b":",
        b"\x00\xff",
    ]
)


@given(
    st.sampled_from(
        ['multipart/form-data; boundary="x"', "multipart/form-data; boundary=x; boundary=y"]
    )
    | st.text(st.characters(max_codepoint=255)).map("multipart/form-data;{}".format),
    st.lists(PIECES | st.binary(max_size=8)).map(b"".join),
)
def test_garbage_is_a_form_or_a_clear_error(content_type: str, data: bytes) -> None:
    try:
        form, sentence = decode_form(content_type, data), ""
    except TypeError as refused:
        form, sentence = None, str(refused)
    clear = ("The body is not valid multipart/form-data: ", "No boundary string")
    assert isinstance(form, FormData) or sentence.startswith(clear)


@given(st.binary())
def test_any_bytes_are_an_urlencoded_form(data: bytes) -> None:
    assert isinstance(decode_form("application/x-www-form-urlencoded", data), FormData)
