"""aborting.any.js, continued: abort() and controller.error() while the sink is starting, writing or closing."""

from __future__ import annotations

from emulator.streams import Promise, WritableStream
from tests.streams.wpt.kit import (
    flush,
    recording_writable_stream,
    rejection,
    rejects_with_type_error,
    told,
)

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")


async def test_writer_abort_while_there_is_an_in_flight_write_and_then_finish_the_write_with_rejection() -> (
    None
):
    writing: Promise[None] = Promise()
    writer = WritableStream({"write": lambda: writing}).get_writer()
    log: list[str] = []
    told(log, "closed", writer.closed)
    await flush()
    written = writer.write("a")
    told(log, "write", written)
    aborted = writer.abort(ERROR_1)
    told(log, "abort", aborted)
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    await flush()
    assert log == []
    writing.reject(ERROR_2)
    assert await rejection(written) is ERROR_2
    await aborted
    assert await rejection(writer.closed) is ERROR_1
    await flush()
    assert log == ["write rejected", "abort", "closed rejected"]
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    writer.release_lock()
    await rejects_with_type_error(writer.ready)
    await rejects_with_type_error(writer.closed)


async def test_writer_abort_then_controller_error_while_there_is_an_in_flight_write_and_then_finish_it() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    log: list[str] = []
    told(log, "closed", writer.closed)
    await flush()
    written = writer.write("a")
    told(log, "write", written)
    aborted = writer.abort(ERROR_1)
    told(log, "abort", aborted)
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    await flush()
    assert log == []
    stream.controller.error(ERROR_2)  # Too late: the abort was first.
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    await flush()
    assert log == []
    writing.resolve(None)
    await written
    await aborted
    assert await rejection(writer.closed) is ERROR_1
    await flush()
    assert log == ["write", "abort", "closed rejected"]
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    writer.release_lock()
    await rejects_with_type_error(writer.ready)
    await rejects_with_type_error(writer.closed)


async def test_writer_abort_then_controller_error_while_there_is_an_in_flight_close_and_then_finish_it() -> (
    None
):
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    log: list[str] = []
    told(log, "closed", writer.closed)
    await flush()
    closed = writer.close()
    told(log, "close", closed)
    aborted = writer.abort(ERROR_1)
    told(log, "abort", aborted)
    await rejects_with_type_error(writer.close())
    assert await rejection(writer.ready) is ERROR_1
    await flush()
    assert log == []
    stream.controller.error(ERROR_2)
    await rejects_with_type_error(writer.close())
    assert await rejection(writer.ready) is ERROR_1
    await flush()
    assert log == []
    closing.resolve(None)
    await closed
    await aborted
    await writer.closed
    await flush()
    assert log == ["close", "abort", "closed"]
    await rejects_with_type_error(writer.close())
    assert await rejection(writer.ready) is ERROR_1
    writer.release_lock()
    for each in (writer.close(), writer.ready, writer.closed):
        await rejects_with_type_error(each)


async def test_controller_error_then_writer_abort_while_there_is_an_in_flight_write_and_then_finish_it() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    log: list[str] = []
    told(log, "closed", writer.closed)
    await flush()
    written = writer.write("a")
    told(log, "write", written)
    stream.controller.error(ERROR_2)
    assert await rejection(writer.write("a")) is ERROR_2
    assert await rejection(writer.ready) is ERROR_2
    await flush()
    assert log == []
    aborted = writer.abort(ERROR_1)
    told(log, "abort", aborted)
    assert await rejection(writer.write("a")) is ERROR_2
    await flush()
    assert log == []
    writing.resolve(None)
    assert await rejection(aborted) is ERROR_2
    assert await rejection(writer.closed) is ERROR_2
    await flush()
    assert log == ["write", "abort rejected", "closed rejected"]
    assert stream.events == ["write", "a"]
    assert await rejection(writer.write("a")) is ERROR_2
    assert await rejection(writer.ready) is ERROR_2
    writer.release_lock()
    await rejects_with_type_error(writer.ready)
    await rejects_with_type_error(writer.closed)


async def test_controller_error_then_writer_abort_while_there_is_an_in_flight_close_and_then_finish_it() -> (
    None
):
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    log: list[str] = []
    told(log, "closed", writer.closed)
    await flush()
    closed = writer.close()
    told(log, "close", closed)
    stream.controller.error(ERROR_2)
    await flush()
    assert log == []
    aborted = writer.abort(ERROR_1)
    told(log, "abort", aborted)
    assert await rejection(writer.ready) is ERROR_2
    await flush()
    assert log == []
    closing.resolve(None)
    await closed
    assert await rejection(writer.ready) is ERROR_2
    await writer.closed
    await flush()
    assert log == ["close", "abort", "closed"]
    writer.release_lock()
    await rejects_with_type_error(writer.ready)
    await rejects_with_type_error(writer.closed)


async def test_release_lock_while_aborting_should_reject_the_original_closed_promise() -> None:
    writing: Promise[None] = Promise()
    writer = WritableStream({"write": lambda: writing}).get_writer()
    await flush()
    written, closed, aborted = writer.write("a"), writer.closed, writer.abort()
    writer.release_lock()
    writing.resolve(None)
    await written
    await aborted
    await rejects_with_type_error(closed)


async def test_release_lock_during_delayed_async_abort_should_reject_the_writer_closed_promise() -> (
    None
):
    writing: Promise[None] = Promise()
    aborting: Promise[None] = Promise()
    started: Promise[None] = Promise()

    def abort() -> Promise[None]:
        started.resolve(None)
        return aborting

    writer = WritableStream({"write": lambda: writing, "abort": abort}).get_writer()
    await flush()
    written, closed, aborted = writer.write("a"), writer.closed, writer.abort()
    writing.resolve(None)
    await started
    writer.release_lock()
    assert writer.closed is closed
    aborting.resolve(None)
    await written
    await aborted
    await rejects_with_type_error(closed)


async def test_sink_abort_should_not_be_called_until_sink_start_is_done() -> None:
    starting: Promise[None] = Promise()
    stream = recording_writable_stream({"start": lambda _: starting})
    aborted = stream.abort("done")
    await flush()
    assert stream.events == []
    starting.resolve(None)
    await aborted
    assert stream.events == ["abort", "done"]


async def test_if_start_attempts_to_error_the_controller_after_abort_then_it_should_lose() -> None:
    starting: Promise[None] = Promise()
    stream = recording_writable_stream({"start": lambda _: starting})
    aborted = stream.abort("done")
    stream.controller.error(ERROR_1)
    starting.resolve(None)
    await aborted
    assert stream.events == ["abort", "done"]


async def test_stream_abort_promise_should_still_resolve_if_sink_start_rejects() -> None:
    stream = recording_writable_stream({"start": lambda _: Promise.rejected(ERROR_1)})
    await stream.abort("done")
    assert stream.events == ["abort", "done"]


async def test_writer_abort_during_sink_start_should_replace_the_writer_ready_promise_synchronously() -> (
    None
):
    writer = WritableStream().get_writer()
    before = writer.ready
    writer.abort(ERROR_1)
    after = writer.ready
    assert after is not before
    await before
    assert await rejection(after) is ERROR_1


async def test_promises_of_other_writer_methods_should_be_rejected_when_abort_happens_during_sink_start() -> (
    None
):
    log: list[str] = []
    stream = recording_writable_stream()
    writer = stream.get_writer()
    first = writer.write(1)
    aborted = writer.abort(ERROR_1)
    second = writer.write(2)
    closing = writer.close()
    for name, promise in (
        ("write1", first),
        ("abort", aborted),
        ("write2", second),
        ("close", closing),
    ):
        told(log, name, promise)
    await aborted
    for each in (first, second, closing):
        assert await rejection(each) is ERROR_1
    await flush()
    assert log == ["write2 rejected", "write1 rejected", "abort", "close rejected"]
    assert stream.events == ["abort", ERROR_1]
