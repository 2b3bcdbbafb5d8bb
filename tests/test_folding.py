"""The worker's frames in full, all others in one line."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path
from traceback import FrameSummary

import pytest

import emulator
from emulator.folding import folded, library_of

OURS = os.path.join(Path(emulator.__file__).parent, "runtime", "dispatch.py")
LIBRARY = os.path.join(sysconfig.get_path("purelib"), "somelib", "client.py")


def frame(file: str, name: str = "f") -> FrameSummary:
    return FrameSummary(file, 1, name, lookup_line=False, line="x = 1")


@pytest.mark.parametrize(
    ("file", "library"),
    [
        ("/home/me/worker.py", None),
        ("worker.py", None),
        (OURS, "pyworker"),
        (LIBRARY, "somelib"),
        ("/home/me/python_modules/dep/a.py", "dep"),
        (json.__file__, "json"),
        (os.__file__, "os"),
        ("<frozen importlib._bootstrap>", "importlib"),
        ("uvloop/loop.pyx", "uvloop"),
        ("<string>", "generated code"),
    ],
)
def test_whose_a_file_is(file: str, library: str | None) -> None:
    assert library_of(file) == library


def test_others_are_one_line_with_the_place_that_raised() -> None:
    stack = [frame(OURS), frame("/me/worker.py"), frame(LIBRARY), frame("/me/b.py"), frame(LIBRARY)]
    assert folded(stack) == [
        '  File "/me/worker.py", line 1, in f',
        "    x = 1",
        '  File "/me/b.py", line 1, in f',
        "    x = 1",
        f"  … 3 frames of somelib and pyworker, the innermost f at {os.path.join('somelib', 'client.py')}:1",
    ]


def test_many_libraries_are_three_and_others() -> None:
    others = [frame(f"/x/site-packages/lib{number}/a.py") for number in range(5)]
    lines = folded([frame(OURS), *others, frame("/me/worker.py")])
    assert lines is not None
    assert lines[-1] == "  … 6 frames of lib4, lib3, lib2, others and pyworker"


def test_a_worker_alone_has_no_such_line_and_a_stack_without_it_is_not_folded() -> None:
    assert folded([frame("/me/worker.py")]) == ['  File "/me/worker.py", line 1, in f', "    x = 1"]
    assert folded([frame(OURS)]) is None
