"""A socket's life as a table: state → event → state.

Floor 3. Owns which event may follow which and nothing that happens then: no I/O here. An event that the table
does not list for a state changes nothing (a peer's reset may follow its end, a close() may follow a close()).
Source: connect.md, "Life of a socket".
"""

from __future__ import annotations

from enum import Enum


class SocketState(Enum):
    """Where a socket is in its life."""

    CONNECTING = "connecting"
    OPEN = "open"
    READ_ENDED = "read ended"
    WRITE_ENDED = "write ended"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"
    LOST = "lost"
    UPGRADED = "upgraded"

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python.


class SocketEvent(Enum):
    """What can happen to a socket."""

    OPENED = "the connection is open, TLS included"
    CONNECT_FAILED = "the connection could not be opened"
    READ_ENDED = "the peer's last byte was taken, or reading was cancelled"
    WRITE_ENDED = "the writable side sent its last byte and the end"
    CLOSE_CALLED = "close() was called, or the request ended"
    FLUSHED = "what was written before close() is sent"
    LOST = "the connection broke"
    UPGRADE_CALLED = "start_tls() took the connection over"

    __hash__ = object.__hash__


TRANSITIONS: dict[SocketState, dict[SocketEvent, SocketState]] = {
    SocketState.CONNECTING: {
        SocketEvent.OPENED: SocketState.OPEN,
        SocketEvent.CONNECT_FAILED: SocketState.FAILED,
        SocketEvent.CLOSE_CALLED: SocketState.CLOSING,
        SocketEvent.UPGRADE_CALLED: SocketState.UPGRADED,
    },
    SocketState.OPEN: {
        SocketEvent.READ_ENDED: SocketState.READ_ENDED,
        SocketEvent.WRITE_ENDED: SocketState.WRITE_ENDED,
        SocketEvent.CLOSE_CALLED: SocketState.CLOSING,
        SocketEvent.LOST: SocketState.LOST,
        SocketEvent.UPGRADE_CALLED: SocketState.UPGRADED,
    },
    SocketState.READ_ENDED: {
        SocketEvent.WRITE_ENDED: SocketState.CLOSED,
        SocketEvent.CLOSE_CALLED: SocketState.CLOSING,
        SocketEvent.LOST: SocketState.LOST,
    },
    SocketState.WRITE_ENDED: {
        SocketEvent.READ_ENDED: SocketState.CLOSED,
        SocketEvent.CLOSE_CALLED: SocketState.CLOSING,
        SocketEvent.LOST: SocketState.LOST,
    },
    SocketState.CLOSING: {
        SocketEvent.FLUSHED: SocketState.CLOSED,
        SocketEvent.CONNECT_FAILED: SocketState.FAILED,
        SocketEvent.LOST: SocketState.LOST,
    },
    SocketState.CLOSED: {},
    SocketState.FAILED: {},
    SocketState.LOST: {},
    SocketState.UPGRADED: {},
}

OVER = frozenset(state for state, moves in TRANSITIONS.items() if not moves)
