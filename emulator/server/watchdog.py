"""A thread that notices when worker code keeps everybody else waiting, and when the process grows too large.

Floor 6. Owns the looking; what it finds is told to an Observer while it happens. It never interferes. Source:
limits.md, "CPU time" and "memory".
"""

from __future__ import annotations

import asyncio
import sys
import threading

from emulator.config.limits import MIB, Limits
from emulator.context import Observer, is_debugged, place_of, unpaused_seconds, user_frame
from emulator.errors import MEMORY_EXCEEDED

# How often memory is looked at, in looks at the event loop.
LOOKS_PER_WEIGHING = 8


class Watchdog:
    """Watches the event loop that `start()` was called on, until `stop()`."""

    def __init__(self, observer: Observer, limits: Limits) -> None:
        self._observer = observer
        self._limits = limits
        self._answered = unpaused_seconds()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the running event loop and the calling thread."""
        if self._limits.blocked_seconds is None:
            return
        loop, ident = asyncio.get_running_loop(), threading.get_ident()
        self._thread = threading.Thread(
            target=self._watch,
            args=(loop, ident, self._limits.blocked_seconds),
            name="pyworker-watchdog",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the thread is gone."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int, blocked_seconds: float) -> None:
        looks = 0
        told = False
        base = _resident_bytes()
        asked = self._answered = unpaused_seconds()
        while not self._stopped.wait(blocked_seconds / 2):
            if self._answered >= asked:
                told = False
                asked = unpaused_seconds()
                try:
                    loop.call_soon_threadsafe(self._answer)
                except RuntimeError:  # The loop is closed.
                    return
            elif not told and unpaused_seconds() - asked >= blocked_seconds:
                told = is_debugged() or self._tell(ident, unpaused_seconds() - asked)
            looks += 1
            if base is not None and looks % LOOKS_PER_WEIGHING == 0 and self._weigh(base):
                base = None

    def _answer(self) -> None:
        self._answered = unpaused_seconds()

    def _tell(self, ident: int, seconds: float) -> bool:
        frame = user_frame(sys._current_frames().get(ident))
        if frame is None:
            return False
        self._observer.loop_blocked(place_of(frame), seconds)
        return True

    def _weigh(self, base: int) -> bool:
        """Say, once, that the worker holds more memory than production gives it."""
        resident = _resident_bytes()
        if resident is None or resident - base <= self._limits.memory_bytes:
            return False
        self._observer.note(
            MEMORY_EXCEEDED.format(
                grown=(resident - base) // MIB, limit=self._limits.memory_bytes // MIB
            )
        )
        return True


def _resident_bytes() -> int | None:
    """Return the process's resident memory; None where the system does not tell it cheaply."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return None
