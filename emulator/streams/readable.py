"""ReadableStream and its reader, as workers hold them: lock and ownership in front of a ReadableCore.

Floor 2. Owns the lock, the sentences about it and the names of the standard. Must not know where bytes come from.
Source of the behaviour: WHATWG Streams, and the platform's sentences.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.core import ReadableCore, ReaderKind, ReadResult
from emulator.streams.lock import Lock
from emulator.streams.native import HIGH_WATER_MARK_BYTES, ByteSource
from emulator.streams.native_readable import NativeReadable
from emulator.streams.native_writable import NativeWritable
from emulator.streams.pipe import Pipe
from emulator.streams.promise import Promise
from emulator.streams.writable import WritableStream


@camel_case_aliases
class ReadableStream(Owned):
    """Bytes to be read: a socket's incoming side, a body. Iterate it, take a reader, pipe it, or return it
    in a Response.

    Belongs to the request that made it: any use from another one raises OwnershipError.
    """

    __slots__ = ("_core", "_lock", "_reader")

    io_type = "ReadableStreamSource"

    def __init__(
        self, source: ByteSource, *, high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES
    ) -> None:
        super().__init__()
        self._hold_core(NativeReadable(source, high_water_mark_bytes))

    @classmethod
    def of(cls, core: ReadableCore) -> ReadableStream:
        """Return the face of `core`, for the runtime."""
        stream = cls.__new__(cls)
        Owned.__init__(stream)
        stream._hold_core(core)
        return stream

    def _hold_core(self, core: ReadableCore) -> None:
        self._core = core
        self._lock = Lock.FREE
        self._reader: ReadableStreamDefaultReader | None = None

    def __repr__(self) -> str:
        return f"<ReadableStream {self._core.state.value} lock={self._lock.value}>"

    @property
    def core(self) -> ReadableCore:
        """The stream's state machine, for the runtime: no lock and no ownership there."""
        return self._core

    @property
    def locked(self) -> bool:
        """True while a reader, a pipe or a body holds this stream."""
        return self._lock is not Lock.FREE

    @property
    def disturbed(self) -> bool:
        """True once anything was read, piped or cancelled."""
        return self._core.disturbed

    def get_reader(self, *, mode: str | None = None) -> ReadableStreamDefaultReader:
        """Lock this stream and return its reader. Raises TypeError while it is locked or closing."""
        self.check_owner()
        if mode is not None:
            raise TypeError(errors.READER_MODE.format(mode=mode))
        self.check_unlocked()
        return ReadableStreamDefaultReader(self)

    def cancel(self, reason: object = None) -> Promise[None]:
        """Say that the rest is not wanted. Rejected with TypeError while the stream is locked."""
        self.check_owner()
        if self._lock in (Lock.CLOSING, Lock.DETACHED):
            return Promise.fulfilled(None)
        if self.locked:
            return Promise.rejected(TypeError(errors.READABLE_LOCKED))
        return self._cancel(reason)

    def tee(self) -> tuple[ReadableStream, ReadableStream]:
        """Lock this stream and return two that each give all of its bytes. No byte is copied."""
        self.check_owner()
        self.check_unlocked()
        self._lock = Lock.PIPED
        first, second = self._core.tee()
        return ReadableStream.of(first), ReadableStream.of(second)

    def pipe_to(
        self,
        destination: WritableStream,
        *,
        prevent_close: bool = False,
        prevent_abort: bool = False,
        prevent_cancel: bool = False,
    ) -> Promise[None]:
        """Move everything to `destination`, then close it; the promise settles when that is done.

        A failure here aborts the destination and a failure there cancels this stream, unless prevented.
        """
        self.check_owner()
        destination.check_owner()
        for stream in (self, destination):
            try:
                stream.check_unlocked()
            except TypeError as error:
                return Promise.rejected(error)
        self._lock = Lock.PIPED
        source, sink = self._core, destination.hold()
        if isinstance(source, NativeReadable) and isinstance(sink, NativeWritable):
            done = source.pump_to(
                sink,
                finish_sink=not prevent_close,
                abort_sink=not prevent_abort,
                cancel_source=not prevent_cancel,
            )
        else:
            done = Pipe(
                source,
                sink,
                prevent_close=prevent_close,
                prevent_abort=prevent_abort,
                prevent_cancel=prevent_cancel,
            ).start()

        def unpipe() -> None:
            self.unpiped()
            destination.unpiped()

        done.when_settled(unpipe)
        return done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read to the end; leaving the loop early cancels the stream."""
        reader = self.get_reader()
        try:
            while True:
                value, done = await reader.read()
                if done or value is None:
                    break
                yield value
        finally:
            # The loop's finalizer may come here after the request's end: no ownership is asked.
            self._core.cancel()
            reader.detach()
            self.unlock(reader)

    # For the runtime: what bodies, pipes and sockets need beyond the standard's face.

    def check_unlocked(self) -> None:
        """Raise TypeError with the platform's sentence unless this stream may be locked now."""
        if self._lock in (Lock.CLOSING, Lock.DETACHED):
            raise TypeError(errors.READABLE_CLOSING)
        if self.locked:
            raise TypeError(errors.READABLE_LOCKED)

    def check_not_piped(self) -> None:
        """Raise TypeError while a pipe or a body holds this stream; a reader or writer may."""
        if self._lock is Lock.PIPED:
            raise TypeError(errors.READABLE_LOCKED)

    def hold(self) -> ReadableCore:
        """Lock this stream for good, as a body or a pipe does, and return its core."""
        self.check_unlocked()
        self._lock = Lock.PIPED
        return self._core

    def begin_closing(self, lock: Lock) -> None:
        """The socket this stream belongs to is closing (Lock.CLOSING) or gives it up (Lock.DETACHED)."""
        self._lock = lock
        if lock is Lock.DETACHED and self._reader is not None:
            self._reader.detach()

    def unlock(self, reader: ReadableStreamDefaultReader) -> None:
        """`reader` lets go of this stream."""
        if self._reader is reader:
            self._reader = None
            if self._lock is Lock.HELD:
                self._lock = Lock.FREE

    def lock_for(self, reader: ReadableStreamDefaultReader) -> None:
        """`reader` takes hold of this stream."""
        self._core.acquire(ReaderKind.DEFAULT)
        self._reader = reader
        self._lock = Lock.HELD

    def unpiped(self) -> None:
        """A pipe that held this stream is over."""
        if self._lock is Lock.PIPED:
            self._lock = Lock.FREE

    def _cancel(self, reason: object) -> Promise[None]:
        return self._core.cancel(reason)


@camel_case_aliases
class ReadableStreamDefaultReader:
    """Reads one chunk at a time. Made by `ReadableStream.get_reader()`."""

    __slots__ = ("_closed", "_stream")

    def __init__(self, stream: ReadableStream) -> None:
        self._stream: ReadableStream | None = stream
        self._closed: Promise[None] | None = None  # Made when somebody asks for it.
        stream.lock_for(self)

    @property
    def closed(self) -> Promise[None]:
        """Settles when the stream is closed (fulfilled), or failed or was released (rejected)."""
        if self._closed is None:
            self._closed = Promise()
            if self._stream is not None:
                self._closed.follow(self._stream.core.closed)
        return self._closed

    def read(self) -> Promise[ReadResult]:
        """Return a promise of `(value, done)`: what has arrived, at any boundary; done at the end, ever after.

        Only one read may be pending. Cancelling a task that waits for it loses no byte.
        """
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.READER_RELEASED))
        stream.check_owner()
        return stream.core.read()

    def cancel(self, reason: object = None) -> Promise[None]:
        """Say that the rest is not wanted."""
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.READER_RELEASED))
        stream.check_owner()
        return stream._cancel(reason)

    def release_lock(self) -> None:
        """Let go of the stream. A pending read is rejected; its bytes go to the next reader."""
        stream = self._stream
        if stream is None:
            return
        stream.check_owner()
        self.detach()
        stream.unlock(self)

    def detach(self) -> None:
        """The stream was taken away from under this reader: a socket's upgrade does that."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        stream.core.release()
        error = TypeError(errors.READER_RELEASED)
        if self._closed is None or self._closed.settled:
            self._closed = Promise.rejected(error)
        else:
            self._closed.reject(error)
