"""write.any.js: writes reach the sink in order, and their promises say how it went."""

from __future__ import annotations

from typing import Any, NoReturn

from emulator.streams import Promise, WritableStream, WritableStreamDefaultWriter
from tests.streams.wpt.kit import (
    flush,
    recording_writable_stream,
    rejection,
    rejects_with_type_error,
    told,
)

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")
INPUT = (1, 2, 3, 4, 5)


def write_all(writer: WritableStreamDefaultWriter) -> Promise[None]:
    """Write INPUT and the end; return the promise of the end."""
    for chunk in INPUT:
        writer.write(chunk)
    return writer.close()


async def test_should_complete_asynchronous_writes_before_close_resolves() -> None:
    storage: list[int] = []

    async def write(chunk: int) -> None:
        await flush()
        storage.append(chunk)

    await write_all(WritableStream({"write": write, "close": flush}).get_writer())
    assert storage == list(INPUT)


async def test_should_complete_synchronous_writes_before_close_resolves() -> None:
    stream = recording_writable_stream()
    await write_all(stream.get_writer())
    assert stream.events == [
        *("write", 1, "write", 2, "write", 3, "write", 4, "write", 5),
        "close",
    ]


async def test_fulfillment_value_of_write_should_be_undefined_even_if_the_sink_returns_a_value() -> (
    None
):
    written: Promise[Any] = WritableStream({"write": lambda: "Hello"}).get_writer().write("a")
    assert await written is None


async def test_should_transition_to_waiting_until_write_is_acknowledged() -> None:
    log: list[str] = []
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    assert writer.desired_size == 1
    await flush()
    told(log, "write", writer.write("a"))
    sizes = [writer.desired_size]
    told(log, "ready", writer.ready)
    await flush()
    assert (stream.events, log, sizes) == (["write", "a"], [], [0])
    writing.resolve(None)
    await flush()
    assert log == ["write", "ready"]
    assert writer.desired_size == 1


async def test_when_write_returns_a_rejected_promise_queued_writes_and_close_should_be_cleared() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    sizes = []
    promises = []
    for chunk in ("a", "b"):
        promises.append(writer.write(chunk))
        sizes.append(writer.desired_size)
    promises.append(writer.close())
    sizes.append(writer.desired_size)
    assert sizes == [0, -1, -1]
    await flush()
    assert not any(promise.settled for promise in promises)
    writing.reject(ERROR_1)
    for promise in promises:
        assert await rejection(promise) is ERROR_1
    assert stream.events == ["write", "a"]


async def test_when_sinks_write_throws_the_stream_should_become_errored_and_the_promise_should_reject() -> (
    None
):
    def write() -> NoReturn:
        raise ERROR_1

    writer = WritableStream({"write": write}).get_writer()
    assert await rejection(writer.write("a")) is ERROR_1
    await rejects_with_type_error(writer.close())


async def test_write_ready_and_closed_reject_with_the_error_passed_to_controller_error_before_rejection() -> (
    None
):
    def write(chunk: object, controller: Any) -> NoReturn:
        controller.error(ERROR_1)
        raise ERROR_2

    writer = WritableStream({"write": write}).get_writer()
    assert await rejection(writer.write("a")) is ERROR_2
    assert await rejection(writer.ready) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1


async def test_a_large_queue_of_writes_should_be_processed_completely() -> None:
    writing: Promise[None] = Promise()
    calls: list[object] = []

    def write(chunk: object) -> Promise[None]:
        calls.append(chunk)
        return writing if len(calls) == 1 else Promise.fulfilled(None)

    writer = WritableStream({"write": write}).get_writer()
    await flush()
    writes = [writer.write(number) for number in range(1000)]
    assert calls == [0]
    writing.resolve(None)
    await writes[-1]
    assert calls == list(range(1000))


async def test_writable_stream_default_writer_should_work_when_manually_constructed() -> None:
    stream = recording_writable_stream()
    writer = WritableStreamDefaultWriter(stream)
    await flush()
    writer.write("a")
    assert stream.events == ["write", "a"]


async def test_returning_a_thenable_from_write_should_work() -> None:
    log: list[str] = []

    async def write() -> None:
        log.append("awaited")

    await WritableStream({"write": write}).get_writer().write("a")
    assert log == ["awaited"]
