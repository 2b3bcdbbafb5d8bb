"""Bounded waits: a test that hangs fails, and says where."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

TIMEOUT_SECONDS = 10.0
LOOK_SECONDS = 0.005

T = TypeVar("T")


async def within(awaitable: Awaitable[T], timeout_seconds: float = TIMEOUT_SECONDS) -> T:
    """Await `awaitable`; fails after `timeout_seconds`."""
    async with asyncio.timeout(timeout_seconds):
        return await awaitable


async def until(
    condition: Callable[[], object], awaited: str, timeout_seconds: float = TIMEOUT_SECONDS
) -> None:
    """Look until `condition()` holds, for what nothing tells; fails after `timeout_seconds` naming `awaited`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds
    while not condition():
        assert loop.time() < deadline, f"waited {timeout_seconds:g} s for {awaited}"
        await asyncio.sleep(LOOK_SECONDS)
