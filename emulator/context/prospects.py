"""What can still happen to a request: the things that could wake a handler that waits.

Floor 2. Owns the lists; must not know what a socket or a timer is, only how to ask whether it is live. A handler whose
tasks all wait while nothing here is live will wait for ever.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

from emulator.context import worker_threads

# A list of timers is cleared of those that are over each time it has grown so long.
PRUNE_AT = 64


def always() -> bool:
    """The liveness of what is live as long as it is owned."""
    return True


def never() -> bool:
    """The liveness of what nothing comes of by itself."""
    return False


class Prospects:
    """One request's sources of events: what it owns, timers, work in threads, the tasks that it started."""

    __slots__ = ("_futures", "_tasks", "_timers", "sources")

    def __init__(self) -> None:
        self.sources: dict[object, Callable[[], bool]] = {}
        # Made when they are needed: most requests start nothing.
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] | None = None
        self._timers: list[asyncio.TimerHandle] | None = None
        self._futures: list[asyncio.Future[Any]] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks that the request started and that somebody still knows."""
        return list(self._tasks) if self._tasks is not None else []

    def add_task(self, task: asyncio.Task[Any]) -> None:
        """`task` was started by the request."""
        if self._tasks is None:
            self._tasks = weakref.WeakSet()
        self._tasks.add(task)

    def add_timer(self, timer: asyncio.TimerHandle) -> None:
        """`timer` was set by the request."""
        if self._timers is None:
            self._timers = []
        elif len(self._timers) >= PRUNE_AT:
            self._timers = [each for each in self._timers if _is_set(each)]
        self._timers.append(timer)

    def add_future(self, future: asyncio.Future[Any]) -> None:
        """`future` settles by itself: work in a thread."""
        if self._futures is None:
            self._futures = []
        elif len(self._futures) >= PRUNE_AT:
            self._futures = [each for each in self._futures if not each.done()]
        self._futures.append(future)

    def live(self) -> bool:
        """True while something can still happen."""
        return (
            any(is_live() for is_live in list(self.sources.values()))
            or any(map(_is_set, self._timers or ()))
            or any(not future.done() for future in self._futures or ())
            or worker_threads.busy()
        )

    def waits(
        self, handler: asyncio.Task[Any] | None = None
    ) -> dict[asyncio.Task[Any], object] | None:
        """Return what each unfinished task waits for, and that of the `handler`; None when one of them can run."""
        waits: dict[asyncio.Task[Any], object] = {}
        for task in (*(() if handler is None else (handler,)), *self.tasks):
            if task.done():
                continue
            awaited = getattr(task, "_fut_waiter", None)
            if awaited is None or awaited.done():
                return None
            waits[task] = awaited
        return waits


def _is_set(timer: asyncio.TimerHandle) -> bool:
    return not timer.cancelled() and timer.when() > asyncio.get_running_loop().time()
