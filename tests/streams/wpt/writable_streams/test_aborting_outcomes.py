"""aborting.any.js, continued: what an abort's own promise becomes, and what the stream fails with."""

from __future__ import annotations

from typing import Any

from emulator.errors import RangeError
from emulator.streams import Promise, WritableStream
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")


def _value(promise: Promise[Any]) -> Promise[Any]:
    """Return `promise` as one whose value may be looked at."""
    return promise


async def test_abort_should_succeed_despite_rejection_from_write() -> None:
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    written, aborted = writer.write("a"), writer.abort()
    stream.controller.error(ERROR_1)
    writing.reject(ERROR_2)
    assert await rejection(written) is ERROR_2
    await aborted


async def test_abort_should_be_rejected_with_the_rejection_returned_from_close() -> None:
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    await flush()
    closed, aborted = writer.close(), writer.abort()
    stream.controller.error(ERROR_1)
    closing.reject(ERROR_2)
    assert await rejection(closed) is ERROR_2
    assert await rejection(aborted) is ERROR_2


async def test_a_rejecting_sink_write_should_not_prevent_sink_abort_from_being_called() -> None:
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    written, aborted = writer.write("1"), writer.abort(ERROR_2)
    writing.reject(ERROR_1)
    assert await rejection(written) is ERROR_1
    await aborted
    assert await rejection(writer.closed) is ERROR_2
    assert stream.events == ["write", "1", "abort", ERROR_2]


async def test_when_start_errors_after_stream_abort_underlying_sink_abort_should_be_called_anyway() -> (
    None
):
    stream = recording_writable_stream({"start": lambda _: Promise.rejected(ERROR_1)})
    await stream.abort(ERROR_2)
    assert stream.events == ["abort", ERROR_2]


async def test_calling_abort_twice_on_the_same_stream_gives_the_same_promise_that_fulfills() -> (
    None
):
    stream = WritableStream()
    first = stream.abort()
    assert stream.abort() is first
    assert await _value(first) is None


async def test_calling_abort_twice_sequentially_gives_two_promises_that_fulfill() -> None:
    stream = WritableStream()
    first = stream.abort()
    assert await _value(first) is None
    second = stream.abort()
    assert second is not first
    assert await _value(second) is None


async def test_calling_abort_on_an_errored_stream_should_fulfill() -> None:
    writer = WritableStream({"start": lambda c: c.error(ERROR_1)}).get_writer()
    assert await rejection(writer.closed) is ERROR_1
    assert await _value(writer.abort()) is None


async def test_sink_abort_should_not_be_called_if_stream_was_erroring_due_to_controller_error() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    written = writer.write("chunk")
    stream.controller.error(ERROR_1)
    aborted = writer.abort(ERROR_2)
    writing.resolve(None)
    await written
    assert await rejection(aborted) is ERROR_1
    assert stream.events == ["write", "chunk"]


async def test_sink_abort_should_not_be_called_if_stream_was_erroring_due_to_bad_strategy() -> None:
    writing: Promise[None] = Promise()
    sizes = iter([1.0, float("nan")])
    stream = recording_writable_stream(
        {"write": lambda *_: writing}, {"size": lambda _: next(sizes), "high_water_mark": 1}
    )
    writer = stream.get_writer()
    await flush()
    first, second = writer.write("chunk1"), writer.write("chunk2")
    aborted = writer.abort(ERROR_2)
    writing.resolve(None)
    await first
    assert isinstance(await rejection(second), RangeError)
    assert isinstance(await rejection(aborted), RangeError)
    assert stream.events == ["write", "chunk1"]


async def test_abort_with_no_arguments_should_store_an_error_that_says_so() -> None:
    stream = WritableStream()
    await stream.abort()
    assert str(await rejection(stream.get_writer().closed)) == "The stream was aborted."


async def test_abort_with_an_undefined_argument_should_store_an_error_that_says_so() -> None:
    stream = WritableStream()
    await stream.abort(None)
    assert str(await rejection(stream.get_writer().closed)) == "The stream was aborted."


async def test_abort_with_a_string_argument_should_store_an_error_that_says_it() -> None:
    stream = WritableStream()
    await stream.abort("string argument")
    assert str(await rejection(stream.get_writer().closed)) == "string argument"


async def test_abort_on_a_locked_stream_should_reject() -> None:
    stream = WritableStream()
    writer = stream.get_writer()
    error = await rejection(stream.abort())
    assert isinstance(error, TypeError)
    assert str(error) == "This WritableStream is currently locked to a writer."
    await writer.ready
