"""Exceptions as people read them, in the terminal and in responses: the worker's frames in full, others folded.

Floor 0. Owns which frames are the user's and the wording around them; must not know where the text
goes.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from itertools import dropwhile
from pathlib import Path

import emulator
from emulator.errors import PlatformError, WorkerLoadError
from emulator.folding import folded
from emulator.printable import printable, printable_block

_PACKAGE = Path(emulator.__file__).parent
_OURS = (
    f"{_PACKAGE}{os.sep}",
    "<frozen ",
    "uvloop/",
    # Two files of ours in a folder that the platform's API client shares.
    str(_PACKAGE.parent / "cloudflare" / "sockets.py"),
    str(_PACKAGE.parent / "cloudflare" / "workers.py"),
)
_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep


def summary(error: BaseException) -> str:
    """Return "ValueError: the message" on one line, and its notes after it."""
    text = str(error)
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    for note in getattr(error, "__notes__", ()):
        line = f"{line.rstrip('.')}. {note}"
    return printable(line)


def describe(error: BaseException) -> str:
    """Return `error` with its traceback and its causes; several lines, without a line end at the end."""
    report = traceback.TracebackException.from_exception(error)
    frames_of_ours_matter = not isinstance(error, PlatformError | SyntaxError)
    return printable_block("\n".join(_report_lines(report, frames_of_ours_matter)))


def describe_failure(error: BaseException) -> str:
    """Return the message of `error`, and below it the exception of a worker that can't be loaded."""
    message = printable_block(str(error))
    if isinstance(error, WorkerLoadError) and isinstance(error.__cause__, Exception | SystemExit):
        cause = error.__cause__
        if _has_user_frames(cause) or isinstance(cause, SyntaxError):
            return f"{message}\n{describe(cause)}"
    return message


def _has_user_frames(error: BaseException) -> bool:
    return bool(_user_frames(traceback.extract_tb(error.__traceback__)))


def _user_frames(stack: Iterable[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """The frames from the worker's outermost one inwards, without ours.

    What lies outside of it, the standard library's import system or its event loop, was called by
    us.
    """
    others = [frame for frame in stack if not frame.filename.startswith(_OURS)]
    return list(dropwhile(lambda frame: _is_standard_library(frame.filename), others))


def _is_standard_library(file_name: str) -> bool:
    return file_name.startswith(_STANDARD_LIBRARY) and "site-packages" not in file_name


def _report_lines(
    report: traceback.TracebackException, frames_of_ours_matter: bool, indent: str = ""
) -> list[str]:
    lines = "".join(report.format_exception_only()).rstrip("\n").split("\n")
    theirs = folded(report.stack)
    if theirs is None:
        shown = list(report.stack) if frames_of_ours_matter else _user_frames(report.stack)
        for text in traceback.StackSummary.from_list(shown).format():
            lines += text.rstrip("\n").split("\n")
    lines += theirs or ()
    for number, inner in enumerate(report.exceptions or [], start=1):
        lines.append(f"  {number} of {len(report.exceptions or [])}:")
        lines += _report_lines(inner, False, indent="    ")
    before = report.__cause__
    words = "caused by"
    if before is None and not report.__suppress_context__:
        before, words = report.__context__, "raised while handling"
    if before is not None:
        first, *rest = _report_lines(before, False)
        lines += [f"  {words} {first}", *rest]
    return [indent + line for line in lines]
