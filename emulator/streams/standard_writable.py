"""A standard writable stream's state machine: a worker's sink behind a queue of writes.

Floor 2. Owns the queue, back-pressure, and what closing, failing and aborting do to writes under way. Source: WHATWG
Streams, "Writable streams" and "WritableStreamDefaultController".
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.abort import AbortController, AbortSignal
from emulator.streams.core import WritableCore, WritableState, as_error
from emulator.streams.promise import Promise
from emulator.streams.strategy import SizeAlgorithm, SizedQueue
from emulator.streams.underlying import Algorithm, nothing

_CLOSE = object()  # Stands in the queue for the end of the stream.


class PendingAbort(NamedTuple):
    """An abort() that waits for the write or close under way."""

    done: Promise[None]
    reason: object
    was_erroring: bool


class StandardWritable(WritableCore):
    """A writable stream whose chunks go to a `controller`'s sink; set that before anything else."""

    controller: WritableStreamDefaultController

    def __init__(self) -> None:
        self.closed: Promise[None] = Promise()
        self.ready: Promise[None] = Promise.fulfilled(None)
        self._state = WritableState.WRITABLE
        self._error: BaseException | None = None
        self._writes: deque[Promise[None]] = deque()
        self._write_in_flight: Promise[None] | None = None
        self._close: Promise[None] | None = None
        self._close_in_flight = False
        self._abort: PendingAbort | None = None
        self._backpressure = False

    @property
    def state(self) -> WritableState:
        if self._state is WritableState.WRITABLE and self._close is not None:
            return WritableState.CLOSING
        return self._state

    @property
    def error(self) -> BaseException | None:
        return self._error

    @property
    def desired_size(self) -> float | None:
        if self._state in (WritableState.ERRORED, WritableState.ERRORING):
            return None
        if self._state is WritableState.CLOSED:
            return 0
        return self.controller.desired_size

    @property
    def _over(self) -> bool:
        return self._state in (WritableState.CLOSED, WritableState.ERRORED)

    # What writers ask.

    def size_of(self, chunk: Any) -> Any:
        return self.controller.size_of(chunk)

    def submit(self, chunk: Any, size: Any = 1) -> Promise[None]:
        if self._state is WritableState.ERRORED and self._error is not None:
            return Promise.rejected(self._error)
        if self._close is not None or self._state is WritableState.CLOSED:
            return Promise.rejected(TypeError(errors.WRITABLE_CLOSED))
        if self._error is not None:
            return Promise.rejected(self._error)
        written: Promise[None] = Promise()
        self._writes.append(written)
        self.controller.queue_write(chunk, size)
        return written

    def close(self) -> Promise[None]:
        if self._close is not None or self._state is WritableState.CLOSED:
            return Promise.rejected(TypeError(errors.WRITABLE_CLOSED))
        if self._state is WritableState.ERRORED:
            refused = TypeError(errors.WRITABLE_FAILED)
            refused.__cause__ = self._error
            return Promise.rejected(refused)
        self._close = Promise()
        if self._backpressure and self._state is WritableState.WRITABLE:
            self.ready.resolve(None)
        self.controller.queue_close()
        return self._close

    def break_off(self, reason: object) -> Promise[None]:
        error = as_error(reason, errors.WRITABLE_ABORTED)
        if not self._over:
            self.controller.signal_abort(error if reason is not None else None)
        if self._over:  # Or a listener has made it so.
            return Promise.fulfilled(None)
        if self._abort is not None:
            return self._abort.done
        was_erroring = self._state is WritableState.ERRORING
        self._abort = PendingAbort(Promise(), reason, was_erroring)
        done = self._abort.done
        if not was_erroring:
            self.start_erroring(error)
        return done

    # What the controller says.

    @property
    def close_queued(self) -> bool:
        """True once close() was called, whether or not the sink has been told."""
        return self._close is not None

    @property
    def in_flight(self) -> bool:
        """True while the sink is busy with a write or the close."""
        return self._write_in_flight is not None or self._close_in_flight

    def update_backpressure(self, backpressure: bool) -> None:
        """The queue is full, or has room."""
        if backpressure is self._backpressure:
            return
        self._backpressure = backpressure
        if backpressure:
            self.ready = Promise()
        else:
            self.ready.resolve(None)

    def begin_write(self) -> None:
        """The sink has been given the oldest chunk."""
        self._write_in_flight = self._writes.popleft()

    def end_write(self, error: BaseException | None) -> None:
        """The sink is done with it."""
        written, self._write_in_flight = self._write_in_flight, None
        assert written is not None
        if error is None:
            written.resolve(None)
        else:
            written.reject(error)
            self.deal_with_rejection(error)

    def begin_close(self) -> None:
        """The sink has been told to close."""
        self._close_in_flight = True

    def end_close(self, error: BaseException | None) -> None:
        """The sink is closed, or failed to."""
        self._close_in_flight = False
        assert self._close is not None
        abort, self._abort = self._abort, None
        if error is not None:
            self._close.reject(error)
            if abort is not None:
                abort.done.reject(error)
            self.deal_with_rejection(error)
            return
        self._close.resolve(None)
        if self._state is WritableState.ERRORING:
            self._error = None  # The close came through before the failure did.
        if abort is not None:
            abort.done.resolve(None)
        self._state = WritableState.CLOSED
        self.closed.resolve(None)

    def deal_with_rejection(self, error: BaseException) -> None:
        """A write, the close or the start failed."""
        if self._state is WritableState.WRITABLE:
            self.start_erroring(error)
        elif self._state is WritableState.ERRORING:
            self._finish_erroring()

    def start_erroring(self, error: BaseException) -> None:
        """Fail as soon as what is under way is over."""
        self._state = WritableState.ERRORING
        self._error = error
        self._reject_ready(error)
        if not self.in_flight and self.controller.has_started:
            self._finish_erroring()

    def finish_erroring_if_idle(self) -> None:
        """What was under way is over: fail now, if that was waited for."""
        if self._state is WritableState.ERRORING and not self.in_flight:
            self._finish_erroring()

    def _finish_erroring(self) -> None:
        self._state = WritableState.ERRORED
        self.controller.clear_queue()
        assert self._error is not None
        writes, self._writes = self._writes, deque()
        for written in writes:
            written.reject(self._error)
        abort, self._abort = self._abort, None
        if abort is None:
            self._reject_closed()
            return
        if abort.was_erroring:
            abort.done.reject(self._error)
            self._reject_closed()
            return
        pending = abort.done

        def aborted(_: object) -> None:
            pending.resolve(None)
            self._reject_closed()

        def abort_failed(error: BaseException) -> None:
            pending.reject(error)
            self._reject_closed()

        self.controller.abort_sink(abort.reason).then(aborted, abort_failed)

    def _reject_closed(self) -> None:
        assert self._error is not None
        if self._close is not None:
            self._close.reject(self._error)
        self.closed.reject(self._error)

    def _reject_ready(self, error: BaseException) -> None:
        if self.ready.settled:
            self.ready = Promise.rejected(error)
        else:
            self.ready.reject(error)


@camel_case_aliases
class WritableStreamDefaultController(Owned):
    """Given to a sink's start and write: `error(e)`, and `signal`, which is aborted when the stream is."""

    io_type = "WritableStreamDefaultController"

    def __init__(
        self,
        stream: StandardWritable,
        write: Algorithm,
        close: Algorithm,
        abort: Algorithm,
        high_water_mark: float,
        size: SizeAlgorithm,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._queue = SizedQueue()
        self._write = write
        self._close = close
        self._abort = abort
        self._high_water_mark = high_water_mark
        self._size: SizeAlgorithm | None = size
        self._aborter = AbortController()
        self.has_started = False
        stream.controller = self
        stream.update_backpressure(self._has_backpressure)

    def started(self, start: Promise[Any]) -> None:
        """The sink's start was called, and gave `start`."""

        def begin(_: object) -> None:
            self.has_started = True
            self._advance()

        def failed(error: BaseException) -> None:
            self.has_started = True
            self._stream.deal_with_rejection(error)

        start.then(begin, failed)

    @property
    def signal(self) -> AbortSignal:
        """Aborted when the stream is: what the sink has under way may stop."""
        return self._aborter.signal

    def error(self, error: object = None) -> None:
        """Fail the stream. Does nothing once it is failing, failed or closed."""
        self.check_owner()
        if self._stream.state in (WritableState.WRITABLE, WritableState.CLOSING):
            self.fail(as_error(error, errors.STREAM_FAILED))

    # For the runtime.

    @property
    def desired_size(self) -> float:
        """How much more the queue wants; negative when it is over-full."""
        return self._high_water_mark - self._queue.total

    def fail(self, error: BaseException) -> None:
        """Fail the stream."""
        self._dismiss()
        self._stream.start_erroring(error)

    def fail_if_needed(self, error: BaseException) -> None:
        """Fail the stream, unless it is failing, failed or closed."""
        if self._stream.state in (WritableState.WRITABLE, WritableState.CLOSING):
            self.fail(error)

    def size_of(self, chunk: Any) -> Any:
        """Return `chunk`'s size by the strategy; one that raises fails the stream."""
        if self._size is None:
            return 1
        try:
            return self._size(chunk)
        except Exception as error:
            self.fail_if_needed(error)
            return 1

    def queue_write(self, chunk: Any, size: Any) -> None:
        """Add a chunk for the sink."""
        try:
            self._queue.push(chunk, size)
        except errors.RangeError as error:
            self.fail_if_needed(error)
            return
        if not self._stream.close_queued and self._stream.state is WritableState.WRITABLE:
            self._stream.update_backpressure(self._has_backpressure)
        self._advance()

    def queue_close(self) -> None:
        """Add the end of the stream."""
        self._queue.push(_CLOSE, 0)
        self._advance()

    def clear_queue(self) -> None:
        """Nothing of what is queued will be written."""
        self._queue.clear()

    def signal_abort(self, reason: BaseException | None) -> None:
        """Tell the sink's `signal`."""
        self._aborter.abort(reason)

    def abort_sink(self, reason: object) -> Promise[Any]:
        """Call the sink's abort."""
        abort = self._abort
        self._dismiss()
        return abort(reason)

    @property
    def _has_backpressure(self) -> bool:
        return self.desired_size <= 0

    def _advance(self) -> None:
        """Give the sink the next chunk, or the end, if it is idle."""
        stream = self._stream
        if not self.has_started or stream.in_flight:
            return
        if stream.state is WritableState.ERRORING:
            stream.finish_erroring_if_idle()
        elif self._queue:
            if self._queue.peek() is _CLOSE:
                self._close_sink()
            else:
                self._write_to_sink(self._queue.peek())

    def _close_sink(self) -> None:
        stream = self._stream
        stream.begin_close()
        self._queue.shift()
        close = self._close
        self._dismiss()
        close().then(lambda _: stream.end_close(None), stream.end_close)

    def _write_to_sink(self, chunk: Any) -> None:
        stream = self._stream
        stream.begin_write()

        def written(_: object) -> None:
            stream.end_write(None)
            if len(self._queue):
                self._queue.shift()
            if not stream.close_queued and stream.state is WritableState.WRITABLE:
                stream.update_backpressure(self._has_backpressure)
            self._advance()

        def failed(error: BaseException) -> None:
            if stream.state in (WritableState.WRITABLE, WritableState.CLOSING):
                self._dismiss()
            stream.end_write(error)

        self._write(chunk, self).then(written, failed)

    def _dismiss(self) -> None:
        self._write = self._close = self._abort = nothing
        self._size = None
