"""TLS over a wire: the one place that knows the ssl module.

Floor 3. Owns handshake, records, close_notify and which certificates are trusted. Must not know sockets, requests or
addresses' policy. It runs OpenSSL on memory, so that both event loops behave alike, STARTTLS can begin at any byte and
either side can end its half first. Source: RFC 8446 and RFC 5246; connect.md, "start_tls()".
"""

from __future__ import annotations

import contextlib
import os
import ssl
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from emulator.errors import (
    CONNECTION_LOST,
    TLS_CLOSED_IN_HANDSHAKE,
    TLS_PLAINTEXT_PEER,
    TLS_TRUNCATED,
    ConfigError,
    SocketError,
)
from emulator.sockets.wire import Wire
from emulator.streams import Bytes, ByteSink, ByteSource, Feeder, Promise, Receiver

# One pass of decryption delivers up to this much at once; a TLS record holds 16 KiB.
READ_BYTES = 262_144
# As many of the peer's first bytes are kept to tell what it spoke in TLS's place.
GREETING_BYTES = 64

_HANDSHAKE_RECORD, _ALERT_RECORD = 0x16, 0x15


@dataclass(frozen=True)
class Trust:
    """Which certificates are trusted beside the system's.

    `authorities` are PEM files of certificates to trust as well; for `insecure_hosts` nothing is checked.
    """

    authorities: tuple[Path, ...] = ()
    insecure_hosts: frozenset[str] = frozenset()
    _contexts: dict[bool, ssl.SSLContext] = field(default_factory=dict, compare=False, repr=False)

    def checks(self, host: str) -> bool:
        """False for a host whose certificate is accepted whatever it is."""
        return host.lower() not in self.insecure_hosts

    def client_context(self, host: str) -> ssl.SSLContext:
        """Return OpenSSL's settings for a client of `host`. Raises ConfigError for an unusable authority file."""
        checks = self.checks(host)
        context = self._contexts.get(checks)
        if context is None:
            context = self._contexts[checks] = self._make_context(checks)
        return context

    def _make_context(self, checks: bool) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.options |= ssl.OP_NO_RENEGOTIATION
        if not checks:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        system = ssl.get_default_verify_paths().openssl_cafile
        if os.environ.get("SSL_CERT_FILE") and Path(system).is_file():
            # OpenSSL reads the variable's file in place of the system's; here it adds to it.
            context.load_verify_locations(cafile=system)
        for file in self.authorities:
            try:
                context.load_verify_locations(cafile=file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    f"{file} can't be used to trust certificates: {error}."
                ) from error
        return context


class TlsState(Enum):
    """Where a TLS connection is in its life."""

    HANDSHAKING = "handshaking"
    OPEN = "open"
    READ_ENDED = "ended by the peer"
    WRITE_ENDED = "ended from here"
    OVER = "over"


_MAY_READ = frozenset({TlsState.OPEN, TlsState.WRITE_ENDED})
_MAY_WRITE = frozenset({TlsState.OPEN, TlsState.READ_ENDED})


class TlsLayer(ByteSource, ByteSink, Receiver, Feeder):
    """Speaks TLS as a client over `wire`: plaintext for a stream on one side, records for the wire on the other.

    `start()` it once the wire is open; `handshake` settles when plaintext can flow, or is rejected with an ssl.SSLError
    or ConnectionError. What is written before is sent after it.
    """

    def __init__(self, wire: Wire, trust: Trust, server_name: str) -> None:
        self.handshake: Promise[None] = Promise()
        self._wire = wire
        self._from_peer = ssl.MemoryBIO()
        self._to_peer = ssl.MemoryBIO()
        self._tls = trust.client_context(server_name).wrap_bio(
            self._from_peer, self._to_peer, server_hostname=server_name
        )
        self._state = TlsState.HANDSHAKING
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
        self._wire.deliver_to(self)
        self._wire.feed_from(self)
        self._wire.resume()
        self._shake_hands()

    # As a source of plaintext.

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._state is not TlsState.HANDSHAKING:
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
            self._tls.write(data)
            return self._send_records()
        if self._state is TlsState.HANDSHAKING:
            self._queue.append(data)
            self._queued_bytes += len(data)
        return False

    def flush(self) -> Promise[None]:
        return self._flushed if self._state is TlsState.HANDSHAKING else self._wire.flush()

    def finish(self) -> Promise[None]:
        if self._state is not TlsState.HANDSHAKING:
            return self._finish()
        if self._finished is None:
            self._finished = Promise()
        return self._finished

    def abort(self, error: BaseException) -> None:
        self._state = TlsState.OVER
        self._wire.abort(error)

    def close(self) -> None:
        """Send close_notify and let go of the connection; what was written is still sent."""
        self._receiver = None
        self._send_close_notify()
        self._state = TlsState.OVER
        self._wire.close()

    # What the wire says.

    def receive(self, data: bytes) -> None:
        self._from_peer.write(data)
        if self._state is TlsState.HANDSHAKING:
            if len(self._greeting) < GREETING_BYTES:
                self._greeting += data[:GREETING_BYTES]
            self._shake_hands()
        if self._state in _MAY_READ:
            self._decrypt()

    def end(self) -> None:
        if self._state is TlsState.HANDSHAKING:
            self._refuse(ConnectionError(TLS_CLOSED_IN_HANDSHAKE))
        elif self._state in _MAY_READ:
            # Without close_notify nobody can tell an end from a cut.
            self._break(ssl.SSLEOFError(ssl.SSL_ERROR_EOF, TLS_TRUNCATED))

    def fail(self, error: BaseException) -> None:
        if self._state is TlsState.HANDSHAKING:
            self._refuse(error)
        self._state = TlsState.OVER
        if self._receiver is not None:
            self._receiver.fail(error)

    def drained(self) -> None:
        if self._feeder is not None and self._state is not TlsState.HANDSHAKING:
            self._feeder.drained()

    def sink_lost(self, error: BaseException) -> None:
        if self._state is TlsState.HANDSHAKING:
            self._refuse(error)
        self._state = TlsState.OVER
        if self._feeder is not None:
            self._feeder.sink_lost(error)

    # What follows.

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send_records()
            return
        except ssl.SSLError as error:
            self._send_records()  # The alert that tells the peer why.
            self._refuse(self._explained(error))
            return
        self._state = TlsState.OPEN
        queue, self._queue = self._queue, []
        self._queued_bytes = 0
        for data in queue:
            self._tls.write(data)
        room = self._send_records()
        self.handshake.resolve(None)
        self._flushed.follow(self._wire.flush())
        if self._finished is not None:
            self._finished.follow(self._finish())
        elif room and self._feeder is not None:
            self._feeder.drained()

    def _decrypt(self) -> None:
        while True:
            chunks = []
            ended = False
            size = 0
            try:
                while size < READ_BYTES:
                    chunk = self._tls.read(READ_BYTES)
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
                self._deliver(chunks)
                self._break(error)
                return
            self._deliver(chunks)
            if self._to_peer.pending:
                self._send_records()  # Answers that the protocol itself asks for, as to a key update.
            if ended:
                self._peer_ended()
            if ended or size < READ_BYTES or self._state not in _MAY_READ:
                return

    def _deliver(self, chunks: list[bytes]) -> None:
        if chunks and self._receiver is not None:
            self._receiver.receive(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _peer_ended(self) -> None:
        self._state = TlsState.READ_ENDED if self._state is TlsState.OPEN else TlsState.OVER
        if self._receiver is not None:
            self._receiver.end()

    def _finish(self) -> Promise[None]:
        self._send_close_notify()
        self._state = TlsState.WRITE_ENDED if self._state is TlsState.OPEN else TlsState.OVER
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
        """The handshake failed: nothing that was queued will be sent."""
        self._state = TlsState.OVER
        self._queue.clear()
        self._queued_bytes = 0
        self.handshake.reject(error)
        self._flushed.resolve(None)
        if self._finished is not None:
            self._finished.reject(error)
        self._wire.close()

    def _break(self, error: OSError) -> None:
        self._state = TlsState.OVER
        lost = SocketError(CONNECTION_LOST)
        lost.__cause__ = error
        if self._receiver is not None:
            self._receiver.fail(lost)
        self._wire.break_off(error)

    def _explained(self, error: ssl.SSLError) -> OSError:
        """Say what the peer spoke, where that was not TLS at all."""
        if not self._greeting or self._greeting[0] in (_HANDSHAKE_RECORD, _ALERT_RECORD):
            return error
        sentence = TLS_PLAINTEXT_PEER.format(greeting=self._greeting)
        explained = ssl.SSLError(ssl.SSL_ERROR_SSL, sentence)
        explained.__cause__ = error
        return explained
