"""A transport on a connected socket's own system calls: what asyncio's transports do, in fewer steps.

Floor 3. Owns the socket's descriptor: reading in growing pieces, the queue of what is not sent, FIN, the end. Must not
know what the bytes mean: it serves an asyncio Protocol, as the event loop's transports do. Source: asyncio's
"Transports and Protocols".
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections import deque
from enum import Enum
from itertools import islice
from typing import Any

from emulator.sockets.readiness import READINESS_KNOWN, Readiness
from emulator.streams import Bytes

# A connection that fills what is read at once is read in larger pieces, one that is paused in smaller ones again: what
# is read and can't be passed on waits in memory.
READ_BYTES = 16_384
READ_LIMIT_BYTES = 524_288
READ_GROWTH = 4
# How often a connection that fills them is read before others have their turn.
READS_LIMIT = 4
# The pieces that one system call may send. Source: sendmsg(2), UIO_MAXIOV is 1,024.
PIECES_LIMIT = 64
LOW_SHARE = 4

if READINESS_KNOWN:
    _END, _OUT, _BROKEN = select.EPOLLRDHUP, select.EPOLLOUT, select.EPOLLERR | select.EPOLLHUP
    _IN = select.EPOLLIN | _END


class StreamProtocol(asyncio.Protocol):
    """An asyncio Protocol that can be told of the last bytes and the end behind them in one."""

    @property
    def takes_end(self) -> bool:
        """True while it wants to be told so."""
        return False

    def last_received(self, data: bytes) -> bool:
        """`data` has come, and the peer's end; the result is that of `eof_received`."""
        self.data_received(data)
        return bool(self.eof_received())


class Reading(Enum):
    """What the incoming side does."""

    FLOWING = "delivering what arrives"
    PAUSED = "leaving what arrives to the operating system"
    ENDED = "at its end"


class Sending(Enum):
    """What the outgoing side does."""

    OPEN = "sending"
    ENDING = "sending what is queued, then FIN"
    ENDED = "FIN is sent"
    CLOSING = "sending what is queued, then closing"
    CLOSED = "closed"


# As globals: Python takes ten times as long to read a member from its class.
_READ_FLOWING, _READ_PAUSED, _READ_ENDED = Reading
_SEND_OPEN, _SEND_ENDING, _SEND_ENDED, _SEND_CLOSING, _SEND_CLOSED = Sending


class RawTransport(asyncio.Transport):
    """Serves `protocol` on the connected, non-blocking socket `raw`, which is its own from now on."""

    __slots__ = (
        "_end_is_near",
        "_events",
        "_full",
        "_high_bytes",
        "_low_bytes",
        "_number",
        "_protocol",
        "_queue",
        "_raw",
        "_read_bytes",
        "_readiness",
        "_reading",
        "_sending",
        "_unsent_bytes",
    )

    def __init__(self, raw: socket.socket, protocol: StreamProtocol, readiness: Readiness) -> None:
        self._raw = raw
        self._number = raw.fileno()
        self._protocol = protocol
        self._readiness = readiness
        self._reading = _READ_FLOWING
        self._sending = _SEND_OPEN
        self._queue: deque[Bytes] | None = None  # Made when something does not go out at once.
        self._unsent_bytes = 0
        self._high_bytes = self._low_bytes = 0
        self._full = False
        self._read_bytes = READ_BYTES
        self._events = 0
        self._end_is_near = False  # The peer had ended its side when its last bytes were read.

    def begin(self) -> None:
        """Tell the protocol that the connection is made, then deliver."""
        self._protocol.connection_made(self)
        if self._reading is _READ_FLOWING:
            self._want(self._events | _IN)

    def __repr__(self) -> str:
        return (
            f"<RawTransport {self._number} in: {self._reading.value}; out: {self._sending.value}>"
        )

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the "socket", its "peername" or "sockname"; else `default`."""
        if name == "socket":
            return self._raw
        if name in ("peername", "sockname"):
            return self._raw.getpeername() if name == "peername" else self._raw.getsockname()
        return default

    def is_closing(self) -> bool:
        return self._sending is _SEND_CLOSING or self._sending is _SEND_CLOSED

    # In.

    def pause_reading(self) -> None:
        if self._reading is _READ_FLOWING:
            self._reading = _READ_PAUSED
            self._read_bytes = max(self._read_bytes // READ_GROWTH, READ_BYTES)
            self._want(self._events & ~_IN)

    def resume_reading(self) -> None:
        if self._reading is _READ_PAUSED:
            self._reading = _READ_FLOWING
            self._want(self._events | _IN)

    def ready(self, events: int) -> None:
        """`events` have come for the descriptor."""
        if events & ~_OUT:
            if self._reading is _READ_FLOWING:
                left = READS_LIMIT - 1
                while self._read(events) and left and self._reading is _READ_FLOWING:
                    left -= 1
            elif self._events & _IN:  # It has ended, and goes on being open.
                self._want(self._events & ~_IN)
        if self._unsent_bytes and events & (_OUT | _BROKEN):
            self._send_queue()

    def take_end(self) -> bool:
        """Tell whether the peer's end comes next; then that was it: the protocol is not told."""
        if not self._end_is_near or self._reading is not _READ_FLOWING or not self._is_at_end():
            return False
        self._reading = _READ_ENDED
        return True

    def _read(self, events: int) -> bool:
        """Deliver what is there; return whether there may be more, for it filled all that was asked for."""
        asked = self._read_bytes
        try:
            data = self._raw.recv(asked)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._end_with(error)
            return False
        if data:
            if len(data) == asked:
                self._read_bytes = min(asked * READ_GROWTH, READ_LIMIT_BYTES)
            elif events & _END:
                self._end_is_near = True
                if self._protocol.takes_end and self._is_at_end():
                    self._end_reading(data)
                    return False
            self._protocol.data_received(data)
            return len(data) == asked
        self._end_reading(b"")
        return False

    def _is_at_end(self) -> bool:
        try:
            return not self._raw.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._end_with(error)
            return False

    def _end_reading(self, data: bytes) -> None:
        """The peer's end has come, behind `data` if there is some."""
        self._reading = _READ_ENDED
        protocol = self._protocol
        kept = protocol.last_received(data) if data else protocol.eof_received()
        if not kept:
            self.close()

    # Out.

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high_bytes = 65_536 if high is None else high
        self._low_bytes = self._high_bytes // LOW_SHARE if low is None else low
        self._hold_back()

    def get_write_buffer_size(self) -> int:
        return self._unsent_bytes

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low_bytes, self._high_bytes

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: Bytes) -> None:
        if self._sending is not _SEND_OPEN or not data:
            return
        if self._unsent_bytes:
            self._queue_up(data)
            return
        try:
            sent = self._raw.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._end_with(error)
            return
        if sent < len(data):
            self._queue_up(memoryview(bytes(data))[sent:])

    def write_eof(self) -> None:
        """Send FIN behind what is queued. Raises OSError when the connection is broken."""
        if self._sending is not _SEND_OPEN:
            return
        if self._unsent_bytes:
            self._sending = _SEND_ENDING
        else:
            self._send_end()

    def close(self) -> None:
        if self.is_closing():
            return
        self._sending = _SEND_CLOSING
        self._reading = _READ_ENDED
        if not self._unsent_bytes:
            self._close_soon(None)

    def abort(self) -> None:
        self._end_with(None)

    def give_up(self, error: Exception) -> None:
        """The protocol raised `error`: a fault of ours, which the event loop's handler is told."""
        asyncio.get_running_loop().call_exception_handler(
            {"message": "A protocol raised", "exception": error, "transport": self}
        )
        self._end_with(error)

    def _queue_up(self, data: Bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data if isinstance(data, memoryview) else bytes(data))
        self._unsent_bytes += len(data)
        self._want(self._events | _OUT)
        self._hold_back()

    def _send_queue(self) -> None:
        queue = self._queue
        assert queue
        try:
            sent = self._raw.sendmsg(list(islice(queue, PIECES_LIMIT)))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end_with(error)
            return
        self._unsent_bytes -= sent
        while sent:
            first = queue.popleft()
            if sent < len(first):
                queue.appendleft(memoryview(first)[sent:])
                break
            sent -= len(first)
        if not self._unsent_bytes:
            self._want(self._events & ~_OUT)
        if self._full and self._unsent_bytes <= self._low_bytes:
            self._full = False
            self._protocol.resume_writing()
        if not self._unsent_bytes:  # The protocol may have written more.
            self._queue_sent()

    def _queue_sent(self) -> None:
        if self._sending is _SEND_CLOSING:
            self._close_soon(None)
        elif self._sending is _SEND_ENDING:
            try:
                self._send_end()
            except OSError as error:
                self._end_with(error)

    def _send_end(self) -> None:
        self._sending = _SEND_ENDED
        self._raw.shutdown(socket.SHUT_WR)

    def _hold_back(self) -> None:
        if self._unsent_bytes > self._high_bytes and not self._full:
            self._full = True
            self._protocol.pause_writing()

    # The end.

    def _end_with(self, error: Exception | None) -> None:
        """Let go of what is not sent, and of the connection; `error` says why it broke, None that this was wanted."""
        if self._sending is _SEND_CLOSED:
            return
        self._queue = None
        self._unsent_bytes = 0
        self._reading = _READ_ENDED
        self._close_soon(error)

    def _close_soon(self, error: Exception | None) -> None:
        if self._sending is not _SEND_CLOSED:
            self._sending = _SEND_CLOSED
            if self._events:
                self._readiness.dismiss(self._number)
            asyncio.get_running_loop().call_soon(self._lost, error)

    def _lost(self, error: Exception | None) -> None:
        protocol = self._protocol
        del self._protocol  # Each would keep the other until the garbage collector comes.
        try:
            protocol.connection_lost(error)
        finally:
            self._raw.close()

    def _want(self, events: int) -> None:
        before, self._events = self._events, events
        if events == before:
            return
        if not before:
            self._readiness.watch(self._number, self, events)
        elif events:
            self._readiness.change(self._number, events)
        else:
            self._readiness.forget(self._number)
