"""The controller of a standard stream's queue of chunks, which a worker's source is given.

Floor 2. Owns the queue and when the source is pulled. Source: WHATWG Streams, "ReadableStreamDefaultController".
"""

from __future__ import annotations

from typing import Any

from emulator import errors
from emulator.naming import camel_case_aliases
from emulator.streams.core import ReadableState
from emulator.streams.promise import Promise
from emulator.streams.reading import ReadRequest
from emulator.streams.source_controller import SourceController
from emulator.streams.standard_readable import StandardReadable
from emulator.streams.strategy import SizeAlgorithm, SizedQueue
from emulator.streams.underlying import Algorithm


@camel_case_aliases
class ReadableStreamDefaultController(SourceController):
    """Given to a source's start and pull: `enqueue(chunk)`, `close()`, `error(e)`, `desired_size`."""

    io_type = "ReadableStreamDefaultController"

    def __init__(
        self,
        stream: StandardReadable,
        pull: Algorithm,
        cancel: Algorithm,
        high_water_mark: float,
        size: SizeAlgorithm,
    ) -> None:
        super().__init__(stream, pull, cancel, high_water_mark)
        self._queue = SizedQueue()
        self._size = size

    def enqueue(self, chunk: Any = None) -> None:
        """Add a chunk. Raises TypeError when the stream takes none; what the size function raises, likewise."""
        self.check_owner()
        if not self.may_enqueue:
            raise TypeError(errors.CONTROLLER_CLOSED)
        self.push(chunk)

    # For the runtime.

    @property
    def has_backpressure(self) -> bool:
        """True while the stream wants no more."""
        return not self._wants_more()

    def finish(self) -> None:
        """End the stream after what is queued; does nothing when it takes no more."""
        if not self.may_enqueue:
            return
        self._close_requested = True
        self._stream.reclaim()
        if not self._queue:
            self._dismiss()
            self._stream.close()

    def push(self, chunk: Any) -> None:
        """Give `chunk` to a waiting read, or queue it; does nothing when the stream takes no more."""
        if not self.may_enqueue:
            return
        self._stream.reclaim()
        if self._stream.requests:
            self._stream.fulfill(chunk)
        else:
            try:
                self._queue.push(chunk, self._size(chunk))
            except Exception as error:
                self.fail(error)
                raise
        self._puller.pull(self)

    def fail(self, error: BaseException) -> None:
        """Fail the stream, unless it is closed or failed already."""
        if self._stream.state is ReadableState.READABLE:
            self._queue.clear()
            self._dismiss()
            self._stream.fail(error)

    # For the stream.

    def pull_steps(self, request: ReadRequest) -> None:
        if not self._queue:
            self._stream.requests.append(request)
            self._puller.pull(self)
            return
        chunk = self._queue.shift()
        if self._close_requested and not self._queue:
            self._dismiss()
            self._stream.close()
        else:
            self._puller.pull(self)
        request.take(chunk)

    def pull_into(self, view: bytearray | memoryview, minimum: int, request: ReadRequest) -> None:
        raise AssertionError("only a stream of bytes is read into a view")

    def cancel_steps(self, reason: object) -> Promise[Any]:
        self._queue.clear()
        cancel = self._cancel
        self._dismiss()
        return cancel(reason)

    def release_steps(self) -> None:
        """The queue does not mind who reads."""

    def forget_read(self, index: int) -> None:
        """Nothing is kept for a read that waits."""

    def take_back(self, chunks: list[Any]) -> None:
        for chunk in reversed(chunks):
            self._queue.unshift(chunk, 1)

    def _wants_more(self) -> bool:
        if not self.may_enqueue:
            return False
        return bool(self._stream.requests) or (self._room() or 0) > 0

    def _queued(self) -> float:
        return self._queue.total
