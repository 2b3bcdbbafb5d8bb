"""Exceptions as people read them, in the terminal and in responses: the worker's frames in full, others folded.

Floor 0. Owns what there is to tell of an exception (`failure_of`) and its text; must not know where the text goes. A
Failure is text only: it keeps no frame, and so no object of the worker, alive.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import dropwhile, islice
from pathlib import Path
from traceback import FrameSummary, TracebackException
from types import FrameType
from typing import NamedTuple

from emulator.errors import (
    CAUSED_BY,
    GROUP_MEMBER,
    GROUP_REST,
    RAISED_WHILE_HANDLING,
    PlatformError,
    WorkerLoadError,
)
from emulator.folding import OURS, folded, library_of
from emulator.printable import printable, printable_block

_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep

# How many exceptions of a chain, and of a group, are told of.
CHAIN_LIMIT = 20
GROUP_LIMIT = 15
# How many frames at each end of a traceback have their variables told.
LOCALS_FRAMES = 20


class Local(NamedTuple):
    """A variable of a frame: its name and its value as text."""

    name: str
    value: str


LocalsOf = Callable[[Mapping[str, object]], Sequence[Local]]


class Frame(NamedTuple):
    """One frame of a traceback: `summary` has file, line, columns and name; `function` is its qualified name.

    `library` says whose code it runs, "pyworker" or a library's name; None is the worker's own.
    """

    summary: FrameSummary
    function: str
    library: str | None
    variables: Sequence[Local] = ()


class Failure(NamedTuple):
    """One exception. `title` has its type and message as Python prints them, a line each; `frames` begin outermost.

    `link` says how `before`, the exception that led to this one, did. `members` are a group's.
    """

    type: str
    message: str
    notes: Sequence[str]
    title: Sequence[str]
    frames: Sequence[Frame]
    members: Sequence[Failure] = ()
    members_left_out: int = 0
    before: Failure | None = None
    link: str = ""
    # Where a SyntaxError is; its title says it too.
    syntax: FrameSummary | None = None

    @property
    def causes(self) -> Iterator[tuple[str, Failure]]:
        """What led to this one, with how it did: the nearest first."""
        failure = self
        while failure.before is not None:
            yield failure.link, failure.before
            failure = failure.before

    @property
    def users_frames(self) -> Sequence[Frame]:
        """The frames from the worker's outermost one inwards, without ours; none if none is the worker's."""
        inwards = dropwhile(lambda frame: frame.library is not None, self.frames)
        return [frame for frame in inwards if frame.library != OURS]


def failure_of(error: BaseException, locals_of: LocalsOf | None = None) -> Failure:
    """Return what there is to tell of `error`; `locals_of` gives the text of the variables of worker's frames."""
    return _collected(error, TracebackException.from_exception(error), locals_of, CHAIN_LIMIT)


def summary(error: BaseException) -> str:
    """Return "ValueError: the message" on one line, and its notes after it."""
    text = str(error)
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    for note in getattr(error, "__notes__", ()):
        line = f"{line.rstrip('.')}. {note}"
    return printable(line)


def describe(error: BaseException) -> str:
    """Return `error` with its traceback and its causes; several lines, without a line end at the end."""
    frames_of_ours_matter = not isinstance(error, PlatformError | SyntaxError)
    return printable_block("\n".join(_lines(failure_of(error), frames_of_ours_matter)))


def describe_failure(error: BaseException) -> str:
    """Return the message of `error`, and below it the exception of a worker that can't be loaded."""
    message = printable_block(str(error))
    cause = workers_own(error)
    return message if cause is None else f"{message}\n{describe(cause)}"


def workers_own(error: BaseException) -> BaseException | None:
    """Return the exception of the worker's code behind `error`, a WorkerLoadError; None if it has nothing to add."""
    if isinstance(error, WorkerLoadError) and isinstance(error.__cause__, Exception | SystemExit):
        cause = error.__cause__
        if isinstance(cause, SyntaxError) or failure_of(cause).users_frames:
            return cause
    return None


def _collected(
    error: BaseException, report: TracebackException, locals_of: LocalsOf | None, depth: int
) -> Failure:
    """`report` mirrors `error` and its causes, without the circles that these may have."""
    before, report_before, link = error.__cause__, report.__cause__, CAUSED_BY
    if report_before is None and not report.__suppress_context__:
        before, report_before, link = error.__context__, report.__context__, RAISED_WHILE_HANDLING
    members: list[Failure] = []
    left_out = 0
    if isinstance(error, BaseExceptionGroup) and report.exceptions and depth:
        pairs = zip(error.exceptions, report.exceptions, strict=True)
        members = [_collected(*pair, locals_of, depth - 1) for pair in islice(pairs, GROUP_LIMIT)]
        left_out = len(error.exceptions) - len(members)
    return Failure(
        type=type(error).__qualname__,
        message=_message(error),
        notes=[str(note) for note in getattr(error, "__notes__", None) or ()],
        title="".join(report.format_exception_only()).rstrip("\n").split("\n"),
        frames=_frames(error, report, locals_of),
        members=members,
        members_left_out=left_out,
        before=(
            _collected(before, report_before, locals_of, depth - 1)
            if before is not None and report_before is not None and depth
            else None
        ),
        link=link,
        syntax=_place_of_syntax(error),
    )


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.msg:
        return str(error.msg)
    try:
        return str(error)
    except Exception as inner:
        return f"(str() of it raised {type(inner).__name__})"


def _frames(
    error: BaseException, report: TracebackException, locals_of: LocalsOf | None
) -> list[Frame]:
    pairs = list(zip(traceback.walk_tb(error.__traceback__), report.stack, strict=False))
    # The innermost first: what costs too much is left out at the other end.
    frames = [
        _frame(
            running[0],
            summary,
            locals_of if min(index, len(pairs) - 1 - index) < LOCALS_FRAMES else None,
        )
        for index, (running, summary) in reversed(list(enumerate(pairs)))
    ]
    return frames[::-1]


def _frame(frame: FrameType, summary: FrameSummary, locals_of: LocalsOf | None) -> Frame:
    library = library_of(summary.filename)
    function = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
    if locals_of is None or library is not None:
        return Frame(summary, function, library)
    return Frame(summary, function, library, locals_of(frame.f_locals))


def _place_of_syntax(error: BaseException) -> FrameSummary | None:
    """Return the place that a SyntaxError speaks of; columns are bytes from 0, as in a traceback."""
    if not isinstance(error, SyntaxError) or error.filename is None or error.lineno is None:
        return None
    line = error.text or ""

    def in_bytes(offset: int | None) -> int | None:
        return len(line[: offset - 1].encode()) if offset is not None and offset > 0 else None

    start, end = in_bytes(error.offset), in_bytes(error.end_offset)
    if start is not None and (end is None or (error.end_lineno == error.lineno and end <= start)):
        end = start + 1
    return FrameSummary(
        error.filename,
        error.lineno,
        "<module>",
        lookup_line=False,
        line=line,
        end_lineno=error.end_lineno or error.lineno,
        colno=start,
        end_colno=end,
    )


def _lines(failure: Failure, frames_of_ours_matter: bool, indent: str = "") -> list[str]:
    lines = list(failure.title)
    stack = [frame.summary for frame in failure.frames]
    theirs = folded(stack)
    if theirs is None:
        shown = stack if frames_of_ours_matter else _installed(failure)
        for text in traceback.StackSummary.from_list(shown).format():
            lines += text.rstrip("\n").split("\n")
    lines += theirs or ()
    total = len(failure.members) + failure.members_left_out
    for number, member in enumerate(failure.members, start=1):
        lines.append(f"  {GROUP_MEMBER.format(number=number, count=total)}")
        lines += _lines(member, False, indent="    ")
    if failure.members_left_out:
        lines.append(f"  {GROUP_REST.format(count=failure.members_left_out)}")
    if failure.before is not None:
        first, *rest = _lines(failure.before, False)
        lines += [f"  {failure.link} {first}", *rest]
    return [indent + line for line in lines]


def _installed(failure: Failure) -> list[FrameSummary]:
    """The frames of installed libraries and what these called; what lies outside of them was called by us."""
    others = [frame.summary for frame in failure.frames if frame.library != OURS]
    return list(dropwhile(lambda place: _is_standard_library(place.filename), others))


def _is_standard_library(file_name: str) -> bool:
    return file_name.startswith(("<", "uvloop/")) or (
        file_name.startswith(_STANDARD_LIBRARY) and "site-packages" not in file_name
    )
