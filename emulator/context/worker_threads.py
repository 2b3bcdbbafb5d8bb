"""Threads that worker code started: any of them may yet wake a handler that waits.

Floor 2. Owns which threads these are, and which of them have nothing to do. Must not know requests: a thread that one
request started may serve the next one, and nothing tells whom it will call back (`loop.call_soon_threadsafe`).
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import thread as pools
from typing import Any

_started: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_is_worker_code: Callable[[], bool] | None = None

_EVENTS = frozenset({"_thread.start_new_thread", "_thread.start_joinable_thread"})
# Where a thread of a pool waits for work: its innermost frame is then this function's.
_POOL_LOOP = pools._worker.__code__


def remember(is_worker_code: Callable[[], bool]) -> None:
    """Take note, from now on, of threads that are started while `is_worker_code()` holds, and of those they start.

    It is done once a process: an audit hook can't be taken back.
    """
    global _is_worker_code
    if _is_worker_code is None:
        _is_worker_code = is_worker_code
        sys.addaudithook(_audit)


def busy() -> bool:
    """True while one of these threads lives and does not merely wait for a pool's next piece of work."""
    living = [thread for thread in list(_started) if thread.is_alive()]
    if not living:
        return False
    frames = sys._current_frames()
    return any(
        (frame := frames.get(thread.ident or 0)) is None or frame.f_code is not _POOL_LOOP
        for thread in living
    )


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in _EVENTS and _is_worker_code is not None:
        thread = getattr(args[0], "__self__", None)
        if isinstance(thread, threading.Thread) and (
            _is_worker_code() or threading.current_thread() in _started
        ):
            _started.add(thread)
