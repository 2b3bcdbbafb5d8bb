"""Socket: what connect() returns and an inbound connect() handler is given.

Floor 3. Owns how a connection's life (state.py) shows in `readable`, `writable`, `opened` and `closed`. Must not
know how a connection is made (connect.py) or what HTTP is. Source: connect.md, "Life of a socket".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from emulator import errors
from emulator.context import IoContext, Owned
from emulator.errors import SocketError
from emulator.naming import camel_case_aliases
from emulator.sockets.address import SocketAddress
from emulator.sockets.options import SecureTransport, SocketOptions
from emulator.sockets.state import OVER, SocketEvent, SocketState, next_state
from emulator.sockets.wire import Wire, WireListener
from emulator.streams import Lock, Promise, ReadableState, ReadableStream, WritableStream


@camel_case_aliases
@dataclass(frozen=True, slots=True)
class SocketInfo:
    """What `opened` gives: each address is "host:port", or None where the platform does not tell it."""

    remote_address: str | None = None
    local_address: str | None = None


@camel_case_aliases
class Socket(Owned, WireListener):
    """A TCP connection. Belongs to the request that made it and is closed when that ends.

    `address` is where it goes, None for an inbound one; `info` is what `opened` gives.
    """

    io_type = "Socket"

    def __init__(
        self,
        context: IoContext,
        options: SocketOptions,
        info: SocketInfo,
        address: SocketAddress | None = None,
    ) -> None:
        super().__init__()
        self._context = context
        self._options = options
        self._info = info
        self._address = address
        self._state = SocketState.CONNECTING
        self._attempt: asyncio.Task[None] | None = None
        self._opened: Promise[SocketInfo] = Promise()
        self._closed: Promise[None] = Promise()
        self._over: Promise[None] = Promise()
        self._wire = Wire(self, context.traffic, options.high_water_mark)
        self._readable = ReadableStream(self._wire)
        self._writable = WritableStream(self._wire, high_water_mark_bytes=options.high_water_mark)
        self._readable.core.closed.when_settled(self._reading_over)
        self._writable.core.closed.when_settled(self._writing_over)
        context.own(self, self._let_go)

    def __repr__(self) -> str:
        peer = self._info.remote_address or f"to {self._info.local_address}"
        return f"<Socket {peer} {self._state.value}>"

    @property
    def state(self) -> SocketState:
        """Where this socket is in its life."""
        return self._state

    @property
    def wire(self) -> Wire:
        """The connection, for whoever opens it."""
        return self._wire

    @property
    def readable(self) -> ReadableStream:
        """What the peer sends. Ends with the peer's FIN."""
        return self._readable

    @property
    def writable(self) -> WritableStream:
        """What goes to the peer. May be written to at once; it waits for the connection."""
        return self._writable

    @property
    def opened(self) -> Promise[SocketInfo]:
        """Settles when the connection is open; rejected with SocketError when it can't be opened."""
        self.check_owner()
        return self._opened

    @property
    def closed(self) -> Promise[None]:
        """Settles when both sides are over; rejected with SocketError when the connection failed or broke."""
        self.check_owner()
        return self._closed

    @property
    def upgraded(self) -> bool:
        """True once start_tls() has handed this connection to another Socket."""
        return self._state is SocketState.UPGRADED

    @property
    def secure_transport(self) -> SecureTransport:
        """The option that connect() was given: "off", "on" or "starttls"."""
        return self._options.secure_transport

    def close(self) -> Promise[None]:
        """Send what is queued and close both sides; the promise settles when that is done. It never rejects.

        A connection attempt under way is cancelled at once, unless writes are queued: those are sent first.
        """
        self.check_owner()
        connecting = self._state is SocketState.CONNECTING
        if self._move(SocketEvent.CLOSE_CALLED):
            self._readable.begin_closing(Lock.CLOSING)
            self._writable.begin_closing(Lock.CLOSING)
            if connecting and not self._wire.buffered_bytes:
                self._abandon_attempt()
                self._flushed()
            else:
                self._wire.flush().when_settled(self._flushed)
        return self._over

    def start_tls(self, options: Mapping[str, object] | None = None) -> Socket:
        """Upgrade this connection to TLS and return the Socket that speaks it.

        Raises TypeError with the platform's sentence when this socket can't be upgraded.
        """
        self.check_owner()
        if self._options.secure_transport == "on":
            raise TypeError(errors.START_TLS_ON_TLS)
        if self._state not in (SocketState.CONNECTING, SocketState.OPEN, SocketState.UPGRADED):
            raise TypeError(errors.START_TLS_CLOSED)
        raise TypeError(errors.START_TLS_NOT_ASKED_FOR)

    # For whoever opens the connection.

    def attempt(self, attempt: asyncio.Task[None]) -> None:
        """`attempt` is opening this socket's connection; close() cancels it."""
        self._attempt = attempt

    def connect_failed(self, reason: BaseException) -> None:
        """The connection can't be opened: `reason` is the operating system's."""
        self._attempt = None
        if not self._move(SocketEvent.CONNECT_FAILED):
            return
        assert self._address is not None
        http = self._address.port in (80, 443)
        error = SocketError(errors.CONNECT_FAILED_HTTP if http else errors.CONNECT_FAILED)
        error.__cause__ = reason
        self._context.observer.connection_failed(self._context.label, str(self._address), reason)
        self._opened.reject(error)
        self._end_streams(error)
        self._settle(error)

    # What the connection says.

    def wire_opened(self) -> None:
        self._attempt = None
        self._context.traffic.sockets += 1
        self._move(SocketEvent.OPENED)
        self._opened.resolve(self._info)
        if self._readable.core.state is ReadableState.CLOSED:
            self._reading_over()  # Reading was cancelled before there was anything to read.

    def wire_lost(self, error: SocketError | None) -> None:
        if self._move(SocketEvent.LOST):
            # The wire has told the streams: what arrived before can still be read.
            self._settle(error)

    # What follows.

    def _reading_over(self) -> None:
        if self._readable.core.state is not ReadableState.CLOSED:
            return  # Broken: the wire says so itself.
        if not self._move(SocketEvent.READ_ENDED):
            return
        if self._state is SocketState.CLOSED:
            self._close_wire()
        elif self._wire.peer_ended and not self._options.allow_half_open:
            self._writable.core.close()

    def _writing_over(self) -> None:
        if self._writable.core.closed.error is not None:
            if self._state is SocketState.CONNECTING:
                self._let_go()
            return  # Broken off: a wire that is open is being reset and says so itself.
        if self._move(SocketEvent.WRITE_ENDED) and self._state is SocketState.CLOSED:
            self._close_wire()

    def _flushed(self) -> None:
        if self._move(SocketEvent.FLUSHED):
            self._close_wire()

    def _close_wire(self) -> None:
        self._end_streams(None)
        self._wire.close()
        self._settle(None)

    def _let_go(self) -> None:
        """The request is over: what was written to an open connection is still sent, nothing waits for it."""
        if self._state in OVER:
            return
        self._abandon_attempt()
        self._move(SocketEvent.CLOSE_CALLED)
        self._flushed()

    def _abandon_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        self._opened.reject(SocketError(errors.CLOSED_WHILE_CONNECTING))

    def _end_streams(self, error: SocketError | None) -> None:
        self._readable.core.cancel(error)
        if error is None:
            self._writable.core.seal()
        else:
            self._writable.core.fail(error)

    def _settle(self, error: SocketError | None) -> None:
        self._context.disown(self)
        if error is None:
            self._closed.resolve(None)
        else:
            self._closed.reject(error)
        self._over.resolve(None)

    def _move(self, event: SocketEvent) -> bool:
        state = next_state(self._state, event)
        if state is None:
            return False
        self._state = state
        return True
