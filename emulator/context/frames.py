"""Which code on the stack is the worker's, and how its place is written.

Floor 2. Owns the line between worker code and everything else; must not know what asks.
"""

from __future__ import annotations

import sysconfig
import weakref
from collections.abc import Container
from pathlib import Path
from traceback import walk_tb
from types import CodeType, FrameType

import emulator

# Where no worker lives: the runtime, the standard library, installed packages and commands.
_NOT_USERS = (
    str(Path(emulator.__file__).parent) + "/",
    str(Path(emulator.__file__).parent.parent / "cloudflare") + "/",
    *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platlib", "purelib", "scripts")),
    "<",  # Frozen modules, and what dataclasses and the like generate.
)


# Where Python does away with weak references.
_WEAK_REFERENCES = frozenset({weakref.__file__, weakref.WeakSet.__init__.__code__.co_filename})


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The nearest frame, from `frame` outwards, of code that is neither the runtime's nor a library's.

    None if there is none: the runtime acted by itself.
    """
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_USERS):
        frame = frame.f_back
    return frame


def is_users(frame: FrameType) -> bool:
    """True for code that is neither the runtime's nor a library's."""
    return not frame.f_code.co_filename.startswith(_NOT_USERS)


def is_runtimes(frame: FrameType) -> bool:
    """True for code of the runtime itself."""
    return frame.f_code.co_filename.startswith(_NOT_USERS[:2])


def in_finalizer(frame: FrameType | None, outermost: Container[CodeType] = ()) -> bool:
    """True while something is thrown away in `frame`, or in what called it up to code that is `outermost`.

    Python reports an exception that is raised there, and goes on: an interruption has to wait.
    """
    while frame is not None and frame.f_code not in outermost:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename in _WEAK_REFERENCES:
            return True
        frame = frame.f_back
    return False


def place_of(frame: FrameType) -> str:
    """Return "worker.py:31 in fetch", with the file's whole path."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def raised_at(error: BaseException) -> str | None:
    """Return "worker.py:31", the innermost statement of worker code that raised `error`; None if there is none."""
    place = None
    for frame, line in walk_tb(error.__traceback__):
        if is_users(frame):
            place = f"{Path(frame.f_code.co_filename).name}:{line}"
    return place
