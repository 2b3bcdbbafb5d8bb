"""Whether a debugger has the floor, and a clock that stands still meanwhile.

Floor 2. Owns the pauses of every limit that counts seconds; must not know which debugger it is or what it talks to.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0
_began = 0.0
_paused_seconds = 0.0


@contextmanager
def limits_paused() -> Iterator[None]:
    """A block in which a person thinks: no limit counts its seconds. Blocks may overlap, in any thread."""
    global _holders, _began, _paused_seconds
    with _lock:
        if not _holders:
            _began = time.monotonic()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                _paused_seconds += time.monotonic() - _began


def unpaused_seconds() -> float:
    """Return a monotonic time, in seconds, that stands still while limits are paused."""
    with _lock:
        return (_began if _holders else time.monotonic()) - _paused_seconds


def is_debugged() -> bool:
    """True while a debugger has the floor or follows the running code."""
    if _holders or sys.gettrace() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
