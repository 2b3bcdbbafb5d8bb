"""Random histories of streams against models: whatever is asked when, no chunk is lost, doubled or out of order.

A rule is one act; between two acts the loop turns as often as the history says, or not at all. What a stream may do
is told by a model that is far simpler than the stream, or by laws that hold in every state.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emulator.streams import (
    AbortController,
    Promise,
    ReadableState,
    ReadableStream,
    ReadResult,
    TransformStream,
    WritableState,
    WritableStream,
)
from tests.conftest import LoopFactory, new_uvloop
from tests.streams.ends import ROOM, Native, NativeSink, Sink, Source, Standard, StandardSink
from tests.streams.wpt.kit import flush
from tests.support.waiting import within

T = TypeVar("T")
HISTORIES = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Failure(Exception):
    """Why a history fails, cancels or aborts something."""


class Machine(RuleBasedStateMachine):
    """A history on an event loop of its own; what nobody catches there fails it."""

    loop_factory: LoopFactory

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=self.loop_factory)
        self.complaints: list[dict[str, Any]] = []
        loop = self.runner.get_loop()
        loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.numbers = itertools.count()

    def do(self, act: Callable[[], T]) -> T:
        """Call `act` on the loop, and let nothing else run but what is ready when it returns."""

        async def acting() -> T:
            return act()

        return self.runner.run(acting())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end."""
        return self.runner.run(within(work))

    @rule(turns=st.integers(1, 5))
    def turn(self, turns: int) -> None:
        for _ in range(turns):
            self.wait(asyncio.sleep(0))

    def settle(self) -> None:
        """Let everything happen that can."""
        self.wait(flush())

    def finish(self) -> None:
        """What must hold at a history's end."""

    def teardown(self) -> None:
        try:
            self.finish()
            self.settle()
            assert self.complaints == []
        finally:
            self.runner.close()


def value_of(promise: Promise[ReadResult]) -> ReadResult:
    """Return what a settled promise was fulfilled with."""
    values: list[ReadResult] = []
    promise.in_the_moment(values.append, lambda _: None)
    return values[0]


def is_end(promise: Promise[ReadResult]) -> bool:
    """True for a read that was answered with the stream's end."""
    return promise.settled and promise.error is None and value_of(promise).done


class ReadableMachine(Machine):
    """A default stream and its model: a queue, the reads that wait, and a state."""

    @initialize(high_water_mark=st.integers(0, 3))
    def begin(self, high_water_mark: int) -> None:
        self.mark = high_water_mark
        self.cancels: list[object] = []
        controllers: list[Any] = []
        source = {"start": controllers.append, "cancel": self.cancels.append}
        self.stream = self.do(lambda: ReadableStream(source, {"highWaterMark": high_water_mark}))
        self.controller = controllers[0]
        self.reader = self.do(self.stream.get_reader)
        self.held = True
        self.queue: list[int] = []
        self.waiting: list[Promise[ReadResult]] = []
        self.expected: list[tuple[Promise[ReadResult], object]] = []
        self.closing = False
        self.state = ReadableState.READABLE
        self.error: Failure | None = None
        self.abandoned = False

    def is_open(self) -> bool:
        return self.state is ReadableState.READABLE and not self.closing

    def is_ahead(self) -> bool:
        """True when a read that was given up holds the last chunk, so that the stream has closed before it is seen."""
        over = self.stream.core.state is ReadableState.CLOSED
        return self.abandoned and over and self.state is ReadableState.READABLE

    @rule()
    def enqueue(self) -> None:
        number = next(self.numbers)
        if not self.is_open():
            with pytest.raises(TypeError):
                self.do(lambda: self.controller.enqueue(number))
            return
        self.do(lambda: self.controller.enqueue(number))
        if self.waiting:
            self.expected.append((self.waiting.pop(0), ReadResult(number, False)))
        else:
            self.queue.append(number)

    @rule()
    def close(self) -> None:
        if not self.is_open():
            with pytest.raises(TypeError):
                self.do(self.controller.close)
            return
        self.do(self.controller.close)
        self.closing = True
        self.end_if_empty()

    def end_if_empty(self) -> None:
        if self.closing and not self.queue and self.state is ReadableState.READABLE:
            self.state = ReadableState.CLOSED
            self.expected += [(each, ReadResult(None, True)) for each in self.waiting]
            self.waiting = []

    @rule()
    def fail(self) -> None:
        error = Failure()
        too_late = self.is_ahead()
        self.do(lambda: self.controller.error(error))
        if self.state is ReadableState.READABLE and not too_late:
            self.state = ReadableState.ERRORED
            self.error = error
            self.expected += [(each, error) for each in self.waiting]
            self.waiting = []
            self.queue = []

    @precondition(lambda self: self.held)
    @rule()
    def read(self) -> None:
        promise = self.do(self.reader.read)
        self.abandoned = False
        if self.state is ReadableState.ERRORED:
            self.expected.append((promise, self.error))
        elif self.queue:
            self.expected.append((promise, ReadResult(self.queue.pop(0), False)))
            self.end_if_empty()
        elif self.state is ReadableState.CLOSED:
            self.expected.append((promise, ReadResult(None, True)))
        else:
            self.waiting.append(promise)

    @precondition(
        lambda self: (
            self.held
            and not self.queue
            and not self.waiting
            and self.state is ReadableState.READABLE
        )
    )
    @rule(late=st.booleans())
    def give_up_a_read(self, late: bool) -> None:
        """A task that waits for a read is cancelled; `late`: in the turn in which its chunk comes."""
        number = next(self.numbers)

        async def giving_up() -> None:
            task = asyncio.ensure_future(self.take())
            await asyncio.sleep(0)
            if late:
                self.controller.enqueue(number)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        self.wait(giving_up())
        self.abandoned = True
        if late:
            self.queue.append(number)

    async def take(self) -> object:
        return await self.reader.read()

    @rule()
    def release(self) -> None:
        self.do(self.reader.release_lock)
        self.held = False
        for promise in self.waiting:
            self.expected.append((promise, TypeError))
        self.waiting = []
        self.abandoned = self.is_ahead()

    @precondition(lambda self: not self.held)
    @rule()
    def take_reader(self) -> None:
        self.reader = self.do(self.stream.get_reader)
        self.held = True

    @rule()
    def cancel(self) -> None:
        reason = Failure()
        too_late = self.is_ahead()
        open_before = self.state is ReadableState.READABLE and not too_late
        holder = self.reader if self.held else self.stream
        promise = self.do(lambda: holder.cancel(reason))
        self.settle()
        if self.state is ReadableState.ERRORED:
            assert promise.error is self.error
            return
        assert promise.settled
        assert promise.error is None
        if not too_late:
            self.queue = []
        if open_before:
            self.state = ReadableState.CLOSED
            self.expected += [(each, ReadResult(None, True)) for each in self.waiting]
            self.waiting = []
            assert self.cancels == [reason]

    @invariant()
    def promises_are_as_the_model_says(self) -> None:
        for promise, expected in self.__dict__.get("expected", []):
            assert promise.settled
            if isinstance(expected, ReadResult):
                assert promise.error is None
                assert value_of(promise) == expected
            elif isinstance(expected, type):
                assert isinstance(promise.error, expected)
            else:
                assert promise.error is expected
        assert not any(promise.settled for promise in self.__dict__.get("waiting", []))

    @invariant()
    def the_state_is_as_the_model_says(self) -> None:
        if "stream" not in self.__dict__:
            return
        if not self.abandoned:
            assert self.stream.core.state is self.state
        assert self.stream.locked is self.held
        if self.state is ReadableState.READABLE and not self.abandoned:
            assert self.controller.desired_size == self.mark - len(self.queue)


class WritableMachine(Machine):
    """A stream whose sink takes one chunk at a time and is done with it when the history says."""

    @initialize(high_water_mark=st.integers(0, 3))
    def begin(self, high_water_mark: int) -> None:
        self.mark = high_water_mark
        self.events: list[Any] = []
        self.doing: Promise[None] | None = None
        self.written: list[tuple[int, Promise[None]]] = []
        self.done: list[int] = []
        self.others: list[Promise[None]] = []
        self.failed = False
        controllers: list[Any] = []
        self.stream = self.do(
            lambda: WritableStream(
                {
                    "start": controllers.append,
                    "write": self.sink_writes,
                    "close": self.sink_closes,
                    "abort": self.sink_aborts,
                },
                {"highWaterMark": high_water_mark},
            )
        )
        self.controller = controllers[0]
        self.writer = self.do(self.stream.get_writer)
        self.held = True

    # The sink.

    def busy(self, event: object) -> Promise[None]:
        assert self.doing is None, "one thing at a time"
        assert "close" not in self.events, "nothing comes after the end"
        assert "abort" not in self.events, "nothing comes after an abort"
        self.events.append(event)
        self.doing = Promise()
        return self.doing

    def sink_writes(self, chunk: int) -> Promise[None]:
        return self.busy(chunk)

    def sink_closes(self) -> Promise[None]:
        return self.busy("close")

    def sink_aborts(self) -> Promise[None]:
        return self.busy("abort")

    @precondition(lambda self: self.doing is not None)
    @rule(fails=st.sampled_from([False, False, False, True]))
    def sink_is_done(self, fails: bool) -> None:
        doing, self.doing = self.doing, None
        assert doing is not None
        if fails:
            self.failed = True
            self.do(lambda: doing.reject(Failure()))
        else:
            if isinstance(self.events[-1], int):
                self.done.append(self.events[-1])
            self.do(lambda: doing.resolve(None))

    # The worker.

    @precondition(lambda self: self.held)
    @rule()
    def write(self) -> None:
        number = next(self.numbers)
        self.written.append((number, self.do(lambda: self.writer.write(number))))

    @rule()
    def close(self) -> None:
        self.others.append(self.do(self.writer.close if self.held else self.stream.close))

    @rule()
    def abort(self) -> None:
        holder = self.writer if self.held else self.stream
        self.failed = True
        self.others.append(self.do(lambda: holder.abort(Failure())))

    @rule()
    def fail(self) -> None:
        self.failed = True
        self.do(lambda: self.controller.error(Failure()))

    @precondition(lambda self: self.held)
    @rule()
    def release(self) -> None:
        self.do(self.writer.release_lock)
        self.held = False

    @precondition(lambda self: not self.held)
    @rule()
    def take_writer(self) -> None:
        self.writer = self.do(self.stream.get_writer)
        self.held = True

    # The laws.

    @invariant()
    def the_sink_gets_the_chunks_in_order(self) -> None:
        chunks = [event for event in self.__dict__.get("events", []) if isinstance(event, int)]
        numbers = [number for number, _ in self.__dict__.get("written", [])]
        accepted = [number for number in numbers if number in chunks]
        assert chunks == accepted

    @invariant()
    def a_write_is_fulfilled_only_when_the_sink_is_done(self) -> None:
        for number, promise in self.__dict__.get("written", []):
            if promise.settled and promise.error is None:
                assert number in self.done

    @invariant()
    def ready_tells_of_room(self) -> None:
        if not self.__dict__.get("held"):
            return
        core = self.stream.core
        if core.state is WritableState.WRITABLE:
            assert core.ready.settled is ((self.writer.desired_size or 0) > 0)
            assert (self.writer.desired_size or 0) <= self.mark

    def finish(self) -> None:
        self.settle()
        while self.doing is not None:
            self.sink_is_done(False)
            self.settle()
        core = self.stream.core
        assert all(promise.settled for _, promise in self.written)
        assert all(promise.settled for promise in self.others)
        assert core.state in (WritableState.WRITABLE, WritableState.CLOSED, WritableState.ERRORED)
        assert core.closed.settled is (core.state is not WritableState.WRITABLE)
        if not self.failed:
            assert all(
                promise.error is None for number, promise in self.written if number in self.done
            )
            refused = [number for number, promise in self.written if promise.error is not None]
            # Without a failure only what came after close() was refused.
            assert self.done + refused == [number for number, _ in self.written]


class TransformMachine(Machine):
    """A transform that doubles each chunk: what is read is what was written, twice, in order."""

    @initialize(mark=st.integers(0, 3), writable_mark=st.integers(1, 3))
    def begin(self, mark: int, writable_mark: int) -> None:
        self.cancels: list[object] = []

        def transform(chunk: int, controller: Any) -> None:
            controller.enqueue(chunk)
            controller.enqueue(chunk)

        self.stream = self.do(
            lambda: TransformStream(
                {"transform": transform, "cancel": self.cancels.append},
                {"highWaterMark": writable_mark},
                {"highWaterMark": mark},
            )
        )
        self.writer = self.do(self.stream.writable.get_writer)
        self.reader = self.do(self.stream.readable.get_reader)
        self.written: list[tuple[int, Promise[None]]] = []
        self.read_: list[Promise[ReadResult]] = []
        self.closed: Promise[None] | None = None
        self.broken = False

    @rule()
    def write(self) -> None:
        number = next(self.numbers)
        self.written.append((number, self.do(lambda: self.writer.write(number))))

    @rule()
    def read(self) -> None:
        self.read_.append(self.do(self.reader.read))

    @precondition(lambda self: self.closed is None)
    @rule()
    def close(self) -> None:
        self.closed = self.do(self.writer.close)

    @rule(act=st.sampled_from(["abort", "cancel"]))
    def break_off(self, act: str) -> None:
        self.broken = True
        holder: Any = self.writer if act == "abort" else self.reader
        self.do(lambda: getattr(holder, act)(Failure()))

    @rule()
    def release_and_take_both(self) -> None:
        self.do(self.reader.release_lock)
        self.do(self.writer.release_lock)
        self.writer = self.do(self.stream.writable.get_writer)
        self.reader = self.do(self.stream.readable.get_reader)

    def given(self) -> list[int]:
        results = [value_of(each) for each in self.read_ if each.settled and each.error is None]
        return [result.value for result in results if not result.done]

    @invariant()
    def what_is_read_is_what_was_written(self) -> None:
        if "written" in self.__dict__:
            given = self.given()
            twice = [number for number, _ in self.written for _ in range(2)]
            assert given == twice[: len(given)]

    def finish(self) -> None:
        if not self.broken:
            if self.closed is None:
                self.close()
            while not any(map(is_end, self.read_[-1:])):
                self.settle()
                self.read()
                self.settle()
            accepted = [number for number, promise in self.written if promise.error is None]
            assert self.given() == [number for number in accepted for _ in range(2)]
        self.settle()
        assert len(self.cancels) <= 1
        if self.broken:
            # A write that waits for the reader is under way: the abort waits for it, as the standard has it.
            self.read()
            self.settle()
            assert self.stream.writable.core.closed.settled
            assert self.stream.readable.core.closed.settled


class PipeMachine(Machine):
    """A pipe between any two ends: what arrives is how what was given begins, and the ends agree at the end."""

    @initialize(
        make_source=st.sampled_from([Native, Standard]),
        make_sink=st.sampled_from([NativeSink, StandardSink]),
        through=st.booleans(),
        prevent_abort=st.booleans(),
        prevent_cancel=st.booleans(),
    )
    def begin(
        self,
        make_source: type[Source],
        make_sink: type[Sink],
        through: bool,
        prevent_abort: bool,
        prevent_cancel: bool,
    ) -> None:
        self.controller = AbortController()
        self.prevent_abort = prevent_abort
        self.prevent_cancel = prevent_cancel
        self.through = through
        self.source: Source = self.do(make_source)
        self.sink: Sink = self.do(make_sink)

        def pipe() -> Promise[None]:
            stream = self.source.stream
            if through:
                stream = stream.pipe_through(TransformStream())
            return stream.pipe_to(
                self.sink.stream,
                signal=self.controller.signal,
                prevent_abort=prevent_abort,
                prevent_cancel=prevent_cancel,
            )

        self.piped = self.do(pipe)
        self.given = b""
        self.ended = self.failed = self.lost = self.aborted = False

    @property
    def gives(self) -> bool:
        return not (self.ended or self.failed or self.source.cancelled_with)

    def from_source(self, act: Callable[[], None]) -> None:
        """Have the source do `act`, unless it was cancelled meanwhile: what is ready on the loop runs first."""
        self.do(lambda: act() if self.gives else None)

    @rule()
    def give(self) -> None:
        def act() -> None:
            chunk = b"%03d" % next(self.numbers)
            self.given += chunk
            self.source.give(chunk)

        self.from_source(act)

    @rule()
    def end(self) -> None:
        def act() -> None:
            self.ended = True
            self.source.end()

        self.from_source(act)

    @rule()
    def fail(self) -> None:
        def act() -> None:
            self.failed = True
            self.source.fail(Failure())

        self.from_source(act)

    @rule()
    def drain(self) -> None:
        self.wait(self.sink.drain())

    @precondition(
        lambda self: not self.lost and not self.sink.finished and not self.sink.aborted_with
    )
    @rule()
    def lose(self) -> None:
        self.lost = True
        self.do(lambda: self.sink.lose(Failure()))

    @rule()
    def abort(self) -> None:
        self.aborted = True
        self.do(lambda: self.controller.abort(Failure()))

    @invariant()
    def what_arrives_is_how_what_was_given_begins(self) -> None:
        if "given" in self.__dict__:
            assert self.given.startswith(self.sink.taken)

    def finish(self) -> None:
        self.settle()
        self.wait(self.sink.drain())
        self.settle()
        over = self.ended or self.failed or self.lost or self.aborted
        assert self.piped.settled is over
        assert self.sink.stream.locked is not over
        if self.ended and not (self.lost or self.aborted):
            assert self.piped.error is None
            assert self.sink.taken == self.given
            assert self.sink.finished
        elif self.failed and not (self.lost or self.aborted):
            assert isinstance(self.piped.error, Failure)
            assert bool(self.sink.aborted_with) is not self.prevent_abort
        if not over:
            self.wait(self.sink.drain())
            assert self.sink.taken == self.given
        if over and self.prevent_cancel and self.gives and not self.through:
            self.rest_is_for_the_next_reader()

    def rest_is_for_the_next_reader(self) -> None:
        """The source was kept: what the sink did not get is still there, but for what was in its queue."""
        self.do(self.source.end)

        async def rest() -> bytes:
            return b"".join([chunk async for chunk in self.source.stream])

        left = self.wait(rest())
        assert self.given.endswith(left)
        gap = len(self.given) - len(self.sink.taken) - len(left)
        assert 0 <= gap <= (ROOM + 3 if isinstance(self.sink, StandardSink) else 0)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, new_uvloop])
@pytest.mark.parametrize(
    "machine", [ReadableMachine, WritableMachine, TransformMachine, PipeMachine]
)
def test_random_histories(machine: type[Machine], loop_factory: LoopFactory) -> None:
    chosen = type(machine.__name__, (machine,), {"loop_factory": staticmethod(loop_factory)})
    run_state_machine_as_test(chosen, settings=HISTORIES)
