"""What the two sides of a connection do, and who hears of its beginning and end.

Floor 3. Owns the states and the interface; wire.py owns when they change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

from emulator.errors import SocketError


class WireListener(ABC):
    """Hears of a connection's beginning and end."""

    @abstractmethod
    def wire_opened(self) -> None:
        """The connection is there; what was queued has been handed to it."""

    def wire_answered(self, start: bytes) -> None:  # noqa: B027  # Most have nothing to say to that.
        """The peer's first bytes are here: `start`, before anybody receives them."""

    @abstractmethod
    def wire_lost(self, error: SocketError | None) -> None:
        """The connection is gone: broken (`error`), or closed from here (None). Nothing happens afterwards."""


class Incoming(Enum):
    """What the incoming side does."""

    FLOWING = "delivering what arrives"
    PAUSED = "leaving what arrives to the operating system"
    DISCARDING = "dropping what arrives"
    ENDED = "at its end"


class Outgoing(Enum):
    """What the outgoing side does."""

    QUEUING = "queuing until there is a connection"
    QUEUED_END = "queuing, with an end behind the queue"
    FLOWING = "sending"
    FULL = "sending, and asking the feeder to hold back"
    ENDING = "sending the last bytes and the end"
    GONE = "at its end"
