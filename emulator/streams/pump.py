"""The pump: bytes from a native source to a native sink, with back-pressure and nothing in between.

Floor 2. Owns one transfer's life: FLOWING ⇄ HELD (the sink is full, the source is paused) → ENDING (the sink
is finishing) → DONE. It has no task: the source's deliveries and the sink's drains drive it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from emulator.streams.native import ByteSink, ByteSource, Feeder, Receiver
from emulator.streams.promise import Promise


class PumpState(Enum):
    """Where a transfer is in its life."""

    FLOWING = "flowing"
    HELD = "held"
    ENDING = "ending"
    DONE = "done"


# As globals: Python takes ten times as long to read a member from its class.
_FLOWING, _HELD, _ENDING, _DONE = PumpState


class Pump(Receiver, Feeder):
    """Moves everything from `source` to `sink`; `done` settles when the sink has all of it or one side broke.

    `finish_sink` and `abort_sink` say whether the source's end and failure are passed on to the sink;
    `cancel_source` whether the sink's loss is passed back (pipe_to's prevent_close, prevent_abort and
    prevent_cancel, turned round). `on_source_end(error)` is called once, when the source has nothing more to
    give: with None at its end, else with what it failed with.
    """

    __slots__ = (
        "_abort_sink",
        "_cancel_source",
        "_finish_sink",
        "_on_source_end",
        "_sink",
        "_source",
        "_state",
        "done",
    )

    takes_end = True

    def __init__(
        self,
        source: ByteSource,
        sink: ByteSink,
        on_source_end: Callable[[BaseException | None], None],
        *,
        finish_sink: bool = True,
        abort_sink: bool = True,
        cancel_source: bool = True,
    ) -> None:
        self.done: Promise[None] = Promise()
        self._source = source
        self._sink = sink
        self._on_source_end = on_source_end
        self._finish_sink = finish_sink
        self._abort_sink = abort_sink
        self._cancel_source = cancel_source
        self._state = _FLOWING

    @property
    def state(self) -> PumpState:
        """Where this transfer is in its life."""
        return self._state

    def begin(self, backlog: deque[bytes], *, ended: bool = False) -> None:
        """Take hold of the sink and move `backlog`, what the source delivered before it may have `ended`, to it.

        What is left in `backlog` was not written, because the sink was lost. `flow()`, or `end()` or
        `fail()` for a source that is over, comes next.
        """
        self._sink.feed_from(self)
        while backlog and self._state is not _DONE:
            if ended and len(backlog) == 1:
                self.receive_last(backlog.popleft())
            elif not self._sink.write(backlog.popleft()) and self._state is _FLOWING:
                self._state = _HELD

    def flow(self) -> None:
        """Take hold of the source, and let it deliver if the sink has room."""
        if self._state is _HELD:
            self._source.pause()
        self._source.deliver_to(self)
        if self._state is _FLOWING:
            self._source.resume()

    def receive(self, data: bytes) -> None:
        if self._state not in (_FLOWING, _HELD):
            return
        if not self._sink.write(data) and self._state is _FLOWING:
            self._state = _HELD
            self._source.pause()

    def receive_last(self, data: bytes) -> None:
        if not self._begin_ending():
            return
        if self._finish_sink:
            sent = self._sink.finish_with(data)
        else:
            self._sink.write(data)
            sent = self._sink.flush()
        self._on_source_end(None)
        self._settle_with(sent)

    def end(self) -> None:
        if not self._begin_ending():
            return
        self._on_source_end(None)
        if self._finish_sink:
            self._settle_with(self._sink.finish())
        else:
            self._settle_with(self._sink.flush())

    def fail(self, error: BaseException) -> None:
        if not self._begin_ending():
            return
        self._on_source_end(error)
        if self._abort_sink:
            self._sink.abort(error)
        self._state = _DONE
        self.done.reject(error)

    def drained(self) -> None:
        if self._state is _HELD:
            self._state = _FLOWING
            self._source.resume()

    def sink_lost(self, error: BaseException) -> None:
        if self._state is _DONE:
            return
        over = self._state is _ENDING
        self._state = _DONE
        if not over and self._cancel_source:
            self._source.cancel(error)
            self._on_source_end(None)
        self.done.reject(error)

    def interrupt(self, error: BaseException, *, abort_sink: bool) -> None:
        """Stop at what was written: when that is sent, `done` is rejected with `error`.

        The source is the caller's from now on. Does nothing once the source has ended.
        """
        if not self._begin_ending():
            return

        def settle() -> None:
            if self._state is _ENDING:
                self._state = _DONE
                if abort_sink:
                    self._sink.abort(error)
                self.done.reject(error)

        self._sink.flush().when_settled(settle)

    def stop(self, error: BaseException) -> None:
        """Break the transfer off from outside: the sink is aborted and the source cancelled."""
        if self._state is _DONE:
            return
        over = self._state is _ENDING
        self._state = _DONE
        if not over:
            self._source.cancel(error)
            self._on_source_end(None)
        self._sink.abort(error)
        self.done.reject(error)

    def _begin_ending(self) -> bool:
        if self._state in (_ENDING, _DONE):
            return False
        self._state = _ENDING
        return True

    def _settle_with(self, sent: Promise[None]) -> None:
        def settle() -> None:
            self._state = _DONE
            self.done.follow(sent)

        sent.when_settled(settle)
