"""ReadableStream and its reader as workers hold them: locks, sentences, ownership, iteration, pipes."""

from __future__ import annotations

import asyncio
import gc
import itertools

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, enter
from emulator.errors import OwnershipError
from emulator.streams import (
    Lock,
    MemorySource,
    NativeReadable,
    ReadableStream,
    ReadableStreamDefaultReader,
    ReadResult,
    WritableStream,
)
from emulator.streams.readers import Reader
from tests.support.native import RecordingSink, ScriptedSource, let_loop_run

END = ReadResult(None, True)


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def stream(source: ScriptedSource) -> ReadableStream:
    return ReadableStream(source)


def is_locked(stream: ReadableStream | WritableStream) -> bool:
    """Return `stream.locked`, which changes from one statement to the next."""
    return stream.locked


async def rest_of(stream: ReadableStream) -> bytes:
    return b"".join([chunk async for chunk in stream])


class TestLock:
    def test_one_reader_at_a_time(self, stream: ReadableStream) -> None:
        reader = stream.get_reader()
        assert is_locked(stream)
        with pytest.raises(TypeError) as caught:
            stream.get_reader()
        assert str(caught.value) == "This ReadableStream is currently locked to a reader."
        reader.release_lock()
        assert not is_locked(stream)
        stream.get_reader()

    async def test_locked_stream_refuses_cancel_tee_and_pipe(self, stream: ReadableStream) -> None:
        stream.get_reader()
        with pytest.raises(TypeError) as caught:
            await stream.cancel()
        assert str(caught.value) == errors.READABLE_LOCKED
        with pytest.raises(TypeError, match="locked to a reader"):
            stream.tee()
        with pytest.raises(TypeError, match="locked to a reader"):
            await stream.pipe_to(WritableStream(RecordingSink()))

    @pytest.mark.parametrize("lock", [Lock.CLOSING, Lock.DETACHED])
    async def test_closing_object(self, stream: ReadableStream, lock: Lock) -> None:
        stream.begin_closing(lock)
        with pytest.raises(TypeError) as caught:
            stream.get_reader()
        assert str(caught.value) == "This ReadableStream belongs to an object that is closing."
        await stream.cancel("harmless")

    async def test_detaching_takes_the_stream_from_its_reader(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        reader = stream.get_reader()
        pending = reader.read()
        stream.begin_closing(Lock.DETACHED)
        with pytest.raises(TypeError) as caught:
            await pending
        assert str(caught.value) == errors.READER_RELEASED
        with pytest.raises(TypeError):
            await reader.read()
        source.deliver(b"later")
        assert isinstance(stream.core, NativeReadable)
        assert stream.core.take_buffer() == [b"later"]

    def test_hold_is_for_good(self, stream: ReadableStream) -> None:
        assert stream.hold() is stream.core
        with pytest.raises(TypeError, match="locked to a reader"):
            stream.hold()

    def test_another_mode_is_refused_with_its_name(self, stream: ReadableStream) -> None:
        with pytest.raises(TypeError) as caught:
            stream.get_reader(mode="bytes")
        assert str(caught.value) == errors.READER_MODE.format(mode="bytes")

    def test_repr_tells_the_state(self, stream: ReadableStream) -> None:
        assert repr(stream) == "<ReadableStream readable lock=free>"

    def test_both_spellings(self) -> None:
        assert vars(ReadableStream)["getReader"] is vars(ReadableStream)["get_reader"]
        assert vars(ReadableStream)["pipeTo"] is vars(ReadableStream)["pipe_to"]
        both = vars(Reader)
        assert both["releaseLock"] is both["release_lock"]


class TestReader:
    async def test_reads_to_the_end_and_stays_there(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        reader = stream.get_reader()
        assert not stream.disturbed
        pending = reader.read()
        source.deliver(b"a")
        source.end()
        assert await pending == (b"a", False)
        assert await reader.read() == END
        assert await reader.read() == END
        await reader.closed
        assert stream.disturbed

    async def test_one_pending_read(self, stream: ReadableStream) -> None:
        reader = stream.get_reader()
        reader.read()
        with pytest.raises(TypeError) as caught:
            await reader.read()
        assert str(caught.value) == (
            "This ReadableStream only supports a single pending read request at a time."
        )

    async def test_release_with_a_read_pending(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        first = stream.get_reader()
        pending = first.read()
        first.release_lock()
        second = stream.get_reader()
        source.deliver(b"a", b"b")
        with pytest.raises(TypeError) as caught:
            await pending
        assert str(caught.value) == "This ReadableStream reader has been released."
        assert [(await second.read()).value for _ in range(2)] == [b"a", b"b"]

    async def test_cancelled_reader_task_loses_no_byte(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        reader = stream.get_reader()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(), 0.001)
        source.deliver(b"a", b"b")
        assert [(await reader.read()).value for _ in range(2)] == [b"a", b"b"]

    async def test_bytes_of_a_cancelled_read_reach_the_next_reader(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        first = stream.get_reader()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(first.read(), 0.001)
        source.deliver(b"a")
        first.release_lock()
        assert (await stream.get_reader().read()).value == b"a"

    async def test_released_reader_refuses_everything(self, stream: ReadableStream) -> None:
        reader = stream.get_reader()
        closed = reader.closed
        reader.release_lock()
        reader.release_lock()
        for promise in (closed, reader.closed, reader.cancel()):
            with pytest.raises(TypeError, match="reader has been released"):
                await promise
        with pytest.raises(TypeError, match="reader has been released"):
            await reader.read()

    async def test_released_after_the_end_closed_is_rejected(self) -> None:
        stream = ReadableStream(MemorySource(b""))
        reader = stream.get_reader()
        await reader.closed
        reader.release_lock()
        with pytest.raises(TypeError, match="reader has been released"):
            await reader.closed

    async def test_closed_tells_a_failure(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        reader = stream.get_reader()
        source.resume()
        source.fail(ConnectionError("lost"))
        with pytest.raises(ConnectionError, match="lost"):
            await reader.closed
        with pytest.raises(ConnectionError, match="lost"):
            await reader.cancel()

    async def test_cancel_gives_the_reason_to_the_source(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        reason = ValueError("enough")
        reader = stream.get_reader()
        await reader.cancel(reason)
        assert source.cancel_reason is reason
        assert await reader.read() == END

    async def test_many_readers_in_turn_leave_nothing_behind(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        source.resume()

        def living_readers() -> int:
            gc.collect()
            return sum(type(o) is ReadableStreamDefaultReader for o in gc.get_objects())

        before = living_readers()
        for _ in range(50):
            reader = stream.get_reader()
            source.deliver(b"x")
            await reader.read()
            reader.release_lock()
        del reader
        assert living_readers() == before


class TestIteration:
    async def test_to_the_end_frees_the_lock(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        source.deliver(b"a", b"b")
        source.end()
        assert await rest_of(stream) == b"ab"
        assert not stream.locked
        assert not source.cancelled

    async def test_early_break_cancels(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        source.deliver(b"a", b"b")
        async for chunk in stream:
            assert chunk == b"a"
            break
        await let_loop_run()
        assert source.cancelled
        assert not stream.locked

    async def test_early_break_after_the_request_s_end_is_silent(
        self, source: ScriptedSource
    ) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        context = IoContext("GET /", Observer())
        source.deliver(b"a")
        with enter(context):
            async for _ in ReadableStream(source):
                break
        context.end()
        await let_loop_run()
        assert source.cancelled
        assert complaints == []

    async def test_failure_is_raised(self, source: ScriptedSource, stream: ReadableStream) -> None:
        source.deliver(b"a")
        source.fail(ConnectionError("lost"))
        chunks = []

        async def read() -> None:
            async for chunk in stream:
                chunks.append(chunk)

        with pytest.raises(ConnectionError, match="lost"):
            await read()
        assert chunks == [b"a"]

    async def test_locked(self, stream: ReadableStream) -> None:
        stream.get_reader()
        with pytest.raises(TypeError, match="locked to a reader"):
            await rest_of(stream)


class TestOwner:
    async def test_another_request_touches_nothing(self, source: ScriptedSource) -> None:
        mine, other = IoContext("GET /mine", Observer()), IoContext("GET /other", Observer())
        with enter(mine):
            stream = ReadableStream(source)
            reader = stream.get_reader()
        with enter(other):
            for use in (
                stream.get_reader,
                stream.cancel,
                stream.tee,
                reader.read,
                reader.cancel,
                reader.release_lock,
                lambda: stream.pipe_to(WritableStream(RecordingSink())),
            ):
                with pytest.raises(OwnershipError):
                    use()
        source.deliver(b"a")
        with enter(mine):
            assert (await reader.read()).value == b"a"


PREVENTED = list(itertools.product([False, True], repeat=3))


class TestPipeTo:
    @pytest.mark.parametrize(("close", "abort", "cancel"), PREVENTED)
    async def test_source_ends(
        self, source: ScriptedSource, stream: ReadableStream, close: bool, abort: bool, cancel: bool
    ) -> None:
        sink = RecordingSink()
        writable = WritableStream(sink)
        done = stream.pipe_to(
            writable, prevent_close=close, prevent_abort=abort, prevent_cancel=cancel
        )
        assert (is_locked(stream), is_locked(writable)) == (True, True)
        source.deliver(b"a", b"b")
        source.end()
        await done
        assert sink.sent == b"ab"
        assert sink.finished is not close
        assert (is_locked(stream), is_locked(writable)) == (False, False)
        if close:
            await writable.get_writer().write(b"more")
            assert sink.sent == b"abmore"

    @pytest.mark.parametrize(("close", "abort", "cancel"), PREVENTED)
    async def test_source_fails(
        self, source: ScriptedSource, stream: ReadableStream, close: bool, abort: bool, cancel: bool
    ) -> None:
        sink = RecordingSink()
        writable = WritableStream(sink)
        done = stream.pipe_to(
            writable, prevent_close=close, prevent_abort=abort, prevent_cancel=cancel
        )
        error = ConnectionError("lost")
        source.deliver(b"a")
        source.fail(error)
        with pytest.raises(ConnectionError, match="lost"):
            await done
        assert sink.sent == b"a"
        assert sink.aborted_with is (None if abort else error)
        if abort:
            await writable.get_writer().write(b"more")
        else:
            with pytest.raises(ConnectionError, match="lost"):
                await writable.get_writer().write(b"more")

    @pytest.mark.parametrize(("close", "abort", "cancel"), PREVENTED)
    async def test_sink_is_lost(
        self, source: ScriptedSource, stream: ReadableStream, close: bool, abort: bool, cancel: bool
    ) -> None:
        sink = RecordingSink(room_bytes=2)
        writable = WritableStream(sink)
        done = stream.pipe_to(
            writable, prevent_close=close, prevent_abort=abort, prevent_cancel=cancel
        )
        source.deliver(b"a", b"b", b"c")
        error = ConnectionError("lost")
        sink.lose(error)
        with pytest.raises(ConnectionError, match="lost"):
            await done
        assert source.cancelled is not cancel
        assert (is_locked(stream), is_locked(writable)) == (False, False)
        source.end()
        if cancel:
            source.resume()
            assert await rest_of(stream) == b"c"
        else:
            assert source.cancel_reason is error
            assert await rest_of(stream) == b""

    @pytest.mark.parametrize("cancel", [False, True])
    async def test_into_a_closed_stream(
        self, source: ScriptedSource, stream: ReadableStream, cancel: bool
    ) -> None:
        sink = RecordingSink()
        writable = WritableStream(sink)
        await writable.close()
        source.deliver(b"a")
        done = stream.pipe_to(writable, prevent_cancel=cancel)
        with pytest.raises(TypeError) as caught:
            await done
        assert str(caught.value) == errors.WRITABLE_CLOSED
        assert sink.writes == []
        assert source.cancelled is not cancel
        source.end()
        assert await rest_of(stream) == (b"a" if cancel else b"")

    @pytest.mark.parametrize("cancel", [False, True])
    async def test_into_a_failed_stream(
        self, source: ScriptedSource, stream: ReadableStream, cancel: bool
    ) -> None:
        sink = RecordingSink()
        writable = WritableStream(sink)
        sink.lose(ConnectionError("lost"))
        reader = stream.get_reader()
        source.deliver(b"read", b"kept")
        assert (await reader.read()).value == b"read"
        reader.release_lock()
        with pytest.raises(ConnectionError, match="lost"):
            await stream.pipe_to(writable, prevent_cancel=cancel)
        source.end()
        assert await rest_of(stream) == (b"kept" if cancel else b"")

    async def test_sink_closed_by_its_object_cuts_the_pipe(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        sink = RecordingSink()
        writable = WritableStream(sink)
        done = stream.pipe_to(writable)
        source.deliver(b"a")
        writable.core.close()
        with pytest.raises(TypeError) as caught:
            await done
        assert str(caught.value) == errors.WRITABLE_CLOSED
        assert source.cancelled
        assert sink.sent == b"a"

    async def test_locked_destination_leaves_the_source_free(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        writable = WritableStream(RecordingSink())
        writable.get_writer()
        with pytest.raises(TypeError) as caught:
            await stream.pipe_to(writable)
        assert str(caught.value) == errors.WRITABLE_LOCKED
        assert not stream.locked
        assert not source.cancelled

    async def test_unobserved_failure_is_silent(
        self, source: ScriptedSource, stream: ReadableStream
    ) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
        stream.pipe_to(WritableStream(RecordingSink()))
        source.fail(ConnectionError("lost"))
        gc.collect()
        await let_loop_run()
        assert complaints == []
