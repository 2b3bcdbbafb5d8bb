"""CPU time of one request, across its tasks, and an end to a handler that uses too much of it.

Floor 2. Owns the measuring of steps (what runs between two awaits) and the clock that interrupts one which never
yields. Must not know what a request is: a step belongs to a meter. Nothing here runs unless a limit is configured.
Source: limits.md, "CPU time".

A handler that awaits is measured at the end of each step. One that loops without awaiting is interrupted by a process
timer (ITIMER_PROF) whose signal handler raises CpuExceeded in the middle of it; that takes the main thread and a system
that has the timer. A callback of the event loop is no step of a task: it pays for what the timer finds it running. A C
call that does not return to Python can't be interrupted.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from emulator.context.frames import in_finalizer, is_runtimes, is_users

# How much CPU time may pass before a running step is looked at.
TICK_SECONDS = 0.01


class CpuExceeded(BaseException):
    """Raised inside a handler that has used up its CPU time; no `except Exception` of its own stops it."""


class CpuMeter:
    """What one request has used, and may.

    `on_exceeded(frame)` is called once, when it is too much: it is given the frame that was interrupted, if one was,
    and returns the sentence that every CpuExceeded carries. `end_task()` is called at the end of each step that a task
    takes all the same, and cancels it.
    """

    def __init__(
        self,
        limit_seconds: float,
        on_exceeded: Callable[[FrameType | None], str],
        end_task: Callable[[], None],
    ) -> None:
        self.used_seconds = 0.0
        self.limit_seconds = limit_seconds
        self._on_exceeded = on_exceeded
        self.end_task = end_task
        self._sentence: str | None = None
        self._began = 0.0

    def measured(self, coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that does what `coroutine` does, and counts."""
        return _Measured(coroutine, self)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` as a step of its own, and return what it does.

        Raises CpuExceeded in it when that is too much, or in the place of what it raises. What a step that returns has
        used is for the caller to look at (`too_much`): it may have returned something that must not be dropped.
        """
        global _running
        outer = _running
        if outer is self:  # A task that began at once, within a step.
            return function(*arguments)
        # A tick may come between any two lines: whom it finds running must have begun by then, and not be paid twice.
        paid = 0.0 if outer is None else outer.seconds_now()
        self._began = time.thread_time()
        _running = self
        if outer is not None:
            outer.used_seconds = paid
        try:
            return function(*arguments)
        except CpuExceeded:
            raise
        except BaseException:  # StopIteration, a coroutine's end, among others.
            if self.seconds_now() > self.limit_seconds:
                raise self.exceed(None) from None
            raise
        finally:
            used = self.seconds_now()
            if outer is not None:
                outer._began = time.thread_time()
            _running = outer
            self.used_seconds = used
            if _trace is not None:
                _stop_tracing()

    def seconds_now(self) -> float:
        """Return what was used up to this moment."""
        if _running is not self:
            return self.used_seconds
        return self.used_seconds + time.thread_time() - self._began

    def exceed(self, frame: FrameType | None) -> CpuExceeded:
        """Tell whoever watches, the first time, and return what to raise."""
        if self._sentence is None:
            self._sentence = self._on_exceeded(frame)
        return CpuExceeded(self._sentence)

    def lift(self) -> None:
        """Limit this request no more: a person steps through it."""
        self.limit_seconds = math.inf

    @property
    def too_much(self) -> bool:
        """True when more is used than the limit allows, whether somebody was told or not."""
        return self.used_seconds > self.limit_seconds

    @property
    def exceeded(self) -> bool:
        """True once it was too much."""
        return self._sentence is not None


# What calls a step or a callback.
_OUTERMOST = frozenset(
    {CpuMeter.run.__code__, asyncio.Handle._run.__code__, asyncio.Runner.run.__code__}
)

_running: CpuMeter | None = None
_ticking = 0
_handler_before: Any = None
_last_tick = 0.0
# In place between an exception that may be caught and the line after it.
_trace: Callable[[FrameType, str, object], Any] | None = None


def start_ticking(meter_of_callback: Callable[[], CpuMeter | None]) -> None:
    """Have running steps looked at. Call from the main thread; elsewhere only steps that end are measured.

    `meter_of_callback()` tells who pays for code that runs in no step of a task.
    """
    global _ticking, _handler_before
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        return
    _ticking += 1
    if _ticking == 1:

        def tick(number: int, frame: FrameType | None) -> None:
            _tick(frame, meter_of_callback)

        # Left running at the process's end, the timer would be what ends it.
        atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)
        _handler_before = signal.signal(signal.SIGPROF, tick)
        signal.setitimer(signal.ITIMER_PROF, TICK_SECONDS, TICK_SECONDS)


def stop_ticking() -> None:
    """Undo one `start_ticking`."""
    global _ticking
    if not _ticking or threading.current_thread() is not threading.main_thread():
        return
    _ticking -= 1
    if not _ticking:
        signal.setitimer(signal.ITIMER_PROF, 0)
        atexit.unregister(signal.setitimer)
        signal.signal(signal.SIGPROF, _handler_before)


@contextmanager
def unticked() -> Iterator[None]:
    """A block in which no running step is looked at: where a person is asked for input.

    Interrupted by Ctrl-C, input() has Python call the handlers of other signals with KeyboardInterrupt raised already.
    """
    ticking = _ticking and threading.current_thread() is threading.main_thread()
    if ticking:
        signal.setitimer(signal.ITIMER_PROF, 0)
    try:
        yield
    finally:
        if ticking and _ticking:
            signal.setitimer(signal.ITIMER_PROF, TICK_SECONDS, TICK_SECONDS)


def _tick(frame: FrameType | None, meter_of_callback: Callable[[], CpuMeter | None]) -> None:
    """A step or callback is under way, and has been for a while: end it if its request has used too much."""
    global _last_tick
    if _trace is not None:
        _stop_tracing()
    now = time.thread_time()
    passed, _last_tick = now - _last_tick, now
    meter = _running
    if meter is None:
        meter = meter_of_callback()
        if meter is None:
            return
        meter.used_seconds += min(passed, TICK_SECONDS)
    if meter.seconds_now() > meter.limit_seconds:
        caught = meter.exceeded
        if in_finalizer(frame, _OUTERMOST):
            return  # Python would report the exception and go on; it comes again with the next tick.
        users = _users_part(frame)
        error = meter.exceed(users)
        if users is None:
            return  # The runtime's work, which must not be torn: the end of the step will do.
        if caught and sys.gettrace() is None:
            _raise_when_caught(frame, error, lambda: (_running or meter_of_callback()) is meter)
        raise error


def _users_part(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame of worker code in the step or callback that was interrupted in `frame`, if any."""
    while frame is not None and frame.f_code not in _OUTERMOST and not is_runtimes(frame):
        if is_users(frame):
            return frame
        frame = frame.f_back
    return None


def _raise_when_caught(
    frame: FrameType | None, error: CpuExceeded, goes_on: Callable[[], bool]
) -> None:
    """See to it that code which catches everything, in a loop, does not outlive the exception that is raised next.

    Its first line after that, in the `except` clause, raises it again: there the same `try` does not catch it. Once the
    step or callback is over (`goes_on()` is False) nobody else's lines do.
    """

    global _trace

    def trace(traced: FrameType, event: str, argument: object) -> Any:
        if not goes_on():
            _stop_tracing()
            return None
        if event == "line" and is_users(traced):
            raise error
        return trace

    inside = frame
    while inside is not None and inside.f_code not in _OUTERMOST and not is_runtimes(inside):
        inside.f_trace = trace
        inside = inside.f_back
    _trace = trace
    sys.settrace(trace)  # Python takes it away as soon as it raises.


def _stop_tracing() -> None:
    global _trace
    if sys.gettrace() is _trace:
        sys.settrace(None)
    _trace = None


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
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._coroutine.throw, *error)

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Run one step. When that was too much the task is cancelled, so that it lets go of what it waits for now.

        An exception in the place of what it waits for would leave the coroutine where it is, until somebody notices
        that it is garbage.
        """
        awaited = self._meter.run(step, *arguments)
        if self._meter.too_much:
            self._meter.exceed(None)
            self._meter.end_task()
        return awaited

    def close(self) -> None:
        self._coroutine.close()
