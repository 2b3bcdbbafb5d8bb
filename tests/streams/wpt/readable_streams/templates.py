"""resources/rs-test-templates: what holds for any readable stream that fits a description, and its reader.

A class of tests for each description; a subclass that is collected gives `make()` of the streams to be tried.
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import END, all_of, chunk, flush, rejection, rejects_with_type_error

ERROR = Exception("boo!")


def is_locked(stream: ReadableStream) -> bool:
    """Return `stream.locked`, which changes from one statement to the next."""
    return stream.locked


class EmptyStream:
    """templatedRSEmpty."""

    def make(self) -> ReadableStream:
        raise NotImplementedError

    async def test_instances_have_the_correct_methods_and_properties(self) -> None:
        stream = self.make()
        assert stream.locked is False
        for name in ("cancel", "get_reader", "pipe_through", "pipe_to", "tee"):
            assert callable(getattr(stream, name))

    async def test_get_reader_with_invalid_arguments_throws(self) -> None:
        stream = self.make()
        for options in ({"mode": ""}, {"mode": "asdf"}, 5):
            with pytest.raises(TypeError):
                stream.get_reader(options)  # type: ignore[arg-type]
        stream.get_reader(None)


class ClosedStream:
    """templatedRSClosed."""

    def make(self) -> ReadableStream:
        raise NotImplementedError

    async def test_cancel_returns_a_distinct_fulfilled_promise_each_time(self) -> None:
        stream = self.make()
        first, second = stream.cancel(), stream.cancel()
        assert first is not second
        assert await all_of(first, second) == [None, None]

    async def test_locked_is_false(self) -> None:
        assert not self.make().locked

    async def test_get_reader_is_ok(self) -> None:
        self.make().get_reader()

    async def test_multiple_readers_in_succession(self) -> None:
        stream = self.make()
        stream.get_reader().release_lock()
        stream.get_reader().release_lock()
        stream.get_reader()

    async def test_no_second_reader_unless_the_first_is_released(self) -> None:
        stream = self.make()
        stream.get_reader()
        for _ in range(2):
            with pytest.raises(TypeError, match="locked to a reader"):
                stream.get_reader()


class ErroredStream:
    """templatedRSErrored."""

    def make(self) -> ReadableStream:
        raise NotImplementedError

    async def test_get_reader_returns_a_reader_that_acts_errored(self) -> None:
        reader = self.make().get_reader()
        assert await rejection(reader.closed) is ERROR
        assert await rejection(reader.read()) is ERROR

    async def test_read_twice_gives_the_error_each_time(self) -> None:
        reader = self.make().get_reader()
        for promise in (reader.read(), reader.read(), reader.closed):
            assert await rejection(promise) is ERROR

    async def test_locked_is_false(self) -> None:
        assert not self.make().locked


class ErroredSyncStream:
    """templatedRSErroredSyncOnly."""

    def make(self) -> ReadableStream:
        raise NotImplementedError

    async def test_a_second_reader_has_the_correct_closed_promise(self) -> None:
        stream = self.make()
        stream.get_reader().release_lock()
        assert await rejection(stream.get_reader().closed) is ERROR

    async def test_no_additional_readers_unless_the_first_lock_is_released(self) -> None:
        stream = self.make()
        stream.get_reader()
        for _ in range(2):
            with pytest.raises(TypeError, match="locked to a reader"):
                stream.get_reader()

    async def test_cancel_returns_a_distinct_rejected_promise_each_time(self) -> None:
        stream = self.make()
        first, second = stream.cancel(), stream.cancel()
        assert first is not second
        assert await rejection(first) is ERROR
        assert await rejection(second) is ERROR

    async def test_reader_cancel_returns_a_distinct_rejected_promise_each_time(self) -> None:
        reader = self.make().get_reader()
        first, second = reader.cancel(), reader.cancel()
        assert first is not second
        assert await rejection(first) is ERROR
        assert await rejection(second) is ERROR


class EmptyReader:
    """templatedRSEmptyReader."""

    def make(self) -> tuple[ReadableStream, Any]:
        raise NotImplementedError

    async def test_instances_have_the_correct_methods_and_properties(self) -> None:
        _, reader = self.make()
        assert isinstance(reader.closed, Promise)
        for name in ("cancel", "read", "release_lock"):
            assert callable(getattr(reader, name))

    async def test_locked_is_true(self) -> None:
        stream, _ = self.make()
        assert stream.locked

    async def test_read_never_settles(self) -> None:
        _, reader = self.make()
        promise = reader.read()
        await flush()
        assert not promise.settled

    async def test_two_reads_both_never_settle(self) -> None:
        _, reader = self.make()
        first, second = reader.read(), reader.read()
        await flush()
        assert not first.settled
        assert not second.settled

    async def test_read_returns_distinct_promises_each_time(self) -> None:
        _, reader = self.make()
        assert reader.read() is not reader.read()

    async def test_get_reader_again_on_the_stream_fails(self) -> None:
        stream, _ = self.make()
        with pytest.raises(TypeError, match="locked to a reader"):
            stream.get_reader()

    async def test_releasing_the_lock_rejects_all_pending_read_requests(self) -> None:
        stream, reader = self.make()
        promises = (reader.read(), reader.read(), reader.closed)
        reader.release_lock()
        assert not stream.locked
        for promise in promises:
            await rejects_with_type_error(promise)

    async def test_releasing_the_lock_causes_further_reads_to_reject(self) -> None:
        _, reader = self.make()
        reader.release_lock()
        await rejects_with_type_error(reader.read())
        await rejects_with_type_error(reader.read())

    async def test_releasing_the_lock_causes_closed_to_reject(self) -> None:
        _, reader = self.make()
        before = reader.closed
        reader.release_lock()
        assert reader.closed is before
        await rejects_with_type_error(before)

    async def test_releasing_the_lock_causes_locked_to_become_false(self) -> None:
        stream, reader = self.make()
        reader.release_lock()
        assert not stream.locked

    async def test_cancelling_via_the_reader_causes_it_to_act_closed(self) -> None:
        _, reader = self.make()
        await reader.cancel()
        assert (await reader.read()).done

    async def test_cancelling_via_the_stream_fails(self) -> None:
        stream, _ = self.make()
        await rejects_with_type_error(stream.cancel())


class ClosedReader:
    """templatedRSClosedReader."""

    def make(self) -> tuple[ReadableStream, Any]:
        raise NotImplementedError

    async def test_read_fulfills_with_the_end(self) -> None:
        _, reader = self.make()
        assert await reader.read() == END

    async def test_read_multiple_times_fulfills_with_the_end(self) -> None:
        _, reader = self.make()
        assert await all_of(reader.read(), reader.read()) == [END, END]

    async def test_read_works_when_used_within_another_reads_callback(self) -> None:
        _, reader = self.make()
        inner: list[Promise[Any]] = []
        reader.read().then(lambda _: inner.append(reader.read()), inner.append)
        await flush()
        assert await inner[0] == END

    async def test_closed_fulfills_with_nothing(self) -> None:
        _, reader = self.make()
        assert await reader.closed is None

    async def test_releasing_the_lock_causes_closed_to_reject_and_change_identity(self) -> None:
        _, reader = self.make()
        before = reader.closed
        reader.release_lock()
        after = reader.closed
        assert after is not before
        assert await before is None
        await rejects_with_type_error(after)

    async def test_cancel_returns_a_distinct_fulfilled_promise_each_time(self) -> None:
        _, reader = self.make()
        promises = [reader.cancel(), reader.cancel(), reader.closed]
        assert len({id(promise) for promise in promises}) == 3
        assert await all_of(*promises) == [None, None, None]


class ErroredReader:
    """templatedRSErroredReader."""

    def make(self) -> tuple[ReadableStream, Any]:
        raise NotImplementedError

    async def test_closed_rejects_with_the_error(self) -> None:
        _, reader = self.make()
        assert await rejection(reader.closed) is ERROR

    async def test_releasing_the_lock_causes_closed_to_reject_and_change_identity(self) -> None:
        _, reader = self.make()
        before = reader.closed
        assert await rejection(before) is ERROR
        reader.release_lock()
        after = reader.closed
        assert after is not before
        await rejects_with_type_error(after)

    async def test_read_rejects_with_the_error(self) -> None:
        _, reader = self.make()
        assert await rejection(reader.read()) is ERROR


class TwoChunksOpenReader:
    """templatedRSTwoChunksOpenReader."""

    chunks: tuple[Any, Any] = ("a", "b")

    def make(self) -> tuple[ReadableStream, Any]:
        raise NotImplementedError

    async def test_read_twice_without_waiting_gives_both_chunks_sequential(self) -> None:
        _, reader = self.make()
        results = await all_of(reader.read(), reader.read())
        assert results == [chunk(each) for each in self.chunks]

    async def test_read_twice_without_waiting_gives_both_chunks_nested(self) -> None:
        _, reader = self.make()
        assert await reader.read() == chunk(self.chunks[0])
        assert await reader.read() == chunk(self.chunks[1])

    async def test_read_returns_distinct_promises_each_time(self) -> None:
        _, reader = self.make()
        assert reader.read() is not reader.read()

    async def test_cancel_after_a_read_still_gives_that_single_read_result(self) -> None:
        _, reader = self.make()
        closed, first = reader.closed, reader.read()
        reader.cancel()
        second = reader.read()
        assert await closed is None
        assert await first == chunk(self.chunks[0])
        assert await second == END


class TwoChunksClosedReader:
    """templatedRSTwoChunksClosedReader."""

    chunks: tuple[Any, Any] = ("a", "b")

    def make(self) -> tuple[ReadableStream, Any]:
        raise NotImplementedError

    async def test_third_read_without_waiting_gives_the_end_sequential(self) -> None:
        _, reader = self.make()
        results = await all_of(reader.read(), reader.read(), reader.read())
        assert results == [*(chunk(each) for each in self.chunks), END]

    async def test_third_read_without_waiting_gives_the_end_nested(self) -> None:
        _, reader = self.make()
        assert await reader.read() == chunk(self.chunks[0])
        assert await reader.read() == chunk(self.chunks[1])
        assert await reader.read() == END

    async def test_draining_fulfills_closed_but_locked_stays_true(self) -> None:
        stream, reader = self.make()
        assert is_locked(stream)
        closed = reader.closed
        reader.read()
        reader.read()
        assert await closed is None
        assert is_locked(stream)

    async def test_releasing_the_lock_after_the_stream_is_closed_unlocks(self) -> None:
        stream, reader = self.make()
        reader.read()
        reader.read()
        await reader.closed
        assert is_locked(stream)
        reader.release_lock()
        assert not is_locked(stream)

    async def test_releasing_the_lock_causes_further_reads_to_reject(self) -> None:
        _, reader = self.make()
        reader.release_lock()
        for _ in range(3):
            await rejects_with_type_error(reader.read())

    async def test_closed_always_returns_the_same_promise(self) -> None:
        stream, reader = self.make()
        closed = reader.closed
        assert reader.closed is closed
        read = reader.read()
        assert reader.closed is closed
        await read
        assert reader.closed is closed
        reader.release_lock()
        assert reader.closed is closed
        assert await stream.get_reader().read() == chunk(self.chunks[1])


class TeeCancel:
    """templatedRSTeeCancel."""

    def make(self, source: dict[str, Any]) -> ReadableStream:
        raise NotImplementedError

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "in reverse order"])
    async def test_cancelling_both_branches_aggregates_the_reasons(
        self, order: tuple[int, int]
    ) -> None:
        reasons = [Exception("We're wanted men."), Exception("I have the death sentence.")]
        given: list[object] = []
        branches = self.make({"cancel": given.append}).tee()
        await all_of(*(branches[index].cancel(reasons[index]) for index in order))
        assert given == [reasons]

    async def test_failing_to_cancel_the_original_rejects_cancel_on_the_branches(self) -> None:
        def cancel() -> None:
            raise ERROR

        first, second = (branch.cancel() for branch in self.make({"cancel": cancel}).tee())
        assert await rejection(first) is ERROR
        assert await rejection(second) is ERROR

    async def test_erroring_a_teed_stream_properly_handles_cancelled_branches(self) -> None:
        given: list[Any] = []
        branches = self.make({"start": given.append}).tee()
        given[0].error(ERROR)
        first, second = (branch.cancel() for branch in branches)
        assert await rejection(first) is ERROR
        assert await rejection(second) is ERROR


class ThrowAfterCloseOrError:
    """templatedRSThrowAfterCloseOrError."""

    def make(self, source: dict[str, Any]) -> ReadableStream:
        raise NotImplementedError

    def _controller(self) -> Any:
        given: list[Any] = []
        self.make({"start": given.append})
        return given[0]

    async def test_enqueue_throws_after_close(self) -> None:
        controller = self._controller()
        controller.close()
        with pytest.raises(TypeError):
            controller.enqueue(b"\x01")

    async def test_enqueue_throws_after_enqueue_and_close(self) -> None:
        controller = self._controller()
        controller.enqueue(b"\x01")
        controller.close()
        with pytest.raises(TypeError):
            controller.enqueue(b"\x02")

    async def test_enqueue_throws_after_error(self) -> None:
        controller = self._controller()
        controller.error(ERROR)
        with pytest.raises(TypeError):
            controller.enqueue(b"\x01")

    async def test_close_throws_after_error(self) -> None:
        controller = self._controller()
        controller.error(ERROR)
        with pytest.raises(TypeError):
            controller.close()
