"""The sockets that are open, for whoever asks what a worker holds.

Floor 3. Owns the list; a Socket that nobody holds leaves it by itself. Must not know who asks.
"""

from __future__ import annotations

import time
import weakref
from typing import Any, NamedTuple

from emulator.sockets.state import OVER


class OpenSocket(NamedTuple):
    """One socket: the `label` of its event, the `address` it goes to, its state, and its age in seconds."""

    label: str
    address: str
    state: str
    age_seconds: float


_sockets: weakref.WeakSet[Any] = weakref.WeakSet()


def count(socket: Any) -> None:
    """`socket`, a Socket, is there from now on."""
    _sockets.add(socket)


def open_sockets() -> list[OpenSocket]:
    """Return the sockets that are not over, oldest first. Call in their event loop's thread."""
    now = time.monotonic()
    return [
        OpenSocket(
            socket._context.label,
            "inbound" if socket._address is None else str(socket._address),
            socket.state.value,
            now - socket.wire.made,
        )
        for socket in sorted(_sockets, key=lambda socket: socket.wire.made)
        if socket.state not in OVER
    ]
