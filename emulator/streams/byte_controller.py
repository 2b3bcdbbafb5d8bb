"""The controller of a stream of bytes: a queue of bytes on one side, views to be filled on the other.

Floor 2. Owns the queue, the views that wait and when the source is pulled. Source: WHATWG Streams,
"ReadableByteStreamController".
"""

from __future__ import annotations

from collections import deque
from typing import Any

from emulator import errors
from emulator.errors import RangeError
from emulator.naming import camel_case_aliases
from emulator.streams.byob_request import ReadableStreamBYOBRequest, Responder
from emulator.streams.core import ReadableState, ReaderKind, is_bytes
from emulator.streams.promise import Promise
from emulator.streams.pull_into import PullInto
from emulator.streams.reading import ReadRequest
from emulator.streams.source_controller import Pulling, SourceController
from emulator.streams.standard_readable import StandardReadable
from emulator.streams.underlying import Algorithm


@camel_case_aliases
class ReadableByteStreamController(SourceController, Responder):
    """Given to a byte source's start and pull: `enqueue(bytes)`, `byob_request`, `close()`, `error(e)`."""

    io_type = "ReadableByteStreamController"

    def __init__(
        self,
        stream: StandardReadable,
        pull: Algorithm,
        cancel: Algorithm,
        high_water_mark: float,
        auto_allocate_bytes: int | None,
    ) -> None:
        super().__init__(stream, pull, cancel, high_water_mark)
        self._queue: deque[bytes | memoryview] = deque()
        self._queued_bytes = 0
        self._waiting: deque[PullInto] = deque()
        self._request: ReadableStreamBYOBRequest | None = None
        self._auto_allocate_bytes = auto_allocate_bytes

    @property
    def byob_request(self) -> ReadableStreamBYOBRequest | None:
        """The view that waits to be filled, if a reader or auto-allocation gave one."""
        self.check_owner()
        if self._request is None and self._waiting:
            self._request = ReadableStreamBYOBRequest.of(self, self._waiting[0].room)
        return self._request

    def enqueue(self, chunk: Any) -> None:
        """Add bytes. Raises TypeError for none at all, for another type, or when the stream takes none."""
        self.check_owner()
        if not is_bytes(chunk):
            raise errors.chunk_not_bytes(chunk, errors.SOURCE_CHUNK_NOT_BYTES)
        if not memoryview(chunk).nbytes:
            raise TypeError(errors.CHUNK_EMPTY)
        if not self.may_enqueue:
            raise TypeError(errors.CONTROLLER_CLOSED)
        self.push(bytes(chunk))

    # For the runtime.

    @property
    def has_waiting_view(self) -> bool:
        """True while a view waits to be filled."""
        return bool(self._waiting)

    def finish(self) -> None:
        """End the stream after what is queued. Raises TypeError, and fails, inside an element of a waiting view."""
        self._stream.reclaim()
        if self._queued_bytes:
            self._close_requested = True
            return
        if self._waiting and self._waiting[0].filled % self._waiting[0].element_size:
            error = TypeError(errors.VIEW_CUT)
            self.fail(error)
            raise error
        self._close_requested = True
        self._dismiss()
        self._stream.close()

    def push(self, data: bytes) -> None:
        """Give `data` to whoever waits, or queue it."""
        self._stream.reclaim()
        if self._waiting:
            self._stream.step_over_abandoned()
        if self._waiting:
            self._invalidate()
            if self._waiting[0].reader_kind is ReaderKind.NONE:
                self._requeue_released()
        if self._stream.reader_kind is ReaderKind.DEFAULT:
            self._answer_reads()
            if self._stream.requests:
                if self._waiting:
                    self._waiting.popleft()
                self._stream.fulfill(data)
            else:
                self._append(data)
        else:
            self._append(data)
            if self._stream.reader_kind is ReaderKind.BYOB:
                self._commit(self._filled_from_queue())
        self._puller.pull(self)

    def fail(self, error: BaseException) -> None:
        """Fail the stream, unless it is closed or failed already."""
        if self._stream.state is ReadableState.READABLE:
            self._invalidate()
            self._waiting.clear()
            self._clear_queue()
            self._dismiss()
            self._stream.fail(error)

    def respond(self, bytes_written: int) -> None:
        """The first waiting view has `bytes_written` more bytes in it."""
        self._stream.reclaim()
        self._stream.step_over_abandoned()
        first = self._waiting[0]
        if self._stream.state is ReadableState.CLOSED:
            if bytes_written:
                raise TypeError(errors.RESPOND_AFTER_CLOSE)
        elif not bytes_written:
            raise TypeError(errors.RESPOND_NOTHING)
        elif first.filled + bytes_written > first.size:
            raise RangeError(errors.VIEW_OVERRUN)
        self._invalidate()
        if self._stream.state is ReadableState.CLOSED:
            self._respond_closed(first)
        else:
            self._respond_readable(first, bytes_written)
        self._puller.pull(self)

    def respond_with(self, data: bytes) -> None:
        """The first waiting view is to hold `data` next."""
        first = self._waiting[0]
        if self._stream.state is ReadableState.READABLE and len(data) <= len(first.room):
            first.room[: len(data)] = data
        self.respond(len(data))

    # For the stream.

    def pull_steps(self, request: ReadRequest) -> None:
        if self._queued_bytes:
            request.take(self._shift())
            return
        if self._auto_allocate_bytes is not None:
            view = bytearray(self._auto_allocate_bytes)
            self._waiting.append(PullInto(view, 1, ReaderKind.DEFAULT))
        self._stream.requests.append(request)
        self._puller.pull(self)

    def pull_into(self, view: bytearray | memoryview, minimum: int, request: ReadRequest) -> None:
        into = PullInto(view, minimum, ReaderKind.BYOB)
        if self._waiting:
            self._wait(into, request)
        elif self._stream.state is ReadableState.CLOSED:
            request.close(into.result())
        elif self._queued_bytes and self._fill(into):
            self._drained()
            request.take(into.result())
        elif self._queued_bytes == 0 and self._close_requested:
            cut = into.filled % into.element_size
            error = TypeError(errors.VIEW_CUT if cut else errors.VIEW_SHORT)
            self.fail(error)
            request.fail(error)
        else:
            self._wait(into, request)
            self._puller.pull(self)

    def cancel_steps(self, reason: object) -> Promise[Any]:
        self._invalidate()
        waiting_byob = self._stream.reader_kind is ReaderKind.BYOB
        self._waiting.clear()
        self._clear_queue()
        if waiting_byob:
            self._stream.close_requests()
        cancel = self._cancel
        self._dismiss()
        return cancel(reason)

    def release_steps(self) -> None:
        if not self._waiting:
            return
        first = self._waiting[0]
        first.reader_kind = ReaderKind.NONE
        self._waiting = deque([first])
        if self._request is None:  # Its source was not shown that view, and need not be asked.
            self._requeue_released()

    def forget_read(self, index: int) -> None:
        """A view that its source was shown stays until that is answered, as a released reader's does."""
        released = bool(self._waiting) and self._waiting[0].reader_kind is ReaderKind.NONE
        position = index + released
        if position == 0 and self._waiting and self._request is not None:
            self._waiting[0].reader_kind = ReaderKind.NONE
        elif position < len(self._waiting):
            dropped = self._waiting[position]
            del self._waiting[position]
            if dropped.filled:
                self.take_back([dropped.taken()])

    def take_back(self, chunks: list[Any]) -> None:
        for chunk in reversed(chunks):
            data = bytes(chunk)
            self._queue.appendleft(data)
            self._queued_bytes += len(data)
        if self._stream.reader_kind is ReaderKind.BYOB:
            self._commit(self._filled_from_queue())
        elif self._stream.reader_kind is ReaderKind.DEFAULT:
            self._answer_reads()

    # What follows.

    def _wait(self, into: PullInto, request: ReadRequest) -> None:
        self._waiting.append(into)
        self._stream.requests.append(request)

    def _respond_closed(self, first: PullInto) -> None:
        if first.reader_kind is ReaderKind.NONE:
            self._waiting.popleft()
        if self._stream.reader_kind is ReaderKind.BYOB:
            waiting, self._waiting = self._waiting, deque()
            self._commit(list(waiting))

    def _respond_readable(self, first: PullInto, bytes_written: int) -> None:
        first.filled += bytes_written
        if first.reader_kind is ReaderKind.NONE:
            self._requeue_released()
            self._commit(self._filled_from_queue())
            return
        if not first.enough:
            return
        self._waiting.popleft()
        if remainder := first.cut_remainder():
            self._append(remainder)
        filled = self._filled_from_queue()
        self._commit([first, *filled])

    def _requeue_released(self) -> None:
        """What a released reader's view held is queued for the next one."""
        released = self._waiting.popleft()
        if released.filled:
            self._append(released.taken())

    def _answer_reads(self) -> None:
        while self._stream.requests and self._queued_bytes:
            if self._waiting and self._waiting[0].reader_kind is ReaderKind.DEFAULT:
                self._invalidate()
                self._waiting.popleft()
            self._stream.fulfill(self._shift())

    def _filled_from_queue(self) -> list[PullInto]:
        """Fill waiting views from the queue; return those that are full enough to answer."""
        filled = []
        while self._waiting and self._queued_bytes and self._fill(self._waiting[0]):
            filled.append(self._waiting.popleft())
        return filled

    def _fill(self, into: PullInto) -> bool:
        """Move queued bytes into a view; True when its read can be answered."""
        available = min(self._queued_bytes, len(into.room))
        total = into.filled + available
        whole = total - total % into.element_size
        take = whole - into.filled if whole >= into.minimum else available
        while take:
            data = memoryview(self._queue.popleft())
            into.put(data[:take])
            if take < len(data):
                self._queue.appendleft(data[take:])
            moved = min(take, len(data))
            self._queued_bytes -= moved
            take -= moved
        return into.enough

    def _commit(self, views: list[PullInto]) -> None:
        closed = self._stream.state is ReadableState.CLOSED
        for view in views:
            if not self._stream.requests:
                return
            if view.reader_kind is ReaderKind.DEFAULT:
                self._stream.fulfill(bytes(view.result()))
            elif closed:
                self._stream.end_read(view.result())
            else:
                self._stream.fulfill(view.result())

    def _append(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued_bytes += len(data)

    def _shift(self) -> bytes:
        data = bytes(self._queue.popleft())  # No copy, unless it is the rest behind a view.
        self._queued_bytes -= len(data)
        self._drained()
        return data

    def _drained(self) -> None:
        if not self._queued_bytes and self._close_requested:
            self._dismiss()
            self._stream.close()
        else:
            self._puller.pull(self)

    def _clear_queue(self) -> None:
        self._queue.clear()
        self._queued_bytes = 0

    def _invalidate(self) -> None:
        request, self._request = self._request, None
        if request is not None:
            request.invalidate()

    def _wants_more(self) -> bool:
        if not self.may_enqueue or self._puller.state is Pulling.STARTING:
            return False
        if self._stream.requests and self._stream.reader_kind is not ReaderKind.NONE:
            return True
        return (self._room() or 0) > 0

    def _queued(self) -> float:
        return self._queued_bytes
