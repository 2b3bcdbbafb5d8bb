"""Response: its parts, the rules between them, and what a server asks of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from emulator.context import IoContext, Observer, enter
from emulator.http import FormData, Headers, Response
from emulator.streams import MemorySource, ReadableStream
from tests.support.native import ScriptedSource


def test_defaults() -> None:
    response = Response()
    assert (response.status, response.status_text, response.ok) == (200, "OK", True)
    assert (response.url, response.redirected, response.type, response.web_socket) == (
        "",
        False,
        "default",
        None,
    )
    assert (response.body, response.headers.items(), response.raw_headers()) == (None, [], [])
    assert response.statusText == "OK"  # type: ignore[attr-defined]
    assert repr(response) == "Response(status=200)"


def test_text_brings_its_type() -> None:
    response = Response("hi", status=HTTPStatus.NOT_FOUND)
    assert response.raw_headers() == [("Content-Type", "text/plain;charset=UTF-8")]
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"
    assert repr(response) == "Response(status=404, content_type='text/plain;charset=UTF-8')"
    assert type(response.status) is int
    assert not response.ok


def test_headers_are_live() -> None:
    response = Response("hi", headers={"X": "1"})
    response.headers["Content-Type"] = "text/html"
    response.headers.append("Set-Cookie", "a=1")
    assert response.raw_headers() == [
        ("X", "1"),
        ("Content-Type", "text/html"),
        ("Set-Cookie", "a=1"),
    ]


def test_headers_are_copied() -> None:
    headers = Headers({"X": "1"})
    response = Response("hi", headers=headers)
    headers.set("X", "2")
    assert response.headers["x"] == "1"


@pytest.mark.parametrize(
    ("status", "text", "found"),
    [
        (201, "", "Created"),
        (299, "", ""),
        (200, "Fine", "Fine"),
        (418, "", "I'm a Teapot"),
        (101, "", "Switching Protocols"),
    ],
)
def test_status_text(status: int, text: str, found: str) -> None:
    response = Response(None, status, text)
    assert (response.status, response.status_text) == (status, found)


@pytest.mark.parametrize("status", [0, 100, 102, 199, 600, -1, 1000])
def test_status_out_of_range(status: int) -> None:
    with pytest.raises(ValueError) as caught:
        Response("x", status)
    assert str(caught.value) == (
        "Responses may only be constructed with status codes in the range 200 to 599, inclusive, "
        f"or 101: found {status}."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"status": "200"}, "A Response's status must be an int or http.HTTPStatus, not str."),
        ({"status": True}, "A Response's status must be an int or http.HTTPStatus, not bool."),
        (
            {"status_text": "a\nb"},
            "Invalid status text 'a\\nb': no line break, NUL or character above U+00FF.",
        ),
        (
            {"status_text": 5},
            "Invalid status text 5: no line break, NUL or character above U+00FF.",
        ),
        ({"headers": 5}, "Received unexpected type for headers argument"),
    ],
)
def test_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        Response("x", **arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("status", [101, 204, 205, 304])
def test_statuses_without_a_body(status: int) -> None:
    sentence = "Response with null body status (101, 204, 205, or 304) cannot have a body."
    for body in ("x", ReadableStream(MemorySource(b""))):
        with pytest.raises(TypeError) as caught:
            Response(body, status)
        assert str(caught.value) == sentence
    with pytest.raises(TypeError, match="null body status"):
        Response.json(None, status)
    for nothing in (None, "", b""):
        response = Response(nothing, status)
        assert (response.body, response.payload(), response.raw_headers()) == (None, None, [])


async def test_json_makes_on_the_class_and_reads_on_an_instance() -> None:
    response = Response.json({"é": [1, None]}, 201, "Made", {"X": "1"})
    assert (response.status, response.status_text) == (201, "Made")
    assert response.raw_headers() == [("X", "1"), ("Content-Type", "application/json")]
    assert await response.json() == {"é": [1, None]}
    assert Response.json({"é": 1}).payload() == b'{"\\u00e9": 1}'
    assert Response.from_json([1]).raw_headers() == [("Content-Type", "application/json")]
    assert await Response.fromJson("a").json() == "a"  # type: ignore[attr-defined]


def test_json_keeps_the_type_given() -> None:
    response = Response.json({}, headers={"content-type": "application/problem+json"})
    assert response.raw_headers() == [("content-type", "application/problem+json")]


def test_json_of_what_json_cannot_hold() -> None:
    with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
        Response.json({1})


def test_a_subclass_makes_its_own_kind() -> None:
    class Mine(Response):
        pass

    assert type(Mine.json({})) is Mine
    assert type(Mine.redirect("https://a/")) is Mine


@pytest.mark.parametrize("status", [301, 302, 303, 307, HTTPStatus.PERMANENT_REDIRECT])
def test_redirect(status: int) -> None:
    response = Response.redirect("https://EXAMPLE.com/ü", status)
    assert response.status == status
    assert response.raw_headers() == [("Location", "https://example.com/%C3%BC")]
    assert response.payload() is None


def test_redirect_is_302_if_nothing_is_said() -> None:
    assert Response.redirect("https://a/").status == 302


def test_redirects_refused() -> None:
    with pytest.raises(ValueError) as caught:
        Response.redirect("https://a/", 200)
    assert str(caught.value) == "200 is not a redirect status code: use 301, 302, 303, 307 or 308."
    with pytest.raises(TypeError) as wrong:
        Response.redirect("/relative")
    assert str(wrong.value) == (
        "Invalid URL: /relative. It must be absolute, as in https://example.com/path."
    )


async def test_replace_body() -> None:
    first = Response("a", 201, "Made", {"X": "1"})
    second = first.replace_body(b"b")
    assert (second.status, second.status_text) == (201, "Made")
    assert second.headers.items() == [("x", "1"), ("content-type", "text/plain;charset=UTF-8")]
    assert (await first.text(), await second.text()) == ("a", "b")


async def test_from_server() -> None:
    source = ScriptedSource()
    response = Response.from_server(
        url="https://a/",
        status=999,
        status_text="",
        raw_headers=[(b"A", b"1")],
        source=source,
        redirected=True,
    )
    assert (response.status, response.status_text, response.ok) == (999, "", False)
    assert (response.url, response.redirected) == ("https://a/", True)
    assert source.receiver is None
    twin = response.clone()
    assert (twin.status, twin.url, twin.redirected, twin.headers.items()) == (
        999,
        "https://a/",
        True,
        [("a", "1")],
    )
    source.deliver(b"abc")
    source.end()
    assert (await twin.text(), await response.text()) == ("abc", "abc")
    assert repr(response) == "Response(status=999, url='https://a/')"


async def test_what_is_at_hand_is_free_to_every_request() -> None:
    first, second = (IoContext(f"GET /{n}", Observer()) for n in (1, 2))
    with enter(first):
        response = Response("hi")
    with enter(second):
        assert await response.clone().text() == "hi"
        assert response.payload() == b"hi"


def test_a_forms_boundary_is_its_own_each_time() -> None:
    types = {Response(FormData()).headers["content-type"] for _ in range(3)}
    assert len(types) == 3
