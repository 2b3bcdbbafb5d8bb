"""Which connections can be read or written now: one epoll for all of an event loop's, behind one of its descriptors.

Floor 3. Owns the epoll and whom it tells. Must not know what a connection does. Linux only: `READINESS_KNOWN` says
whether this system has it. A loop's own way costs a Handle or a libuv object for each descriptor and change.
"""

from __future__ import annotations

import asyncio
import select
import weakref
from abc import abstractmethod
from typing import Protocol

READINESS_KNOWN = hasattr(select, "epoll")

# Connections told about in one turn of the event loop, before it gets to do other work.
TURN_LIMIT = 256


class Watched(Protocol):
    """A connection whose descriptor is watched."""

    @abstractmethod
    def ready(self, events: int) -> None:
        """`events` (epoll's) have come. May be told of some that it has just ceased to want."""

    @abstractmethod
    def give_up(self, error: Exception) -> None:
        """`ready` raised `error`: a fault in whoever receives."""


class Readiness:
    """One event loop's epoll. Use `readiness_of`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watched] = {}
        loop.add_reader(self._epoll.fileno(), self._look)

    def watch(self, number: int, watched: Watched, events: int) -> None:
        """Tell `watched` of `events` on the descriptor `number` from now on."""
        self._epoll.register(number, events)
        self._watched[number] = watched

    def change(self, number: int, events: int) -> None:
        """Tell of other `events` from now on."""
        self._epoll.modify(number, events)

    def forget(self, number: int) -> None:
        """Tell no more of the descriptor `number`, which is open yet."""
        del self._watched[number]
        self._epoll.unregister(number)

    def dismiss(self, number: int) -> None:
        """Tell no more of the descriptor `number`, which is about to be closed: epoll forgets it by itself then."""
        del self._watched[number]

    def _look(self) -> None:
        watched = self._watched
        for number, events in self._epoll.poll(0, TURN_LIMIT):
            one = watched.get(number)
            if one is not None:  # Another one's events may have ended it.
                try:
                    one.ready(events)
                except Exception as error:
                    one.give_up(error)


_known: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Readiness] = (
    weakref.WeakKeyDictionary()
)


def readiness_of(loop: asyncio.AbstractEventLoop) -> Readiness:
    """Return the Readiness of `loop`, which lives as long as that. Call outside of any request."""
    readiness = _known.get(loop)
    if readiness is None:
        readiness = _known[loop] = Readiness(loop)
    return readiness
