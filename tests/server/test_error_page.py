"""The page as a document: escaped, bounded, complete, without anything to fetch."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from emulator import errors
from emulator.context import Outcome
from emulator.errors import WorkerLoadError
from emulator.runtime import Isolate
from emulator.server.error_page import error_page, page_headers
from emulator.server.error_report import handler_report, load_report, request_report
from emulator.server.error_secrets import HIDDEN, Secrets
from emulator.server.error_source import LINES_AROUND
from emulator.sockets import SocketAccount

ATTACK = "<script>alert('x')</script>\"'&\x1b\u202e\udc80"
VOID = frozenset({"meta", "wbr"})


class Document(HTMLParser):
    """A page taken apart: `words` is its text, `tags` what was opened, in order; every tag must be closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each `tag`."""
        return [attributes for name, attributes in self.tags if name == tag]


def caught(function: Callable[..., object], *arguments: object) -> Exception:
    """The exception that `function` raises."""
    try:
        function(*arguments)
    except Exception as error:
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


def handler(tmp_path: Path, source: str, name: str = "shop.py") -> Callable[..., object]:
    """The function `handler` of a file with `source`."""
    path = tmp_path / name
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), namespace)
    function: Callable[..., object] = namespace["handler"]
    return function


def page(error: BaseException, outcome: Outcome = Outcome.EXCEPTION, **more: Any) -> str:
    """The page of a handler that raised `error`."""
    secrets = more.pop("secrets", Secrets([]))
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return error_page(handler_report(error, outcome, status, secrets, with_variables=True, **more))


def test_frames_begin_with_the_innermost_and_show_what_failed(tmp_path: Path) -> None:
    function = handler(
        tmp_path,
        """\
        import json

        def parse(text):
            limit = 3
            return json.loads(text)

        def handler(text):
            return parse(text)
        """,
    )
    document = Document(page(caught(function, "{'a': 1}")))
    assert len(document.of("article")) == 2
    words = document.words
    assert words.index("shop.py:5") < words.index("shop.py:8")
    assert "JSONDecodeError: Expecting property name" in words
    assert "limit3" in words
    assert "It called 3 frames of json" in words
    rows = [
        attributes["class"]
        for attributes in document.of("span")
        if "row" in str(attributes.get("class"))
    ]
    assert rows.count("row hit") == 2
    assert len(document.of("mark")) == 2
    assert "open" in document.of("details")[1]  # The variables of the innermost frame.
    assert len(rows) <= 2 * (2 * LINES_AROUND + 1)


def test_everything_is_escaped(tmp_path: Path) -> None:
    function = handler(
        tmp_path, f"def handler(value):\n    raise ValueError(value)  # {ATTACK[:27]}\n"
    )
    error = caught(function, ATTACK)
    error.add_note(ATTACK)
    cause = ExceptionGroup(ATTACK, [ValueError(ATTACK)])
    error.__cause__ = cause
    secrets = Secrets([])
    request = request_report(
        "<b>", f"http://h/?{ATTACK}=1", [(ATTACK, ATTACK)], 1, secrets, has_body=True
    )
    sockets = [SocketAccount(ATTACK, "open", made_at=f"{ATTACK}:1", failure=ATTACK)]
    markup = page(error, request=request, sockets=sockets)
    markup.encode("utf-8")
    document = Document(markup)
    assert not document.of("script")
    assert not document.of("b")
    assert document.words.count("<script>alert('x')</script>") >= 8
    assert "\x1b" not in markup
    assert "\u202e" not in markup
    assert "onerror" not in str([attributes for _, attributes in document.tags])


def test_nothing_is_fetched(tmp_path: Path) -> None:
    error = caught(handler(tmp_path, "def handler():\n    return 1 / 0\n"))
    document = Document(page(error))
    for _, attributes in document.tags:
        assert not {"src", "srcset", "style", "onclick", "action"} & set(attributes)
    assert [link["href"] for link in document.of("a")] == [errors.DOCS_ERRORS]
    assert {tag for tag, _ in document.tags}.isdisjoint({"script", "link", "img", "iframe", "form"})
    policy = dict(page_headers())["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_causes_notes_and_members_of_groups_follow(tmp_path: Path) -> None:
    function = handler(
        tmp_path,
        """\
        def handler():
            try:
                try:
                    {}["missing"]
                except KeyError as error:
                    error.add_note("Look in the cupboard.")
                    raise OSError("no cupboard") from error
            except OSError:
                raise ExceptionGroup("several", [ValueError("first"), TypeError("second")])
        """,
    )
    words = Document(page(caught(function))).words
    expected = (
        "ExceptionGroup: several (2 sub-exceptions)",
        "1 of 2",
        "ValueError: first",
        "2 of 2",
        "TypeError: second",
        "raised while handling",
        "OSError: no cupboard",
        "caused by",
        "KeyError: 'missing'",
        "Look in the cupboard.",
    )
    places = [words.rindex(each) for each in expected]
    assert places == sorted(places)


def test_secrets_are_nowhere_but_in_the_source(tmp_path: Path) -> None:
    function = handler(
        tmp_path,
        """\
        def handler(env):
            password = env["DB_PASSWORD"]
            login = {"user": "me", "dsn": "postgres://me:" + password + "@db"}
            raise ValueError("can't log in with " + password)
        """,
    )
    env = {"DB_PASSWORD": "hunter2hunter2"}
    secrets = Secrets.of(env)
    headers = [
        ("Cookie", "sid=cookie-value"),
        ("Authorization", "Basic basic-value"),
        ("X-Note", "it is hunter2hunter2"),
        ("Accept", "text/html"),
    ]
    request = request_report(
        "GET", "http://h/?token=token-value&item=1", headers, None, secrets, has_body=False
    )
    sockets = [SocketAccount("db:5432", "failed", failure="hunter2hunter2 refused")]
    markup = page(caught(function, env), secrets=secrets, request=request, sockets=sockets)
    for value in ("hunter2", "cookie-value", "basic-value", "token-value"):
        assert value not in markup
    assert f"can't log in with {HIDDEN}" in Document(markup).words


def test_a_request_and_its_sockets(tmp_path: Path) -> None:
    error = caught(handler(tmp_path, "def handler():\n    return 1 / 0\n"))
    request = request_report(
        "POST",
        "http://h/buy?item=1&note=",
        [("Content-Type", "x/y")],
        1234,
        Secrets([]),
        has_body=True,
    )
    sockets = [
        SocketAccount("db:1", "open", False, 12, 4200, 1.25, f"{tmp_path}/shop.py:31", "on"),
        SocketAccount("0.0.0.0:9", "closed", inbound=True, secure_transport="off"),
    ]
    words = Document(page(error, request=request, sockets=sockets)).words
    assert "1,234 B" in words
    assert "itemnote" in words.replace("1", "").replace("\n", "")
    assert "TLS · 12 B sent, 4.2 kB received · 1.25 s old · made at " in words
    assert "shop.py:31" in words
    assert "came in at 0.0.0.0:9closedplain TCP" in words


@pytest.mark.parametrize(
    ("outcome", "title", "docs"),
    [
        (Outcome.EXCEPTION, "Error 1101: Worker threw exception", errors.DOCS_ERRORS),
        (Outcome.EXCEEDED_CPU, "Error 1102: Worker exceeded resource limits", errors.DOCS_LIMITS),
        (Outcome.HUNG, "Error 1101: Worker hung", errors.DOCS_ERRORS),
        (Outcome.EXCEEDED_SUBREQUESTS, "Error 1101: Worker threw exception", errors.DOCS_LIMITS),
    ],
)
def test_what_happened(outcome: Outcome, title: str, docs: str) -> None:
    document = Document(page(ValueError("x"), outcome))
    assert title in document.words
    assert outcome.value in document.words
    assert document.of("a")[0]["href"] == docs


def test_recursion_shows_both_ends(tmp_path: Path) -> None:
    function = handler(
        tmp_path,
        "def down(depth):\n    return down(depth + 1)\ndef handler():\n    return down(0)\n",
    )
    markup = page(caught(function))
    document = Document(markup)
    assert len(document.of("article")) == 24
    assert "frames in between are not shown." in document.words
    assert "shop.py:4" in document.words
    assert len(markup) < 200_000


def test_a_page_is_bounded(tmp_path: Path) -> None:
    names = "\n".join(f"    name{index} = '{'&' * 250}'" for index in range(55))
    function = handler(
        tmp_path,
        f"def fails(depth):\n{names}\n    if depth:\n        return fails(depth - 1)\n"
        "    raise ValueError('&' * 10**6)\n"
        "def handler():\n    try:\n        fails(40)\n    except ValueError as error:\n"
        "        inner = error\n    group = ExceptionGroup('&' * 10**5, [inner] * 100)\n    raise group from inner\n",
    )
    markup = page(caught(function))
    assert len(markup) < 1_000_000
    Document(markup)
    assert errors.PAGE_TOO_LONG in markup


def test_a_worker_that_can_t_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text('GREETING = "hällo"\nvalue = {"ä": GREETING[0)}\n', encoding="utf-8")
    with pytest.raises(WorkerLoadError) as caught_error:
        Isolate.load("broken", path, {})
    document = Document(error_page(load_report(caught_error.value, Secrets([]))))
    assert errors.WORKER_NOT_LOADED in document.words
    assert "SyntaxError: closing parenthesis" in document.words
    assert "broken.py:2" in document.words
    marked = document.words
    assert 'value = {"ä": GREETING[0)}' in marked
    assert len(document.of("mark")) == 1


def test_a_module_that_raises(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text('API_KEY = "abcdefgh"\nLIMIT = int("ten")\n')
    with pytest.raises(WorkerLoadError) as caught_error:
        Isolate.load("broken", path, {})
    report = load_report(caught_error.value, Secrets([]), with_variables=True)
    words = Document(error_page(report)).words
    assert "ValueError: invalid literal for int() with base 10: 'ten'" in words
    assert f"API_KEY{HIDDEN}" in words


def test_a_worker_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkerLoadError) as caught_error:
        Isolate.load("gone", tmp_path / "gone.py", {})
    document = Document(error_page(load_report(caught_error.value, Secrets([]))))
    assert "There is no worker file" in document.words
    assert not document.of("article")
