"""A connection that never leaves the process: two transports, what is written to one arrives at the other.

Floor 3. Owns the order of things on such a connection, which is that of TCP: back-pressure, an end each way, a reset.
Must not know what is connected. Works on any asyncio event loop: all it uses of it is call_soon().
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import deque
from contextvars import Context
from typing import Any

# What is on its way counts as sent up to here, as in an operating system's buffers.
IN_FLIGHT_BYTES = 65_536
HIGH_WATER_BYTES = 65_536


class MemoryTransport(asyncio.Transport):
    """One end. Its `protocol` hears what the other end's sends, on the event loop and outside any event."""

    def __init__(self, protocol: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._protocol = protocol
        self._loop = loop
        self._context = Context()
        self._peer: MemoryTransport | None = None
        # What the other end has written and this one's protocol has not been given.
        self._arrived: deque[bytes] = deque()
        self._arrived_bytes = 0
        self._end_arrived = False
        self._reading = True
        self._delivery: asyncio.Handle | None = None
        self._high, self._low = HIGH_WATER_BYTES, HIGH_WATER_BYTES // 4
        self._writing_paused = False
        self._end_sent = False
        self._closing = False
        self._broken = False
        self._lost = False

    def __repr__(self) -> str:
        state = "lost" if self._lost else "closing" if self._closing else "open"
        return f"<MemoryTransport {state} arrived={self._arrived_bytes}>"

    def join(self, peer: MemoryTransport) -> None:
        """What is written here arrives at `peer` from now on."""
        self._peer = peer

    def begin(self) -> None:
        """Tell the protocol that the connection is there."""
        self._protocol.connection_made(self)
        self._deliver_soon()

    # In.

    def is_reading(self) -> bool:
        """Tell whether the protocol is given what arrives."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Give the protocol nothing until `resume_reading()`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Give the protocol what has arrived, and what will."""
        self._reading = True
        self._deliver_soon()

    def _arrive(self, data: bytes) -> None:
        if not self._closing:
            self._arrived.append(data)
            self._arrived_bytes += len(data)
            self._deliver_soon()

    def _arrive_end(self) -> None:
        self._end_arrived = True
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if self._delivery is None and not self._lost:
            self._delivery = self._loop.call_soon(self._deliver, context=self._context)

    def _deliver(self) -> None:
        """Give the protocol what there is by now: what it causes to come meanwhile is the next turn's."""
        self._delivery = None
        for _ in range(len(self._arrived)):
            if not self.is_reading() or not self._arrived:
                break
            data = self._arrived.popleft()
            self._arrived_bytes -= len(data)
            self._protocol.data_received(data)
        if self._peer is not None:
            self._peer._drained()
        if not self.is_reading():
            return
        if self._arrived:
            self._deliver_soon()
        elif self._end_arrived:
            self._end_arrived = False
            if not self._protocol.eof_received():
                self.close()

    # Out.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`. To an end that is gone it breaks the connection, as TCP does."""
        if self._end_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        peer = self._peer
        if self._closing or not data:
            return
        if peer is None or peer._closing:
            self._break(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
            return
        peer._arrive(bytes(data))
        self._hold_back()

    def can_write_eof(self) -> bool:
        """Tell that `write_eof()` may be called."""
        return True

    def write_eof(self) -> None:
        """Send the end; the other way stays open."""
        if not self._end_sent and not self._closing:
            self._end_sent = True
            if self._peer is not None:
                self._peer._arrive_end()

    def get_write_buffer_size(self) -> int:
        """Tell how many bytes count as not sent."""
        if self._peer is None or self._lost:
            return 0
        return max(self._peer._arrived_bytes - IN_FLIGHT_BYTES, 0)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the limits, low and high, in bytes."""
        return (self._low, self._high)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Have the protocol hold back from `high` bytes not sent on, until there are no more than `low`."""
        self._high = HIGH_WATER_BYTES if high is None else high
        self._low = self._high // 4 if low is None else low
        self._hold_back()

    def _hold_back(self) -> None:
        if not self._writing_paused and self.get_write_buffer_size() > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def _drained(self) -> None:
        if self._lost:
            return
        unsent = self.get_write_buffer_size()
        if self._writing_paused and unsent <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
        if self._closing and not self._broken and not unsent:
            self._lose(None)

    # The end.

    def is_closing(self) -> bool:
        """Tell whether the connection is over, or about to be."""
        return self._closing

    def close(self) -> None:
        """Send what was written, then the end, and be gone."""
        if self._closing:
            return
        self.write_eof()
        self._closing = True
        self._forget_arrived()
        self._loop.call_soon(self._drained, context=self._context)

    def abort(self) -> None:
        """Drop what was written and break the connection: the other end sees that it has not the whole."""
        peer = self._peer
        if peer is not None and not self._lost:
            peer._break(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
        self._break(None)

    def _break(self, error: OSError | None) -> None:
        if not self._lost and not self._broken:
            self._closing = self._broken = True
            self._forget_arrived()
            self._loop.call_soon(self._lose, error, context=self._context)

    def _forget_arrived(self) -> None:
        self._arrived.clear()
        self._arrived_bytes = 0
        if self._peer is not None:
            self._loop.call_soon(self._peer._drained, context=self._context)

    def _lose(self, error: OSError | None) -> None:
        if self._lost:
            return
        self._lost = True
        if self._delivery is not None:
            self._delivery.cancel()
        self._protocol.connection_lost(error)

    # What the base class has besides.

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have `protocol`, an asyncio.Protocol, hear what comes from now on."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return `default`: there is no operating system's socket behind this."""
        return default


def connect_in_memory(near: asyncio.Protocol, far: asyncio.Protocol) -> None:
    """Connect two protocols on the running event loop; they hear of it on its next turn."""
    loop = asyncio.get_running_loop()
    one, other = MemoryTransport(near, loop), MemoryTransport(far, loop)
    one.join(other)
    other.join(one)
    for transport in (other, one):
        loop.call_soon(transport.begin, context=Context())
