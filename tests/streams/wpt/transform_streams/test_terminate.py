"""terminate.any.js: a transformer that has had enough."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import ReadableStream, TransformStream
from tests.streams.wpt.kit import flush, rejection, rejects_with_type_error
from tests.streams.wpt.transform_streams.support import RecordingTransform

ERROR_1 = RuntimeError("error1")


def numbers(*values: int) -> ReadableStream:
    """Return a stream that has `values` and is not at its end."""

    def start(controller: Any) -> None:
        for value in values:
            controller.enqueue(value)

    return ReadableStream({"start": start})


async def test_controller_terminate_should_error_pipe_to() -> None:
    stream = RecordingTransform({}, None, {"high_water_mark": 0})
    piped = numbers(0).pipe_to(stream.writable)
    await flush()
    assert (stream.events, piped.settled) == ([], False)
    stream.controller.terminate()
    error = await rejection(piped)
    assert isinstance(error, TypeError)
    assert str(error) == "The TransformStream has been terminated."
    assert stream.events == []


async def test_controller_terminate_should_prevent_remaining_chunks_from_being_processed() -> None:
    stream = RecordingTransform({}, None, {"high_water_mark": 1})
    piped = numbers(0, 1).pipe_to(stream.writable)
    await flush()
    assert stream.events == ["transform", 0]
    stream.controller.terminate()
    await rejects_with_type_error(piped)
    assert stream.events == ["transform", 0]


async def test_controller_enqueue_should_throw_after_controller_terminate() -> None:
    stream = RecordingTransform()
    stream.controller.enqueue(0)
    stream.controller.terminate()
    with pytest.raises(TypeError):
        stream.controller.enqueue(1)


async def test_controller_error_after_terminate_with_queued_chunk_should_error_the_readable() -> (
    None
):
    stream = RecordingTransform()
    stream.controller.enqueue(0)
    stream.controller.terminate()
    stream.controller.error(ERROR_1)
    await rejects_with_type_error(stream.writable.abort())
    assert await rejection(stream.readable.cancel()) is ERROR_1
    assert await rejection(stream.readable.get_reader().closed) is ERROR_1


async def test_controller_error_after_terminate_without_queued_chunk_should_do_nothing() -> None:
    stream = RecordingTransform()
    stream.controller.terminate()
    stream.controller.error(ERROR_1)
    await rejects_with_type_error(stream.writable.abort())
    await stream.readable.cancel()
    await stream.readable.get_reader().closed


async def test_controller_terminate_inside_flush_should_not_prevent_writer_close_from_succeeding() -> (
    None
):
    stream = TransformStream({"flush": lambda controller: controller.terminate()})
    writer = stream.writable.get_writer()
    await writer.close()
    await writer.closed
    await stream.readable.get_reader().closed
