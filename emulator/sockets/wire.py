"""One TCP connection as a native byte source and sink.

Floor 3. Owns the transport: what is queued until it exists, back-pressure both ways, FIN and reset. Must not know
streams, requests or TLS: it is told who receives, who feeds and who watches. Works on any asyncio event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import weakref
from time import monotonic
from typing import cast

from emulator.context import Traffic
from emulator.errors import CONNECTION_LOST, SocketError
from emulator.sockets import lingering
from emulator.sockets.raw_transport import RawTransport, StreamProtocol
from emulator.sockets.reset import reset_connection
from emulator.sockets.wire_state import Incoming, Outgoing, WireListener
from emulator.streams import (
    HIGH_WATER_MARK_BYTES,
    Bytes,
    ByteSink,
    ByteSource,
    Feeder,
    Promise,
    Receiver,
)

# How long a connection closed from here still takes (and drops) what the peer sends: closing at once would answer
# that with a reset, which can destroy bytes that the peer has not read yet.
LINGER_SECONDS = 1.0
LINGER_LIMIT_BYTES = 262_144
# A connection closed from here, whose peer takes nothing of what is left to send for so long, is given up.
STALLED_SECONDS = 10.0
# A loop that is not reading does not hear of a reset: how often it is looked for then.
WATCH_SECONDS = 0.25


# As globals: Python takes ten times as long to read a member from its class.
_IN_FLOWING, _IN_PAUSED, _IN_DISCARDING, _IN_ENDED = Incoming
_OUT_QUEUING, _OUT_QUEUED_END, _OUT_FLOWING, _OUT_FULL, _OUT_ENDING, _OUT_GONE = Outgoing


class Wire(StreamProtocol, ByteSource, ByteSink):
    """A connection that is being opened, is open, or is over.

    Hand it to the event loop as a connection's protocol; it serves as source and sink from the start.
    `traffic` is counted up as bytes pass; from `high_water_mark_bytes` unsent on the feeder is asked to hold back.
    `made` is when it was made, by the monotonic clock.
    """

    # How it begins. What most connections never need is made when it is.
    _listened: weakref.ref[WireListener] | None = None  # Once nothing happens any more.
    _transport: asyncio.Transport | None = None
    _receiver: Receiver | None = None
    _feeder: Feeder | None = None
    _incoming: Incoming = _IN_FLOWING
    _outgoing: Outgoing = _OUT_QUEUING
    _queue: list[Bytes] | None = None
    _queued_bytes = 0
    _flushes: list[Promise[None]] | None = None
    _linger: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _broken: OSError | None = None
    _dropped_bytes = 0
    _answered = False
    _spoken = False

    def __init__(
        self,
        listener: WireListener,
        traffic: Traffic,
        high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES,
    ) -> None:
        self._listener: WireListener | None = listener
        self.traffic = traffic
        self.made = self.last_used = monotonic()
        # The event loop holds a transport back when it has more than its limit.
        self._limit_bytes = max(high_water_mark_bytes - 1, 0)

    def __repr__(self) -> str:
        return f"<Wire in: {self._incoming.value}; out: {self._outgoing.value}>"

    def listen(self, listener: WireListener) -> None:
        """Tell `listener`, in place of the one before, what becomes of the connection."""
        self._listener = listener

    @property
    def listener(self) -> WireListener | None:
        """Whom it tells what becomes of the connection; None if that is gone, and so is the connection."""
        return self._listened() if self._listened is not None else self._listener

    @property
    def peer_ended(self) -> bool:
        """True once the peer's FIN has arrived."""
        return self._incoming is _IN_ENDED

    @property
    def over(self) -> bool:
        """True once the operating system's connection is gone."""
        return self._outgoing is _OUT_GONE

    @property
    def unanswered(self) -> bool:
        """True while something was sent and nothing has come."""
        return self._spoken and not self._answered

    # As a source.

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._incoming is _IN_FLOWING:
            self._incoming = _IN_PAUSED
            if self._transport is not None:
                self._transport.pause_reading()
                self._watch_for_reset()

    def resume(self) -> None:
        if self._incoming is _IN_PAUSED:
            self._incoming = _IN_FLOWING
            if self._transport is not None:
                self._transport.resume_reading()

    def cancel(self, reason: BaseException | None) -> None:
        """Leave the rest to the operating system: the peer feels it as back-pressure."""
        self.pause()
        self._receiver = None

    def take_end(self) -> bool:
        transport = self._transport
        if self._incoming is not _IN_FLOWING or type(transport) is not RawTransport:
            return False
        if not transport.take_end():
            return False
        self._incoming = _IN_ENDED
        return True

    # As a sink.

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder

    @property
    def buffered_bytes(self) -> int:
        if self._transport is None:
            return self._queued_bytes
        return self._transport.get_write_buffer_size()

    def write(self, data: Bytes) -> bool:
        transport = self._transport
        if transport is None:
            if self._outgoing is _OUT_QUEUING:
                if self._queue is None:
                    self._queue = []
                self._queue.append(data)
                self._queued_bytes += len(data)
            return False
        if self._outgoing is _OUT_FLOWING or self._outgoing is _OUT_FULL:
            transport.write(data)
            self._spoken = True
            self.last_used = monotonic()
            self.traffic.bytes_sent += len(data)
        return self._outgoing is _OUT_FLOWING

    def flush(self) -> Promise[None]:
        if self._outgoing is _OUT_GONE:
            return Promise.fulfilled(None)
        if self._transport is not None:
            if not self._transport.get_write_buffer_size():
                return Promise.fulfilled(None)
            # With a limit of 0 the loop reports the moment when the last byte is handed over.
            self._transport.set_write_buffer_limits(high=0)
        flushed: Promise[None] = Promise()
        if self._flushes is None:
            self._flushes = []
        self._flushes.append(flushed)
        return flushed

    def finish(self) -> Promise[None]:
        if self._outgoing is _OUT_QUEUING:
            self._outgoing = _OUT_QUEUED_END
        elif self._outgoing in (_OUT_FLOWING, _OUT_FULL):
            self._send_end()
        return self.flush()

    def abort(self, error: BaseException) -> None:
        """Reset the connection: the peer sees that what it has is not the whole."""
        transport = self._transport
        if transport is None:
            self._queue = None
            self._queued_bytes = 0
            self._outgoing = _OUT_GONE
            return
        reset_connection(transport)

    def break_off(self, error: OSError) -> None:
        """Reset the connection and have it count as lost, for the reason `error`."""
        self._broken = error
        self.abort(error)

    def close(self) -> None:
        """Let go of the connection without losing what was written: send it, then FIN; drop what still comes."""
        transport = self._transport
        self._receiver = None
        if transport is None or transport.is_closing():
            return
        if self._incoming is _IN_ENDED:
            unsent = transport.get_write_buffer_size()
            transport.close()
            if not unsent:
                return
        else:
            if self._outgoing in (_OUT_FLOWING, _OUT_FULL):
                self._send_end()
            if self._incoming is _IN_PAUSED:
                transport.resume_reading()
            self._incoming = _IN_DISCARDING
        if self._linger is None:
            lingering.begin(self)
            self._linger_on(transport.get_write_buffer_size(), stalled_seconds=0)

    def hurry(self, *, late: bool) -> None:
        """Linger no more: close if everything is sent, reset if it is `late` for that."""
        assert self._transport is not None
        if not self._transport.get_write_buffer_size():
            self._transport.close()
        elif late:
            self.abort(SocketError(CONNECTION_LOST))

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._limit_bytes)
        if self._incoming is _IN_PAUSED:
            self._transport.pause_reading()
            self._watch_for_reset()
        ends, self._outgoing = self._outgoing, _OUT_FLOWING
        queue, self._queue = self._queue, None
        self._queued_bytes = 0
        for data in queue or ():
            self.write(data)
        if ends is _OUT_QUEUED_END:
            self._send_end()
        elif ends is _OUT_GONE:
            self._transport.abort()
            return
        if self._listener is not None:
            self._listener.wire_opened()
        if self._flushes:
            flushes, self._flushes = self._flushes, None
            sent = self.flush()
            for flushed in flushes:
                flushed.follow(sent)
        if self._outgoing is _OUT_FLOWING and self._feeder is not None:
            self._feeder.drained()

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is not None:
            self._count(data)
            receiver.receive(data)
            return
        self._dropped_bytes += len(data)
        if self._dropped_bytes > LINGER_LIMIT_BYTES and self._transport is not None:
            self._transport.close()

    @property
    def takes_end(self) -> bool:
        return self._receiver is not None and self._receiver.takes_end

    def last_received(self, data: bytes) -> bool:
        self._count(data)
        self._incoming = _IN_ENDED
        assert self._receiver is not None
        self._receiver.receive_last(data)
        self._watch_for_reset()
        return True

    def eof_received(self) -> bool:
        discarding = self._incoming is _IN_DISCARDING
        self._incoming = _IN_ENDED
        if self._receiver is not None:
            self._receiver.end()
        if not discarding:
            self._watch_for_reset()
        # True leaves the outgoing side open.
        return not discarding

    def pause_writing(self) -> None:
        if self._outgoing is _OUT_FLOWING:
            self._outgoing = _OUT_FULL

    def resume_writing(self) -> None:
        transport = self._transport
        if self._flushes and transport is not None and not transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=self._limit_bytes)
            self._settle_flushes()
        if self._outgoing is _OUT_FULL:
            self._outgoing = _OUT_FLOWING
            if self._feeder is not None:
                self._feeder.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._linger is not None:
            self._linger.cancel()
            lingering.end(self)
        self._outgoing = _OUT_GONE
        error: SocketError | None = None
        if (cause := exc or self._broken) is not None:
            error = SocketError(CONNECTION_LOST)
            error.__cause__ = cause
        receiver, self._receiver = self._receiver, None
        feeder, self._feeder = self._feeder, None
        if receiver is not None and self._incoming is not _IN_ENDED:
            receiver.fail(error or SocketError(CONNECTION_LOST))
        if feeder is not None:
            feeder.sink_lost(error or SocketError(CONNECTION_LOST))
        self._incoming = _IN_ENDED
        if self._flushes:
            self._settle_flushes()
        listener, self._listener = self._listener, None
        if listener is not None:
            self._listened = weakref.ref(listener)
            listener.wire_lost(error)

    def _count(self, data: bytes) -> None:
        """`data` has come."""
        if not self._answered:
            self._answered = True
            if self._listener is not None:
                self._listener.wire_answered(data)
        self.traffic.bytes_received += len(data)
        self.last_used = monotonic()

    def _send_end(self) -> None:
        self._outgoing = _OUT_ENDING
        assert self._transport is not None
        if self._incoming is _IN_ENDED and not self._transport.get_write_buffer_size():
            self._transport.close()  # Which is the end for the peer, too.
        elif self._transport.can_write_eof():
            with contextlib.suppress(OSError):  # The peer has reset; the loop is about to say so.
                self._transport.write_eof()

    def _linger_on(self, unsent_bytes: int, stalled_seconds: float) -> None:
        """Close in a while, when everything is sent; give up when the peer does not go on taking it."""

        def look() -> None:
            assert self._transport is not None
            unsent = self._transport.get_write_buffer_size()
            stalled = stalled_seconds + LINGER_SECONDS if unsent == unsent_bytes else 0
            if not unsent:
                self._transport.close()
            elif stalled >= STALLED_SECONDS:
                self.abort(SocketError(CONNECTION_LOST))
            else:
                self._linger_on(unsent, stalled)

        self._linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, look)

    def _watch_for_reset(self) -> None:
        """While the loop is not reading, ask the operating system now and then whether the peer has reset."""
        if self._watch is None and self._transport is not None and not self._transport.is_closing():
            self._watch = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._look_for_reset)

    def _look_for_reset(self) -> None:
        self._watch = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._incoming not in (_IN_PAUSED, _IN_ENDED):
            return
        raw = cast(socket.socket | None, transport.get_extra_info("socket"))
        if raw is None:  # In memory: it tells of a reset itself.
            return
        code = raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._broken = OSError(code, os.strerror(code))
            transport.abort()
        else:
            self._watch_for_reset()

    def _settle_flushes(self) -> None:
        flushes, self._flushes = self._flushes, None
        for flushed in flushes or ():
            flushed.resolve(None)
