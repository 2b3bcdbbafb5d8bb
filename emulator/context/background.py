"""What is given to wait_until: awaitables as work that harms nobody when it fails, lasts too long or never begins.

Floor 2. Owns how such work is run and named; must not know whose it is.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any


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
