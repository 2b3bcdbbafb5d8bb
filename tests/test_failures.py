"""Exceptions: the worker's frames stay, ours are folded."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from emulator import naming
from emulator.errors import HandlerError, SocketError, WorkerLoadError
from emulator.failures import (
    CHAIN_LIMIT,
    GROUP_LIMIT,
    Local,
    describe,
    describe_failure,
    failure_of,
    summary,
)


def caught(function: Callable[[], object]) -> Exception:
    """The exception that `function` raises."""
    try:
        function()
    except Exception as error:
        # This file's own frame is not part of what is tested.
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


def worker(tmp_path: Path, source: str) -> Callable[[], object]:
    """The function `handler` of a file with `source`."""
    path = tmp_path / "hello.py"
    path.write_text(source)
    namespace: dict[str, object] = {}
    exec(compile(source, str(path), "exec"), namespace)
    handler = namespace["handler"]
    assert callable(handler)
    return handler


def test_the_message_comes_first_and_the_frames_name_the_file(tmp_path: Path) -> None:
    source = "def handler():\n    raise ValueError('bad \\x1b thing')\n"
    lines = describe(caught(worker(tmp_path, source))).split("\n")
    assert lines[:3] == [
        "ValueError: bad \\x1b thing",
        f'  File "{tmp_path}/hello.py", line 2, in handler',
        "    raise ValueError('bad \\x1b thing')",
    ]


def test_frames_of_ours_are_folded_to_one_line(tmp_path: Path) -> None:
    source = "from emulator.naming import camel_case\ndef handler():\n    camel_case(None)\n"
    text = describe(caught(worker(tmp_path, source)))
    assert f'{tmp_path}/hello.py", line 3' in text
    assert naming.__file__ not in text
    assert "  … 1 frame of pyworker" in text


def test_a_fault_of_ours_shows_our_frames() -> None:
    text = describe(caught(lambda: naming.camel_case(None)).with_traceback(None))  # type: ignore[arg-type]
    assert text.startswith("TypeError:")
    error = caught(lambda: naming.camel_case(None))  # type: ignore[arg-type]
    assert error.__traceback__ is not None
    ours_only = error.with_traceback(error.__traceback__.tb_next)
    assert naming.__file__ in describe(ours_only)


def test_the_standard_library_is_one_line_with_the_place_that_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module_that_fails.py").write_text("import json\njson.loads('{')\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = describe(caught(partial(importlib.import_module, "module_that_fails")))
    assert "importlib/__init__.py" not in text
    assert f'{tmp_path}/module_that_fails.py", line 2' in text
    assert re.search(
        r"  … \d+ frames of json.*, the innermost raw_decode at json/decoder.py:\d+$", text
    )


def test_causes_and_contexts_follow(tmp_path: Path) -> None:
    source = (
        "def handler():\n"
        "    try:\n"
        "        try:\n"
        "            {}['x']\n"
        "        except KeyError as error:\n"
        "            raise OSError('no') from error\n"
        "    except OSError:\n"
        "        raise ValueError('last')\n"
    )
    lines = describe(caught(worker(tmp_path, source))).split("\n")
    heads = [line for line in lines if "File" not in line and not line.startswith("    ")]
    assert heads == [
        "ValueError: last",
        "  raised while handling OSError: no",
        "  caused by KeyError: 'x'",
    ]


def test_a_platform_error_without_user_frames_is_one_line() -> None:
    assert describe(HandlerError("Handler does not export a fetch() function.")) == (
        "emulator.errors.HandlerError: Handler does not export a fetch() function."
    )


def test_groups_show_each_of_their_exceptions() -> None:
    text = describe(ExceptionGroup("two", [ValueError("a"), KeyError("b")]))
    assert "  1 of 2:\n    ValueError: a\n  2 of 2:\n    KeyError: 'b'" in text


def test_a_summary_is_one_line() -> None:
    assert summary(ConnectionRefusedError(111, "Connection refused")) == (
        "ConnectionRefusedError: [Errno 111] Connection refused"
    )
    assert summary(TimeoutError()) == "TimeoutError"
    assert summary(SocketError("a\nb")) == "SocketError: a\\x0ab"


def test_a_failure_to_load_shows_the_workers_own_exception(tmp_path: Path) -> None:
    error = WorkerLoadError("hello.py can't be loaded.")
    error.__cause__ = caught(worker(tmp_path, "def handler():\n    return 1 / 0\n"))
    text = describe_failure(error)
    assert text.startswith("hello.py can't be loaded.\nZeroDivisionError: division by zero\n")
    assert 'hello.py", line 2, in handler' in text


def test_a_failure_without_the_workers_frames_is_its_message() -> None:
    error = WorkerLoadError("There is no file a.py.")
    error.__cause__ = FileNotFoundError("a.py")
    assert describe_failure(error) == "There is no file a.py."


def test_a_syntax_error_shows_its_line(tmp_path: Path) -> None:
    error = WorkerLoadError("hello.py can't be loaded.")
    error.__cause__ = caught(lambda: compile("def handler(:\n", "hello.py", "exec"))
    assert "def handler(:" in describe_failure(error)


def test_notes_follow_on_the_same_line_and_on_lines_of_their_own_below_a_cause() -> None:
    cause = ValueError("bad.")
    cause.add_note("First note.")
    cause.add_note("Second\x1b note")
    assert summary(cause) == "ValueError: bad. First note. Second\\x1b note"
    error = SocketError("lost")
    error.__cause__ = cause
    assert describe(error).split("\n") == [
        "emulator.errors.SocketError: lost",
        "  caused by ValueError: bad.",
        "First note.",
        "Second\\x1b note",
    ]


def test_a_failure_keeps_text_only(tmp_path: Path) -> None:
    source = "def handler():\n    held = [1]\n    raise ValueError(held)\n"
    error = caught(worker(tmp_path, source))
    failure = failure_of(error, lambda names: [Local(name, repr(names[name])) for name in names])
    (frame,) = failure.frames
    assert (failure.type, failure.message, frame.library) == ("ValueError", "[1]", None)
    assert (frame.function, frame.summary.lineno) == ("handler", 3)
    assert frame.variables == [Local("held", "[1]")]


def test_variables_of_libraries_are_not_asked_for(tmp_path: Path) -> None:
    source = "from emulator.naming import camel_case\ndef handler():\n    camel_case(None)\n"
    failure = failure_of(caught(worker(tmp_path, source)), lambda names: [Local("x", "1")])
    assert [bool(frame.variables) for frame in failure.frames] == [True, False]
    assert [frame.library for frame in failure.users_frames] == [None]


def test_circles_and_long_chains_of_causes_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert [before.message for _, before in failure_of(first).causes] == ["second"]
    error = ValueError("0")
    for number in range(1, 200):
        after = ValueError(str(number))
        after.__context__ = error
        error = after
    assert len(list(failure_of(error).causes)) == CHAIN_LIMIT
    assert describe(error).count("raised while handling") == CHAIN_LIMIT


def test_a_large_group_says_how_many_are_left_out() -> None:
    group = ExceptionGroup("many", [ValueError(str(number)) for number in range(100)])
    failure = failure_of(group)
    assert (len(failure.members), failure.members_left_out) == (GROUP_LIMIT, 100 - GROUP_LIMIT)
    assert "  15 of 100:\n    ValueError: 14\n  and 85 more" in describe(group)


def test_where_a_syntax_error_is() -> None:
    error = caught(lambda: compile("x = 'ä' + (1]\n", "hello.py", "exec"))
    place = failure_of(error).syntax
    assert place is not None
    # Columns are bytes from 0, as a traceback has them.
    assert (place.filename, place.lineno, place.colno, place.end_colno) == ("hello.py", 1, 13, 14)
