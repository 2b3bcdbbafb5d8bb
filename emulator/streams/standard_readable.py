"""A standard readable stream's state machine: a controller's queue on one side, reads on the other.

Floor 2. Owns state, waiting reads and what closing, failing and cancelling do to them. Must not know what a
controller's queue holds (default_controller.py, byte_controller.py). Source: WHATWG Streams, "Readable streams".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from emulator import errors
from emulator.streams.chunk_feed import ChunkFeed
from emulator.streams.core import ReadableCore, ReadableState, ReaderKind, ReadResult
from emulator.streams.native import ByteSink
from emulator.streams.promise import Promise
from emulator.streams.pull_into import PullInto
from emulator.streams.reading import CalledRead, PromisedRead, ReadRequest


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
    def forget_read(self, index: int) -> None:
        """The stream dropped the waiting read that was at `index`: nobody would have seen its chunk."""

    @abstractmethod
    def take_back(self, chunks: list[Any]) -> None:
        """Put chunks, which nobody saw, in front of the queue of a stream that is open."""


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
        # Reads whose waiters may yet be cancelled, and chunks of such reads that came back after the end.
        self._handed: deque[Promise[ReadResult]] = deque()
        self._returned: deque[Any] = deque()

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
        self.reader_kind = ReaderKind.NONE
        requests, self.requests = self.requests, deque()
        error = TypeError(errors.READER_RELEASED)
        for request in requests:
            request.fail(error)
        if self._handed:
            self._reclaim_all()
        self.controller.release_steps()

    def read(self) -> Promise[ReadResult]:
        self._forget_abandoned()
        request = PromisedRead()
        self.read_with(request)
        return request.promise

    def read_for(
        self,
        take: Callable[[Any], None],
        close: Callable[[], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.read_with(CalledRead(take, close, fail))

    def put_back(self, chunk: Any) -> None:
        if self._state is ReadableState.READABLE:
            self.controller.take_back([chunk])
        elif self._state is ReadableState.CLOSED:
            self._returned.appendleft(chunk)

    def read_into(self, view: bytearray | memoryview, minimum: int) -> Promise[ReadResult]:
        self._forget_abandoned()
        request = PromisedRead()
        self.read_into_with(view, minimum, request)
        return request.promise

    def read_with(self, request: ReadRequest) -> None:
        """Have `request` answered by the next chunk."""
        self.disturbed = True
        if self._returned:
            request.take(self._returned.popleft())
        elif self._state is ReadableState.CLOSED:
            request.close()
        elif self._error is not None:
            request.fail(self._error)
        else:
            self.controller.pull_steps(request)

    def read_into_with(
        self, view: bytearray | memoryview, minimum: int, request: ReadRequest
    ) -> None:
        """Have `request` answered by `view`, filled with at least `minimum` elements."""
        self.disturbed = True
        if self._returned:
            self._give_returned(view, request)
        elif self._error is not None:
            request.fail(self._error)
        else:
            self.controller.pull_into(view, minimum, request)

    def cancel(self, reason: object = None) -> Promise[None]:
        self.disturbed = True
        self._handed.clear()
        self._returned.clear()
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
        request = self.requests[0]
        if request.abandoned:
            request = next((each for each in self.requests if not each.abandoned), request)
        self.requests.remove(request)
        request.take(chunk)
        if isinstance(request, PromisedRead) and request.promise.at_risk:
            self._handed.append(request.promise)

    def end_read(self, part: memoryview) -> None:
        """The stream has ended: whoever waits longest gets the view back, and the part of it that was filled."""
        request = self.requests.popleft()
        request.close(part)
        if part.nbytes and isinstance(request, PromisedRead) and request.promise.at_risk:
            self._handed.append(request.promise)

    def reclaim(self) -> None:
        """A chunk that came for a read whose every waiter was cancelled belongs to the one that waits now.

        The controller asks for this before it gives another chunk or the end, so that order is kept. While nobody
        waits the chunk stays where it is: that read may be awaited again.
        """
        if self._handed and not all(request.abandoned for request in self.requests):
            self._reclaim_all()

    def _reclaim_all(self) -> None:
        lost = []
        handed, self._handed = self._handed, deque()
        for promise in handed:
            if promise.abandoned:
                result = promise.withdraw(TypeError(errors.READ_ABANDONED))
                if result is not None and (result.value is not None or not result.done):
                    # A view is the reader's memory, which may be in use for another read already.
                    in_view = isinstance(result.value, memoryview) and self._is_byte_stream
                    lost.append(bytes(result.value) if in_view else result.value)
            elif promise.at_risk:
                self._handed.append(promise)
        while (
            lost
            and not self._is_byte_stream  # Its views and reads go in step: only the controller may.
            and not all(request.abandoned for request in self.requests)
        ):
            self.fulfill(lost.pop(0))
        if self._state is ReadableState.READABLE:
            self.controller.take_back(lost)
        elif self._state is ReadableState.CLOSED:
            self._returned.extend(lost)

    def close(self) -> None:
        """Nothing more will come: waiting reads end."""
        self._state = ReadableState.CLOSED
        self.reclaim()
        self.closed.resolve(None)
        if self.reader_kind is not ReaderKind.BYOB:
            self.close_requests()

    def step_over_abandoned(self) -> None:
        """A read that nobody waits for any more gives way, if somebody waits for another one."""
        if not all(request.abandoned for request in self.requests):
            self._forget_abandoned()

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

    def _forget_abandoned(self) -> None:
        """Another read comes: nobody will ask for the chunks of those that were given up."""
        for index in reversed(range(len(self.requests))):
            request = self.requests[index]
            if request.abandoned:
                del self.requests[index]
                self.controller.forget_read(index)
                request.fail(TypeError(errors.READ_ABANDONED))
        if self._handed:
            self._reclaim_all()

    def _give_returned(self, view: bytearray | memoryview, request: ReadRequest) -> None:
        """Answer a read into `view` with bytes that came back after the end."""
        into = PullInto(view, 1, ReaderKind.BYOB)
        rest = into.put(b"".join(self._returned))
        rest = into.cut_remainder() + bytes(rest)
        self._returned = deque([rest] if rest else [])
        if into.filled:
            request.take(into.result())
        else:
            request.fail(TypeError(errors.VIEW_CUT))
