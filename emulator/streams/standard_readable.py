"""A standard readable stream's state machine: a controller's queue on one side, reads on the other.

Floor 2. Owns state, waiting reads and what closing, failing and cancelling do to them. Must not know what a
controller's queue holds (default_controller.py, byte_controller.py). Source: WHATWG Streams, "Readable streams".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from emulator import errors
from emulator.streams.chunk_feed import ChunkFeed
from emulator.streams.core import ReadableCore, ReadableState, ReaderKind, ReadResult
from emulator.streams.native import ByteSink
from emulator.streams.promise import Promise
from emulator.streams.reading import PromisedRead, ReadRequest


class Controller(ABC):
    """What a stream asks of the controller of its queue."""

    @abstractmethod
    def pull_steps(self, request: ReadRequest) -> None:
        """Answer `request` from the queue, or have it wait and ask the source."""

    @abstractmethod
    def pull_into(self, view: bytearray | memoryview, minimum: int, request: ReadRequest) -> None:
        """Answer a read into `view`, or have it wait. Only byte controllers are asked."""

    @abstractmethod
    def cancel_steps(self, reason: object) -> Promise[Any]:
        """Drop the queue and cancel the source."""

    @abstractmethod
    def release_steps(self) -> None:
        """The reader let go."""

    @abstractmethod
    def take_back(self, chunk: Any) -> None:
        """Put a chunk, which nobody saw, in front of the queue."""


class StandardReadable(ReadableCore):
    """A readable stream whose chunks come from a `controller`; set that before anything else."""

    controller: Controller

    def __init__(self, *, is_byte_stream: bool = False) -> None:
        self.closed: Promise[None] = Promise()
        self.disturbed = False
        self.reader_kind = ReaderKind.NONE
        self.requests: deque[ReadRequest] = deque()
        self._is_byte_stream = is_byte_stream
        self._state = ReadableState.READABLE
        self._error: BaseException | None = None
        self._handed: Promise[ReadResult] | None = None  # The last read that a chunk came for.

    @property
    def state(self) -> ReadableState:
        return self._state

    @property
    def is_byte_stream(self) -> bool:
        return self._is_byte_stream

    @property
    def error(self) -> BaseException | None:
        """What the stream failed with."""
        return self._error

    # What readers ask.

    def acquire(self, kind: ReaderKind) -> None:
        self.reader_kind = kind

    def release(self) -> None:
        self._reclaim()
        self.reader_kind = ReaderKind.NONE
        requests, self.requests = self.requests, deque()
        error = TypeError(errors.READER_RELEASED)
        for request in requests:
            request.fail(error)
        self.controller.release_steps()

    def read(self) -> Promise[ReadResult]:
        self._reclaim()
        self._drop_abandoned()
        request = PromisedRead()
        self.read_with(request)
        if request.promise.settled:
            self._handed = request.promise
        return request.promise

    def read_into(self, view: bytearray | memoryview, minimum: int) -> Promise[ReadResult]:
        self._drop_abandoned()
        request = PromisedRead()
        self.disturbed = True
        if self._error is not None:
            request.fail(self._error)
        else:
            self.controller.pull_into(view, minimum, request)
        return request.promise

    def read_with(self, request: ReadRequest) -> None:
        """Have `request` answered by the next chunk."""
        self.disturbed = True
        if self._state is ReadableState.CLOSED:
            request.close()
        elif self._error is not None:
            request.fail(self._error)
        else:
            self.controller.pull_steps(request)

    def cancel(self, reason: object = None) -> Promise[None]:
        self.disturbed = True
        if self._state is ReadableState.CLOSED:
            return Promise.fulfilled(None)
        if self._error is not None:
            return Promise.rejected(self._error)
        self.close()
        done: Promise[None] = Promise()
        self.controller.cancel_steps(reason).then(lambda _: done.resolve(None), done.reject)
        return done

    def pump_to(
        self,
        sink: ByteSink,
        *,
        finish_sink: bool = True,
        abort_sink: bool = True,
        cancel_source: bool = True,
    ) -> Promise[None]:
        self.acquire(ReaderKind.DEFAULT)
        feed = ChunkFeed(
            self,
            sink,
            finish_sink=finish_sink,
            abort_sink=abort_sink,
            cancel_source=cancel_source,
        )
        return feed.start()

    # What the controller says.

    def fulfill(self, chunk: Any) -> None:
        """Give `chunk` to whoever waits longest and would see it; the last resort is a read that was given up."""
        request = next((each for each in self.requests if not each.abandoned), self.requests[0])
        self.requests.remove(request)
        request.take(chunk)
        if isinstance(request, PromisedRead):
            self._handed = request.promise

    def close(self) -> None:
        """Nothing more will come: waiting reads end."""
        self._state = ReadableState.CLOSED
        self.closed.resolve(None)
        if self.reader_kind is not ReaderKind.BYOB:
            self.close_requests()

    def close_requests(self) -> None:
        """End the waiting reads."""
        requests, self.requests = self.requests, deque()
        for request in requests:
            request.close()

    def fail(self, error: BaseException) -> None:
        """The source broke: waiting reads fail."""
        self._state = ReadableState.ERRORED
        self._error = error
        self.closed.reject(error)
        requests, self.requests = self.requests, deque()
        for request in requests:
            request.fail(error)

    def _reclaim(self) -> None:
        """A chunk that came for a read whose every waiter was cancelled belongs to the next one."""
        handed, self._handed = self._handed, None
        if handed is not None and handed.abandoned:
            result = handed.withdraw(TypeError(errors.READ_ABANDONED))
            if result is not None and not result.done:
                self.controller.take_back(result.value)

    def _drop_abandoned(self) -> None:
        for request in [each for each in self.requests if each.abandoned]:
            self.requests.remove(request)
            request.fail(TypeError(errors.READ_ABANDONED))
