"""ReadableStream and its reader, as workers hold them: lock and ownership in front of a ReadableCore.

Floor 2. Owns the lock, the sentences about it and the names of the standard. Must not know where bytes come from.
Source of the behaviour: WHATWG Streams, and the platform's sentences.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.belonging import end_with_request
from emulator.streams.core import ReadableCore, ReaderKind
from emulator.streams.iteration import ReadableStreamAsyncIterator
from emulator.streams.lock import Lock
from emulator.streams.native import HIGH_WATER_MARK_BYTES, ByteSource
from emulator.streams.native_readable import NativeReadable
from emulator.streams.pairing import PipeOptions, pipe, pipe_options, tee
from emulator.streams.promise import Promise
from emulator.streams.readers import (
    Readable,
    ReadableStreamBYOBReader,
    ReadableStreamDefaultReader,
    Reader,
)
from emulator.streams.underlying import member, options_of
from emulator.streams.writable import WritableStream


@camel_case_aliases
class ReadableStream(Readable):
    """Chunks to be read: a socket's incoming side, a body, or what a source of your own makes.

    Iterate it, take a reader, pipe it, or return it in a Response. `ReadableStream(source, strategy)` takes an
    underlying source: a mapping or object with start, pull, cancel, type and auto_allocate_chunk_size.

    Belongs to the request that made it: any use from another one raises OwnershipError.
    """

    __slots__ = ("_core", "_lock", "_reader")

    io_type = "ReadableStreamSource"

    def __init__(
        self,
        source: object = None,
        strategy: object = None,
        *,
        high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES,
    ) -> None:
        super().__init__()
        if isinstance(source, ByteSource):
            self._hold_core(NativeReadable(source, high_water_mark_bytes))
        else:
            # Imported on use: most streams are native.
            from emulator.streams.construction import make_readable

            self._hold_core(make_readable(source, strategy))
            end_with_request(self._core.closed, self._core.cancel)

    @classmethod
    def from_(cls, iterable: object) -> ReadableStream:
        """Return a stream of an iterable's or async iterable's items, each asked for when it is wanted."""
        # Imported on use: most streams are native.
        from emulator.streams.construction import readable_from

        stream = cls.of(readable_from(iterable))
        end_with_request(stream.core.closed, stream.core.cancel)
        return stream

    @classmethod
    def of(cls, core: ReadableCore, whole: Owned | None = None) -> ReadableStream:
        """Return the face of `core`, for the runtime; `whole` is the object that it is a part of."""
        stream = cls.__new__(cls)
        if whole is None:
            Owned.__init__(stream)
        else:
            stream.made_with(whole)
        stream._hold_core(core)
        return stream

    def _hold_core(self, core: ReadableCore) -> None:
        self._core = core
        self._lock = Lock.FREE
        self._reader: weakref.ref[Reader] | None = None

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

    def get_reader(
        self, options: Mapping[str, object] | None = None, /, *, mode: str | None = None
    ) -> Any:
        """Lock this stream and return its reader; option `mode="byob"`: one that fills views of its own.

        Raises TypeError while it is locked or closing, and for "byob" on a stream that is not of bytes.
        """
        self.check_owner()
        mode = options_of(options, {} if mode is None else {"mode": mode}, ("mode",)).get("mode")
        if mode not in (None, "byob"):
            raise TypeError(errors.READER_MODE.format(mode=mode))
        if mode is None:
            return ReadableStreamDefaultReader(self)
        return ReadableStreamBYOBReader(self)

    def cancel(self, reason: object = None) -> Promise[None]:
        """Say that the rest is not wanted. Rejected with TypeError while the stream is locked."""
        self.check_owner()
        if self._lock in (Lock.CLOSING, Lock.DETACHED):
            return Promise.fulfilled(None)
        if self.locked:
            return Promise.rejected(TypeError(errors.READABLE_LOCKED))
        return self._core.cancel(reason)

    def tee(self) -> tuple[ReadableStream, ReadableStream]:
        """Lock this stream and return two that each give all of its chunks. No byte is copied."""
        self.check_owner()
        self.check_unlocked()
        self._lock = Lock.PIPED
        first, second = tee(self._core)
        return ReadableStream.of(first), ReadableStream.of(second)

    def pipe_to(
        self,
        destination: WritableStream,
        options: Mapping[str, object] | None = None,
        /,
        **named: object,
    ) -> Promise[None]:
        """Move everything to `destination`, then close it; the promise settles when that is done.

        A failure here aborts the destination and a failure there cancels this stream, unless prevented. Options:
        prevent_close, prevent_abort, prevent_cancel, and signal, an AbortSignal that stops the pipe.
        """
        self.check_owner()
        try:
            if not isinstance(destination, WritableStream):
                raise TypeError(errors.DESTINATION_INVALID.format(type=type(destination).__name__))
            destination.check_owner()
            chosen = pipe_options(options, named)
            self.check_unlocked()
            destination.check_unlocked()
        except TypeError as error:
            return Promise.rejected(error)
        return self._pipe(destination, chosen)

    def pipe_through(
        self,
        transform: Any,
        options: Mapping[str, object] | None = None,
        /,
        **named: object,
    ) -> ReadableStream:
        """Pipe into `transform.writable` and return `transform.readable`. Options as for `pipe_to`.

        `transform` is a TransformStream, or an object or mapping with both. Raises TypeError when a side is locked.
        """
        self.check_owner()
        readable, writable = member(transform, "readable"), member(transform, "writable")
        if not isinstance(readable, ReadableStream) or not isinstance(writable, WritableStream):
            raise TypeError(errors.TRANSFORM_INVALID.format(type=type(transform).__name__))
        writable.check_owner()
        chosen = pipe_options(options, named)
        self.check_unlocked()
        writable.check_unlocked()
        self._pipe(writable, chosen)
        return readable

    def _pipe(self, destination: WritableStream, options: PipeOptions) -> Promise[None]:
        self._lock = Lock.PIPED
        done = pipe(self._core, destination.hold(), options)

        def unpipe() -> None:
            self.unpiped()
            destination.unpiped()

        done.when_settled(unpipe)
        return done

    def __aiter__(self) -> ReadableStreamAsyncIterator:
        return self.values()

    def values(
        self, options: Mapping[str, object] | None = None, /, **named: object
    ) -> ReadableStreamAsyncIterator:
        """Iterate to the end; leaving the loop early cancels the stream, unless `prevent_cancel` is given."""
        keep = bool(options_of(options, named, ("prevent_cancel",)).get("prevent_cancel"))
        self.check_owner()
        return ReadableStreamAsyncIterator(self, keep=keep)

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
        self._core.acquire(ReaderKind.DEFAULT)
        self._lock = Lock.PIPED
        return self._core

    def begin_closing(self, lock: Lock) -> None:
        """The socket this stream belongs to is closing (Lock.CLOSING) or gives it up (Lock.DETACHED)."""
        self._lock = lock
        reader = self._reader() if self._reader is not None else None
        if lock is Lock.DETACHED and reader is not None:
            reader.detach()

    def unlock(self, reader: Reader) -> None:
        if self._reader is not None and self._reader() is reader:
            self._reader = None
            if self._lock is Lock.HELD:
                self._lock = Lock.FREE

    def lock_for(self, reader: Reader, kind: ReaderKind) -> None:
        self.check_unlocked()
        if kind is ReaderKind.BYOB and not self._core.is_byte_stream:
            raise TypeError(errors.NOT_A_BYTE_STREAM)
        self._core.acquire(kind)
        self._reader = weakref.ref(reader)  # That holds this stream.
        self._lock = Lock.HELD

    def unpiped(self) -> None:
        """A pipe that held this stream is over."""
        if self._lock is Lock.PIPED:
            self._lock = Lock.FREE
