"""Times and sizes as people read them.

Floor 0. Owns text only: functions from numbers to strings.
"""

from __future__ import annotations

_SIZES = ("kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """Return "0.4 ms", "12 ms", "1.25 s" or "75 s" for a time in seconds."""
    milliseconds = seconds * 1000
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def size(byte_count: int) -> str:
    """Return "13 B", "4.2 kB" or "12 MB" for a number of bytes; a kilobyte is 1000 bytes."""
    if byte_count < 1000:
        return f"{byte_count} B"
    power = 1
    while power < len(_SIZES) and byte_count / 1000**power >= 999.5:
        power += 1
    value, unit = byte_count / 1000**power, _SIZES[power - 1]
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
