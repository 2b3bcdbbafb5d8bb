"""Who holds a stream.

Floor 2. Owns the states of a lock; the streams own when it changes.
"""

from __future__ import annotations

from enum import Enum


class Lock(Enum):
    """Who holds a stream: nobody, a reader or writer, a pipe or a body, or an object that is closing it."""

    FREE = "free"
    HELD = "held"
    PIPED = "piped"
    CLOSING = "closing"
    DETACHED = "detached"
