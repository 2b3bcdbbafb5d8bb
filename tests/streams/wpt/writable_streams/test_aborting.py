"""aborting.any.js: what abort() does to writes, closes and writers, before, during and after them."""

from __future__ import annotations

from typing import Any

from emulator.streams import CountQueuingStrategy, Promise, WritableStream
from tests.streams.wpt.kit import (
    flush,
    recording_writable_stream,
    rejection,
    rejects_with_type_error,
    told,
)

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")


def later(log: list[str], name: str) -> Any:
    """Return a sink's method that is done once the loop was quiet, and tells `log` then."""

    async def method(*_: object) -> None:
        await flush()
        log.append(name)

    return method


async def test_aborting_a_writable_stream_before_it_starts_should_cause_the_writers_unsettled_ready_to_reject() -> (
    None
):
    stream = recording_writable_stream()
    writer = stream.get_writer()
    written = writer.write("a")
    ready = writer.ready
    writer.abort(ERROR_1)
    assert writer.ready is ready
    assert await rejection(ready) is ERROR_1
    assert await rejection(written) is ERROR_1
    assert "write" not in stream.events


async def test_aborting_should_cause_the_writers_fulfilled_ready_promise_to_reset_to_a_rejected_one() -> (
    None
):
    writer = WritableStream().get_writer()
    writer.write("a")
    ready = writer.ready
    await ready
    writer.abort(ERROR_1)
    assert writer.ready is not ready
    assert await rejection(writer.ready) is ERROR_1


async def test_abort_on_a_released_writer_rejects() -> None:
    writer = WritableStream().get_writer()
    writer.release_lock()
    await rejects_with_type_error(writer.abort())


async def test_aborting_a_writable_stream_immediately_prevents_future_writes() -> None:
    stream = recording_writable_stream()
    await flush()
    writer = stream.get_writer()
    aborted = writer.abort(ERROR_1)
    assert await rejection(writer.write(1)) is ERROR_1
    assert await rejection(writer.write(2)) is ERROR_1
    await aborted
    assert stream.events == ["abort", ERROR_1]


async def test_aborting_prevents_further_writes_after_any_that_are_in_progress() -> None:
    stream = recording_writable_stream()
    await flush()
    writer = stream.get_writer()
    first = writer.write(1)
    refused = [writer.write(2), writer.write(3)]
    aborted = writer.abort(ERROR_1)
    refused += [writer.write(4), writer.write(5)]
    await aborted
    assert stream.events == ["write", 1, "abort", ERROR_1]
    await first
    for each in refused:
        assert await rejection(each) is ERROR_1


async def test_fulfillment_value_of_abort_must_be_undefined_even_if_the_sink_returns_a_value() -> (
    None
):
    writer = WritableStream({"abort": lambda: "Hello"}).get_writer()
    assert await _value(writer.abort("a")) is None


def _value(promise: Promise[Any]) -> Promise[Any]:
    """Return `promise` as one whose value may be looked at."""
    return promise


def throw_1(*_: object) -> None:
    raise ERROR_1


async def test_if_sinks_abort_throws_the_promise_returned_by_writer_abort_rejects() -> None:
    writer = WritableStream({"abort": throw_1}).get_writer()
    assert await rejection(writer.abort()) is ERROR_1


async def test_if_sinks_abort_throws_the_promise_of_multiple_writer_aborts_is_the_same_and_rejects() -> (
    None
):
    writer = WritableStream({"abort": throw_1}).get_writer()
    aborted = writer.abort()
    assert writer.abort() is aborted
    assert await rejection(aborted) is ERROR_1


async def test_if_sinks_abort_throws_the_promise_returned_by_stream_abort_rejects() -> None:
    assert await rejection(WritableStream({"abort": throw_1}).abort()) is ERROR_1


async def test_if_sinks_abort_throws_for_an_abort_performed_during_a_write_abort_rejects() -> None:
    writing: Promise[None] = Promise()
    writer = WritableStream({"write": lambda: writing, "abort": throw_1}).get_writer()
    writer.write()
    await flush()
    aborted = writer.abort()
    writing.resolve(None)
    assert await rejection(aborted) is ERROR_1


async def test_aborting_passes_through_the_given_reason() -> None:
    stream = recording_writable_stream()
    await stream.get_writer().abort(ERROR_1)
    assert stream.events == ["abort", ERROR_1]


async def test_aborting_puts_it_in_an_errored_state_with_the_error_passed_to_abort() -> None:
    writer = WritableStream().get_writer()
    aborted = writer.abort(ERROR_1)
    log: list[str] = []
    told(log, "ready", writer.ready)
    told(log, "closed", writer.closed)
    refused = [writer.write(), writer.close(), writer.ready, writer.closed]
    await aborted
    for each in refused:
        assert await rejection(each) is ERROR_1
    await flush()
    assert log == ["ready rejected", "closed rejected"]


async def test_aborting_causes_any_outstanding_write_promises_to_be_rejected_with_the_reason() -> (
    None
):
    writer = WritableStream().get_writer()
    written = writer.write("a")
    writer.abort(ERROR_1)
    assert await rejection(written) is ERROR_1


async def test_closing_but_then_immediately_aborting_causes_the_stream_to_error() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    closing = writer.close()
    aborted = writer.abort(ERROR_1)
    assert await rejection(writer.closed) is ERROR_1
    assert await rejection(closing) is ERROR_1
    await aborted
    assert stream.events == ["abort", ERROR_1]


async def test_closing_and_aborting_while_it_closes_causes_the_stream_to_ignore_the_abort() -> None:
    closing: Promise[None] = Promise()
    writer = WritableStream({"close": lambda: closing}).get_writer()
    closed = writer.close()
    await flush()
    aborted = writer.abort(ERROR_1)
    closing.resolve(None)
    await writer.closed
    await aborted
    await closed


async def test_aborting_after_it_is_closed_is_a_no_op() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    writer.close()
    await flush()
    await writer.abort()
    assert stream.events == ["close"]


async def test_should_not_call_underlying_sinks_close_if_no_abort_is_supplied() -> None:
    closes: list[bool] = []
    writer = WritableStream({"close": lambda: closes.append(True)}).get_writer()
    writer.abort(ERROR_1)
    assert await rejection(writer.closed) is ERROR_1
    assert closes == []


async def test_returning_a_thenable_from_abort_should_work() -> None:
    log: list[str] = []
    await WritableStream({"abort": later(log, "awaited")}).get_writer().abort()
    assert log == ["awaited"]


async def test_closed_should_not_resolve_before_fulfilled_write() -> None:
    log: list[str] = []
    writer = WritableStream({"write": later([], "")}).get_writer()
    await flush()
    told(log, "write", writer.write("a"))
    aborted = writer.abort(ERROR_1)
    told(log, "closed", writer.closed)
    await aborted
    assert await rejection(writer.closed) is ERROR_1
    await flush()
    assert log == ["write", "closed rejected"]


async def test_closed_should_not_resolve_before_rejected_write_and_its_error_should_not_overwrite_aborts() -> (
    None
):
    log: list[str] = []
    writer = WritableStream({"write": lambda: Promise.rejected(ERROR_1)}).get_writer()
    await flush()
    written = writer.write("a")
    told(log, "write", written)
    aborted = writer.abort(ERROR_2)
    told(log, "closed", writer.closed)
    assert await rejection(written) is ERROR_1
    assert await rejection(writer.closed) is ERROR_2
    await aborted
    await flush()
    assert log == ["write rejected", "closed rejected"]


async def test_writes_should_be_satisfied_in_order_when_aborting() -> None:
    log: list[str] = []
    strategy = CountQueuingStrategy(high_water_mark=4)
    writer = WritableStream({"write": later([], "")}, strategy).get_writer()
    await flush()
    for name in "123":
        told(log, name, writer.write(name))
    await writer.abort(ERROR_1)
    await flush()
    assert log == ["1", "2 rejected", "3 rejected"]


async def test_writes_should_be_satisfied_in_order_after_rejected_write_when_aborting() -> None:
    log: list[str] = []
    strategy = CountQueuingStrategy(high_water_mark=4)
    sink: dict[str, Any] = {"write": lambda: Promise.rejected(ERROR_1)}
    writer = WritableStream(sink, strategy).get_writer()
    await flush()
    writes = [writer.write(name) for name in "123"]
    for name, written in zip("123", writes, strict=True):
        told(log, name, written)
    await writer.abort(ERROR_2)
    assert [await rejection(each) for each in writes] == [ERROR_1, ERROR_2, ERROR_2]
    await flush()
    assert log == ["1 rejected", "2 rejected", "3 rejected"]


async def test_close_should_reject_with_abort_reason_when_abort_is_first_error() -> None:
    writer = WritableStream({"write": lambda: Promise.rejected(ERROR_1)}).get_writer()
    await flush()
    written, closing, aborted = writer.write("a"), writer.close(), writer.abort(ERROR_2)
    assert await rejection(written) is ERROR_1
    assert await rejection(closing) is ERROR_2
    await aborted


async def test_underlying_abort_should_not_be_called_until_underlying_write_completes() -> None:
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    writer.write("a")
    aborted = writer.abort("b")
    await flush()
    assert stream.events == ["write", "a"]
    writing.resolve(None)
    await aborted
    assert stream.events == ["write", "a", "abort", "b"]


async def test_underlying_abort_should_not_be_called_if_underlying_close_has_started() -> None:
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    await flush()
    writer.close()
    aborted = writer.abort()
    await flush()
    assert stream.events == ["close"]
    closing.resolve(None)
    await aborted
    assert stream.events == ["close"]


async def test_if_underlying_close_has_started_and_then_rejects_abort_and_close_reject_with_its_reason() -> (
    None
):
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    await flush()
    closed, aborted = writer.close(), writer.abort()
    await flush()
    assert stream.events == ["close"]
    closing.reject(ERROR_1)
    assert await rejection(aborted) is ERROR_1
    assert await rejection(closed) is ERROR_1
    assert stream.events == ["close"]


async def test_an_abort_during_a_write_should_trigger_the_underlying_abort_even_with_a_close_queued() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    writer.write("a")
    closed, aborted = writer.close(), writer.abort(ERROR_1)
    await flush()
    assert stream.events == ["write", "a"]
    writing.resolve(None)
    await aborted
    assert stream.events == ["write", "a", "abort", ERROR_1]
    assert await rejection(closed) is ERROR_1


async def test_a_writer_created_for_a_stream_with_a_pending_abort_has_ready_rejected_with_the_abort_error() -> (
    None
):
    stream = WritableStream({"write": lambda: Promise()})
    writer = stream.get_writer()
    await flush()
    writer.write("a")
    writer.abort(ERROR_1)
    writer.release_lock()
    assert await rejection(stream.get_writer().ready) is ERROR_1


async def test_writer_close_promise_should_resolve_before_abort_promise() -> None:
    writer = WritableStream().get_writer()
    await flush()
    log: list[str] = []
    closed, aborted = writer.close(), writer.abort()
    told(log, "close", closed)
    told(log, "abort", aborted)
    await flush()
    assert log == ["close", "abort"]


async def test_writer_ready_should_reject_on_controller_error_without_waiting_for_underlying_write() -> (
    None
):
    def write(value: object, controller: Any) -> Promise[None]:
        controller.error(ERROR_1)
        return Promise()

    writer = WritableStream({"write": write}).get_writer()
    await flush()
    writer.write("a")
    assert await rejection(writer.ready) is ERROR_1
