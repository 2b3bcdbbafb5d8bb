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


# The list is cleared of those that are gone each time it has doubled: a WeakSet does so for each, at its cost.
PRUNE_AT = 64

_sockets: list[weakref.ref[Any]] = []
_prune_at = PRUNE_AT


def count(socket: Any) -> None:
    """`socket`, a Socket, is there from now on."""
    global _prune_at
    _sockets.append(weakref.ref(socket))
    if len(_sockets) > _prune_at:
        _sockets[:] = [reference for reference in _sockets if reference() is not None]
        _prune_at = max(PRUNE_AT, 2 * len(_sockets))


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
        for socket in (reference() for reference in list(_sockets))
        if socket is not None and socket.state not in OVER
    ]
