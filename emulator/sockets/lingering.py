"""Connections that nobody holds any more: they send their last bytes, or wait for the peer's end.

Floor 3. Owns the list of them, and their end when the event loop is about to stop. Must not know what they are.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

# How often a stopping server looks whether the last bytes are sent: no event loop tells.
LOOK_SECONDS = 0.005


class Lingerer(Protocol):
    """What lingers: it calls `begin` once, and `end` when it is gone."""

    def hurry(self, *, late: bool) -> None:
        """Linger no more: close if everything is sent, reset if it is `late` for that."""


_lingering: dict[asyncio.AbstractEventLoop, set[Lingerer]] = {}


def begin(lingerer: Lingerer) -> None:
    """Have the running event loop's stop wait for `lingerer`."""
    _lingering.setdefault(asyncio.get_running_loop(), set()).add(lingerer)


def end(lingerer: Lingerer) -> None:
    """Forget `lingerer`: it is gone."""
    loop = asyncio.get_running_loop()
    others = _lingering[loop]
    others.discard(lingerer)
    if not others:
        del _lingering[loop]


async def end_lingering(grace_seconds: float) -> None:
    """End what lingers on this event loop, which is about to stop.

    A connection whose bytes are all sent is closed at once, another when they are; after `grace_seconds` it is reset.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_seconds
    while lingerers := _lingering.get(loop):
        for lingerer in list(lingerers):
            lingerer.hurry(late=loop.time() >= deadline)
        await asyncio.sleep(LOOK_SECONDS)
