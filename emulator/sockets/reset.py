"""Ending a TCP connection so that the peer knows it did not get the whole.

Floor 3. Owns the reset. Must not know whose connection it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset_connection(transport: asyncio.Transport) -> None:
    """Drop what `transport` has not sent and close it with RST, not FIN. Source: socket(7), SO_LINGER."""
    raw = cast(socket.socket | None, transport.get_extra_info("socket"))
    if raw is not None:
        with contextlib.suppress(OSError):  # It is closed already.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
