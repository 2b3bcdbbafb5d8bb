"""TLS over a wire: handshake, records and close_notify.

Floor 3. Owns a TLS connection's life. Must not know sockets or requests. It runs OpenSSL on memory, so that both event
loops behave alike, STARTTLS can begin at any byte and either side can end its half first. Source: RFC 8446 and
RFC 5246; connect.md, "start_tls()".
"""

from __future__ import annotations

import contextlib
import ssl
from enum import Enum

from emulator.errors import (
    CONNECTION_LOST,
    TLS_CLOSED_IN_HANDSHAKE,
    TLS_NAME,
    TLS_PLAINTEXT_PEER,
    TLS_TRUNCATED,
    TLS_UNANSWERED,
    ConfigError,
    SocketError,
)
from emulator.sockets.tls.refusal import explained, unspoken
from emulator.sockets.tls.trust import Trust
from emulator.sockets.wire import Wire
from emulator.streams import Bytes, ByteSink, ByteSource, Feeder, Promise, Receiver

# One pass of decryption delivers, and one of encryption takes, up to this much; a TLS record holds 16 KiB.
PASS_BYTES = 262_144
# As many of the peer's first bytes are kept to tell what it spoke in TLS's place.
GREETING_BYTES = 64


class TlsState(Enum):
    """Where a TLS connection is in its life."""

    WAITING = "waiting for the connection"
    HANDSHAKING = "handshaking"
    OPEN = "open"
    READ_ENDED = "ended by the peer"
    WRITE_ENDED = "ended from here"
    OVER = "over"


_UNOPENED = frozenset({TlsState.WAITING, TlsState.HANDSHAKING})
_MAY_READ = frozenset({TlsState.OPEN, TlsState.WRITE_ENDED})
_MAY_WRITE = frozenset({TlsState.OPEN, TlsState.READ_ENDED})


class TlsLayer(ByteSource, ByteSink, Receiver, Feeder):
    """Speaks TLS as a client over `wire`: plaintext for a stream on one side, records for the wire on the other.

    `start()` it once the wire is open; `handshake` settles when plaintext can flow, or is rejected with an OSError
    (an ssl.SSLError where TLS is the reason) or ConfigError. What is written before is sent after it.
    """

    _tls: ssl.SSLObject  # There from start() on.

    def __init__(self, wire: Wire, trust: Trust, server_name: str) -> None:
        self.handshake: Promise[None] = Promise()
        self._wire = wire
        self._trust = trust
        self._server_name = server_name.rstrip(".")
        self._from_peer = ssl.MemoryBIO()
        self._to_peer = ssl.MemoryBIO()
        self._state = TlsState.WAITING
        self._receiver: Receiver | None = None
        self._feeder: Feeder | None = None
        self._queue: list[Bytes] = []
        self._queued_bytes = 0
        self._flushed: Promise[None] = Promise()
        self._finished: Promise[None] | None = None
        self._greeting = b""

    def __repr__(self) -> str:
        return f"<TlsLayer {self._state.value} over {self._wire!r}>"

    @property
    def state(self) -> TlsState:
        """Where this TLS connection is in its life."""
        return self._state

    @property
    def peer_ended(self) -> bool:
        """True once the peer has sent its last byte."""
        return self._state is TlsState.READ_ENDED or self._wire.peer_ended

    def start(self) -> None:
        """Begin the handshake. The wire delivers to this layer, and is fed by it, from now on."""
        if self._state is not TlsState.WAITING:
            return  # Closed meanwhile.
        self._state = TlsState.HANDSHAKING
        self._wire.deliver_to(self)
        self._wire.feed_from(self)
        try:
            self._tls = self._trust.client_context(self._server_name).wrap_bio(
                self._from_peer, self._to_peer, server_hostname=self._server_name
            )
        except (ConfigError, ValueError) as error:
            self._refuse(error if isinstance(error, ConfigError) else self._unnameable(error))
            return
        self._wire.resume()
        self._shake_hands()

    # As a source of plaintext.

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._state not in _UNOPENED:
            self._wire.pause()

    def resume(self) -> None:
        self._wire.resume()

    def cancel(self, reason: BaseException | None) -> None:
        self._receiver = None
        self.pause()

    # As a sink of plaintext.

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder

    @property
    def buffered_bytes(self) -> int:
        return self._queued_bytes + self._wire.buffered_bytes

    def write(self, data: Bytes) -> bool:
        if self._state in _MAY_WRITE:
            return self._encrypt(data)
        if self._state in _UNOPENED:
            self._queue.append(data)
            self._queued_bytes += len(data)
        return False

    def flush(self) -> Promise[None]:
        return self._flushed if self._state in _UNOPENED else self._wire.flush()

    def finish(self) -> Promise[None]:
        if self._state not in _UNOPENED:
            return self._finish()
        if self._finished is None:
            self._finished = Promise()
        return self._finished

    def abort(self, error: BaseException) -> None:
        self._end()
        self._wire.abort(error)

    def close(self) -> None:
        """Send close_notify and let go of the connection; what was written is still sent."""
        self._receiver = None
        self._send_close_notify()
        self._end()
        self._wire.close()

    # What the wire says.

    def receive(self, data: bytes) -> None:
        if self._state is TlsState.HANDSHAKING:
            if len(self._greeting) < GREETING_BYTES:
                self._greeting = (self._greeting + data)[:GREETING_BYTES]
            self._from_peer.write(data)
            self._shake_hands()
            if self._state in _MAY_READ:
                self._decrypt()
        elif self._state in _MAY_READ:
            self._from_peer.write(data)
            self._decrypt()

    def end(self) -> None:
        if self._state is TlsState.HANDSHAKING:
            sentence = TLS_CLOSED_IN_HANDSHAKE if self._greeting else TLS_UNANSWERED
            if unspoken(self._greeting):
                sentence = TLS_PLAINTEXT_PEER.format(greeting=self._greeting)
            self._refuse(ConnectionError(sentence))
        elif self._state in _MAY_READ:
            # Without close_notify nobody can tell an end from a cut.
            self._break(ssl.SSLEOFError(ssl.SSL_ERROR_EOF, TLS_TRUNCATED))

    def fail(self, error: BaseException) -> None:
        if self._state in _UNOPENED:
            self._refuse(error.__cause__ or error)
            return
        self._end()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.fail(error)

    def drained(self) -> None:
        if self._feeder is not None and self._state not in _UNOPENED:
            self._feeder.drained()

    def sink_lost(self, error: BaseException) -> None:
        if self._state in _UNOPENED:
            self._refuse(error.__cause__ or error)
            return
        self._end()
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            feeder.sink_lost(error)

    # What follows.

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send_records()
            return
        except ssl.SSLError as error:
            self._send_records()  # The alert that tells the peer why.
            self._refuse(explained(error, self._tls, self._server_name, self._greeting))
            return
        self._state = TlsState.OPEN
        queue, self._queue = self._queue, []
        self._queued_bytes = 0
        room = self._send_records()
        for data in queue:
            room = self._encrypt(data)
        if self._receiver is None:
            self._wire.pause()  # Reading was cancelled meanwhile.
        self.handshake.resolve(None)
        self._flushed.follow(self._wire.flush())
        if self._finished is not None:
            self._finished.follow(self._finish())
        elif room and self._feeder is not None:
            self._feeder.drained()

    def _encrypt(self, data: Bytes) -> bool:
        room = False
        view = memoryview(data)
        for start in range(0, len(view), PASS_BYTES):
            try:
                self._tls.write(view[start : start + PASS_BYTES])
            except ssl.SSLError as error:
                self._break(error)
                return False
            room = self._send_records()
        return room

    def _decrypt(self) -> None:
        while True:
            chunks = []
            ended = False
            size = 0
            try:
                while size < PASS_BYTES:
                    chunk = self._tls.read(PASS_BYTES)
                    if not chunk:
                        ended = True
                        break
                    chunks.append(chunk)
                    size += len(chunk)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                ended = True
            except ssl.SSLError as error:
                self._send_records()  # The alert that tells the peer why.
                self._deliver(chunks)
                self._break(error)
                return
            self._deliver(chunks)
            if self._to_peer.pending:
                self._send_records()  # Answers that the protocol itself asks for, as to a key update.
            if ended:
                self._peer_ended()
            if ended or size < PASS_BYTES or self._state not in _MAY_READ:
                return

    def _deliver(self, chunks: list[bytes]) -> None:
        if chunks and self._receiver is not None:
            self._receiver.receive(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _peer_ended(self) -> None:
        if self._state not in _MAY_READ:
            return  # Whoever took the last bytes has closed the connection.
        self._state = TlsState.READ_ENDED if self._state is TlsState.OPEN else TlsState.OVER
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.end()

    def _finish(self) -> Promise[None]:
        self._send_close_notify()
        if self._state is TlsState.OPEN:
            self._state = TlsState.WRITE_ENDED
        elif self._state is TlsState.READ_ENDED:
            self._state = TlsState.OVER
        return self._wire.finish()

    def _send_close_notify(self) -> None:
        if self._state not in _MAY_WRITE:
            return
        # It says that it wants the peer's close_notify, which may come later or never.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self._send_records()

    def _send_records(self) -> bool:
        records = self._to_peer.read()
        return self._wire.write(records) if records else True

    def _refuse(self, error: BaseException) -> None:
        """The handshake failed: nothing that was queued is sent, and who waits for it tells the streams."""
        self._receiver = self._feeder = None
        self._end()
        self.handshake.reject(error)
        if self._finished is not None:
            self._finished.reject(error)
        self._wire.close()

    def _break(self, error: OSError) -> None:
        self._end()
        lost = SocketError(CONNECTION_LOST)
        lost.__cause__ = error
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.fail(lost)
        self._wire.break_off(error)

    def _end(self) -> None:
        """Nothing more is read or written: forget what waited for the handshake."""
        self._state = TlsState.OVER
        self._queue.clear()
        self._queued_bytes = 0
        self._flushed.resolve(None)

    def _unnameable(self, error: ValueError) -> OSError:
        """What to say of a name that OpenSSL can't check: empty, or no host name."""
        return ssl.SSLError(
            ssl.SSL_ERROR_SSL, TLS_NAME.format(name=self._server_name, reason=error)
        )
