"""reentrant-strategy.any.js: a size function that uses the stream whose chunk it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.streams import Promise, WritableStream, WritableStreamDefaultWriter
from tests.streams.wpt.kit import (
    RecordingWritable,
    flush,
    recording_writable_stream,
    rejection,
    rejects_with_type_error,
    told,
)

ERROR_1 = RuntimeError("error1")

Writers = list[WritableStreamDefaultWriter]


def stream_sized_by(size: Callable[[Any, Writers], float]) -> tuple[RecordingWritable, Writers]:
    """Return a stream whose size function is given its writers too, and the list they are to be put in."""
    writers: Writers = []
    stream = recording_writable_stream({}, {"size": lambda chunk: size(chunk, writers)})
    writers.append(stream.get_writer())
    return stream, writers


async def test_writes_should_be_written_in_the_standard_order() -> None:
    def size(chunk: int, writers: Writers) -> float:
        if chunk > 0:
            writers[0].write(chunk - 1)
        return chunk

    stream, writers = stream_sized_by(size)
    await writers[0].write(2)
    assert stream.events == ["write", 0, "write", 1, "write", 2]


async def test_writer_write_promises_should_resolve_in_the_standard_order() -> None:
    log: list[str] = []
    writers: Writers = []

    def size(chunk: int) -> float:
        log.append(f"size {chunk}")
        if chunk > 0:
            told(log, f"done {chunk - 1}", writers[0].write(chunk - 1))
        return chunk

    sink = {"write": lambda chunk: log.append(f"sink {chunk}")}
    writers.append(WritableStream(sink, {"size": size}).get_writer())
    told(log, "done 2", writers[0].write(2))
    await flush()
    assert log[:3] == ["size 2", "size 1", "size 0"]
    assert log[3:] == ["sink 0", "sink 1", "done 0", "sink 2", "done 1", "done 2"]


async def test_controller_error_should_work_when_called_from_within_size() -> None:
    log: list[str] = []
    stream: RecordingWritable

    def size(_: object) -> float:
        stream.controller.error(ERROR_1)
        return 1

    stream = recording_writable_stream({}, {"size": size})
    writer = stream.get_writer()
    told(log, "ready1", writer.ready)
    written = writer.write()
    told(log, "write", written)
    told(log, "ready2", writer.ready)
    told(log, "closed", writer.closed)
    for each in (written, writer.ready, writer.closed):
        assert await rejection(each) is ERROR_1
    await flush()
    assert log == ["ready1", "write rejected", "ready2 rejected", "closed rejected"]
    assert stream.events == []


async def test_close_should_work_when_called_from_within_size() -> None:
    def size(_: object, writers: Writers) -> float:
        writers[0].close()
        return 1

    stream, writers = stream_sized_by(size)
    await rejects_with_type_error(writers[0].write("a"))
    await flush()
    assert stream.events == ["close"]


async def test_abort_should_work_when_called_from_within_size() -> None:
    def size(_: object, writers: Writers) -> float:
        writers[0].abort(ERROR_1)
        return 1

    stream, writers = stream_sized_by(size)
    assert await rejection(writers[0].write("a")) is ERROR_1
    await flush()
    assert stream.events == ["abort", ERROR_1]


async def test_release_lock_should_abort_the_write_when_called_within_size() -> None:
    def size(_: object, writers: Writers) -> float:
        writers[0].release_lock()
        return 1

    stream, writers = stream_sized_by(size)
    writer = writers[0]
    for each in (writer.write("a"), writer.ready, writer.closed):
        await rejects_with_type_error(each)
    await flush()
    assert stream.events == []


async def test_original_writer_should_error_when_new_writer_is_created_within_size() -> None:
    promises: list[Promise[None]] = []
    stream: RecordingWritable

    def size(chunk: int, writers: Writers) -> float:
        if chunk > 0:
            writers[0].release_lock()
            second = stream.get_writer()
            promises.extend((second.write(0), second.close(), second.closed))
        return 1

    stream, writers = stream_sized_by(size)
    first = writers[0]
    for each in (first.write(1), first.ready, first.closed):
        await rejects_with_type_error(each)
    for promise in promises:
        await promise
    assert len(promises) == 3
    assert stream.events == ["write", 0, "close"]
