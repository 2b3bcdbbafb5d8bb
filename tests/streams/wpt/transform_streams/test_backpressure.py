"""backpressure.any.js: a transform is asked only when the readable side wants more."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.streams import (
    CountQueuingStrategy,
    Promise,
    ReadableStream,
    ReadResult,
    TransformStream,
)
from tests.streams.wpt.kit import END, chunk, flush, rejection, told
from tests.streams.wpt.transform_streams.support import RecordingTransform

ERROR_1 = RuntimeError("error1 message")


async def test_backpressure_allows_no_transforms_with_no_reader() -> None:
    stream = RecordingTransform()
    stream.writable.get_writer().write("a")
    await flush()
    assert stream.events == []


async def test_backpressure_only_allows_one_transform_with_a_readable_mark_of_1_and_no_reader() -> (
    None
):
    stream = RecordingTransform({}, None, {"high_water_mark": 1})
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.write("b")
    await flush()
    assert stream.events == ["transform", "a"]


async def test_transform_should_keep_being_called_as_long_as_there_is_no_backpressure() -> None:
    stream = RecordingTransform({"transform": lambda *_: None}, None, {"high_water_mark": 1})
    writer = stream.writable.get_writer()
    for written in [writer.write(number) for number in range(4)]:
        await written
    assert stream.events == ["transform", 0, "transform", 1, "transform", 2, "transform", 3]


async def test_writes_should_resolve_as_soon_as_transform_completes() -> None:
    log: list[str] = []
    stream = TransformStream({}, None, {"high_water_mark": 1})
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    told(log, "a", writer.write("a"))
    told(log, "b", writer.write("b"))
    told(log, "closed", writer.close())
    await flush()
    assert log == ["a"]
    assert await reader.read() == chunk("a")
    await flush()
    assert log == ["a", "b", "closed"]
    assert await reader.read() == chunk("b")
    assert await reader.read() == END


async def test_calling_pull_before_the_first_write_with_backpressure_should_work() -> None:
    stream = TransformStream(None, None, {"high_water_mark": 0})
    reading = stream.readable.get_reader().read()
    stream.writable.get_writer().write("a")
    assert await reading == chunk("a")


async def test_transform_should_be_able_to_read_the_chunk_it_just_enqueued() -> None:
    results: list[Promise[ReadResult]] = []

    def transform(value: object, controller: Any) -> Promise[ReadResult]:
        controller.enqueue(value)
        results.append(reader.read())
        return results[0]

    stream = RecordingTransform({"transform": transform}, None, {"high_water_mark": 1})
    reader = stream.readable.get_reader()
    await stream.writable.get_writer().write("a")
    assert await results[0] == chunk("a")


async def test_blocking_transform_should_cause_backpressure() -> None:
    transforming: Promise[None] = Promise()
    stream = RecordingTransform(
        {"transform": lambda *_: transforming}, None, CountQueuingStrategy(high_water_mark=math.inf)
    )
    writer = stream.writable.get_writer()
    sizes = [writer.desired_size]
    await flush()
    writer.write("a")
    assert stream.events == ["transform", "a"]
    sizes.append(writer.desired_size)
    await flush()
    sizes.append(writer.desired_size)
    transforming.resolve(None)
    await flush()
    sizes.append(writer.desired_size)
    assert sizes == [1, 0, 0, 1]


async def test_writer_closed_should_reject_after_readable_is_canceled_during_start() -> None:
    stream = TransformStream()
    stream.readable.cancel(ERROR_1)
    assert await rejection(stream.writable.get_writer().closed) is ERROR_1


@pytest.mark.parametrize("mark", [0, 1], ids=["with backpressure", "with no backpressure"])
async def test_writer_closed_should_reject_after_readable_is_canceled(mark: int) -> None:
    stream = TransformStream({}, None, {"high_water_mark": mark})
    await flush()
    stream.readable.cancel(ERROR_1)
    assert await rejection(stream.writable.get_writer().closed) is ERROR_1


async def test_cancelling_the_readable_should_cause_a_pending_write_to_resolve() -> None:
    stream = TransformStream({}, None, {"high_water_mark": 1})
    writer = stream.writable.get_writer()
    await flush()
    written = writer.write("a")
    stream.readable.cancel(ERROR_1)
    await written


async def test_cancelling_the_readable_side_should_abort_an_empty_pipe() -> None:
    stream = TransformStream()
    piped = ReadableStream().pipe_to(stream.writable)
    stream.readable.cancel(ERROR_1)
    assert await rejection(piped) is ERROR_1


async def test_cancelling_the_readable_side_should_abort_an_empty_pipe_after_startup() -> None:
    stream = TransformStream()
    piped = ReadableStream().pipe_to(stream.writable)
    await flush()
    stream.readable.cancel(ERROR_1)
    assert await rejection(piped) is ERROR_1


async def test_cancelling_the_readable_side_should_abort_a_full_pipe() -> None:
    def start(controller: Any) -> None:
        for letter in "abc":
            controller.enqueue(letter)

    stream = TransformStream()
    piped = ReadableStream({"start": start}).pipe_to(stream.writable)
    await flush()
    stream.readable.cancel(ERROR_1)
    assert await rejection(piped) is ERROR_1
