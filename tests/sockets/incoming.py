"""What a socket's incoming side holds, for tests that must see it."""

from __future__ import annotations

from emulator.sockets import Socket
from emulator.streams.native_readable import NativeReadable


def buffered_bytes(socket: Socket) -> int:
    """Bytes that have arrived and nobody has read."""
    core = socket.readable.core
    assert isinstance(core, NativeReadable)
    return core.buffered_bytes
