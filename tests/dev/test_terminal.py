"""What the session says, and in which colour."""

from __future__ import annotations

import bdb
import os
from collections.abc import Callable

import pytest

from emulator.config import LogLevel
from emulator.context import EventRecord, Outcome, Traffic
from emulator.dev.output import Channel, Output
from emulator.dev.terminal import Terminal


def said(
    say: Callable[[Terminal], object],
    coloured: frozenset[Channel] = frozenset(),
    level: LogLevel = LogLevel.LOG,
) -> tuple[str, str]:
    """What a terminal writes to standard output and error while `say(terminal)` runs."""
    out_reader, out = os.pipe()
    err_reader, err = os.pipe()
    terminal = Terminal(Output(out, err), coloured, level)
    say(terminal)
    terminal.close()
    os.close(out)
    os.close(err)
    with open(out_reader, "rb") as out_file, open(err_reader, "rb") as err_file:
        return out_file.read().decode(), err_file.read().decode()


def finished(status: str) -> EventRecord:
    return EventRecord("GET /", Outcome.OK, 0.012, Traffic(), status)


def test_requests_and_the_session_go_to_standard_output() -> None:
    def say(terminal: Terminal) -> None:
        terminal.port_taken(8787, 8788)
        terminal.accepting_connections("127.0.0.1:7070")
        terminal.ready("http://localhost:8788")
        terminal.event_finished(finished("200 OK"))

    assert said(say) == (
        "Port 8787 is in use, using 8788 instead.\n"
        "TCP connections to 127.0.0.1:7070 go to the connect() handler\n"
        "Ready on http://localhost:8788\n"
        "GET / 200 OK (12 ms)\n",
        "",
    )


@pytest.mark.parametrize(
    ("status", "colour"),
    [("200 OK", 32), ("304 Not Modified", 36), ("404 Not Found", 33), ("500 Oh", 31)],
)
def test_the_class_of_the_status_gives_the_colour(status: str, colour: int) -> None:
    out, _ = said(lambda terminal: terminal.event_finished(finished(status)), frozenset(Channel))
    assert out == f"\x1b[{colour}mGET / {status} (12 ms)\x1b[0m\n"


def test_failures_go_to_standard_error_with_their_cause() -> None:
    def say(terminal: Terminal) -> None:
        refused = ConnectionRefusedError(111, "Connection refused")
        terminal.connection_failed("GET /", "localhost:1", refused)
        terminal.connection_waited("GET /", "localhost:1", 0.25, ("cache:6379 (worker.py:31)",))
        terminal.handler_failed("GET /\x1b", ValueError("a"))
        terminal.background_failed("GET /", ValueError("b"))
        terminal.body_failed("GET /", ValueError("c"))

    assert said(say) == (
        "",
        'GET /: connect("localhost:1") failed: ConnectionRefusedError: [Errno 111] Connection '
        "refused\n"
        "GET /: connect() to localhost:1 waited 250 ms for a slot, held by cache:6379 (worker.py:31)\n"
        "GET /\\x1b: the handler failed: ValueError: a\n"
        "GET /: wait_until() work failed: ValueError: b\n"
        "GET /: the response was cut short: ValueError: c\n",
    )


def test_a_note_is_said_once_and_its_number_at_powers_of_ten() -> None:
    def say(terminal: Terminal) -> None:
        for text in ("first", "second\x1b", *["first"] * 100):
            terminal.note(text)

    assert said(say) == (
        "",
        "note: first\nnote: second\\x1b\nnote: first (10 times)\nnote: first (100 times)\n",
    )


def test_warnings_are_said_each_time_where_there_is_no_status_line() -> None:
    def say(terminal: Terminal) -> None:
        for _ in range(2):
            terminal.certificate_unchecked("GET /", "localhost:1")

    assert said(say)[1].count("does not check the certificate") == 2


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (LogLevel.LOG, ["Port", "GET", "note", "failed"]),
        (LogLevel.WARN, ["note", "failed"]),
        (LogLevel.ERROR, ["failed"]),
        (LogLevel.NONE, []),
    ],
)
def test_the_level_hides_what_matters_less(level: LogLevel, shown: list[str]) -> None:
    def say(terminal: Terminal) -> None:
        terminal.port_taken(8787, 8788)
        terminal.ready("http://localhost:8788")
        terminal.event_finished(finished("200 OK"))
        terminal.note("a note")
        terminal.background_failed("/", ValueError("b"))

    out, err = said(say, level=level)
    assert "Ready on http://localhost:8788\n" in out
    words = ["Port", "GET", "note", "failed"]
    assert [word for word in words if word in out + err] == shown


def test_leaving_the_debugger_is_no_failure() -> None:
    out, err = said(lambda terminal: terminal.handler_failed("GET /", bdb.BdbQuit()))
    assert (out, err) == ("GET /: ended in the debugger (q)\n", "")


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_a_tty_without_no_color(
    environ: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = os.openpty()
    with open(follower, "w") as tty:
        monkeypatch.setattr("sys.stdout", tty)
        terminal = Terminal.for_process(environ)
        terminal.event_finished(finished("200 OK"))
        terminal.close()
        line = os.read(leader, 1024)
        os.close(leader)
    assert line.startswith(b"GET     /")
    assert (b"\x1b[32m200 OK\x1b[0m" in line) is coloured
    monkeypatch.undo()
