"""Request: its parts, the rules between them, and the lazy one that a server makes."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

import pytest

from emulator.context import IoContext, Observer, enter
from emulator.errors import OwnershipError
from emulator.http import Headers, Request
from emulator.streams import ByteSource
from tests.support.native import ScriptedSource

URL = "https://example.com/"


def received(source: ByteSource | None = None, **parts: Any) -> Request:
    given: dict[str, Any] = {"url": URL, "method": "POST", "raw_headers": [], "source": source}
    return Request.from_server(**given | parts)


def test_defaults() -> None:
    request = Request(URL)
    assert (request.url, request.method, request.body, request.cf) == (
        URL,
        HTTPMethod.GET,
        None,
        None,
    )
    assert (request.redirect, request.signal, request.fetcher, request.cache) == (
        "follow",
        None,
        None,
        None,
    )
    assert (request.integrity, request.keepalive, request.mode) == ("", False, "cors")
    assert (request.credentials, request.destination) == ("same-origin", "")
    assert (request.referrer, request.referrer_policy) == ("about:client", "")
    assert request.headers.items() == []
    assert repr(request) == "Request(method='GET', url='https://example.com/')"


@pytest.mark.parametrize(
    "name", ["url", "method", "headers", "body", "body_used", "cf", "redirect"]
)
def test_read_only(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        setattr(Request(URL), name, None)


@pytest.mark.parametrize(
    ("given", "method"),
    [
        ("get", HTTPMethod.GET),
        ("Post", HTTPMethod.POST),
        (HTTPMethod.DELETE, HTTPMethod.DELETE),
        ("PATCH", HTTPMethod.PATCH),
        ("patch", "patch"),
        ("PROPFIND", "PROPFIND"),
    ],
)
def test_methods(given: HTTPMethod | str, method: HTTPMethod | str) -> None:
    found = Request(URL, method=given).method
    assert found == method
    assert type(found) is type(method)
    if isinstance(given, str):
        assert type(received(method=str(method)).method) is type(method)


def test_options_in_both_spellings() -> None:
    request = Request(
        URL, cache="no-store", referrerPolicy="origin", cf={"a": 1}, redirect="manual"
    )
    assert (request.cache, request.referrer_policy, request.redirect) == (
        "no-store",
        "origin",
        "manual",
    )
    assert request.cf == {"a": 1}
    assert request.referrerPolicy == "origin"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((5,), {}, "Request() takes a URL as str, or a Request, not int."),
        (
            ("/path",),
            {},
            "Invalid URL: /path. It must be absolute, as in https://example.com/path.",
        ),
        (("",), {}, "Invalid URL: . It must be absolute, as in https://example.com/path."),
        ((URL,), {"metod": "GET"}, "Request() has no option 'metod'. Did you mean 'method'?"),
        ((URL,), {"zzz": 1}, "Request() has no option 'zzz'."),
        ((URL,), {"method": "GE T"}, "Invalid HTTP method string: 'GE T'"),
        ((URL,), {"method": 5}, "Invalid HTTP method string: 5"),
        ((URL,), {"body": "x"}, "Request with a GET or HEAD method cannot have a body."),
        (
            (URL,),
            {"body": "", "method": "head"},
            "Request with a GET or HEAD method cannot have a body.",
        ),
        (
            (URL,),
            {"redirect": "maybe"},
            'redirect must be "follow", "manual" or "error", found \'maybe\'.',
        ),
        ((URL,), {"headers": "x"}, "Received unexpected type for headers argument"),
    ],
)
def test_refused(arguments: tuple[Any, ...], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        Request(*arguments, **options)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("https://münchen.de/ü?q=ü#f", "https://xn--mnchen-3ya.de/%C3%BC?q=%C3%BC#f"),
        ("http://h:80/a/../b", "http://h/b"),
    ],
)
def test_urls_are_normalized(given: str, url: str) -> None:
    assert Request(given).url == url


async def test_a_request_of_a_request_takes_its_parts_and_its_body() -> None:
    first = Request(
        URL, method="PUT", headers={"X": "1"}, body="abc", cf={"a": 1}, redirect="error", cache="c"
    )
    second = Request(first, headers={"Y": "2"})
    assert (second.url, second.method, second.cf) == (URL, HTTPMethod.PUT, {"a": 1})
    assert (second.redirect, second.cache) == ("error", "c")
    assert second.headers.items() == [("y", "2")]
    assert await second.text() == "abc"
    assert first.body_used
    with pytest.raises(OSError, match=r"^Body already used$"):
        Request(first)


async def test_a_body_given_leaves_the_other_requests_alone() -> None:
    first = Request(URL, method="PUT", body="abc", headers={"A": "b"})
    second = Request(first, body=b"other")
    assert second.headers.items() == [("a", "b"), ("content-type", "text/plain;charset=UTF-8")]
    assert (await first.text(), await second.text()) == ("abc", "other")


def test_from_server_makes_each_part_when_asked() -> None:
    asked: list[str] = []

    def url() -> str:
        asked.append("url")
        return URL

    def cf() -> dict[str, str]:
        asked.append("cf")
        return {"colo": "LHR"}

    request = received(url=url, cf=cf, raw_headers=[(b"Host", b"example.com")])
    assert asked == []
    assert [request.url, request.url, request.cf, request.cf] == [URL, URL] + [{"colo": "LHR"}] * 2
    assert asked == ["url", "cf"]
    assert request.headers is request.headers
    assert isinstance(request.headers, Headers)
    assert request.headers["host"] == "example.com"
    assert request.body is None


async def test_from_server_touches_the_source_only_when_the_body_is_asked_for() -> None:
    source = ScriptedSource()
    request = received(source)
    assert not request.body_used
    assert source.receiver is None
    source.deliver(b"ab", b"c")
    source.end()
    assert await request.text() == "abc"
    assert request.body_used


async def test_clone_of_a_request_from_a_server() -> None:
    source = ScriptedSource()
    request = received(source, raw_headers=[(b"A", b"1")], method="PROPFIND", cf={"a": 1})
    twin = request.clone()
    source.deliver(b"abc")
    source.end()
    assert (twin.method, twin.redirect, twin.cf) == ("PROPFIND", "manual", {"a": 1})
    assert twin.headers.items() == [("a", "1")]
    assert (await request.text(), await twin.text()) == ("abc", "abc")


@pytest.mark.parametrize("reader", ["text", "bytes", "buffer", "json", "blob", "form_data"])
async def test_belongs_to_the_event_that_made_it(reader: str) -> None:
    mine, other = (IoContext(f"POST /{n}", Observer()) for n in (1, 2))
    request = received(ScriptedSource(), context=mine)
    with enter(other), pytest.raises(OwnershipError) as caught:
        await getattr(request, reader)()
    assert str(caught.value).endswith(
        "(I/O type: Request) It was made at the server, for POST https://example.com/."
    )
    with enter(other):
        for use in (request.clone, lambda: request.body, lambda: Request(request)):
            with pytest.raises(OwnershipError, match="I/O type: Request"):
                use()


def test_a_request_of_the_workers_own_names_its_line() -> None:
    with enter(IoContext("GET /", Observer())):
        request = Request(URL)
    assert request.made_at.startswith(__file__)


def test_a_worker_may_hang_its_own_things_on_a_request() -> None:
    request: Any = received()
    request.user = "ada"
    assert request.user == "ada"
