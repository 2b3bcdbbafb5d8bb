"""reentrant-strategies.any.js: a readable side's size function that uses the transform it belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from emulator.streams import Promise, ReadResult, TransformStream
from tests.streams.wpt.kit import (
    END,
    chunk,
    flush,
    recording_writable_stream,
    rejection,
    rest_of,
)
from tests.streams.wpt.transform_streams.support import RecordingTransform

ERROR_1 = RuntimeError("error1")


def sized(act: Callable[[int], object], mark: float = math.inf) -> dict[str, Any]:
    """Return a strategy whose size function calls `act` with how often it was called, and is 1."""
    calls = 0

    def size(_: object) -> int:
        nonlocal calls
        calls += 1
        act(calls)
        return 1

    return {"size": size, "high_water_mark": mark}


async def test_enqueue_inside_size_should_work() -> None:
    def act(calls: int) -> None:
        if calls < 2:
            stream.controller.enqueue("b")

    stream = RecordingTransform({}, None, sized(act))
    writer = stream.writable.get_writer()
    written, closed = writer.write("a"), writer.close()
    await written
    await closed
    assert await rest_of(stream.readable) == ["b", "a"]


async def test_terminate_inside_size_should_work() -> None:
    stream = RecordingTransform({}, None, sized(lambda _: stream.controller.terminate()))
    await stream.writable.get_writer().write("a")
    assert await rest_of(stream.readable) == []


async def test_error_inside_size_should_work() -> None:
    stream = RecordingTransform({}, None, sized(lambda _: stream.controller.error(ERROR_1)))
    await stream.writable.get_writer().write("a")
    assert await rejection(stream.readable.get_reader().read()) is ERROR_1


async def test_desired_size_inside_size_should_work() -> None:
    sizes: list[float] = []
    stream = RecordingTransform(
        {}, None, sized(lambda _: sizes.append(stream.controller.desired_size), 1)
    )
    writer = stream.writable.get_writer()
    written, closed = writer.write("a"), writer.close()
    await written
    await closed
    assert await rest_of(stream.readable) == ["a"]
    assert sizes == [1]


async def test_readable_cancel_inside_size_should_work() -> None:
    cancels: list[Promise[None]] = []
    stream: TransformStream
    stream = TransformStream(
        {}, None, sized(lambda _: cancels.append(stream.readable.cancel(ERROR_1)))
    )
    writer = stream.writable.get_writer()
    await writer.write("a")
    assert await rejection(writer.closed) is ERROR_1
    await cancels[0]


async def test_pipe_to_inside_size_should_work() -> None:
    pipes: list[Promise[None]] = []
    target = recording_writable_stream()

    def act(calls: int) -> None:
        if calls == 1:
            pipes.append(stream.readable.pipe_to(target))

    stream = RecordingTransform({}, None, sized(act, 1))
    await flush()
    stream.controller.enqueue("a")
    stream.controller.enqueue("a")
    await flush()
    assert target.events == ["write", "a", "write", "a"]
    stream.controller.terminate()
    await pipes[0]
    assert target.events == ["write", "a", "write", "a", "close"]


async def test_read_inside_of_size_should_work() -> None:
    reads: list[Promise[ReadResult]] = []
    stream = RecordingTransform({}, None, sized(lambda _: reads.append(reader.read()), 0))
    reader = stream.readable.get_reader()
    written = stream.writable.get_writer().write("b")
    await flush()
    assert not written.settled
    stream.controller.enqueue("a")
    assert len(reads) == 1
    await flush()
    await written
    assert len(reads) == 1
    assert await reads[0] == chunk("b")


async def test_writer_write_inside_size_should_work() -> None:
    writes: list[Promise[None]] = []

    def act(calls: int) -> None:
        if calls < 2:
            writes.append(writer.write("a"))

    stream = TransformStream({}, None, sized(act))
    writer = stream.writable.get_writer()
    await flush()
    writes.append(writer.write("b"))
    assert len(writes) == 2
    for written in [*writes, writer.close()]:
        await written
    assert await rest_of(stream.readable) == ["b", "a"]


async def test_synchronous_writer_write_inside_size_should_work() -> None:
    writes: list[Promise[None]] = []

    def act(calls: int) -> None:
        if calls < 2:
            writes.append(writer.write("a"))

    stream = RecordingTransform({}, None, sized(act))
    writer = stream.writable.get_writer()
    await flush()
    stream.controller.enqueue("b")
    assert stream.events == ["transform", "a"]
    for written in [*writes, writer.close()]:
        await written
    assert await rest_of(stream.readable) == ["a", "b"]


async def test_writer_close_inside_size_should_work() -> None:
    closes: list[Promise[None]] = []
    stream = RecordingTransform({}, None, sized(lambda _: closes.append(writer.close()), 1))
    writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
    await flush()
    stream.controller.enqueue("a")
    assert await reader.read() == chunk("a")
    assert await reader.read() == END
    await closes[0]


async def test_writer_abort_inside_size_should_work() -> None:
    aborts: list[Promise[None]] = []
    stream = RecordingTransform(
        {}, None, sized(lambda _: aborts.append(stream.writable.abort(ERROR_1)), 1)
    )
    reader = stream.readable.get_reader()
    await flush()
    stream.controller.enqueue("a")
    assert await reader.read() == chunk("a")
    await aborts[0]
    assert await rejection(reader.read()) is ERROR_1
