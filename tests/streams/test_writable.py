"""WritableStream and its writer as workers hold them: what a write's promise means, back-pressure, close, abort."""

from __future__ import annotations

import asyncio

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, enter
from emulator.errors import OwnershipError
from emulator.streams import Bytes, Lock, WritableStream, WritableStreamDefaultWriter
from tests.support.native import RecordingSink


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink(room_bytes=10)


@pytest.fixture
def stream(sink: RecordingSink) -> WritableStream:
    return WritableStream(sink, high_water_mark_bytes=10)


def is_locked(stream: WritableStream) -> bool:
    """Return `stream.locked`, which changes from one statement to the next."""
    return stream.locked


class TestWrite:
    async def test_in_order_and_need_not_be_awaited(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        for chunk in (b"a", bytearray(b"b"), memoryview(b"c")):
            writer.write(chunk)
        await writer.write(b"d")
        assert sink.writes == [b"a", b"b", b"c", b"d"]

    async def test_settles_when_the_sink_has_room_again(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        assert writer.write(b"small").settled
        large = writer.write(b"more than there is room for")
        assert not large.settled
        sink.send()
        await large

    async def test_a_buffer_changed_afterwards_is_sent_as_it_was(
        self,
    ) -> None:
        class Keeper(RecordingSink):
            kept: Bytes

            def write(self, data: Bytes) -> bool:
                self.kept = data
                return super().write(data)

        sink = Keeper()
        chunk = bytearray(b"before")
        WritableStream(sink).get_writer().write(chunk)
        chunk[:] = b"after!"
        assert sink.kept == b"before"

    async def test_nothing_is_written_for_no_bytes(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        await stream.get_writer().write(b"")
        assert sink.writes == []

    @pytest.mark.parametrize(
        ("chunk", "sentence"),
        [
            (
                "text",
                "This WritableStream takes bytes, bytearray or memoryview, not str. "
                "Encode the text first: text.encode().",
            ),
            (3, "This WritableStream takes bytes, bytearray or memoryview, not int."),
            (None, "This WritableStream takes bytes, bytearray or memoryview, not NoneType."),
        ],
    )
    async def test_what_is_not_bytes(
        self, sink: RecordingSink, stream: WritableStream, chunk: object, sentence: str
    ) -> None:
        writer = stream.get_writer()
        with pytest.raises(TypeError) as caught:
            await writer.write(chunk)
        assert str(caught.value) == sentence
        await writer.write(b"open")
        assert sink.writes == [b"open"]

    async def test_a_cancelled_writer_task_still_has_its_bytes_sent(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(writer.write(b"x" * 20), 0.001)
        sink.send()
        assert sink.sent == b"x" * 20


class TestBackPressure:
    async def test_ready_and_desired_size(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        assert (writer.desired_size, writer.ready.settled) == (10, True)
        writer.write(b"12345678")
        assert (writer.desired_size, writer.ready.settled) == (2, True)
        writer.write(b"9012")
        ready = writer.ready
        assert (writer.desired_size, ready.settled) == (-2, False)
        sink.send()
        await ready
        assert (writer.desired_size, writer.ready.settled) == (10, True)

    async def test_ready_is_rejected_with_the_loss(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        writer.write(b"x" * 20)
        ready = writer.ready
        sink.lose(ConnectionError("lost"))
        for promise in (ready, writer.ready):
            with pytest.raises(ConnectionError, match="lost"):
                await promise
        assert writer.desired_size is None


class TestClose:
    async def test_sends_what_is_queued_then_the_end(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        written = writer.write(b"x" * 20)
        closed = writer.close()
        assert (sink.finished, closed.settled, writer.desired_size) == (True, False, 0)
        sink.send()
        await closed
        await written
        await writer.closed
        assert sink.sent == b"x" * 20

    async def test_afterwards_write_and_close_are_rejected(self, stream: WritableStream) -> None:
        writer = stream.get_writer()
        await writer.close()
        for promise in (writer.write(b"late"), writer.close()):
            with pytest.raises(TypeError) as caught:
                await promise
            assert str(caught.value) == "This WritableStream has been closed."
        assert writer.desired_size == 0

    async def test_of_the_stream_itself(self, sink: RecordingSink, stream: WritableStream) -> None:
        await stream.close()
        assert sink.finished
        locked = WritableStream(RecordingSink())
        locked.get_writer()
        with pytest.raises(TypeError, match="locked to a writer"):
            await locked.close()

    async def test_lost_while_closing(self, sink: RecordingSink, stream: WritableStream) -> None:
        writer = stream.get_writer()
        writer.write(b"x" * 20)
        closed = writer.close()
        sink.lose(ConnectionError("lost"))
        for promise in (closed, writer.closed):
            with pytest.raises(ConnectionError, match="lost"):
                await promise


class TestAbort:
    @pytest.mark.parametrize(
        ("reason", "text"),
        [
            (None, "The stream was aborted."),
            ("my reason", "my reason"),
            (ValueError("mine"), "mine"),
        ],
    )
    async def test_breaks_off(
        self, sink: RecordingSink, stream: WritableStream, reason: object, text: str
    ) -> None:
        writer = stream.get_writer()
        queued = writer.write(b"x" * 20)
        await writer.abort(reason)
        assert str(sink.aborted_with) == text
        for promise in (queued, writer.write(b"late"), writer.closed, writer.close()):
            with pytest.raises((RuntimeError, ValueError), match=text):
                await promise

    async def test_twice_and_after_close_are_harmless(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        await stream.close()
        await stream.abort("late")
        assert sink.aborted_with is None
        other = WritableStream(RecordingSink())
        await other.abort("one")
        await other.abort("two")

    async def test_locked_stream_refuses(self, stream: WritableStream) -> None:
        stream.get_writer()
        with pytest.raises(TypeError, match="locked to a writer"):
            await stream.abort()


class TestLoss:
    async def test_queued_writes_and_closed_are_rejected(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        queued = [writer.write(b"x" * 20) for _ in range(3)]
        error = ConnectionError("lost")
        sink.lose(error)
        for promise in (*queued, writer.write(b"late"), writer.closed, writer.close()):
            with pytest.raises(ConnectionError, match="lost"):
                await promise


class TestLock:
    async def test_one_writer_at_a_time(self, stream: WritableStream) -> None:
        writer = stream.get_writer()
        assert is_locked(stream)
        with pytest.raises(TypeError) as caught:
            stream.get_writer()
        assert str(caught.value) == "This WritableStream is currently locked to a writer."
        writer.release_lock()
        assert not is_locked(stream)
        stream.get_writer()

    async def test_released_writer_refuses_everything(
        self, sink: RecordingSink, stream: WritableStream
    ) -> None:
        writer = stream.get_writer()
        queued = writer.write(b"x" * 20)
        closed = writer.closed
        writer.release_lock()
        writer.release_lock()
        for promise in (
            closed,
            writer.closed,
            writer.ready,
            writer.write(b"no"),
            writer.close(),
            writer.abort(),
        ):
            with pytest.raises(TypeError) as caught:
                await promise
            assert str(caught.value) == errors.WRITER_RELEASED
        with pytest.raises(TypeError, match="writer has been released"):
            _ = writer.desired_size
        sink.send()
        await queued

    @pytest.mark.parametrize("lock", [Lock.CLOSING, Lock.DETACHED])
    async def test_closing_object(self, stream: WritableStream, lock: Lock) -> None:
        writer = stream.get_writer()
        stream.begin_closing(lock)
        with pytest.raises(TypeError) as caught:
            stream.get_writer()
        assert str(caught.value) == "This WritableStream belongs to an object that is closing."
        with pytest.raises(TypeError, match="object that is closing"):
            await stream.close()
        await stream.abort("harmless")
        if lock is Lock.DETACHED:
            with pytest.raises(TypeError, match="writer has been released"):
                await writer.write(b"no")

    def test_repr_tells_the_state(self, stream: WritableStream) -> None:
        assert repr(stream) == "<WritableStream writable lock=free>"

    def test_both_spellings(self) -> None:
        assert vars(WritableStream)["getWriter"] is vars(WritableStream)["get_writer"]
        writer = vars(WritableStreamDefaultWriter)
        assert writer["desiredSize"] is writer["desired_size"]


async def test_another_request_touches_nothing(sink: RecordingSink) -> None:
    mine, other = IoContext("GET /mine", Observer()), IoContext("GET /other", Observer())
    with enter(mine):
        stream = WritableStream(sink)
        writer = stream.get_writer()
    with enter(other):
        for use in (
            stream.get_writer,
            stream.close,
            stream.abort,
            lambda: writer.write(b"no"),
            writer.close,
            writer.abort,
            writer.release_lock,
        ):
            with pytest.raises(OwnershipError):
                use()
    with enter(mine):
        await writer.write(b"mine")
    assert sink.writes == [b"mine"]
