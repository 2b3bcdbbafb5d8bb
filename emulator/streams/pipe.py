"""A pipe between any two streams: chunk by chunk, with back-pressure, ends and failures passed on.

Floor 2. Owns the standard's ReadableStreamPipeTo for streams that are not both native (those are pumped). Source:
WHATWG Streams, "ReadableStreamPipeTo".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any

from emulator.errors import DESTINATION_CLOSED
from emulator.streams.abort import AbortSignal
from emulator.streams.core import (
    ReadableCore,
    ReadableState,
    ReaderKind,
    WritableCore,
    WritableState,
)
from emulator.streams.promise import Promise

Action = Callable[[], Promise[None]]

# A pipe between two streams that are always ready lets others run this often.
_CHUNKS_A_TURN = 64


class PipeState(Enum):
    """Where a pipe is in its life."""

    FLOWING = "flowing"
    READING = "reading"
    WAITING = "waiting for a chunk"
    SHUTTING_DOWN = "shutting down"
    DONE = "done"


class Pipe:
    """Moves every chunk of `source` to `destination`; `done` settles when that is over, one way or the other."""

    def __init__(
        self,
        source: ReadableCore,
        destination: WritableCore,
        *,
        prevent_close: bool = False,
        prevent_abort: bool = False,
        prevent_cancel: bool = False,
        signal: AbortSignal | None = None,
    ) -> None:
        self.done: Promise[None] = Promise()
        self._source = source
        self._destination = destination
        self._prevent_close = prevent_close
        self._prevent_abort = prevent_abort
        self._prevent_cancel = prevent_cancel
        self._signal = signal
        self._state = PipeState.FLOWING
        self._in_hand: list[Any] = []  # Read, and not written yet.
        self._last_write: Promise[None] = Promise.fulfilled(None)

    def start(self) -> Promise[None]:
        """Begin. Both streams are held by this pipe until `done`."""
        self._source.disturbed = True
        self._source.acquire(ReaderKind.DEFAULT)
        if self._signal is not None:
            if self._signal.aborted:
                self._aborted()
                return self.done
            self._signal.add_event_listener("abort", self._aborted)
        self._source.closed.then(self._source_over, self._source_over)
        self._destination.closed.then(self._destination_over, self._destination_over)
        self._check_ends()
        if self._state is PipeState.FLOWING:
            self._destination.ready.then(self._flow, _nothing)
        return self.done

    def _aborted(self) -> None:
        """Stop: both sides hear of it, unless prevented, and `done` is rejected with the signal's reason."""
        assert self._signal is not None
        reason = self._signal.reason
        assert reason is not None
        actions: list[Action] = []
        if not self._prevent_abort and self._destination.state is WritableState.WRITABLE:
            actions.append(lambda: self._destination.break_off(reason))
        if not self._prevent_cancel and self._source.state is ReadableState.READABLE:
            actions.append(lambda: self._source.cancel(reason))
        self._shut_down(lambda: all_of(actions), reason)

    def _flow(self, _: object = None) -> None:
        """Read what is there, and write it, while the destination wants it."""
        destination = self._destination
        for _turn in range(_CHUNKS_A_TURN):
            if (
                self._state is not PipeState.FLOWING
                or destination.state is not WritableState.WRITABLE
            ):
                return
            if not destination.ready.settled:
                destination.ready.then(self._flow, _nothing)
                return
            self._state = PipeState.READING
            self._source.read_for(self._take, _nothing, _nothing)
            if self._state is PipeState.READING:
                self._state = PipeState.WAITING
            self._write()
        asyncio.get_running_loop().call_soon(self._flow)

    def _take(self, chunk: Any) -> None:
        """Here is a chunk, from within the source's enqueue(): it is written in a turn of its own."""
        state = self._state
        if state not in (PipeState.READING, PipeState.WAITING) or (
            self._destination.state is not WritableState.WRITABLE
        ):
            self._source.put_back(chunk)
            return
        self._state = PipeState.FLOWING
        self._in_hand.append(chunk)
        if state is PipeState.WAITING:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._write()
        self._flow()

    def _write(self) -> None:
        """Write what was read. A shutdown waits for that."""
        destination = self._destination
        while self._in_hand:
            chunk = self._in_hand.pop(0)
            self._last_write = destination.submit(chunk, destination.size_of(chunk))

    # The four ways in which ends and failures go on, in the standard's order.

    def _check_ends(self) -> None:
        if self._state in (PipeState.SHUTTING_DOWN, PipeState.DONE):
            return
        source, destination = self._source, self._destination
        if source.state is ReadableState.ERRORED:
            error = source.closed.error
            assert error is not None
            abort = None if self._prevent_abort else lambda: destination.break_off(error)
            self._shut_down(abort, error)
        elif destination.state is WritableState.ERRORED and destination.error is not None:
            failure = destination.error
            cancel = None if self._prevent_cancel else lambda: source.cancel(failure)
            self._shut_down(cancel, failure)
        elif source.state is ReadableState.CLOSED:
            close = None if self._prevent_close else self._close_destination
            self._shut_down(close, None)
        elif destination.state in (WritableState.CLOSED, WritableState.CLOSING):
            closed = TypeError(DESTINATION_CLOSED)
            cancel_closed = None if self._prevent_cancel else lambda: source.cancel(closed)
            self._shut_down(cancel_closed, closed)

    def _source_over(self, _: object) -> None:
        self._check_ends()

    def _destination_over(self, _: object) -> None:
        self._check_ends()

    def _close_destination(self) -> Promise[None]:
        """Close it, unless that has been done."""
        if self._destination.state in (WritableState.CLOSED, WritableState.CLOSING):
            return Promise.fulfilled(None)
        if self._destination.state is WritableState.ERRORED and self._destination.error is not None:
            return Promise.rejected(self._destination.error)
        return self._destination.close()

    def _shut_down(self, action: Action | None, error: BaseException | None) -> None:
        if self._state in (PipeState.SHUTTING_DOWN, PipeState.DONE):
            return
        waiting = self._state is PipeState.WAITING
        self._state = PipeState.SHUTTING_DOWN
        if waiting:
            self._source.release()  # The next chunk is not for this pipe.
        if self._destination.state is WritableState.WRITABLE:
            self._after_writes(lambda: self._act(action, error))
        else:
            self._act(action, error)

    def _after_writes(self, proceed: Callable[[], None]) -> None:
        """Call `proceed` once every chunk that was read has been written, or can't be."""
        last = self._last_write

        def look(_: object) -> None:
            self._write()
            if self._last_write is last:
                proceed()
            else:
                self._after_writes(proceed)

        last.then(look, look)

    def _act(self, action: Action | None, error: BaseException | None) -> None:
        if action is None:
            self._finalize(error)
        else:
            action().then(lambda _: self._finalize(error), self._finalize)

    def _finalize(self, error: BaseException | None) -> None:
        self._state = PipeState.DONE
        if self._signal is not None:
            self._signal.remove_event_listener("abort", self._aborted)
        self._source.release()
        if error is None:
            self.done.resolve(None)
        else:
            self.done.reject(error)


def all_of(actions: list[Action]) -> Promise[None]:
    """Begin every action; the promise settles when all have, rejected with the first failure."""
    together: Promise[None] = Promise()
    remaining = len(actions)
    if not remaining:
        together.resolve(None)

    def one_done(_: object) -> None:
        nonlocal remaining
        remaining -= 1
        if not remaining:
            together.resolve(None)

    for action in actions:
        action().then(one_done, together.reject)
    return together


def _nothing(_: object = None) -> None:
    """The streams' `closed` tells of ends and failures."""
