"""The pump against a model: whatever the order of things, no byte is lost and no wake-up either."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from emulator.streams import (
    Bytes,
    ByteSink,
    Feeder,
    NativeReadable,
    Promise,
    Pump,
    PumpState,
    ReadResult,
)
from tests.support.native import RecordingSink, ScriptedSource

LOST = ConnectionError("the sink is gone")
BROKEN = ConnectionError("the source broke off")
STOPPED = ConnectionError("stopped from outside")


class Ends:
    """Counts the calls of on_source_end, and those of done's settlement."""

    def __init__(self) -> None:
        self.sources: list[BaseException | None] = []
        self.settled = 0

    def count(self) -> None:
        self.settled += 1


def make_pump(
    source: ScriptedSource,
    sink: RecordingSink,
    *,
    finish_sink: bool = True,
    abort_sink: bool = True,
    cancel_source: bool = True,
    backlog: tuple[bytes, ...] = (),
) -> tuple[Pump, Ends]:
    """Return a pump that flows, and what it reports."""
    ends = Ends()
    pump = Pump(
        source,
        sink,
        ends.sources.append,
        finish_sink=finish_sink,
        abort_sink=abort_sink,
        cancel_source=cancel_source,
    )
    pump.done.when_settled(ends.count)
    pump.begin(deque(backlog))
    pump.flow()
    return pump, ends


def state_of(pump: Pump) -> PumpState:
    """Return `pump.state`, which changes from one statement to the next."""
    return pump.state


class PumpMachine(RuleBasedStateMachine):
    """Any interleaving of what a source, a sink and the world may do to a pump."""

    def __init__(self) -> None:
        super().__init__()
        self.source = ScriptedSource()
        self.sink = RecordingSink(room_bytes=8)
        self.pump, self.ends = make_pump(self.source, self.sink)
        self.said = bytearray()  # What the source was told to deliver, or delivered late.
        self.over = False  # The source was told its end or failure.
        self.broken: BaseException | None = None
        self.lost = False
        self.number = 0

    def next_chunk(self, size: int) -> bytes:
        """Return `size` bytes that tell apart from their neighbours."""
        self.number += 1
        return bytes((self.number + offset) % 251 for offset in range(size))

    @property
    def alive(self) -> bool:
        return not self.lost

    @precondition(lambda self: not self.over and self.alive)
    @rule(size=st.integers(1, 12))
    def deliver(self, size: int) -> None:
        chunk = self.next_chunk(size)
        self.said += chunk
        self.source.deliver(chunk)

    @precondition(lambda self: not self.over and self.alive and self.nothing_waits())
    @rule(size=st.integers(1, 12))
    def deliver_though_paused(self, size: int) -> None:
        chunk = self.next_chunk(size)
        self.said += chunk
        self.source.deliver_late(chunk)

    @rule()
    def send(self) -> None:
        self.sink.send()

    @rule()
    def drained_for_no_reason(self) -> None:
        if not self.sink.asked_to_hold:
            self.pump.drained()

    @precondition(lambda self: not self.over and self.alive)
    @rule()
    def end(self) -> None:
        self.over = True
        self.source.end()

    @precondition(lambda self: not self.over and self.alive and self.nothing_waits())
    @rule(size=st.integers(1, 12))
    def deliver_last(self, size: int) -> None:
        self.over = True
        chunk = self.next_chunk(size)
        self.said += chunk
        self.source.deliver_last(chunk)

    @precondition(lambda self: not self.over and self.alive)
    @rule()
    def fail(self) -> None:
        self.over = True
        self.broken = BROKEN
        self.source.fail(BROKEN)

    @precondition(lambda self: self.alive)
    @rule()
    def lose(self) -> None:
        self.lost = True
        self.sink.lose(LOST)

    @precondition(lambda self: self.alive and self.pump.state is not PumpState.DONE)
    @rule()
    def stop(self) -> None:
        self.lost = True
        self.pump.stop(STOPPED)

    def nothing_waits(self) -> bool:
        return not self.source._script

    @invariant()
    def bytes_arrive_whole_and_in_order(self) -> None:
        written = b"".join(self.sink.writes)
        assert self.said.startswith(written)
        if self.alive and self.broken is None and self.nothing_waits():
            assert written == self.said

    @invariant()
    def the_source_is_held_exactly_while_the_sink_is_full(self) -> None:
        if self.pump.state is PumpState.HELD:
            assert self.source.paused
            assert self.sink.asked_to_hold
        elif self.pump.state is PumpState.FLOWING:
            assert not self.source.paused
            assert not self.sink.asked_to_hold

    @invariant()
    def pauses_alternate_with_resumes(self) -> None:
        assert self.source.pauses <= self.source.resumes <= self.source.pauses + 1

    @invariant()
    def it_settles_once_and_tells_the_source_end_once(self) -> None:
        assert len(self.ends.sources) <= 1
        assert self.ends.settled == (1 if self.pump.done.settled else 0)
        assert self.pump.done.settled is (self.pump.state is PumpState.DONE)

    @invariant()
    def the_end_is_passed_on(self) -> None:
        if self.sink.finished:
            assert self.over
            assert self.broken is None
        if self.pump.done.settled and self.pump.done.error is None:
            assert self.sink.finished
            assert self.sink.sent == self.said

    def teardown(self) -> None:
        """Left alone, with a sink that sends, it comes to its end."""
        if not self.over and self.alive:
            self.source.end()
        for _ in range(1000):
            if self.pump.done.settled:
                break
            self.sink.send()
        assert self.pump.done.settled
        if self.alive and self.broken is None:
            assert self.pump.done.error is None
            assert self.sink.sent == self.said
        assert len(self.ends.sources) == 1
        assert self.ends.settled == 1


TestPumpMachine = PumpMachine.TestCase
TestPumpMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=20), max_size=12),
    read_first=st.integers(0, 4),
    room_bytes=st.one_of(st.none(), st.integers(1, 30)),
    high_water_mark_bytes=st.integers(0, 30),
    sends=st.lists(st.booleans(), max_size=24),
)
@settings(deadline=None)
def test_reading_then_pumping_loses_nothing(
    chunks: list[bytes],
    read_first: int,
    room_bytes: int | None,
    high_water_mark_bytes: int,
    sends: list[bool],
) -> None:
    """Some of a stream is read, the rest is pumped, in any rhythm: together they are the whole."""
    source = ScriptedSource()
    core = NativeReadable(source, high_water_mark_bytes)
    read = bytearray()

    waiting = list(chunks)
    for _ in range(min(read_first, len(chunks))):
        pending = core.read()
        if not pending.settled:
            source.deliver(waiting.pop(0))
        read += value_of(pending) or b""
    sink = RecordingSink(room_bytes)
    done = core.pump_to(sink)
    for send in sends:
        if send:
            sink.send()
        elif waiting:
            source.deliver(waiting.pop(0))
    source.deliver(*waiting)
    source.end()
    for _ in range(100):
        sink.send()
    assert done.settled
    assert done.error is None
    assert bytes(read) + bytes(sink.sent) == b"".join(chunks)


def value_of(answered: Promise[ReadResult]) -> bytes | None:
    """Return the bytes of a read that has been answered, with no event loop; None at the end."""
    with pytest.raises(StopIteration) as stopped:
        next(answered.__await__())
    result: ReadResult = stopped.value.value
    data: bytes | None = result.value
    return data


@given(
    events=st.lists(st.sampled_from(["deliver", "send", "lose"]), max_size=20),
    room_bytes=st.integers(1, 12),
)
def test_given_back_after_a_loss_together_they_are_the_whole(
    events: list[str], room_bytes: int
) -> None:
    source = ScriptedSource()
    core = NativeReadable(source)
    sink = RecordingSink(room_bytes)
    done = core.pump_to(sink, cancel_source=False)
    said = bytearray()
    for number, event in enumerate(events):
        if event == "deliver":
            chunk = bytes([number]) * 3
            said += chunk
            source.deliver(chunk)
        elif event == "send":
            sink.send()
        elif not done.settled:
            sink.lose(LOST)
    if not done.settled:
        sink.lose(LOST)
    source.end()
    assert not source.cancelled
    rest = bytearray()
    while (value := value_of(core.read())) is not None:
        rest += value
    assert b"".join(sink.writes) + bytes(rest) == said


class TestPrevented:
    def test_source_end_is_kept_from_the_sink(self) -> None:
        source, sink = ScriptedSource(), RecordingSink(room_bytes=1)
        pump, ends = make_pump(source, sink, finish_sink=False)
        source.deliver(b"a")
        sink.send()
        source.end()
        assert pump.done.settled
        assert pump.done.error is None
        assert not sink.finished
        assert ends.sources == [None]

    def test_without_an_end_it_is_done_when_all_is_sent(self) -> None:
        source, sink = ScriptedSource(), RecordingSink(room_bytes=10)
        pump, _ = make_pump(source, sink, finish_sink=False)
        source.deliver(b"a")
        source.end()
        assert state_of(pump) is PumpState.ENDING
        sink.send()
        assert state_of(pump) is PumpState.DONE

    def test_source_failure_is_kept_from_the_sink(self) -> None:
        source, sink = ScriptedSource(), RecordingSink()
        pump, ends = make_pump(source, sink, abort_sink=False)
        source.fail(BROKEN)
        assert pump.done.error is BROKEN
        assert sink.aborted_with is None
        assert ends.sources == [BROKEN]

    def test_sink_loss_is_kept_from_the_source(self) -> None:
        source, sink = ScriptedSource(), RecordingSink()
        pump, ends = make_pump(source, sink, cancel_source=False)
        sink.lose(LOST)
        assert pump.done.error is LOST
        assert not source.cancelled
        assert ends.sources == []


def test_backlog_that_fills_the_sink_holds_the_source() -> None:
    source, sink = ScriptedSource(), RecordingSink(room_bytes=4)
    pump, _ = make_pump(source, sink, backlog=(b"four", b"more"))
    assert (state_of(pump), source.paused) == (PumpState.HELD, True)
    sink.send()
    assert (state_of(pump), source.paused) == (PumpState.FLOWING, False)
    assert sink.sent == b"fourmore"


def test_a_source_that_flows_is_paused_for_a_full_sink() -> None:
    source, sink = ScriptedSource(), RecordingSink(room_bytes=4)
    source.resume()
    make_pump(source, sink, backlog=(b"four",))
    assert source.paused


def test_a_sink_lost_in_the_moment_of_writing_ends_it() -> None:
    class Brittle(RecordingSink):
        def write(self, data: Bytes) -> bool:
            self.lose(LOST)
            return False

    source = ScriptedSource()
    pump, _ = make_pump(source, Brittle())
    source.deliver(b"a")
    assert pump.state is PumpState.DONE
    assert pump.done.error is LOST


def test_loss_while_ending_rejects() -> None:
    source, sink = ScriptedSource(), RecordingSink(room_bytes=100)
    pump, ends = make_pump(source, sink)
    source.deliver(b"a")
    source.end()
    assert state_of(pump) is PumpState.ENDING
    sink.lose(LOST)
    assert pump.done.error is LOST
    assert not source.cancelled
    assert ends.sources == [None]


def test_stop_breaks_off_both_sides() -> None:
    source, sink = ScriptedSource(), RecordingSink()
    pump, _ = make_pump(source, sink)
    pump.stop(STOPPED)
    pump.stop(STOPPED)
    assert source.cancel_reason is STOPPED
    assert sink.aborted_with is STOPPED
    assert pump.done.error is STOPPED


def test_a_late_delivery_after_the_loss_reaches_nobody() -> None:
    source, sink = ScriptedSource(), RecordingSink()
    make_pump(source, sink, cancel_source=False)
    sink.lose(LOST)
    source.deliver_late(b"late")
    assert sink.writes == []


def test_bytes_pass_without_being_copied() -> None:
    class Keeper(RecordingSink):
        kept: list[Bytes]

        def write(self, data: Bytes) -> bool:
            self.kept.append(data)
            return super().write(data)

    source, sink = ScriptedSource(), Keeper()
    sink.kept = []
    make_pump(source, sink)
    chunk = b"x" * 1000
    source.deliver(chunk)
    assert sink.kept[0] is chunk


def test_interfaces_are_those_of_the_native_path() -> None:
    assert issubclass(Pump, Feeder)
    assert issubclass(RecordingSink, ByteSink)


class Joining(RecordingSink):
    """Remembers what it was finished with."""

    def __init__(self) -> None:
        super().__init__()
        self.finished_with: list[bytes] = []

    def finish_with(self, data: Bytes) -> Promise[None]:
        self.finished_with.append(bytes(data))
        return super().finish_with(data)


@pytest.mark.parametrize("begun", [True, False], ids=["while it flows", "before it begins"])
def test_the_last_bytes_and_the_end_reach_the_sink_in_one(begun: bool) -> None:
    source, sink = ScriptedSource(), Joining()
    stream = NativeReadable(source)
    source.resume()
    source.deliver(b"first")
    if begun:
        done = stream.pump_to(sink)
        source.deliver_last(b"last")
    else:
        source.deliver(b"last")
        source.pause()
        source.end()  # It is there, and not delivered yet.
        done = stream.pump_to(sink)
    assert sink.finished_with == [b"last"]
    assert sink.sent == b"firstlast"
    assert done.settled
    assert stream.closed.settled


def test_a_sink_that_is_to_stay_open_gets_the_last_bytes_alone() -> None:
    source, sink = ScriptedSource(), Joining()
    pump, ends = make_pump(source, sink, finish_sink=False)
    source.deliver_last(b"last")
    assert sink.sent == b"last"
    assert not sink.finished
    assert state_of(pump) is PumpState.DONE
    assert ends.sources == [None]


def test_an_end_that_was_taken_for_a_sink_that_is_lost_is_the_streams() -> None:
    source = ScriptedSource()
    stream = NativeReadable(source)
    source.resume()
    source.pause()
    source.end()
    sink = RecordingSink()
    sink.feed_from = lambda feeder: feeder.sink_lost(LOST)  # type: ignore[method-assign]
    done = stream.pump_to(sink, cancel_source=False)
    assert done.error is LOST
    assert stream.closed.settled
