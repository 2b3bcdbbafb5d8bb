"""A stream's state machine as its faces and the runtime see it: what native and standard streams have in common.

Floor 2. Owns the two interfaces, the states and the result of a read. A core has no lock and no owner: the faces in
readable.py and writable.py do. Native cores (native_readable.py, native_writable.py) stand between a source or sink of
bytes and a worker; standard ones (standard_readable.py, standard_writable.py) run a worker's own algorithms. Source:
WHATWG Streams.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from emulator.streams.native import Bytes, ByteSink
from emulator.streams.promise import Promise


class ReadResult(NamedTuple):
    """What one read gives: `value` is the chunk (bytes, on a stream of bytes), or None when `done`."""

    value: Any
    done: bool


END_OF_STREAM = ReadResult(None, True)


class ReadableState(Enum):
    """The standard's [[state]] of a readable stream."""

    READABLE = "readable"
    CLOSED = "closed"
    ERRORED = "errored"


class WritableState(Enum):
    """The standard's [[state]] of a writable stream, with "close requested" as a state of its own."""

    WRITABLE = "writable"
    CLOSING = "closing"
    ERRORING = "erroring"
    CLOSED = "closed"
    ERRORED = "errored"


class ReaderKind(Enum):
    """What kind of reader holds a stream."""

    NONE = "none"
    DEFAULT = "default"
    BYOB = "byob"


class ReadableCore(ABC):
    """What a readable stream's reader, pipe, tee and body ask of it.

    `closed` settles when the last chunk has been taken (fulfilled) or the stream has failed (rejected); `disturbed` is
    True once anything was read, piped or cancelled.
    """

    closed: Promise[None]
    disturbed: bool

    @property
    @abstractmethod
    def state(self) -> ReadableState:
        """The standard's [[state]]."""

    @property
    def length_bytes(self) -> int | None:
        """How many bytes a stream of bytes has in all, where that is known from the start."""
        return None

    @property
    @abstractmethod
    def is_byte_stream(self) -> bool:
        """True for a stream of bytes, which readers with mode "byob" may read."""

    @abstractmethod
    def acquire(self, kind: ReaderKind) -> None:
        """A reader of this kind holds the stream from now on."""

    @abstractmethod
    def release(self) -> None:
        """The reader lets go: reads in flight are rejected, their chunks go to the next reader."""

    @abstractmethod
    def read(self) -> Promise[ReadResult]:
        """Return a promise of the next chunk."""

    @abstractmethod
    def read_for(
        self,
        take: Callable[[Any], None],
        close: Callable[[], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """Have one of the three called in the moment of the next chunk, or of the end or failure before it."""

    @abstractmethod
    def put_back(self, chunk: Any) -> None:
        """Undo the read of `chunk`, from within the `take` that it came for: the next reader gets it."""

    @abstractmethod
    def read_into(self, view: bytearray | memoryview, minimum: int) -> Promise[ReadResult]:
        """Return a promise of `view`, filled with at least `minimum` elements unless the stream ends before."""

    @abstractmethod
    def cancel(self, reason: object = None) -> Promise[None]:
        """Nobody wants the rest: drop what is buffered, close, let the source go."""

    @abstractmethod
    def pump_to(
        self,
        sink: ByteSink,
        *,
        finish_sink: bool = True,
        abort_sink: bool = True,
        cancel_source: bool = True,
    ) -> Promise[None]:
        """Move everything to `sink`; the promise settles when it has all of it, or one side broke."""


class WritableCore(ABC):
    """What a writable stream's writer and pipe ask of it.

    `closed` settles when everything and the end are written (fulfilled) or the stream has failed (rejected); `ready` is
    pending while there is back-pressure.
    """

    closed: Promise[None]
    ready: Promise[None]

    @property
    @abstractmethod
    def state(self) -> WritableState:
        """The stream's state."""

    @property
    @abstractmethod
    def desired_size(self) -> float | None:
        """How much may be written before there is back-pressure; None once the stream has failed."""

    @property
    @abstractmethod
    def error(self) -> BaseException | None:
        """What the stream failed with."""

    def size_of(self, chunk: Any) -> Any:
        """Return `chunk`'s size by the stream's strategy; one that raises fails the stream."""
        return 1

    @abstractmethod
    def submit(self, chunk: Any, size: Any = 1) -> Promise[None]:
        """Write `chunk`, of this size; the promise settles when that is done, or never will be."""

    def renew_ready(self) -> None:
        """A writer came or went: have a `ready` that nobody has seen, as the state says."""
        if self.error is not None and self.state in (WritableState.ERRORING, WritableState.ERRORED):
            self.ready = Promise.rejected(self.error)
        elif self.state is WritableState.WRITABLE and not self.ready.settled:
            self.ready = Promise()
        else:
            self.ready = Promise.fulfilled(None)

    @abstractmethod
    def close(self) -> Promise[None]:
        """Write what is queued, then the end. Rejected when the stream is closed, closing or failed."""

    @abstractmethod
    def break_off(self, reason: object) -> Promise[None]:
        """Fail with `reason`: what is queued is not written."""


def as_error(reason: object, sentence: str) -> BaseException:
    """Return `reason` as something that can be raised; `sentence` is what to say when there is none."""
    if isinstance(reason, BaseException):
        return reason
    return RuntimeError(sentence if reason is None else str(reason))


def is_bytes(chunk: object) -> bool:
    """True for what a stream of bytes takes as a chunk."""
    return isinstance(chunk, Bytes)
