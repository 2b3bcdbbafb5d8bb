"""Socket: what connect() returns and an inbound connect() handler is given.

Floor 3. Owns how a connection's life (state.py) shows in `readable`, `writable`, `opened` and `closed`. Must not
know how a connection is made (connect.py) or what HTTP is. Source: connect.md, "Life of a socket".
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from emulator import errors
from emulator.context import Claim, IoContext, Owned, Traffic
from emulator.errors import ConfigError, SocketError
from emulator.naming import camel_case_aliases
from emulator.sockets import census
from emulator.sockets.address import SocketAddress, SocketInfo
from emulator.sockets.dial import TimeLimit, start_attempt
from emulator.sockets.failure import connect_error
from emulator.sockets.network import DEFAULT_NETWORK, Network
from emulator.sockets.options import SecureTransport, SocketOptions, parse_upgrade_options
from emulator.sockets.state import OVER, TRANSITIONS, SocketEvent, SocketState
from emulator.sockets.tls import TlsLayer, TlsState, is_alert
from emulator.sockets.upgrade import check_upgradable
from emulator.sockets.wire import Wire
from emulator.sockets.wire_state import WireListener
from emulator.streams import (
    Lock,
    NativeReadable,
    NativeWritable,
    Promise,
    ReadableState,
    ReadableStream,
    WritableStream,
)

# As globals: Python takes ten times as long to read a member from its class.
_CONNECTING, _OPEN, _CLOSED = SocketState.CONNECTING, SocketState.OPEN, SocketState.CLOSED
_OPENED = SocketEvent.OPENED
_READ_ENDED, _WRITE_ENDED = SocketEvent.READ_ENDED, SocketEvent.WRITE_ENDED
_READABLE, _CLOSED_STREAM = ReadableState.READABLE, ReadableState.CLOSED


@camel_case_aliases
class Socket(Owned, WireListener):
    """A TCP connection. Belongs to the request that made it and is closed when that ends.

    `address` is where it goes, None for an inbound one; `info` is what `opened` gives. A socket that another was
    `upgraded_from` takes over its `wire`; `server_name` is whose certificate TLS expects, if not the address's.
    """

    io_type = "Socket"
    # How it begins:
    _state: SocketState = _CONNECTING
    _attempt: asyncio.Task[None] | asyncio.Handle | None = None
    _tls: TlsLayer | None = None
    _claim: Claim | None = None

    def __init__(
        self,
        context: IoContext,
        options: SocketOptions,
        info: SocketInfo,
        address: SocketAddress | None = None,
        *,
        upgraded_from: Socket | None = None,
        server_name: str | None = None,
    ) -> None:
        super().__init__()
        self._context = context
        self._network = context.provided(Network, DEFAULT_NETWORK)
        self._options = options
        self._info = info
        self._address = address
        self._opened: Promise[SocketInfo] = Promise()
        self._closed: Promise[None] = Promise()
        self._over: Promise[None] = Promise()
        self._upgraded_from = upgraded_from
        if upgraded_from is None:
            self.wire = Wire(self, Traffic(), options.high_water_mark)
            context.connections.count(self.wire, self.wire.traffic)
        else:
            self.wire = upgraded_from.wire
        if address is not None and options.secure_transport == "on":
            name = server_name or address.host
            self._tls = TlsLayer(self.wire, self._network.trust, name)
            if not self._network.trust.checks(name):
                context.observer.certificate_unchecked(context.label, str(address))
        self._channel: Wire | TlsLayer = self._tls or self.wire
        self._incoming = NativeReadable(self._channel)
        self._outgoing = NativeWritable(self._channel, options.high_water_mark)
        self._readable = ReadableStream.of(self._incoming, self)
        self._writable = WritableStream.of(self._outgoing, self)
        self._incoming.closed.when_settled(self._reading_over)
        self._outgoing.closed.when_settled(self._writing_over)
        if upgraded_from is not None and upgraded_from._claim is not None:
            self.claim(upgraded_from._claim)  # An upgrade goes on holding the slot.
        context.own(self, self._let_go)
        census.count(self)

    def __repr__(self) -> str:
        peer = self._info.remote_address or f"to {self._info.local_address}"
        return f"<Socket {peer} {self._state.value}>"

    @property
    def state(self) -> SocketState:
        """Where this socket is in its life."""
        return self._state

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
        connecting = self._state is _CONNECTING
        if self._move(SocketEvent.CLOSE_CALLED):
            self._readable.begin_closing(Lock.CLOSING)
            self._writable.begin_closing(Lock.CLOSING)
            if connecting and not self._channel.buffered_bytes:
                self._abandon_attempt()
                self._flushed()
            else:
                self._channel.flush().when_settled(self._flushed)
        return self._over

    def start_tls(self, options: Mapping[str, object] | None = None, /, **named: object) -> Socket:
        """Upgrade this connection to TLS; returns at once the Socket that speaks it, which may be written to.

        What is queued is sent first, in the clear. This socket's streams are closed, their readers and writers stop
        working. Raises TypeError with the platform's sentence when this socket can't be upgraded.
        """
        self.check_owner()
        server_name = parse_upgrade_options(options, named)
        check_upgradable(self._options.secure_transport, self._state)
        self._readable.check_not_piped()
        self._writable.check_not_piped()
        if server_name is not None:
            if self._network.policy is not None:
                raise TypeError(errors.SERVER_NAME_UNSUPPORTED)
            self._context.observer.note(errors.EXPECTED_SERVER_HOSTNAME)
        successor = Socket(
            self._context,
            replace(self._options, secure_transport="on"),
            self._info,
            self._address,
            upgraded_from=self,
            server_name=server_name,
        )
        was_open = self._state is _OPEN
        unread = self._hand_over(successor)
        if was_open and not unread:
            successor._begin()
        successor.attempt(start_attempt(successor.take_over(unread), f"TLS with {self._address}"))
        return successor

    def __await__(self) -> Generator[Any, None, Socket]:
        """Give this socket at once: the platform's samples await start_tls()."""
        yield from ()
        return self

    # For whoever opens the connection.

    def attempt(self, attempt: asyncio.Task[None] | asyncio.Handle) -> None:
        """`attempt` is opening this socket's connection, or about to; close() cancels it."""
        self._attempt = attempt

    def claim(self, claim: Claim) -> None:
        """`claim` speaks of this socket, and is given back when its connection is over."""
        claim.is_idle = lambda: self.is_idle
        claim.last_used = lambda: self.wire.last_used
        claim.close = self.make_room
        self._claim = claim

    @property
    def is_idle(self) -> bool:
        """True while no read or write is under way on an open connection."""
        return not (
            self._incoming.busy or self._channel.buffered_bytes or self._state is _CONNECTING
        )

    def make_room(self) -> None:
        """Somebody else needs this connection's slot: end it, with the platform's words."""
        error = SocketError(errors.CONNECTION_LIMIT)
        if self._move(SocketEvent.LOST):
            self._incoming.error(error)
            self._outgoing.fail(error)
            self._channel.close()
            self._settle(error)

    async def secured(self) -> None:
        """Wait until the connection can be used, TLS included where it was asked for. Raises OSError if it can't."""
        if self._tls is not None:
            await self._tls.handshake

    async def take_over(self, unread: list[bytes]) -> None:
        """Wait for the upgrade of the connection, and fail if it can't be; `unread` came in the clear before it."""
        assert self._upgraded_from is not None
        try:
            if unread:
                data = b"".join(unread)
                raise OSError(errors.START_TLS_UNREAD.format(count=len(data), start=data[:40]))
            async with TimeLimit(self._network.connect_timeout_seconds).waiting():
                await self._upgraded_from._opened
                await self.secured()
        except (OSError, ConfigError) as error:
            # The other socket's error wraps the reason; a reason may have a cause of its own.
            wrapped = error is self._upgraded_from._opened.error
            self.connect_failed(error.__cause__ if wrapped and error.__cause__ else error)

    def connect_failed(self, reason: BaseException) -> None:
        """The connection can't be opened or upgraded: `reason` is the operating system's, or that of TLS."""
        self._attempt = None
        shaking_hands = self._tls is not None and self._tls.state is TlsState.HANDSHAKING
        if shaking_hands and isinstance(reason, TimeoutError):
            reason.add_note(errors.TLS_NO_ANSWER)
        was_open = self._upgraded_from is not None and self._upgraded_from._opened.error is None
        error = connect_error(reason, self._address, was_open=was_open)
        if self.upgraded:  # Before it was open. The Socket that took over says the rest.
            self._opened.reject(error)
            self._closed.reject(error)
            self._over.resolve(None)
        if not self._move(SocketEvent.CONNECT_FAILED):
            return
        self._context.observer.connection_failed(self._context.label, str(self._address), reason)
        self._opened.reject(error)
        self._end_streams(error)
        self._channel.close()
        self._settle(error)

    # What the connection says.

    def wire_opened(self) -> None:
        self.wire.traffic.sockets += 1
        if self._upgraded_from is not None:
            self._upgraded_from._opened.resolve(self._info)
        self._begin()

    def wire_answered(self, start: bytes) -> None:
        if self._tls is None and self._address is not None and is_alert(start):
            self._context.observer.note(errors.TLS_EXPECTED.format(address=self._address))

    def wire_lost(self, error: SocketError | None) -> None:
        self._note_silence()
        if self._move(SocketEvent.LOST):
            # The wire has told the streams: what arrived before can still be read.
            self._settle(error)

    # What follows.

    def _begin(self) -> None:
        """The wire is open, and this socket's: shake hands where TLS was asked for."""
        if self._tls is None:
            self._ready()
        else:
            handshake = self._tls.handshake  # A failed one is reported by its attempt.
            handshake.when_settled(lambda: None if handshake.error else self._ready())
            self._tls.start()

    def _ready(self) -> None:
        # The attempt has nothing left to do, and cancelled now it would drop what is being sent.
        self._attempt = None
        self._move(_OPENED)
        self._opened.resolve(self._info)
        if self._incoming.state is _CLOSED_STREAM:
            self._reading_over()  # Reading was cancelled before there was anything to read.

    def _hand_over(self, successor: Socket) -> list[bytes]:
        """Give the connection to `successor`; return what has arrived and nobody has read."""
        self._move(SocketEvent.UPGRADE_CALLED)
        self._readable.begin_closing(Lock.DETACHED)
        self._writable.begin_closing(Lock.DETACHED)
        unread = self._incoming.retire()
        self._context.disown(self)
        self.wire.listen(successor)
        self.wire.flush().when_settled(self._handed_over)
        return unread

    def _handed_over(self) -> None:
        self._outgoing.seal()
        self._closed.resolve(None)
        self._over.resolve(None)

    def _note_silence(self) -> None:
        """A peer that hangs up on what it was sent may have waited for TLS."""
        plain = self._tls is None and self._address is not None
        if plain and self._state is _OPEN and self.wire.unanswered:
            self._context.observer.note(errors.TLS_MAYBE_EXPECTED.format(address=self._address))

    def _reading_over(self) -> None:
        if self._incoming.state is not _CLOSED_STREAM:
            return  # Broken: the wire says so itself.
        if self._channel.peer_ended:
            self._note_silence()
        if not self._move(_READ_ENDED):
            return
        if self._state is _CLOSED:
            self._close_wire()
        elif self._channel.peer_ended and not self._options.allow_half_open:
            self._outgoing.close() if self._channel.buffered_bytes else self._outgoing.seal()

    def _writing_over(self) -> None:
        if self._outgoing.closed.error is None:
            if self._move(_WRITE_ENDED) and self._state is _CLOSED:
                self._close_wire()
        elif self._state is _CONNECTING:
            self._let_go()  # Broken off: a wire that is open is being reset and says so itself.

    def _flushed(self) -> None:
        if self._move(SocketEvent.FLUSHED):
            self._close_wire()

    def _close_wire(self) -> None:
        self._end_streams(None)
        self._channel.close()
        self._settle(None)

    def _let_go(self) -> None:
        """The request is over: what was written to an open connection is still sent, nothing waits for it."""
        if self._state in OVER:
            return
        self._abandon_attempt()
        self._move(SocketEvent.CLOSE_CALLED)
        self._flushed()

    def _abandon_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
            self._give_back_slot()  # One that has not taken its first step does not.
        if self._upgraded_from is not None:
            self._upgraded_from._abandon_attempt()
            self._upgraded_from._handed_over()
        self._opened.reject(SocketError(errors.CLOSED_WHILE_CONNECTING))

    def _give_back_slot(self) -> None:
        claim, self._claim = self._claim, None
        if claim is not None:
            self._context.slots.give_back(claim)

    def _end_streams(self, error: SocketError | None) -> None:
        # What has ended by itself was not cancelled: it may still be a body.
        if self._incoming.state is _READABLE:
            self._incoming.cancel(error)
        if error is None:
            self._outgoing.seal()
        else:
            self._outgoing.fail(error)

    def _settle(self, error: SocketError | None) -> None:
        self._context.disown(self)
        self._give_back_slot()
        if error is None:
            self._closed.resolve(None)
        else:
            self._closed.reject(error)
        self._over.resolve(None)

    def _move(self, event: SocketEvent) -> bool:
        state = TRANSITIONS[self._state].get(event)
        if state is None:
            return False
        self._state = state
        return True
