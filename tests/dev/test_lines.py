"""The wording of single lines."""

from __future__ import annotations

import pytest

from emulator.context import CallRecord, EventRecord, Outcome, Traffic
from emulator.dev.lines import call_line, cut, request_columns, request_line
from emulator.printable import printable, printable_block


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/plain path?q=ü", "/plain path?q=ü"),
        ("/\x1b[2J", "/\\x1b[2J"),
        ("a\r\nGET / 200 OK", "a\\x0d\\x0aGET / 200 OK"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egpj", "\\u202egpj"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_block_keeps_its_lines_and_tabs() -> None:
    assert printable_block("a\tb\n\x1bc\n") == "a\tb\n\\x1bc\n"


def record(**values: object) -> EventRecord:
    given = {"label": "GET /path", "outcome": Outcome.OK, "seconds": 0.012, "traffic": Traffic()}
    return EventRecord(**{**given, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (record(status="200 OK"), "GET /path 200 OK (12 ms)"),
        (
            record(status="200 OK", traffic=Traffic(1, 13, 4200)),
            "GET /path 200 OK (12 ms) 1 socket, 13 B sent, 4.2 kB received",
        ),
        (
            record(status="200 OK", traffic=Traffic(2, 0, 0)),
            "GET /path 200 OK (12 ms) 2 sockets, 0 B sent, 0 B received",
        ),
        (record(outcome=Outcome.CANCELED), "GET /path canceled (12 ms)"),
        (
            record(outcome=Outcome.CANCELED, status="200 OK"),
            "GET /path 200 OK canceled (12 ms)",
        ),
        (
            record(outcome=Outcome.EXCEPTION, status="500 Internal Server Error"),
            "GET /path 500 Internal Server Error (12 ms)",
        ),
        (
            record(outcome=Outcome.EXCEPTION, status="200 OK"),
            "GET /path 200 OK failed (12 ms)",
        ),
        (
            record(outcome=Outcome.EXCEEDED_CPU, status="503 Service Unavailable"),
            "GET /path 503 Service Unavailable exceeded_cpu (12 ms)",
        ),
        (
            record(outcome=Outcome.EXCEEDED_SUBREQUESTS, status="500 Internal Server Error"),
            "GET /path 500 Internal Server Error exceeded_subrequests (12 ms)",
        ),
        (
            record(outcome=Outcome.HUNG, status="500 Internal Server Error"),
            "GET /path 500 Internal Server Error hung (12 ms)",
        ),
        (
            record(outcome=Outcome.EXCEEDED_CPU, status="200 OK"),
            "GET /path 200 OK exceeded_cpu (12 ms)",
        ),
        (record(label="CONNECT localhost:7070"), "CONNECT localhost:7070 closed (12 ms)"),
        (
            record(label="CONNECT localhost:7070", outcome=Outcome.EXCEPTION),
            "CONNECT localhost:7070 failed (12 ms)",
        ),
        (record(label="GET /\n", status="200 \x1b"), "GET /\\x0a 200 \\x1b (12 ms)"),
    ],
)
def test_request_lines(event: EventRecord, line: str) -> None:
    assert request_line(event) == line


BUSY = record(status="500 Internal Server Error", traffic=Traffic(2, 13, 4200))


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            125,
            f"GET     {'/path':<60}    12 ms  500 Internal Server Error 2 ⇅ 13 B / 4.2 kB",
        ),
        (80, f"GET     {'/path':<24}    12 ms  500 2 ⇅ 13 B / 4.2 kB"),
        (40, f"GET     {'/path':<16}    12 ms  500"),
        (10, f"GET     {'/path':<16}    12 ms  500"),
    ],
)
def test_columns_say_less_where_there_is_less_room(columns: int, line: str) -> None:
    assert "".join(request_columns(BUSY, columns)) == line


def test_a_wide_terminal_has_all_words() -> None:
    line = request_columns(BUSY, 200)
    assert line.tail == " 2 sockets, 13 B sent, 4.2 kB received"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("12345", "12345"), ("123456", "12…56"), ("1234567890", "12…90")],
)
def test_a_long_text_loses_its_middle(text: str, shown: str) -> None:
    assert cut(text, 5) == shown


@pytest.mark.parametrize(
    ("call", "depth", "below", "line"),
    [
        (("GET /a", Outcome.OK, "200 OK", None), 1, True, "  └ auth GET /a 200 OK (12 ms)"),
        (("add()", Outcome.OK, None, None), 2, True, "     └ auth add() (12 ms)"),
        (
            ("add()", Outcome.EXCEPTION, None, "ValueError: x (a.py:3)"),
            1,
            True,
            "  └ auth add() failed (12 ms): ValueError: x (a.py:3)",
        ),
        (("add()", Outcome.CANCELED, None, None), 1, True, "  └ auth add() canceled (12 ms)"),
        (("add()", Outcome.OK, None, None), 1, False, "  └ auth add() (12 ms) of GET /"),
    ],
)
def test_a_call_of_another_worker(
    call: tuple[str, Outcome, str | None, str | None], depth: int, below: bool, line: str
) -> None:
    label, outcome, status, failure = call
    record = CallRecord("GET /", "auth", label, outcome, 0.012, status, failure)
    assert call_line(record, depth, below=below) == line
