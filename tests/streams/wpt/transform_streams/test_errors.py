"""errors.any.js: a failure on one side, or between them, reaches the other side."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from emulator.streams import Promise, TransformStream
from tests.streams.wpt.kit import flush, rejection
from tests.streams.wpt.transform_streams.support import RecordingTransform

THROWN = RuntimeError("bad things are happening!")
IGNORED = RuntimeError("ignored error")


def throw(*_: object) -> NoReturn:
    raise THROWN


async def test_errors_thrown_in_transform_put_the_writable_and_readable_in_an_errored_state() -> (
    None
):
    stream = TransformStream({"transform": throw})
    reader, writer = stream.readable.get_reader(), stream.writable.get_writer()
    for each in (writer.write("a"), reader.read(), reader.closed, writer.closed):
        assert await rejection(each) is THROWN


async def test_errors_thrown_in_flush_put_the_writable_and_readable_in_an_errored_state() -> None:
    stream = TransformStream({"transform": lambda: None, "flush": throw})
    reader, writer = stream.readable.get_reader(), stream.writable.get_writer()
    written = writer.write("a")
    for each in (writer.close(), reader.read(), reader.closed, writer.closed):
        assert await rejection(each) is THROWN
    await written


async def test_errored_transform_stream_should_not_enqueue_new_chunks() -> None:
    stream = RecordingTransform()
    stream.controller.enqueue("a")
    stream.controller.error(RuntimeError("generic error"))
    with pytest.raises(TypeError):
        stream.controller.enqueue("b")


async def test_transformer_start_rejected_promise_should_error_the_stream() -> None:
    async def start(_: object) -> NoReturn:
        await flush()
        raise THROWN

    stream = RecordingTransform({"start": start})
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    for each in (writer.write("a"), writer.close(), reader.read()):
        assert await rejection(each) is THROWN
    assert stream.events == []


async def test_when_controller_error_is_followed_by_a_rejection_the_reason_is_controller_errors() -> (
    None
):
    async def start(controller: Any) -> NoReturn:
        await flush()
        controller.error(THROWN)
        raise IGNORED

    stream = RecordingTransform({"start": start})
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    for each in (writer.write("a"), writer.close(), reader.read()):
        assert await rejection(each) is THROWN
    assert stream.events == []


async def test_constructor_should_throw_when_start_does() -> None:
    with pytest.raises(RuntimeError) as caught:
        TransformStream({"start": throw, "transform": lambda: None})
    assert caught.value is THROWN


async def test_when_size_throws_inside_start_the_constructor_should_throw_the_same_error() -> None:
    with pytest.raises(RuntimeError) as caught:
        TransformStream({"start": lambda c: c.enqueue("a")}, None, {"size": throw})
    assert caught.value is THROWN


async def test_when_size_calls_controller_error_then_throws_the_constructor_throws_the_first_error() -> (
    None
):
    controllers: list[Any] = []

    def start(controller: Any) -> None:
        controllers.append(controller)
        controller.enqueue("a")

    def size(_: object) -> NoReturn:
        controllers[0].error(THROWN)
        raise IGNORED

    with pytest.raises(RuntimeError) as caught:
        TransformStream({"start": start}, None, {"size": size})
    assert caught.value is THROWN


async def test_cancelling_the_readable_side_should_error_the_writable() -> None:
    stream = TransformStream()
    closed = stream.writable.get_writer().closed
    await stream.readable.cancel(THROWN)
    assert await rejection(closed) is THROWN


async def test_it_should_be_possible_to_error_the_readable_between_close_requested_and_complete() -> (
    None
):
    stream = RecordingTransform()
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    written, closing = writer.write("a"), writer.close()
    stream.controller.error(THROWN)
    for each in (reader.closed, written, closing):
        assert await rejection(each) is THROWN


async def test_an_exception_from_transform_should_error_the_stream_if_terminate_was_not_completed() -> (
    None
):
    def transform(chunk: object, controller: Any) -> NoReturn:
        controller.enqueue(chunk)
        controller.terminate()
        raise THROWN

    stream = TransformStream({"transform": transform}, None, {"high_water_mark": 1})
    written = stream.writable.get_writer().write("a")
    assert await rejection(written) is THROWN
    assert await rejection(stream.readable.get_reader().closed) is THROWN


async def test_abort_sets_the_close_reason_when_it_is_before_cancel_during_start_but_cancel_succeeds() -> (
    None
):
    stream = TransformStream()
    writer = stream.writable.get_writer()
    aborted = writer.abort(THROWN)
    cancelled = stream.readable.cancel(RuntimeError("cancel reason"))
    await aborted
    await cancelled
    assert await rejection(writer.closed) is THROWN


async def test_abort_sets_the_close_reason_when_it_is_before_cancel_during_write_but_cancel_succeeds() -> (
    None
):
    transforming: Promise[None] = Promise()
    stream = TransformStream({"transform": lambda: transforming}, None, {"high_water_mark": 2})
    writer = stream.writable.get_writer()
    await flush()
    written, aborted = writer.write(), writer.abort(THROWN)
    cancelled = stream.readable.cancel(RuntimeError("cancel reason"))
    transforming.resolve(None)
    await written
    await aborted
    await cancelled
    assert await rejection(writer.closed) is THROWN


async def test_controller_error_should_do_nothing_the_second_time_it_is_called() -> None:
    stream = RecordingTransform()
    stream.controller.error(THROWN)
    stream.controller.error(IGNORED)
    assert await rejection(stream.writable.abort()) is THROWN


async def test_controller_error_should_close_writable_immediately_after_readable_cancel() -> None:
    stream = RecordingTransform()
    cancelled = stream.readable.cancel(THROWN)
    stream.controller.error(IGNORED)
    assert await rejection(stream.writable.get_writer().closed) is IGNORED
    await cancelled


async def test_controller_error_should_do_nothing_after_readable_cancel_resolves() -> None:
    stream = RecordingTransform()
    await stream.readable.cancel(THROWN)
    stream.controller.error(IGNORED)
    assert await rejection(stream.writable.get_writer().closed) is THROWN


async def test_controller_error_should_do_nothing_after_writable_abort_resolves() -> None:
    stream = RecordingTransform()
    await stream.writable.abort(THROWN)
    stream.controller.error(IGNORED)
    assert await rejection(stream.writable.get_writer().closed) is THROWN


async def test_controller_error_should_do_nothing_after_a_transformer_method_has_thrown() -> None:
    stream = RecordingTransform({"transform": throw}, None, {"high_water_mark": float("inf")})
    writer = stream.writable.get_writer()
    assert await rejection(writer.write()) is THROWN
    stream.controller.error()
    assert await rejection(writer.closed) is THROWN


async def test_erroring_during_write_with_backpressure_should_result_in_the_write_failing() -> None:
    stream = RecordingTransform({"transform": lambda *_: None}, None, {"high_water_mark": 1})
    await flush()
    stream.controller.enqueue("a")
    written = stream.writable.get_writer().write("b")
    assert stream.events == []
    stream.controller.error(THROWN)
    assert await rejection(written) is THROWN
    assert stream.events == []


async def test_a_write_that_was_waiting_for_backpressure_should_reject_if_the_writable_is_aborted() -> (
    None
):
    stream = TransformStream({}, None, {"high_water_mark": 0})
    await flush()
    writer = stream.writable.get_writer()
    written, aborted = writer.write(0), writer.abort(THROWN)
    reading = stream.readable.get_reader().read()
    assert await rejection(reading) is THROWN
    assert await rejection(written) is THROWN
    await aborted


async def test_the_readable_should_be_errored_with_the_reason_passed_to_the_writable_abort() -> (
    None
):
    stream = TransformStream()
    stream.writable.abort(THROWN)
    assert await rejection(stream.readable.get_reader().read()) is THROWN
