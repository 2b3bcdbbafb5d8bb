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

_started: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_watchers = 0
_start = threading.Thread.start

# Where a thread of a pool waits for work: its innermost frame is then this function's.
_POOL_LOOP = pools._worker.__code__


def watch(is_worker_code: Callable[[], bool]) -> None:
    """Take note of threads that are started while `is_worker_code()` holds, and of those they start.

    Until `unwatch` as many times.
    """
    global _watchers, _start
    _watchers += 1
    if _watchers > 1:
        return
    _start = original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if is_worker_code() or threading.current_thread() in _started:
            _started.add(thread)
        original(thread)

    setattr(threading.Thread, "start", start)  # noqa: B010


def unwatch() -> None:
    """Undo one `watch`."""
    global _watchers
    _watchers -= 1
    if not _watchers:
        setattr(threading.Thread, "start", _start)  # noqa: B010


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
