"""One event's belongings and the rules about them. Floor 2; must not know what a stream or a socket is."""

from emulator.context.io_context import (
    WAIT_UNTIL_SECONDS,
    ContextState,
    IoContext,
    current,
    enter,
    require_current,
)
from emulator.context.observer import EventRecord, Observer, Outcome, Traffic
from emulator.context.ownership import Owned, user_frame
from emulator.context.slots import OPENING_CONNECTIONS_LIMIT, ConnectionSlots

__all__ = [
    "OPENING_CONNECTIONS_LIMIT",
    "WAIT_UNTIL_SECONDS",
    "ConnectionSlots",
    "ContextState",
    "EventRecord",
    "IoContext",
    "Observer",
    "Outcome",
    "Owned",
    "Traffic",
    "current",
    "enter",
    "require_current",
    "user_frame",
]
