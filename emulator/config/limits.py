"""What one request may spend, and how large things may be.

Floor 1. Owns the figures and nothing that enforces them. Source: limits.md, "Limits and rules of the runtime"; times
are in seconds, sizes in bytes, CPU time in milliseconds as the platform's own key has it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

KIB = 1024
MIB = 1024 * KIB


class ConnectionMode(Enum):
    """Which connections count: those being opened, or (the older rule) every open one."""

    CONNECTING = "connecting"
    OPEN = "open"


class Limits(NamedTuple):
    """The limits in force. None switches one off."""

    connections: int = 6
    connection_mode: ConnectionMode = ConnectionMode.CONNECTING
    subrequests: int | None = 10_000
    cpu_ms: int | None = None
    startup_cpu_ms: int = 1_000
    wait_until_seconds: float = 30.0
    hang_seconds: float | None = 1.0
    blocked_seconds: float | None = 0.5
    body_bytes: int = 100 * MIB
    memory_bytes: int = 128 * MIB


DEFAULT_LIMITS = Limits()

# With `strict`: what production has, for a paid plan.
STRICT_CPU_MS = 30_000
STRICT_VARIABLES = 128
STRICT_VARIABLE_BYTES = 5 * KIB
