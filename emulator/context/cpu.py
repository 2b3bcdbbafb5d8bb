"""CPU time of one request, across its tasks, and an end to a handler that uses too much of it.

Floor 2. Owns the measuring of steps (what runs between two awaits) and the clock that interrupts one which never
yields. Must not know what a request is: a step belongs to a meter. Nothing here runs unless a limit is configured.
Source: limits.md, "CPU time".

A handler that awaits is measured at the end of each step. One that loops without awaiting is interrupted by a process
timer (ITIMER_PROF) whose signal handler raises CpuExceeded in the middle of it; that takes the main thread and a system
that has the timer. A C call that does not return to Python can't be interrupted.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

# How much CPU time may pass before a running step is looked at.
TICK_SECONDS = 0.01


class CpuExceeded(BaseException):
    """Raised inside a handler that has used up its CPU time; no `except Exception` of its own stops it."""


class CpuMeter:
    """What one request has used, and may. `on_exceeded()` is called once, when it is too much."""

    def __init__(self, limit_seconds: float, on_exceeded: Callable[[], None]) -> None:
        self.used_seconds = 0.0
        self.limit_seconds = limit_seconds
        self._on_exceeded = on_exceeded
        self._began = 0.0

    def measured(self, coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that does what `coroutine` does, and counts."""
        return _Measured(coroutine, self)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` as a step of its own. Raises CpuExceeded in it, or at its end, when that is too much."""
        global _running
        outer, _running = _running, self
        self._began = time.thread_time()
        try:
            return function(*arguments)
        finally:
            _running = outer
            self.used_seconds += time.thread_time() - self._began
            if self.used_seconds > self.limit_seconds:
                self.exceed()

    def tick(self) -> None:
        """A step is under way, and has been for a while: end it if it has used too much."""
        if self.used_seconds + time.thread_time() - self._began > self.limit_seconds:
            self.exceed()

    def exceed(self) -> None:
        """Tell whoever watches, and raise CpuExceeded."""
        self._on_exceeded()
        raise CpuExceeded


_running: CpuMeter | None = None
_ticking = 0
_handler_before: Any = None


def start_ticking() -> None:
    """Have running steps looked at. Call from the main thread; elsewhere only steps that end are measured."""
    global _ticking, _handler_before
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        return
    _ticking += 1
    if _ticking == 1:
        _handler_before = signal.signal(signal.SIGPROF, _tick)
        signal.setitimer(signal.ITIMER_PROF, TICK_SECONDS, TICK_SECONDS)


def stop_ticking() -> None:
    """Undo one `start_ticking`."""
    global _ticking
    if not _ticking or threading.current_thread() is not threading.main_thread():
        return
    _ticking -= 1
    if not _ticking:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, _handler_before)


def _tick(number: int, frame: object) -> None:
    if _running is not None:
        _running.tick()


class _Measured(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are counted; tracebacks and debuggers see the one inside."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], meter: CpuMeter) -> None:
        self._coroutine = coroutine
        self._meter = meter
        self.__name__ = getattr(coroutine, "__name__", "coroutine")
        self.__qualname__ = getattr(coroutine, "__qualname__", self.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # It has all that awaiting asks of a generator.

    def __iter__(self) -> _Measured:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        return self._meter.run(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        return self._meter.run(self._coroutine.throw, *error)

    def close(self) -> None:
        self._coroutine.close()
