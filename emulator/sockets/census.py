"""The sockets that are open, for whoever asks what a worker holds.

Floor 3. Owns the list; a Socket that nobody holds leaves it by itself. Must not know who asks.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass
from typing import Any, NamedTuple

from emulator.sockets.state import OVER


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """One socket: the `label` of its event, the `address` it goes to, its state, and its age in seconds."""

    label: str
    address: str
    state: str
    age_seconds: float


class _Entry(NamedTuple):
    label: str
    address: str
    began: float


_entries: weakref.WeakKeyDictionary[Any, _Entry] = weakref.WeakKeyDictionary()


def count(socket: Any, label: str, address: object) -> None:
    """`socket`, which has a `state`, is there from now on; `address` is None for an inbound one."""
    shown = "inbound" if address is None else str(address)
    _entries[socket] = _Entry(label, shown, time.monotonic())


def open_sockets() -> list[OpenSocket]:
    """Return the sockets that are not over, oldest first. Call in their event loop's thread."""
    now = time.monotonic()
    return [
        OpenSocket(entry.label, entry.address, socket.state.value, now - entry.began)
        for socket, entry in sorted(_entries.items(), key=lambda item: item[1].began)
        if socket.state not in OVER
    ]
