"""WritableStream and its writer, as workers hold them: lock and ownership in front of a WritableCore.

Floor 2. Owns the lock, the sentences about it and the names of the standard. Must not know where bytes go.
Source of the behaviour: WHATWG Streams, and the platform's sentences.
"""

from __future__ import annotations

import weakref
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.belonging import end_with_request
from emulator.streams.core import WritableCore
from emulator.streams.lock import Lock
from emulator.streams.native import HIGH_WATER_MARK_BYTES, ByteSink
from emulator.streams.native_writable import NativeWritable
from emulator.streams.promise import Promise


@camel_case_aliases
class WritableStream(Owned):
    """Chunks to be written: a socket's outgoing side, or what a sink of your own takes.

    Take a writer, or pipe a ReadableStream into it. `WritableStream(sink, strategy)` takes an underlying sink: a
    mapping or object with start, write, close and abort.

    Belongs to the request that made it: any use from another one raises OwnershipError.
    """

    __slots__ = ("_core", "_lock", "_writer")

    io_type = "WritableStreamSink"

    def __init__(
        self,
        sink: object = None,
        strategy: object = None,
        *,
        high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES,
    ) -> None:
        super().__init__()
        if isinstance(sink, ByteSink):
            self._hold_core(NativeWritable(sink, high_water_mark_bytes))
        else:
            # Imported on use: most streams are native.
            from emulator.streams.construction import make_writable

            self._hold_core(make_writable(sink, strategy))
            end_with_request(self._core.closed, self._core.break_off)

    @classmethod
    def of(cls, core: WritableCore, whole: Owned | None = None) -> WritableStream:
        """Return the face of `core`, for the runtime; `whole` is the object that it is a part of."""
        stream = cls.__new__(cls)
        if whole is None:
            Owned.__init__(stream)
        else:
            stream.made_with(whole)
        stream._hold_core(core)
        return stream

    def _hold_core(self, core: WritableCore) -> None:
        self._core = core
        self._lock = Lock.FREE
        self._writer: weakref.ref[WritableStreamDefaultWriter] | None = None

    def __repr__(self) -> str:
        return f"<WritableStream {self._core.state.value} lock={self._lock.value}>"

    @property
    def core(self) -> WritableCore:
        """The stream's state machine, for the runtime: no lock and no ownership there."""
        return self._core

    @property
    def locked(self) -> bool:
        """True while a writer or a pipe holds this stream."""
        return self._lock is not Lock.FREE

    def get_writer(self) -> WritableStreamDefaultWriter:
        """Lock this stream and return its writer. Raises TypeError while it is locked or closing."""
        self.check_owner()
        return WritableStreamDefaultWriter(self)

    def close(self) -> Promise[None]:
        """Send what is queued, then the end. Rejected with TypeError while the stream is locked."""
        self.check_owner()
        if self.locked:
            return Promise.rejected(self._lock_error())
        return self._core.close()

    def abort(self, reason: object = None) -> Promise[None]:
        """Break off: what is queued is dropped and the receiver can tell. Rejected while locked."""
        self.check_owner()
        if self._lock in (Lock.CLOSING, Lock.DETACHED):
            return Promise.fulfilled(None)
        if self.locked:
            return Promise.rejected(TypeError(errors.WRITABLE_LOCKED))
        return self._abort(reason)

    # For the runtime: what pipes and sockets need beyond the standard's face.

    def check_unlocked(self) -> None:
        """Raise TypeError with the platform's sentence unless this stream may be locked now."""
        if self.locked:
            raise self._lock_error()

    def check_not_piped(self) -> None:
        """Raise TypeError while a pipe or a body holds this stream; a reader or writer may."""
        if self._lock is Lock.PIPED:
            raise TypeError(errors.WRITABLE_LOCKED)

    def hold(self) -> WritableCore:
        """Lock this stream as a pipe does, and return its core."""
        self.check_unlocked()
        self._lock = Lock.PIPED
        return self._core

    def unpiped(self) -> None:
        """A pipe that held this stream is over."""
        if self._lock is Lock.PIPED:
            self._lock = Lock.FREE

    def begin_closing(self, lock: Lock) -> None:
        """The socket this stream belongs to is closing (Lock.CLOSING) or gives it up (Lock.DETACHED)."""
        self._lock = lock
        writer = self._writer() if self._writer is not None else None
        if lock is Lock.DETACHED and writer is not None:
            writer.detach()

    def lock_for(self, writer: WritableStreamDefaultWriter) -> None:
        """`writer` takes hold of this stream. Raises TypeError unless it may be locked now."""
        self.check_unlocked()
        self._core.renew_ready()
        self._writer = weakref.ref(writer)  # That holds this stream.
        self._lock = Lock.HELD

    def unlock(self, writer: WritableStreamDefaultWriter) -> None:
        """`writer` lets go of this stream."""
        if self._writer is not None and self._writer() is writer:
            self._writer = None
            if self._lock is Lock.HELD:
                self._lock = Lock.FREE

    def _lock_error(self) -> TypeError:
        if self._lock in (Lock.CLOSING, Lock.DETACHED):
            return TypeError(errors.WRITABLE_CLOSING)
        return TypeError(errors.WRITABLE_LOCKED)

    def _abort(self, reason: object) -> Promise[None]:
        return self._core.break_off(reason)


@camel_case_aliases
class WritableStreamDefaultWriter:
    """Writes chunks in order. Made by `WritableStream.get_writer()`."""

    __slots__ = ("__weakref__", "_closed", "_ready", "_stream")

    def __init__(self, stream: WritableStream) -> None:
        if not isinstance(stream, WritableStream):
            raise TypeError(errors.WRITER_OF.format(type=type(stream).__name__))
        self._stream: WritableStream | None = stream
        self._closed: Promise[None] | None = None  # Made when somebody asks for it.
        self._ready: Promise[None] | None = None
        stream.lock_for(self)

    @property
    def closed(self) -> Promise[None]:
        """Settles when the stream is closed (fulfilled), or failed or was released (rejected)."""
        if self._closed is None:
            self._closed = Promise()
            if self._stream is not None:
                self._closed.follow(self._stream.core.closed)
        return self._closed

    @property
    def ready(self) -> Promise[None]:
        """Pending while the queue is at its high-water mark."""
        if self._stream is None:
            return self._ready or Promise.rejected(TypeError(errors.WRITER_RELEASED))
        return self._stream.core.ready

    @property
    def desired_size(self) -> float | None:
        """Bytes that may be written before `ready` turns pending; 0 once closed, None once failed.

        Raises TypeError after `release_lock()`.
        """
        if self._stream is None:
            raise TypeError(errors.WRITER_RELEASED)
        return self._stream.core.desired_size

    def write(self, chunk: Any = None) -> Promise[None]:
        """Queue `chunk`; the promise settles when the sink, or the operating system, took it. It need not be awaited.

        Rejected with TypeError after the stream was closed, and by a native stream for what is not bytes-like.
        """
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.WRITER_RELEASED))
        stream.check_owner()
        core = stream.core
        size = core.size_of(chunk)
        if self._stream is not stream:  # The size function has released this writer.
            return Promise.rejected(TypeError(errors.WRITER_RELEASED))
        return core.submit(chunk, size)

    def close(self) -> Promise[None]:
        """Send what is queued, then the end (FIN, on a socket). Reading goes on."""
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.WRITER_RELEASED))
        stream.check_owner()
        return stream.core.close()

    def abort(self, reason: object = None) -> Promise[None]:
        """Break off: what is queued is dropped and the receiver can tell."""
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.WRITER_RELEASED))
        stream.check_owner()
        return stream._abort(reason)

    def release_lock(self) -> None:
        """Let go of the stream. Writes under way go on."""
        stream = self._stream
        if stream is None:
            return
        stream.check_owner()
        self.detach()
        stream.unlock(self)

    def detach(self) -> None:
        """The stream was taken away from under this writer: a socket's upgrade does that."""
        if self._stream is None:
            return
        core = self._stream.core
        self._stream = None
        error = TypeError(errors.WRITER_RELEASED)
        self._ready = core.ready
        core.renew_ready()
        if self._ready.settled:
            self._ready = Promise.rejected(error)
        else:
            self._ready.reject(error)
        if self._closed is None or self._closed.settled:
            self._closed = Promise.rejected(error)
        else:
            self._closed.reject(error)
