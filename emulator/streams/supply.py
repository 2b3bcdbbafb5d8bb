"""What a native stream's source is doing, as the stream knows it.

Floor 2. Owns the states only.
"""

from __future__ import annotations

from enum import Enum


class Supply(Enum):
    """What the source is doing: not asked yet, delivering, told to wait, at its end, broken."""

    IDLE = "idle"
    FLOWING = "flowing"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"
