"""Views that a native stream fills: what is waited for, what comes back when a read is given up, cut or cancelled."""

from __future__ import annotations

import array
import asyncio

import pytest

from emulator import errors
from emulator.streams import NativeReadable, Promise, ReadableState, ReadableStream, ReadResult
from tests.support.native import RecordingSink, ScriptedSource, let_loop_run


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def core(source: ScriptedSource) -> NativeReadable:
    return NativeReadable(source, high_water_mark_bytes=10)


def got(result: ReadResult) -> tuple[bytes | None, bool]:
    return (None if result.value is None else bytes(result.value)), result.done


def shorts(count: int) -> memoryview:
    return memoryview(bytearray(2 * count)).cast("H")


async def test_fills_what_fits_and_keeps_the_rest(
    source: ScriptedSource, core: NativeReadable
) -> None:
    view = bytearray(3)
    pending = core.read_into(view, 1)
    source.deliver(b"abcdefgh")
    assert got(await pending) == (b"abc", False)
    assert view == b"abc"
    assert core.buffered_bytes == 5
    assert got(await core.read_into(bytearray(2), 1)) == (b"de", False)
    assert await core.read() == ReadResult(b"fgh", False)
    assert core.buffered_bytes == 0


async def test_what_is_given_is_the_readers_own_memory(
    source: ScriptedSource, core: NativeReadable
) -> None:
    view = bytearray(b"....")
    pending = core.read_into(memoryview(view)[1:3], 1)
    source.deliver(b"ab")
    value = (await pending).value
    assert view == b".ab."
    value[0] = ord("z")
    assert view == b".zb."


async def test_many_small_reads_of_one_large_chunk(source: ScriptedSource) -> None:
    core = NativeReadable(source, high_water_mark_bytes=1 << 20)
    core.read()
    data = bytes(range(256)) * 256
    source.deliver(b"first", data)
    view = bytearray(7)
    seen = bytearray()
    while core.buffered_bytes:
        seen += (await core.read_into(view, 1)).value
    assert seen == data


async def test_waits_for_the_minimum(source: ScriptedSource, core: NativeReadable) -> None:
    pending = core.read_into(bytearray(8), 5)
    source.deliver(b"ab", b"cd")
    assert not pending.settled
    source.deliver(b"efghij")
    assert got(await pending) == (b"abcdefgh", False)
    assert await core.read() == ReadResult(b"ij", False)


async def test_a_minimum_beyond_the_high_water_mark_is_reached(
    source: ScriptedSource, core: NativeReadable
) -> None:
    pending = core.read_into(bytearray(100), 100)
    source.deliver(*[b"four"] * 30)
    assert got(await pending) == (b"four" * 25, False)
    assert source.paused


async def test_without_a_buffer_the_minimum_is_reached(source: ScriptedSource) -> None:
    core = NativeReadable(source, high_water_mark_bytes=0)
    pending = core.read_into(bytearray(4), 4)
    source.deliver(b"ab", b"cd", b"ef")
    assert got(await pending) == (b"abcd", False)
    assert core.buffered_bytes == 0
    assert await core.read() == ReadResult(b"ef", False)


class TestLargerElements:
    async def test_whole_elements_are_given_and_the_rest_kept(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(shorts(4), 1)
        source.deliver(b"a")
        assert not pending.settled
        source.deliver(b"bcde")
        result = await pending
        assert (result.value.format, got(result)) == ("H", (b"abcd", False))
        assert core.buffered_bytes == 1
        assert await core.read() == ReadResult(b"e", False)

    async def test_minimum_counts_elements(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(shorts(4), 3)
        source.deliver(b"abcde")
        assert not pending.settled
        source.deliver(b"fg")
        assert got(await pending) == (b"abcdef", False)
        assert core.buffered_bytes == 1

    @pytest.mark.parametrize("read_first", [True, False])
    async def test_a_byte_that_is_no_element_at_the_end_is_left_for_a_view_of_bytes(
        self, source: ScriptedSource, core: NativeReadable, read_first: bool
    ) -> None:
        if not read_first:
            first = core.read()
            source.deliver(b"!", b"abc")
            source.end()
            assert (await first).value == b"!"
        pending = core.read_into(shorts(2), 2)
        if read_first:
            source.deliver(b"abc")
            source.end()
        assert got(await pending) == (b"ab", False)
        for _ in range(2):
            with pytest.raises(TypeError) as caught:
                await core.read_into(shorts(1), 1)
            assert str(caught.value) == errors.VIEW_CUT
        assert not core.closed.settled
        assert got(await core.read_into(bytearray(4), 1)) == (b"c", False)
        await core.closed
        assert got(await core.read_into(shorts(1), 1)) == (b"", True)


class TestTheEnd:
    async def test_with_a_part_filled_gives_the_part_then_done(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.deliver(b"abc")
        source.end()
        assert got(await pending) == (b"abc", False)
        await core.closed
        assert got(await core.read_into(bytearray(8), 8)) == (b"", True)

    async def test_with_nothing_filled_is_done(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.end()
        assert got(await pending) == (b"", True)
        await core.closed

    async def test_failure_with_a_part_filled_rejects(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.deliver(b"abc")
        source.fail(ConnectionError("lost"))
        for read in (pending, core.read_into(bytearray(8), 1)):
            with pytest.raises(ConnectionError, match="lost"):
                await read
        assert core.state is ReadableState.ERRORED

    async def test_cancel_gives_nothing_back(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.deliver(b"abc")
        core.cancel()
        assert got(await pending) == (None, True)
        assert source.cancelled
        assert core.buffered_bytes == 0
        assert got(await core.read_into(bytearray(8), 8)) == (b"", True)


async def give_up(pending: Promise[ReadResult]) -> None:
    """Wait for a read in a task, and cancel that."""

    async def wait() -> None:
        await pending

    task = asyncio.create_task(wait())
    await let_loop_run()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


class TestCancelledWaits:
    async def test_what_was_filled_goes_to_the_next_read(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.deliver(b"abc")
        await give_up(pending)
        source.deliver(b"de")
        assert got(await core.read_into(bytearray(8), 5)) == (b"abcde", False)
        with pytest.raises(TypeError) as caught:
            await pending
        assert str(caught.value) == errors.SINGLE_PENDING_READ

    @pytest.mark.parametrize("into_a_view", [True, False])
    async def test_what_was_answered_goes_to_the_next_read(
        self, source: ScriptedSource, core: NativeReadable, into_a_view: bool
    ) -> None:
        await give_up(core.read_into(shorts(2), 1))
        source.deliver(b"abc")
        source.end()
        if into_a_view:
            assert got(await core.read_into(bytearray(8), 3)) == (b"abc", False)
        else:
            assert await core.read() == ReadResult(b"ab", False)
            assert await core.read() == ReadResult(b"c", False)
        assert (await core.read()).done

    async def test_an_empty_answer_at_the_end_is_no_chunk(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        await give_up(core.read_into(bytearray(2), 1))
        source.end()
        assert await core.read() == ReadResult(None, True)

    async def test_a_promise_that_is_kept_is_still_answered(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(4), 4)
        await give_up(pending)
        source.deliver(b"abcd")
        assert got(await pending) == (b"abcd", False)

    async def test_a_pump_gets_what_was_filled(
        self, source: ScriptedSource, core: NativeReadable
    ) -> None:
        pending = core.read_into(bytearray(8), 8)
        source.deliver(b"abc")
        core.release()
        with pytest.raises(TypeError) as caught:
            await pending
        assert str(caught.value) == errors.READER_RELEASED
        sink = RecordingSink()
        core.pump_to(sink)
        assert sink.sent == b"abc"


class TestRelease:
    async def test_with_a_part_filled_the_next_reader_gets_it(self, source: ScriptedSource) -> None:
        stream = ReadableStream(source)
        reader = stream.get_reader(mode="byob")
        view = bytearray(8)
        pending = reader.read_at_least(8, view)
        source.deliver(b"abc")
        reader.release_lock()
        with pytest.raises(TypeError, match="has been released"):
            await pending
        view[:] = b"12345678"  # It is the reader's own again.
        source.deliver(b"de")
        reader = stream.get_reader()
        assert (await reader.read()).value == b"abc"
        assert (await reader.read()).value == b"de"
        assert view == b"12345678"

    async def test_a_bytearray_may_grow_again(self, source: ScriptedSource) -> None:
        stream = ReadableStream(source)
        reader = stream.get_reader(mode="byob")
        view = bytearray(2)
        pending = reader.read(view)
        with pytest.raises(BufferError):
            view.append(0)
        reader.release_lock()
        with pytest.raises(TypeError):
            await pending
        view.append(0)


async def test_one_pending_read_at_a_time(source: ScriptedSource) -> None:
    reader = ReadableStream(source).get_reader(mode="byob")
    first = reader.read(bytearray(1))
    with pytest.raises(TypeError) as caught:
        await reader.read(bytearray(1))
    assert str(caught.value) == errors.SINGLE_PENDING_READ
    source.deliver(b"a")
    assert got(await first) == (b"a", False)


async def test_arrays_are_views(source: ScriptedSource) -> None:
    reader = ReadableStream(source).get_reader(mode="byob")
    numbers = array.array("I", [0, 0])
    pending = reader.read(numbers, min=2)
    source.deliver(array.array("I", [7, 8]).tobytes())
    assert list((await pending).value) == [7, 8]
    assert list(numbers) == [7, 8]
