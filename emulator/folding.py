"""A traceback for whoever wrote the worker: their frames with source lines, all others in one line.

Floor 0. Owns which frames are the worker's and the line about the others; must not know exceptions.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Sequence
from pathlib import Path
from traceback import FrameSummary

import emulator

_PACKAGE = Path(emulator.__file__).parent
_OURS = (
    f"{_PACKAGE}{os.sep}",
    # Two files of ours in a folder that the platform's API client shares.
    str(_PACKAGE.parent / "cloudflare" / "sockets.py"),
    str(_PACKAGE.parent / "cloudflare" / "workers.py"),
)
_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep
_INSTALLED = re.compile(r".*[/\\](?:site-packages|dist-packages|python_modules)[/\\]")
_FROZEN = re.compile(r"<frozen ([\w.]+)>")

OURS = "pyworker"
NAMES_SHOWN = 3


def folded(stack: Sequence[FrameSummary]) -> list[str] | None:
    """Return `stack` as lines: the worker's frames in full, then one line about the others; None if none is theirs."""
    theirs = [frame for frame in stack if library_of(frame.filename) is None]
    if not theirs:
        return None
    lines = []
    for text in traceback.StackSummary.from_list(theirs).format():
        lines += text.rstrip("\n").split("\n")
    others = len(stack) - len(theirs)
    if others:
        words = "1 frame" if others == 1 else f"{others} frames"
        lines.append(f"  … {words} of {_names(stack)}{_innermost(stack[-1])}")
    return lines


def library_of(file_name: str) -> str | None:
    """Return whose code `file_name` is: "pyworker", a library's name, or None for the worker's own."""
    if file_name.startswith(_OURS):
        return OURS
    if found := _FROZEN.match(file_name):
        return found[1].partition(".")[0]
    if found := _INSTALLED.match(file_name):
        return _top(file_name[found.end() :])
    if file_name.startswith(_STANDARD_LIBRARY):
        return _top(file_name.removeprefix(_STANDARD_LIBRARY))
    if file_name.startswith("uvloop/"):
        return "uvloop"
    return "generated code" if file_name.startswith("<") else None


def _top(path: str) -> str:
    return re.split(r"[/\\]", path, maxsplit=1)[0].removesuffix(".py")


def _names(stack: Sequence[FrameSummary]) -> str:
    """Name the others, the innermost first and ours last."""
    found = [library_of(frame.filename) for frame in reversed(stack)]
    names = list(dict.fromkeys(name for name in found if name not in (None, OURS)))
    names = [*names[:NAMES_SHOWN], "others"] if len(names) > NAMES_SHOWN else names
    names += [OURS] if OURS in found else []
    return " and ".join([", ".join(map(str, names[:-1])), names[-1] or ""]).removeprefix(" and ")


def _innermost(frame: FrameSummary) -> str:
    """Where a library raised."""
    if library_of(frame.filename) in (None, OURS):
        return ""
    short = os.path.join(*Path(frame.filename).parts[-2:])
    return f", the innermost {frame.name} at {short}:{frame.lineno}"
