"""What is given to wait_until: awaitables as work that harms nobody when it fails, lasts too long or never begins.

Floor 2. Owns how such work is run and named, and how an event's tasks are seen to their end; must not know whose it is.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from emulator.context.cpu import CpuExceeded


async def survivable(awaitable: Awaitable[Any]) -> None:
    """Await `awaitable`; what would stop the event loop becomes an error of this one task."""
    try:
        await awaitable
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"wait_until() work raised {error!r}.") from error


def close_unstarted(awaitable: Awaitable[Any]) -> None:
    """Close a coroutine that nobody ever began: Python would warn of it."""
    if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == "CORO_CREATED":
        awaitable.close()


def name_of(awaitable: Awaitable[Any]) -> str:
    """Return what to call `awaitable` in what the user reads."""
    return awaitable.__qualname__ if inspect.iscoroutine(awaitable) else repr(awaitable)


def overlong(task: asyncio.Task[None], seconds: float) -> str:
    """Return the sentence about work that was cancelled `seconds` after the response."""
    return (
        f"wait_until() work {task.get_name()} was still running {seconds:g} s after the response "
        "and was cancelled, as production does."
    )


def call_when_unwound(
    callback: Callable[[], None],
    tasks: Iterable[asyncio.Task[Any]],
    running: asyncio.Task[Any] | None,
) -> None:
    """Call `callback()` once none of `tasks` that was cancelled is still under way; `running` is what runs now."""
    unwinding = {
        task for task in tasks if task.cancelling() and task is not running and not task.done()
    }
    if not unwinding:
        callback()
        return

    def one_done(task: asyncio.Task[Any]) -> None:
        unwinding.discard(task)
        if not unwinding:
            callback()

    for task in list(unwinding):
        task.add_done_callback(one_done)


def take_note(task: asyncio.Task[Any]) -> None:
    """A task that used too much was ended by us: asyncio need not report that nobody looked at it."""
    if not task.cancelled() and isinstance(task._exception, CpuExceeded):
        task.exception()


def running_task() -> asyncio.Task[Any] | None:
    """The task whose code runs; None outside of all, and where no event loop runs."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # No event loop runs.
        return None
