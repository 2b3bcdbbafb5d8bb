"""readable-streams/default-reader: making readers, letting go, reading, and what closed says."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import errors
from emulator.streams import Promise, ReadableStream, ReadableStreamDefaultReader
from tests.streams.wpt.kit import END, all_of, chunk, controlled, rejection, rejects_with_type_error

ERROR = Exception("unique error")


async def test_the_constructor_is_what_get_reader_makes() -> None:
    assert type(ReadableStream().get_reader()) is ReadableStreamDefaultReader


@pytest.mark.parametrize("garbage", ["potato", {}, None])
def test_constructor_gets_a_readable_stream_as_argument(garbage: Any) -> None:
    with pytest.raises(TypeError) as caught:
        ReadableStreamDefaultReader(garbage)
    assert str(caught.value) == errors.READER_OF.format(
        reader="ReadableStreamDefaultReader", type=type(garbage).__name__
    )


async def test_instances_have_the_correct_list_of_properties() -> None:
    reader = ReadableStreamDefaultReader(ReadableStream())
    for name in ("cancel", "read", "release_lock", "releaseLock"):
        assert callable(getattr(reader, name))
    assert isinstance(reader.closed, Promise)
    with pytest.raises(AttributeError):
        reader.closed = None  # type: ignore[misc,assignment]


async def test_closed_always_returns_the_same_promise_object() -> None:
    reader = ReadableStreamDefaultReader(ReadableStream())
    assert reader.closed is reader.closed


async def test_constructing_directly_fails_if_locked_via_direct_construction() -> None:
    stream = ReadableStream()
    ReadableStreamDefaultReader(stream)
    with pytest.raises(TypeError, match="locked to a reader"):
        ReadableStreamDefaultReader(stream)


async def test_get_reader_fails_if_locked_via_direct_construction() -> None:
    stream = ReadableStream()
    ReadableStreamDefaultReader(stream)
    with pytest.raises(TypeError, match="locked to a reader"):
        stream.get_reader()


async def test_constructing_directly_fails_if_locked_via_get_reader() -> None:
    stream = ReadableStream()
    stream.get_reader()
    with pytest.raises(TypeError, match="locked to a reader"):
        ReadableStreamDefaultReader(stream)


async def test_get_reader_fails_if_locked_via_get_reader() -> None:
    stream = ReadableStream()
    stream.get_reader()
    with pytest.raises(TypeError, match="locked to a reader"):
        stream.get_reader()


async def test_constructing_directly_is_ok_if_the_stream_is_closed() -> None:
    stream, controller = controlled()
    controller.close()
    assert await ReadableStreamDefaultReader(stream).read() == END


async def test_constructing_directly_is_ok_if_the_stream_is_errored() -> None:
    stream, controller = controlled()
    controller.error(ERROR)
    assert await rejection(ReadableStreamDefaultReader(stream).read()) is ERROR


async def test_reading_from_an_empty_stream_waits_until_a_chunk_is_available() -> None:
    stream, controller = controlled()
    promise = stream.get_reader().read()
    assert not promise.settled
    controller.enqueue("a")
    assert await promise == chunk("a")


async def test_cancel_on_a_reader_does_not_release_the_reader() -> None:
    passed = Exception("it wasn't the right time, sorry")
    seen: list[object] = []

    def cancel(reason: object) -> None:
        assert stream.locked
        with pytest.raises(TypeError):
            stream.get_reader()
        seen.append(reason)

    stream = ReadableStream({"cancel": cancel})
    await stream.get_reader().cancel(passed)
    assert seen == [passed]


async def test_closed_is_fulfilled_after_stream_is_closed_when_accessed_before() -> None:
    stream, controller = controlled()
    closed = stream.get_reader().closed
    controller.close()
    await closed


async def test_closed_is_rejected_after_reader_releases_its_lock() -> None:
    stream, controller = controlled()
    first = stream.get_reader()
    first.release_lock()
    second = stream.get_reader()
    controller.close()
    await rejects_with_type_error(first.closed)
    await second.closed


async def test_closed_is_replaced_when_stream_closes_and_reader_releases_its_lock() -> None:
    stream, controller = controlled()
    reader = stream.get_reader()
    before = reader.closed
    controller.close()
    reader.release_lock()
    after = reader.closed
    assert after is not before
    await before
    await rejects_with_type_error(after)


async def test_closed_is_replaced_when_stream_errors_and_reader_releases_its_lock() -> None:
    stream, controller = controlled()
    reader = stream.get_reader()
    before = reader.closed
    controller.error(ERROR)
    reader.release_lock()
    after = reader.closed
    assert after is not before
    assert await rejection(before) is ERROR
    await rejects_with_type_error(after)


async def test_multiple_readers_can_access_the_stream_in_sequence() -> None:
    stream, controller = controlled()
    controller.enqueue("a")
    controller.enqueue("b")
    controller.close()
    first = stream.get_reader()
    read_a = first.read()
    first.release_lock()
    second = stream.get_reader()
    read_b = second.read()
    second.release_lock()
    assert await read_a == chunk("a")
    assert await read_b == chunk("b")


async def test_cannot_use_an_already_released_reader_to_unlock_a_stream_again() -> None:
    stream, controller = controlled()
    controller.enqueue("a")
    first = stream.get_reader()
    first.release_lock()
    second = stream.get_reader()
    first.release_lock()
    assert stream.locked
    assert await second.read() == chunk("a")


async def test_cancel_on_a_released_reader_is_a_no_op_and_does_not_pass_through() -> None:
    cancelled: list[object] = []
    stream, controller = controlled({"cancel": cancelled.append})
    controller.enqueue("a")
    reader = stream.get_reader()
    reader.release_lock()
    promise = reader.cancel()
    read = stream.get_reader().read()
    await rejects_with_type_error(promise)
    assert await read == chunk("a")
    assert cancelled == []


async def test_a_second_reader_after_erroring_and_releasing_succeeds() -> None:
    stream, controller = controlled()
    first = stream.get_reader()
    promises = [first.closed, first.read()]
    with pytest.raises(TypeError):
        stream.get_reader()
    controller.error(ERROR)
    first.release_lock()
    second = stream.get_reader()
    for promise in (*promises, second.closed, second.read()):
        assert await rejection(promise) is ERROR


async def test_closed_is_rejected_with_an_error_that_says_so_if_there_is_no_other() -> None:
    stream, controller = controlled()
    closed = stream.get_reader().closed
    controller.error()
    assert str(await rejection(closed)) == errors.STREAM_FAILED


async def test_erroring_after_checking_closed_rejects_it() -> None:
    stream, controller = controlled()
    closed = stream.get_reader().closed
    controller.error(ERROR)
    assert await rejection(closed) is ERROR


async def test_erroring_before_checking_closed_rejects_it() -> None:
    stream, controller = controlled()
    controller.error(ERROR)
    stream.get_reader().release_lock()
    assert await rejection(stream.get_reader().closed) is ERROR


async def test_reading_twice_on_a_stream_that_gets_closed() -> None:
    stream, controller = controlled()
    reader = stream.get_reader()
    promises = all_of(reader.read(), reader.read(), reader.closed)
    controller.close()
    assert await promises == [END, END, None]


async def test_reading_twice_on_a_closed_stream() -> None:
    stream, controller = controlled()
    controller.close()
    reader = stream.get_reader()
    assert await all_of(reader.read(), reader.read(), reader.closed) == [END, END, None]


async def test_reading_twice_on_an_errored_stream() -> None:
    stream, controller = controlled()
    controller.error(ERROR)
    reader = stream.get_reader()
    for promise in (reader.read(), reader.read(), reader.closed):
        assert await rejection(promise) is ERROR


async def test_reading_twice_on_a_stream_that_gets_errored() -> None:
    stream, controller = controlled()
    reader = stream.get_reader()
    promises = (reader.read(), reader.read(), reader.closed)
    controller.error(ERROR)
    for promise in promises:
        assert await rejection(promise) is ERROR


async def test_controller_close_clears_the_list_of_pending_read_requests() -> None:
    stream = ReadableStream({"pull": lambda controller: controller.close()})
    reader = stream.get_reader()
    assert await reader.read() == END
    reader.release_lock()
    assert not stream.locked


async def test_second_reader_can_read_after_first_was_released_with_pending_reads() -> None:
    stream, controller = controlled()
    first = stream.get_reader()
    pending = first.read()
    first.release_lock()
    controller.enqueue("a")
    second = stream.get_reader()
    read = second.read()
    second.release_lock()
    await rejects_with_type_error(pending)
    assert await read == chunk("a")
