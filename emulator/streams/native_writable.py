"""A native writable stream's state machine: writes in order to a sink, with promises of what became of them.

Floor 2. Owns state and the promises of writes under way; has no lock and no owner (the faces in writable.py do).
Must not know where the bytes go (a ByteSink). Source of the behaviour: WHATWG Streams and the platform.
"""

from __future__ import annotations

from emulator import errors
from emulator.streams.core import WritableCore, WritableState, as_error
from emulator.streams.native import HIGH_WATER_MARK_BYTES, Bytes, ByteSink, Feeder
from emulator.streams.promise import Promise

# As globals: Python takes ten times as long to read a member from its class.
_WRITABLE, _CLOSING, _ERRORING, _CLOSED, _ERRORED = WritableState


class NativeWritable(WritableCore, ByteSink, Feeder):
    """Feeds `sink`. A worker's writes go through `submit`; a pump uses it as the sink it is.

    `closed` settles when the sink has everything and its end (fulfilled) or broke (rejected);
    `ready` is pending while `high_water_mark_bytes` or more wait to be sent.
    """

    # How it begins.
    _state: WritableState = _WRITABLE
    _error: BaseException | None = None
    _feeder: Feeder | None = None
    _pending_writes: list[Promise[None]] | None = None

    def __init__(self, sink: ByteSink, high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES) -> None:
        self.closed: Promise[None] = Promise()
        self.ready: Promise[None] = Promise.fulfilled(None)
        self._sink = sink
        self._high_water_mark_bytes = high_water_mark_bytes
        sink.feed_from(self)

    @property
    def state(self) -> WritableState:
        """The stream's state."""
        return self._state

    @property
    def error(self) -> BaseException | None:
        return self._error

    @property
    def desired_size(self) -> int | None:
        """Bytes that may be written before `ready` turns pending; None once the stream has failed."""
        if self._state is _ERRORED:
            return None
        if self._state is not _WRITABLE:
            return 0
        return self._high_water_mark_bytes - self._sink.buffered_bytes

    # What a writer asks.

    def submit(self, chunk: object, size: object = 1) -> Promise[None]:
        """Write `chunk`; the promise settles when it was handed to the operating system, or never will be."""
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            return Promise.rejected(errors.chunk_not_bytes(chunk))
        if (refused := self._refusal()) is not None:
            return Promise.rejected(refused)
        # A mutable buffer may change while it waits to be sent.
        data = chunk if isinstance(chunk, bytes) else bytes(chunk)
        if not data or self._sink.write(data):
            return Promise.fulfilled(None)
        if self._state is _ERRORED and self._error is not None:
            return Promise.rejected(self._error)
        written: Promise[None] = Promise()
        if self._pending_writes is None:
            self._pending_writes = []
        self._pending_writes.append(written)
        if self._sink.buffered_bytes >= self._high_water_mark_bytes and self.ready.settled:
            self.ready = Promise()
        return written

    def close(self) -> Promise[None]:
        """Send what is queued, then the end. Rejected when the stream is closed, closing or failed."""
        if (refused := self._refusal()) is not None:
            return Promise.rejected(refused)
        self._finish()
        feeder, self._feeder = self._feeder, None
        if feeder is not None:  # A pump is cut off when the socket it feeds is closed.
            feeder.sink_lost(TypeError(errors.WRITABLE_CLOSED))
        return self.closed

    def break_off(self, reason: object) -> Promise[None]:
        """Fail with `reason`: what is queued is not sent, and the receiver can tell."""
        if self._state in (_WRITABLE, _CLOSING):
            error = as_error(reason, errors.WRITABLE_ABORTED)
            self._fail(error)
            self._sink.abort(error)
        return Promise.fulfilled(None)

    def fail(self, error: BaseException) -> None:
        """The sink is known to be gone: reject everything with `error` without touching it."""
        if self._state in (_WRITABLE, _CLOSING):
            self._fail(error)

    def seal(self) -> None:
        """The sink is closed from here, with everything sent: close without touching it."""
        if self._state not in (_WRITABLE, _CLOSING):
            return
        self._state = _CLOSED
        self._settle_writes()
        self.closed.resolve(None)
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            feeder.sink_lost(TypeError(errors.WRITABLE_CLOSED))

    # As the sink of a pump.

    def feed_from(self, feeder: Feeder) -> None:
        if (refused := self._refusal()) is not None:
            feeder.sink_lost(refused)
        else:
            self._feeder = feeder

    @property
    def buffered_bytes(self) -> int:
        return self._sink.buffered_bytes

    def write(self, data: Bytes) -> bool:
        return self._sink.write(data)

    def flush(self) -> Promise[None]:
        return self._sink.flush()

    def finish(self) -> Promise[None]:
        if self._state is _WRITABLE:
            self._feeder = None
            self._finish()
        return self.closed

    def abort(self, error: BaseException) -> None:
        self.break_off(error)

    # What the sink says.

    def drained(self) -> None:
        self._settle_writes()
        if self._feeder is not None:
            self._feeder.drained()

    def sink_lost(self, error: BaseException) -> None:
        if self._state in (_WRITABLE, _CLOSING):
            self._fail(error)

    def _refusal(self) -> BaseException | None:
        if self._state is _WRITABLE:
            return None
        if self._state is _ERRORED:
            return self._error
        return TypeError(errors.WRITABLE_CLOSED)

    def _finish(self) -> None:
        self._state = _CLOSING
        finished = self._sink.finish()

        def settle() -> None:
            if finished.error is not None:
                self.fail(finished.error)
            elif self._state is _CLOSING:
                self._state = _CLOSED
                self._settle_writes()
                self.closed.resolve(None)

        finished.when_settled(settle)

    def _settle_writes(self) -> None:
        pending, self._pending_writes = self._pending_writes, None
        for written in pending or ():
            written.resolve(None)
        self.ready.resolve(None)

    def _fail(self, error: BaseException) -> None:
        self._state = _ERRORED
        self._error = error
        pending, self._pending_writes = self._pending_writes, None
        for written in pending or ():
            written.reject(error)
        if self.ready.settled:
            self.ready = Promise.rejected(error)
        else:
            self.ready.reject(error)
        self.closed.reject(error)
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            feeder.sink_lost(error)
