"""The connections a request may have at once: a fair line in front of a few slots.

Floor 2. Owns who holds a slot and who waits; knows nothing of sockets: a claim says of itself whether it is idle.
Source: limits.md, "connections a request may be opening at once" and its two ways of counting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from emulator.config.limits import DEFAULT_LIMITS, ConnectionMode

OPENING_CONNECTIONS_LIMIT = DEFAULT_LIMITS.connections
# How often a waiter looks whether every holder is idle.
LOOK_SECONDS = 0.02


class ClaimState(Enum):
    """What a claim has: nothing, a place in line, a slot."""

    NEW = "new"
    WAITING = "waiting"
    HOLDING = "holding"
    GIVEN_BACK = "given back"


# As globals: Python takes ten times as long to read a member from its class.
_NEW, _WAITING, _HOLDING, _GIVEN_BACK = ClaimState


def _never() -> bool:
    """Return False: what is told of a claim that says nothing of itself."""
    return False


@dataclass(eq=False)
class Claim:
    """One connection's claim to a slot.

    `name` ("cache:6379 (worker.py:31)") is how others are told who holds it. Where open connections count: `is_idle()`
    tells whether nothing is under way on it, `last_used()` when something was (the event loop's clock), `close()`
    closes it to make room, and `is_over()` tells that it has ended without giving its slot back.
    """

    name: str
    is_idle: Callable[[], bool] = field(default=_never)
    last_used: Callable[[], float] = field(default=float)
    close: Callable[[], object] = field(default=_never)
    is_over: Callable[[], bool] = field(default=_never)
    state: ClaimState = _NEW
    waited_for: tuple[str, ...] = field(default=())


class ConnectionSlots:
    """First come, first served; a waiter that is cancelled leaves the line and loses nothing for others."""

    def __init__(
        self,
        limit: int = OPENING_CONNECTIONS_LIMIT,
        mode: ConnectionMode = ConnectionMode.CONNECTING,
    ) -> None:
        self._limit = limit
        self._free = limit
        self._mode = mode
        self._line: list[asyncio.Future[None]] = []  # An empty deque is large.
        self._holders: dict[Claim, None] = {}

    @property
    def free(self) -> int:
        """Slots that nobody holds."""
        return self._free

    @property
    def free_to_open(self) -> bool:
        """True while a slot is free and open connections need none."""
        return self._free > 0 and self._mode is ConnectionMode.CONNECTING

    @property
    def waiting(self) -> int:
        """Connections that stand in line."""
        return sum(not waiter.done() for waiter in self._line)

    @property
    def holders(self) -> tuple[str, ...]:
        """The names of those who hold a slot, longest first."""
        return tuple(claim.name for claim in self._holders)

    def held(self, claim: Claim | None = None) -> Held:
        """Hold one slot for the length of an `async with`, waiting in line for it first.

        Where open connections count, a block that ends well leaves the slot with `claim` until `give_back(claim)`.
        `claim.waited_for` then names who held the slots when the wait began.
        """
        return Held(self, claim or Claim("a connection"))

    def opened(self, claim: Claim) -> None:
        """The connection of `claim` is open: it keeps its slot only where open ones count."""
        if self._mode is ConnectionMode.CONNECTING:
            self.give_back(claim)

    def give_back(self, claim: Claim) -> None:
        """The connection is closed, or failed: its slot goes to the next in line. Harmless without one."""
        if claim.state is not _HOLDING:
            claim.state = _GIVEN_BACK
            return
        claim.state = _GIVEN_BACK
        self._holders.pop(claim, None)
        self._pass_on()

    def take_at_once(self, claim: Claim) -> bool:
        """Have `claim` hold a slot, if one is free; tell whether it does."""
        if self._holders:
            self._gather_in()
        if not self._free:
            return False
        # Nobody stands in line: a slot given back goes to the first there.
        self._free -= 1
        self._hold(claim)
        return True

    async def take(self, claim: Claim) -> None:
        """Have `claim` hold a slot, waiting in line for it; it may hold one already."""
        if claim.state is _HOLDING or self.take_at_once(claim):
            return
        claim.state = _WAITING
        claim.waited_for = self.holders
        await self._wait()
        self._hold(claim)

    def _hold(self, claim: Claim) -> None:
        claim.state = _HOLDING
        self._holders[claim] = None

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            if self._mode is ConnectionMode.OPEN:
                while not waiter.done():
                    self._gather_in()
                    self._make_room()
                    await asyncio.wait([waiter], timeout=LOOK_SECONDS)
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._pass_on()  # The slot came in the same moment: hand it on.
            elif waiter in self._line:  # Unless somebody who gave a slot back took it out.
                self._line.remove(waiter)
            raise

    def _make_room(self) -> None:
        """Close the least recently used connection if all slots are held and there is nothing under way on any."""
        if len(self._holders) == self._limit and all(claim.is_idle() for claim in self._holders):
            min(self._holders, key=lambda claim: claim.last_used()).close()

    def _gather_in(self) -> None:
        """Take the slots back of connections that have ended without a word."""
        for claim in [each for each in self._holders if each.is_over()]:
            self.give_back(claim)

    def _pass_on(self) -> None:
        while self._line:
            waiter = self._line.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1


class Held:
    """A block in which `claim` holds one of `slots`."""

    __slots__ = ("_claim", "_slots")

    def __init__(self, slots: ConnectionSlots, claim: Claim) -> None:
        self._slots = slots
        self._claim = claim

    async def __aenter__(self) -> Claim:
        await self._slots.take(self._claim)
        return self._claim

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._slots.opened(self._claim)
        else:
            self._slots.give_back(self._claim)
