"""The buffer between a source and whoever reads: bounded, ordered, and no byte lost to a cancelled read."""

from __future__ import annotations

import asyncio

import pytest

from emulator import errors
from emulator.streams import NativeReadable, Promise, ReadableState, ReadResult
from tests.support.native import RecordingSink, ScriptedSource, let_loop_run

END = ReadResult(None, True)


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def core(source: ScriptedSource) -> NativeReadable:
    return NativeReadable(source, high_water_mark_bytes=10)


async def read(core: NativeReadable) -> bytes | None:
    value: bytes | None
    value, done = await asyncio.wait_for(core.read(), 5)
    assert done is (value is None)
    return value


async def test_reads_what_arrives_at_any_boundary(
    source: ScriptedSource, core: NativeReadable
) -> None:
    pending = core.read()
    assert not pending.settled
    source.deliver(b"S", b"more")
    assert await pending == ReadResult(b"S", False)
    assert await read(core) == b"more"


async def test_nothing_is_asked_for_before_the_first_read(
    source: ScriptedSource, core: NativeReadable
) -> None:
    assert source.resumes == 0
    core.read()
    assert source.resumes == 1


async def test_end_comes_after_the_last_byte_and_stays(
    source: ScriptedSource, core: NativeReadable
) -> None:
    pending = core.read()
    source.deliver(b"a", b"b")
    source.end()
    assert not core.closed.settled
    assert (await pending).value == b"a"
    assert await read(core) == b"b"
    assert core.state is ReadableState.CLOSED
    await core.closed
    for _ in range(3):
        assert await core.read() == END


async def test_failure_comes_after_the_last_byte_and_stays(
    source: ScriptedSource, core: NativeReadable
) -> None:
    error = ConnectionError("lost")
    pending = core.read()
    source.deliver(b"a", b"b")
    source.fail(error)
    assert (await pending).value == b"a"
    assert core.closed.error is None
    assert await read(core) == b"b"
    assert core.state is ReadableState.ERRORED
    for _ in range(2):
        with pytest.raises(ConnectionError, match="lost"):
            await core.read()
    assert core.closed.error is error


async def test_end_answers_a_pending_read(source: ScriptedSource, core: NativeReadable) -> None:
    pending = core.read()
    source.end()
    assert await pending == END


async def test_one_pending_read_at_a_time(source: ScriptedSource, core: NativeReadable) -> None:
    first = core.read()
    with pytest.raises(TypeError) as caught:
        await core.read()
    assert str(caught.value) == errors.SINGLE_PENDING_READ
    source.deliver(b"a")
    assert (await first).value == b"a"


async def test_buffer_is_bounded_and_refilled(source: ScriptedSource, core: NativeReadable) -> None:
    first = core.read()
    source.deliver(*[b"four"] * 10)
    source.end()
    total = len((await first).value or b"")
    assert core.buffered_bytes == 12
    assert source.paused
    while (value := await read(core)) is not None:
        total += len(value)
        assert core.buffered_bytes <= 12
    assert total == 40
    assert source.pauses > 1


async def test_without_a_buffer_the_source_is_asked_one_chunk_a_read(
    source: ScriptedSource,
) -> None:
    core = NativeReadable(source, high_water_mark_bytes=0)
    source.deliver(b"a", b"b", b"c")
    assert not core.buffered_bytes
    assert await read(core) == b"a"
    assert source.paused
    assert not core.buffered_bytes
    assert await read(core) == b"b"


async def test_a_source_that_ignores_the_pause_loses_nothing(
    source: ScriptedSource, core: NativeReadable
) -> None:
    core.read()
    source.deliver(b"first", b"fills the buffer")
    assert source.paused
    source.deliver_late(b"late")
    assert await read(core) == b"fills the buffer"
    assert await read(core) == b"late"


class TestCancelledReads:
    async def test_timed_out_read_then_another(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        for _ in range(3):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(core.read(), 0.001)
        source.deliver(b"a", b"b")
        assert await read(core) == b"a"
        assert await read(core) == b"b"

    async def test_bytes_between_the_timeout_and_the_next_read(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(core.read(), 0.001)
        source.deliver(b"a", b"b")
        source.end()
        assert [await read(core) for _ in range(3)] == [b"a", b"b", None]

    async def test_bytes_in_the_moment_of_cancelling(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        async def read_once() -> ReadResult:
            return await core.read()

        task = asyncio.create_task(read_once())
        await let_loop_run()
        source.deliver(b"a")
        task.cancel()
        source.deliver(b"b")
        await asyncio.wait({task})
        assert task.cancelled()
        assert await read(core) == b"a"
        assert await read(core) == b"b"

    async def test_abandoned_read_does_not_lift_the_bound(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(core.read(), 0.001)
        source.deliver(*[b"four"] * 100)
        assert core.buffered_bytes <= 12
        assert source.paused

    async def test_promise_kept_by_its_owner_still_gets_the_bytes(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        kept = core.read()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(kept, 0.001)
        source.deliver(b"a", b"b")
        assert (await kept).value == b"a"
        assert await read(core) == b"b"

    async def test_promise_whose_bytes_went_to_the_next_read_says_so(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        kept = core.read()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(kept, 0.001)
        source.deliver(b"a")
        assert await read(core) == b"a"
        with pytest.raises(TypeError, match="single pending read"):
            await kept

    async def test_bytes_go_to_a_pump(self, source: ScriptedSource, core: NativeReadable) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(core.read(), 0.001)
        source.deliver(b"a", b"b")
        sink = RecordingSink()
        core.release()
        core.pump_to(sink)
        assert sink.sent == b"ab"


class TestRelease:
    async def test_pending_read_is_rejected_and_its_bytes_go_on(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read()
        core.release()
        source.deliver(b"a")
        with pytest.raises(TypeError) as caught:
            await pending
        assert str(caught.value) == errors.READER_RELEASED
        assert await read(core) == b"a"

    async def test_without_a_pending_read(self, core: NativeReadable) -> None:
        core.release()
        assert core.state is ReadableState.READABLE


class TestCancel:
    async def test_closes_drops_and_lets_the_source_go(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        core.read()
        source.deliver(b"a", b"b")
        reason = ValueError("enough")
        core.cancel(reason)
        assert source.cancel_reason is reason
        assert core.buffered_bytes == 0
        assert await core.read() == END
        await core.closed

    async def test_answers_a_pending_read(self, core: NativeReadable) -> None:
        pending = core.read()
        core.cancel()
        assert await pending == END

    async def test_twice_is_once(self, source: ScriptedSource, core: NativeReadable) -> None:
        core.cancel()
        core.cancel()
        assert source.cancelled

    async def test_while_pumped_aborts_the_sink(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        sink = RecordingSink()
        done = core.pump_to(sink)
        reason = ConnectionError("client gone")
        core.cancel(reason)
        assert sink.aborted_with is reason
        assert source.cancel_reason is reason
        assert done.error is reason
        assert core.state is ReadableState.CLOSED
        await core.closed


class TestError:
    async def test_drops_what_is_buffered(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        core.read()
        source.deliver(b"a", b"b")
        error = ConnectionError("gone")
        core.error(error)
        assert source.cancelled
        with pytest.raises(ConnectionError, match="gone"):
            await core.read()

    async def test_while_pumped_rejects_closed(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        sink = RecordingSink()
        done = core.pump_to(sink)
        error = ConnectionError("gone")
        core.error(error)
        assert core.closed.error is error
        with pytest.raises(ConnectionError, match="gone"):
            await core.read()
        assert done.error is error
        assert sink.aborted_with is error
        assert source.cancelled

    async def test_after_the_end_changes_nothing(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read()
        source.end()
        await pending
        core.error(ConnectionError("late"))
        assert core.state is ReadableState.CLOSED


class TestPumpTo:
    async def test_backlog_first_then_what_comes(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read()
        source.deliver(b"0", b"1", b"2")
        assert (await pending).value == b"0"
        sink = RecordingSink()
        done = core.pump_to(sink)
        assert (core.pumping, core.disturbed) == (True, True)
        source.deliver(b"3")
        source.end()
        await done
        assert sink.writes == [b"1", b"2", b"3"]
        assert sink.finished
        assert (core.pumping, core.disturbed) == (False, True)

    async def test_source_already_over(self, source: ScriptedSource, core: NativeReadable) -> None:
        pending = core.read()
        source.deliver(b"0", b"1")
        source.end()
        await pending
        sink = RecordingSink()
        await core.pump_to(sink)
        assert sink.sent == b"1"
        assert sink.finished
        await core.closed

    async def test_source_already_failed(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        error = ConnectionError("lost")
        pending = core.read()
        source.deliver(b"0", b"1")
        source.fail(error)
        await pending
        sink = RecordingSink()
        done = core.pump_to(sink)
        assert done.error is error
        assert sink.sent == b"1"
        assert sink.aborted_with is error
        assert core.closed.error is error

    async def test_closed_and_errored_streams(self) -> None:
        closed = NativeReadable(ScriptedSource())
        closed.cancel()
        sink = RecordingSink()
        await closed.pump_to(sink)
        assert sink.finished

        error = ConnectionError("lost")
        errored = NativeReadable(ScriptedSource())
        errored.error(error)
        sink = RecordingSink()
        assert errored.pump_to(sink).error is error
        assert sink.aborted_with is error

    @pytest.mark.parametrize("ended", [False, True])
    async def test_sink_lost_before_it_began_keeps_the_backlog(
        self, source: ScriptedSource, core: NativeReadable, ended: bool
    ) -> None:
        class LostSink(RecordingSink):
            def feed_from(self, feeder: object) -> None:
                super().feed_from(feeder)  # type: ignore[arg-type]
                self.lose(ConnectionError("gone"))

        pending = core.read()
        source.deliver(b"0", b"1", b"2")
        if ended:
            source.end()
        await pending
        done = core.pump_to(LostSink(), cancel_source=False)
        with pytest.raises(ConnectionError, match="gone"):
            await done
        assert not core.pumping
        assert await read(core) == b"1"
        assert await read(core) == b"2"
        if not ended:
            source.deliver(b"3")
            assert await read(core) == b"3"
            source.end()
        assert await read(core) is None

    async def test_sink_lost_in_the_backlog_keeps_the_rest(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        class Brittle(RecordingSink):
            def write(self, data: object) -> bool:
                room = super().write(data)  # type: ignore[arg-type]
                self.lose(ConnectionError("gone"))
                return room

        pending = core.read()
        source.deliver(b"0", b"1", b"2")
        await pending
        sink = Brittle()
        core.pump_to(sink, cancel_source=False)
        assert sink.writes == [b"1"]
        assert await read(core) == b"2"

    async def test_source_given_back_loses_nothing(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        sink = RecordingSink(room_bytes=1)
        done = core.pump_to(sink, cancel_source=False)
        source.deliver(b"a", b"b")
        sink.lose(ConnectionError("gone"))
        assert done.error is not None
        assert not source.cancelled
        assert source.paused
        source.deliver_late(b"late")
        source.deliver(b"c")
        source.end()
        assert [await read(core) for _ in range(4)] == [b"late", b"b", b"c", None]

    async def test_source_given_back_while_it_flows_is_bounded(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        sink = RecordingSink()
        core.pump_to(sink, cancel_source=False)
        assert not source.paused
        sink.lose(ConnectionError("gone"))
        source.deliver(*[b"four"] * 100)
        assert core.buffered_bytes <= 12
        assert await read(core) == b"four"

    async def test_sink_lost_cancels_the_source_and_closes(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        sink = RecordingSink()
        error = ConnectionError("gone")
        done: Promise[None] = core.pump_to(sink)
        sink.lose(error)
        assert done.error is error
        assert source.cancel_reason is error
        assert core.state is ReadableState.CLOSED


def test_take_buffer_gives_and_forgets(source: ScriptedSource, core: NativeReadable) -> None:
    core.read()
    source.deliver(b"0", b"1", b"2")
    assert core.take_buffer() == [b"1", b"2"]
    assert core.take_buffer() == []
    assert core.buffered_bytes == 0
