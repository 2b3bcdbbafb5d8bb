"""One object a line, whatever is said or printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from emulator.config import LogLevel
from emulator.context import EventRecord, Outcome, Traffic
from emulator.dev.json_log import JsonLog
from emulator.dev.output import Output
from tests.support.process import pyworker


def logged(
    say: Callable[[JsonLog], object], level: LogLevel = LogLevel.LOG
) -> list[dict[str, Any]]:
    """The objects that a log writes while `say(log)` runs."""
    reader, writer = os.pipe()
    log = JsonLog(Output(writer, writer), level)
    say(log)
    log.close()
    os.close(writer)
    with open(reader, "rb") as file:
        return [json.loads(line) for line in file]


def test_a_request_has_its_figures() -> None:
    record = EventRecord("GET /", Outcome.OK, 0.0125, Traffic(1, 2, 3), "200 OK")
    (line,) = logged(lambda log: log.event_finished(record))
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "event": "request",
        "level": "info",
        "label": "GET /",
        "status": "200 OK",
        "outcome": "ok",
        "ms": 12.5,
        "sockets": 1,
        "bytes_sent": 2,
        "bytes_received": 3,
    }


def test_a_failure_has_its_traceback_as_text() -> None:
    (line,) = logged(lambda log: log.handler_failed("GET /", ValueError("oh\nno")))
    assert (line["event"], line["level"]) == ("handler_failed", "error")
    assert line["error"] == "ValueError: oh\\x0ano"
    assert line["traceback"].startswith("ValueError: oh\nno")


def test_notes_are_said_each_time_with_their_fields() -> None:
    def say(log: JsonLog) -> None:
        log.note("n")
        log.note("n")
        log.loop_blocked("worker.py:1 in f", 0.5)
        log.stray_failure("a task", None)

    lines = logged(say)
    assert [line["event"] for line in lines] == ["note", "note", "loop_blocked", "stray_failure"]
    assert lines[2]["place"] == "worker.py:1 in f"


def test_prints_are_objects_a_line_each() -> None:
    def say(log: JsonLog) -> None:
        with log.capturing_prints():
            print("one\ntwo", end="")
            print("err", file=sys.stderr)
            print(" and a half")
            print("rest \x1b", end="")

    lines = [(line["event"], line["stream"], line["text"]) for line in logged(say)]
    assert lines == [
        ("print", "stdout", "one"),
        ("print", "stderr", "err"),
        ("print", "stdout", "two and a half"),
        ("print", "stdout", "rest \x1b"),
    ]


def test_the_level_hides_what_matters_less() -> None:
    def say(log: JsonLog) -> None:
        log.port_taken(1, 2)
        log.note("n")
        log.background_failed("GET /", ValueError())

    assert [line["event"] for line in logged(say, LogLevel.ERROR)] == ["background_failed"]


async def test_the_command_writes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("print('loaded')\nasync def on_fetch(request): pass\n")
    argv = ("dev", "worker.py", "--port", "0", "--log-format", "json")
    async with pyworker(*argv, cwd=tmp_path, ready='"event": "ready"') as process:
        events = [json.loads(line)["event"] for line in process.stdout_lines]
        assert events[:2] == ["print", "ready"]
        assert process.stderr_lines == []
