"""A native readable stream's state machine: a bounded buffer between a source and whoever reads.

Floor 2. Owns state, buffer and the one pending read; has no lock and no owner (the faces in readable.py do).
Must not know where the bytes come from (a ByteSource) or go to (a ByteSink). Source of the behaviour: WHATWG
Streams, and the platform for native streams (one pending read, its sentences).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from emulator import errors
from emulator.streams.core import (
    END_OF_STREAM,
    ReadableCore,
    ReadableState,
    ReaderKind,
    ReadResult,
)
from emulator.streams.filling import FillingRead
from emulator.streams.native import HIGH_WATER_MARK_BYTES, ByteSink, ByteSource, Receiver
from emulator.streams.promise import Promise
from emulator.streams.pump import Pump, PumpState
from emulator.streams.supply import Supply
from emulator.streams.tee import tee

# As globals: Python takes ten times as long to read a member from its class.
_READABLE, _CLOSED, _ERRORED = ReadableState
_SUPPLY_IDLE, _SUPPLY_FLOWING, _SUPPLY_PAUSED, _SUPPLY_ENDED, _SUPPLY_FAILED = Supply


class NativeReadable(ReadableCore, Receiver):
    """A native readable stream's state: a bounded buffer between a source and whoever reads.

    `high_water_mark_bytes`: how much is buffered before the source is paused; with 0 the source is asked for
    one chunk a read.
    """

    disturbed = False
    # Made when there is something to hold: an empty one takes 760 bytes.
    _buffer: deque[bytes | memoryview] | None = None
    _buffered_bytes = 0
    _state: ReadableState = _READABLE
    _supply: Supply = _SUPPLY_IDLE
    _error: BaseException | None = None
    _pending_read: Promise[ReadResult] | None = None
    _handed_read: Promise[ReadResult] | None = None  # The last one that data arrived for.
    _filling: FillingRead | None = None  # The pending read, when it fills a reader's view.
    _pump: Pump | None = None

    def __init__(
        self, source: ByteSource, high_water_mark_bytes: int = HIGH_WATER_MARK_BYTES
    ) -> None:
        self.closed: Promise[None] = Promise()
        self._source = source
        self._high_water_mark_bytes = high_water_mark_bytes
        source.deliver_to(self)

    @property
    def state(self) -> ReadableState:
        return self._state

    @property
    def length_bytes(self) -> int | None:
        return self._source.length_bytes

    @property
    def is_byte_stream(self) -> bool:
        return True

    @property
    def buffered_bytes(self) -> int:
        """Bytes that have arrived and nobody has read."""
        return self._buffered_bytes

    @property
    def busy(self) -> bool:
        """True while somebody waits for bytes, or a pump moves them."""
        return self._pump is not None or self._pending_read is not None

    @property
    def pumping(self) -> bool:
        """True while a pump moves this stream's bytes away."""
        return self._pump is not None

    # What readers ask.

    def acquire(self, kind: ReaderKind) -> None:
        """Any kind of reader may read bytes: nothing is kept of it."""

    def read(self) -> Promise[ReadResult]:
        """Return a promise of what has arrived, or of the next that arrives."""
        if (refused := self._refuse_read()) is not None:
            return Promise.rejected(refused)
        if self._buffer:
            data = bytes(self._buffer.popleft())  # No copy, unless it is the rest behind a view.
            self._taken(len(data))
            return Promise.fulfilled(ReadResult(data, False))
        if self._state is _CLOSED:
            return Promise.fulfilled(END_OF_STREAM)
        if self._error is not None:
            return Promise.rejected(self._error)
        pending = self._pending_read = Promise()
        self._ask_for_more()  # May deliver at once, and settle it.
        return pending

    def read_for(
        self,
        take: Callable[[bytes], None],
        close: Callable[[], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.read().in_the_moment(
            lambda result: close() if result.done else take(result.value), fail
        )

    def put_back(self, chunk: bytes) -> None:
        self._handed_read = None
        self._put_back(chunk)

    def read_into(self, view: bytearray | memoryview, minimum: int) -> Promise[ReadResult]:
        if (refused := self._refuse_read()) is not None:
            return Promise.rejected(refused)
        if self._state is _ERRORED and self._error is not None and not self._buffer:
            return Promise.rejected(self._error)
        filling = FillingRead(view, minimum)
        self._pending_read = filling.promise
        self._filling = filling
        self._fill(filling)
        if self._filling is filling:
            self._ask_for_more()  # May deliver at once, and settle it.
        return filling.promise

    def release(self) -> None:
        """The reader lets go: a read in flight is rejected, its bytes go to the next reader."""
        self._give_back_filling()
        pending, self._pending_read = self._pending_read, None
        if pending is not None:
            pending.reject(TypeError(errors.READER_RELEASED))

    def cancel(self, reason: object = None) -> Promise[None]:
        """Nobody wants the rest: drop what is buffered, close, let the source go."""
        if self._state is _ERRORED and self._error is not None:
            return Promise.rejected(self._error)
        self.disturbed = True
        if self._state is _READABLE:
            error = reason if isinstance(reason, BaseException) else None
            self._drop_buffer()
            self._close()
            if self._pump is not None:
                self._pump.stop(error or TypeError(errors.READABLE_CLOSING))
            else:
                self._source.cancel(error)
        return Promise.fulfilled(None)

    def tee(self) -> tuple[NativeReadable, NativeReadable]:
        """Return two streams that each give everything this one has and gets. It is held from now on."""
        first, second = tee(self)
        return NativeReadable(first), NativeReadable(second)

    def error(self, error: BaseException) -> None:
        """Fail at once, dropping what is buffered; the source is let go."""
        if self._state is not _READABLE:
            return
        self._drop_buffer()
        self._fail(error)
        if self._pump is not None:
            self._pump.stop(error)
        else:
            self._source.cancel(error)

    def retire(self) -> list[bytes]:
        """Somebody else receives from the source now: close without touching it, and return what nobody has read."""
        unread = self.take_buffer()
        if self._state is _READABLE:
            self._close()
        return unread

    def take_buffer(self) -> list[bytes]:
        """Return, and forget, what has arrived and nobody has read."""
        self._reclaim_handed_read()
        taken = [bytes(data) for data in self._buffer or ()]
        self._drop_buffer()
        return taken

    def pump_to(
        self,
        sink: ByteSink,
        *,
        finish_sink: bool = True,
        abort_sink: bool = True,
        cancel_source: bool = True,
    ) -> Promise[None]:
        """Move everything to `sink`; the promise settles when it has all of it, or one side broke."""
        self.disturbed = True
        pump = Pump(
            self._source,
            sink,
            self._pump_exhausted,
            finish_sink=finish_sink,
            abort_sink=abort_sink,
            cancel_source=cancel_source,
        )
        self._pump = pump
        backlog = deque(self.take_buffer())
        if self._source.take_end():
            self._supply = _SUPPLY_ENDED
        pump.begin(backlog, ended=self._supply is _SUPPLY_ENDED)
        if pump.state is PumpState.DONE:
            if self._pump is not None:  # The sink was lost already, and the source is to be kept.
                self._pump = None
                self._buffer = deque(backlog)
                self._buffered_bytes = sum(map(len, backlog))
                self._settle_when_empty()
        elif self._supply is _SUPPLY_ENDED:
            pump.end()
        elif self._supply is _SUPPLY_FAILED and self._error is not None:
            pump.fail(self._error)
        else:
            self._supply = _SUPPLY_FLOWING
            if not cancel_source:
                pump.done.when_settled(self._take_back)
            pump.flow()
        return pump.done

    def interrupt(self, reason: BaseException, *, abort_sink: bool, cancel_source: bool) -> None:
        """Stop pumping: when what was written is sent, the pump's promise is rejected with `reason`.

        Then the sink is aborted and this stream cancelled, unless that was not asked for.
        """
        if (pump := self._pump) is not None:
            self._take_back()
            if cancel_source:
                pump.done.in_the_moment(lambda _: None, self.cancel)
            pump.interrupt(reason, abort_sink=abort_sink)

    # What the source says.

    def receive(self, data: bytes) -> None:
        pending = self._pending_read
        if pending is not None and self._filling is None:
            self._pending_read = None
            self._handed_read = pending
            pending.resolve(ReadResult(data, False))
        else:
            if self._buffer is None:
                self._buffer = deque()
            self._buffer.append(data)
            self._buffered_bytes += len(data)
            if self._filling is not None:
                self._fill(self._filling)
        if self._supply is _SUPPLY_IDLE:
            self._supply = _SUPPLY_FLOWING
        if (
            self._supply is _SUPPLY_FLOWING
            and self._buffered_bytes >= self._high_water_mark_bytes
            and self._pending_read is None
        ):
            self._supply = _SUPPLY_PAUSED
            self._source.pause()

    def end(self) -> None:
        self._supply = _SUPPLY_ENDED
        self._settle_when_empty()

    def fail(self, error: BaseException) -> None:
        self._supply = _SUPPLY_FAILED
        self._error = error
        self._settle_when_empty()

    # What follows from both.

    def _ask_for_more(self) -> None:
        if (
            self._supply in (_SUPPLY_PAUSED, _SUPPLY_IDLE)
            and self._buffered_bytes <= self._high_water_mark_bytes // 2
            and (self._high_water_mark_bytes or self._pending_read is not None)
        ):
            self._supply = _SUPPLY_FLOWING
            self._source.resume()

    def _settle_when_empty(self) -> None:
        if self._buffer or self._state is not _READABLE:
            return
        if self._supply is _SUPPLY_ENDED:
            self._answer_filling()
            if not self._buffer:
                self._close()
        elif self._supply is _SUPPLY_FAILED and self._error is not None:
            self._fail(self._error)

    def _refuse_read(self) -> TypeError | None:
        """Make ready for a read; return why there may be none now."""
        if self._pending_read is not None and not self._withdraw_abandoned_read():
            return TypeError(errors.SINGLE_PENDING_READ)
        self._reclaim_handed_read()
        self.disturbed = True
        return None

    def _taken(self, count: int) -> None:
        self._buffered_bytes -= count
        self._ask_for_more()
        self._settle_when_empty()

    def _fill(self, filling: FillingRead) -> None:
        """Move what is buffered into a reader's view; settle its read when that is enough, or all there will be."""
        taken = 0
        while self._buffer and not filling.full:
            data = self._buffer.popleft()
            rest = filling.take(data)
            taken += len(data) - len(rest)
            if rest and self._buffer is not None:
                self._buffer.appendleft(rest)
        if filling.enough:
            self._answer_filling()
        if taken:
            self._taken(taken)
        if self._filling is filling and self._state is not _READABLE:
            self._answer_filling()

    def _answer_filling(self) -> None:
        """Answer the read that fills a view with what it has; a part of an element goes back into the buffer."""
        filling, self._filling = self._filling, None
        if filling is not None:
            self._pending_read = None
            self._handed_read = filling.promise
            self._put_back(filling.answer())

    def _put_back(self, data: bytes) -> None:
        """`data` is in front of what is buffered again."""
        if data:
            if self._buffer is None:
                self._buffer = deque()
            self._buffer.appendleft(data)
            self._buffered_bytes += len(data)

    def _give_back_filling(self) -> None:
        """What was moved into the view of a read that will not be answered goes back in front of the buffer."""
        filling, self._filling = self._filling, None
        self._put_back(b"" if filling is None else filling.take_back())

    def _close(self) -> None:
        self._state = _CLOSED
        self._supply = _SUPPLY_ENDED
        self._filling = None
        pending, self._pending_read = self._pending_read, None
        if pending is not None:
            pending.resolve(END_OF_STREAM)
        self.closed.resolve(None)

    def _fail(self, error: BaseException) -> None:
        self._state = _ERRORED
        self._supply = _SUPPLY_FAILED
        self._error = error
        self._filling = None
        pending, self._pending_read = self._pending_read, None
        if pending is not None:
            pending.reject(error)
        self.closed.reject(error)

    def _drop_buffer(self) -> None:
        self._handed_read = None
        self._buffer = None
        self._buffered_bytes = 0

    def _withdraw_abandoned_read(self) -> bool:
        """A read whose every waiter was cancelled makes room for the next one."""
        pending = self._pending_read
        if pending is None or not pending.abandoned:
            return False
        self._give_back_filling()
        self._pending_read = None
        pending.withdraw(TypeError(errors.SINGLE_PENDING_READ))
        return True

    def _reclaim_handed_read(self) -> None:
        """Bytes that arrived for a read whose every waiter was cancelled belong to the next one."""
        handed, self._handed_read = self._handed_read, None
        if handed is not None and handed.abandoned:
            result = handed.withdraw(TypeError(errors.SINGLE_PENDING_READ))
            if result is not None and result.value is not None:
                self._put_back(bytes(result.value))

    def _pump_exhausted(self, error: BaseException | None) -> None:
        self._pump = None
        if self._state is not _READABLE:
            return
        if error is None:
            self._close()
        else:
            self._fail(error)

    def _take_back(self) -> None:
        """A pump's sink is gone and the source was to be kept: receive from it again."""
        if self._pump is not None and self._state is _READABLE:
            self._pump = None
            self._supply = _SUPPLY_PAUSED
            self._source.pause()
            self._source.deliver_to(self)
