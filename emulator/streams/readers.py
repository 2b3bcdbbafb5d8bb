"""The two readers of a ReadableStream: one takes chunks as they come, one has its own views filled.

Floor 2. Owns what holding and letting go of a stream mean for a reader. Source: WHATWG Streams,
"ReadableStreamDefaultReader" and "ReadableStreamBYOBReader"; the platform's sentences and `read_at_least`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.core import ReadableCore, ReaderKind, ReadResult
from emulator.streams.promise import Promise
from emulator.streams.pull_into import as_view
from emulator.streams.underlying import options_of


class Readable(Owned):
    """What a reader needs of its stream."""

    __slots__ = ()

    @property
    @abstractmethod
    def core(self) -> ReadableCore:
        """The stream's state machine."""

    @abstractmethod
    def lock_for(self, reader: Reader, kind: ReaderKind) -> None:
        """`reader` takes hold of the stream; raises TypeError if it can't."""

    @abstractmethod
    def unlock(self, reader: Reader) -> None:
        """`reader` lets go."""


@camel_case_aliases
class Reader:
    """What both readers have in common."""

    __slots__ = ("__weakref__", "_closed", "_stream")

    kind = ReaderKind.DEFAULT

    def __init__(self, stream: Readable) -> None:
        if not isinstance(stream, Readable):
            raise TypeError(
                errors.READER_OF.format(reader=type(self).__name__, type=type(stream).__name__)
            )
        stream.check_owner()
        stream.lock_for(self, self.kind)
        self._stream: Readable | None = stream
        self._closed: Promise[None] | None = None  # Made when somebody asks for it.

    @property
    def closed(self) -> Promise[None]:
        """Settles when the stream is closed (fulfilled), or failed or was released (rejected)."""
        if self._stream is not None:
            self._stream.check_owner()
        if self._closed is None:
            self._closed = Promise()
            if self._stream is not None:
                self._closed.follow(self._stream.core.closed)
        return self._closed

    def cancel(self, reason: object = None) -> Promise[None]:
        """Say that the rest is not wanted."""
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.READER_RELEASED))
        stream.check_owner()
        return stream.core.cancel(reason)

    def release_lock(self) -> None:
        """Let go of the stream. Pending reads are rejected; their chunks go to the next reader."""
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
        error = TypeError(errors.READER_RELEASED)
        if self._closed is None or self._closed.settled:
            self._closed = Promise.rejected(error)
        else:
            self._closed.reject(error)
        stream.core.release()


@camel_case_aliases
class ReadableStreamDefaultReader(Reader):
    """Reads one chunk at a time. Made by `ReadableStream.get_reader()`."""

    __slots__ = ()

    def read(self) -> Promise[ReadResult]:
        """Return a promise of `(value, done)`: what has arrived, at any boundary; done at the end, ever after.

        On a native stream (a socket's, a body's) only one read may be pending. Cancelling a task that waits for it
        loses nothing.
        """
        stream = self._stream
        if stream is None:
            return Promise.rejected(TypeError(errors.READER_RELEASED))
        stream.check_owner()
        return stream.core.read()


@camel_case_aliases
class ReadableStreamBYOBReader(Reader):
    """Fills views of the reader's own. Made by `ReadableStream.get_reader(mode="byob")`."""

    __slots__ = ()

    kind = ReaderKind.BYOB

    def read(self, view: Any, options: Any = None, /, **named: Any) -> Promise[ReadResult]:
        """Return a promise of `(filled, done)`: a memoryview of the part of `view` that was filled.

        `view` is a bytearray, or anything else that is contiguous and can be written to; it is the stream's until the
        read is answered. It is filled in whole elements (an array.array's, say), and what is left over is kept. Option
        `min`: wait until so many of them are there, or the stream has ended; with less than that an end is `done` at
        once on a standard stream, as the standard says, and at the next read on a native one, as on the platform.
        Cancelling a task that waits loses nothing: the next read gets what was filled.

        Rejected with TypeError for a view that can't be filled and for an end inside its first element, RangeError for
        a minimum larger than it.
        """
        minimum = options_of(options, named, ("min",)).get("min", 1)
        return self._read(view, minimum)

    def read_at_least(self, minimum: int, view: Any) -> Promise[ReadResult]:
        """The same as `read(view, min=minimum)`, as the platform spells it."""
        return self._read(view, minimum)

    def _read(self, view: Any, minimum: Any) -> Promise[ReadResult]:
        stream = self._stream
        try:
            seen = as_view(view)
            if not seen.nbytes:
                raise TypeError(errors.VIEW_EMPTY)
            limit = seen.nbytes // seen.itemsize
            if not isinstance(minimum, int) or minimum < 1:
                raise TypeError(errors.MINIMUM_INVALID.format(limit=limit, value=minimum))
            if minimum > limit:
                raise errors.RangeError(errors.MINIMUM_INVALID.format(limit=limit, value=minimum))
            if stream is None:
                raise TypeError(errors.READER_RELEASED)
        except (TypeError, ValueError) as error:
            return Promise.rejected(error)
        stream.check_owner()
        return stream.core.read_into(seen, minimum)
