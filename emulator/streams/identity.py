"""Streams of bytes that pass through unchanged: IdentityTransformStream, FixedLengthStream.

Floor 2. Owns a native sink whose bytes are a native source's, so that a pipe through it stays a pump. Source: the
platform's documentation of both.
"""

from __future__ import annotations

from emulator import errors
from emulator.naming import camel_case_aliases
from emulator.streams.native import Bytes, ByteSink, ByteSource, Feeder, Receiver
from emulator.streams.native_readable import NativeReadable
from emulator.streams.native_writable import NativeWritable
from emulator.streams.promise import Promise
from emulator.streams.readable import ReadableStream
from emulator.streams.writable import WritableStream


class Conduit(ByteSource, ByteSink):
    """A sink and the source of what is written to it; the writer waits while the reader does not want more."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._feeder: Feeder | None = None
        self._held = False
        self._held_bytes = 0  # What was written although the reader did not want more.
        self._finished: Promise[None] | None = None  # The end, while it waits behind what is held.
        self.readable = NativeReadable(self, 1)
        self._flushes: list[Promise[None]] = []

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        self._held = True

    def resume(self) -> None:
        self._held = False
        self._held_bytes = 0
        flushes, self._flushes = self._flushes, []
        for flushed in flushes:
            flushed.resolve(None)
        if self._feeder is not None:
            self._feeder.drained()
        if self._finished is not None:
            self._end()

    def cancel(self, reason: BaseException | None) -> None:
        self._receiver = None
        if self._feeder is not None:
            self._feeder.sink_lost(reason or TypeError(errors.READABLE_CANCELLED))

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder

    @property
    def buffered_bytes(self) -> int:
        return self._held_bytes

    def write(self, data: Bytes) -> bool:
        if self._receiver is not None:
            self._receiver.receive(bytes(data))
        if self._held:
            self._held_bytes += len(data)
        return not self._held

    def flush(self) -> Promise[None]:
        if not self._held:
            return Promise.fulfilled(None)
        flushed: Promise[None] = Promise()
        self._flushes.append(flushed)
        return flushed

    def finish(self) -> Promise[None]:
        finished: Promise[None] = Promise()
        self._finished = finished
        if not self._held:
            self._end()
        return finished

    def abort(self, error: BaseException) -> None:
        self._finished = None
        if self._receiver is self.readable:
            self.readable.error(error)  # What nobody has read was never written: it is dropped.
        elif self._receiver is not None:
            self._receiver.fail(error)

    def _end(self) -> None:
        """Everything was taken: now the reader may have the end."""
        finished, self._finished = self._finished, None
        if self._receiver is not None:
            self._receiver.end()
        if finished is not None:
            finished.resolve(None)


class FixedConduit(Conduit):
    """A conduit for exactly `length_bytes`."""

    def __init__(self, length_bytes: int) -> None:
        super().__init__()
        self._length_bytes = length_bytes
        self._remaining_bytes = length_bytes

    @property
    def length_bytes(self) -> int:
        return self._length_bytes

    def write(self, data: Bytes) -> bool:
        if len(data) > self._remaining_bytes:
            self._break(TypeError(errors.FIXED_LENGTH_EXCEEDED))
            return False
        self._remaining_bytes -= len(data)
        return super().write(data)

    def finish(self) -> Promise[None]:
        if not self._remaining_bytes:
            return super().finish()
        error = TypeError(errors.FIXED_LENGTH_MISSED)
        self._break(error)
        return Promise.rejected(error)

    def _break(self, error: TypeError) -> None:
        self.abort(error)
        if self._feeder is not None:
            self._feeder.sink_lost(error)


@camel_case_aliases
class IdentityTransformStream:
    """Bytes written to `writable` are read from `readable`; a write waits until they are wanted."""

    def __init__(self, strategy: object = None) -> None:
        self._join(Conduit())

    def _join(self, conduit: Conduit) -> None:
        self._readable = ReadableStream.of(conduit.readable)
        self._writable = WritableStream.of(NativeWritable(conduit, 1))

    @property
    def readable(self) -> ReadableStream:
        """The side where bytes come out."""
        return self._readable

    @property
    def writable(self) -> WritableStream:
        """The side where bytes go in."""
        return self._writable


@camel_case_aliases
class FixedLengthStream(IdentityTransformStream):
    """An identity stream of exactly `expected_length` bytes: more, or fewer, fail both sides.

    A Response made of its readable side has that Content-Length.
    """

    def __init__(self, expected_length: int, strategy: object = None) -> None:
        if type(expected_length) is not int or expected_length < 0:
            raise TypeError(errors.FIXED_LENGTH_INVALID.format(value=expected_length))
        self._join(FixedConduit(expected_length))
