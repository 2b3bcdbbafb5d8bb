"""close.any.js: closing, alone and against writes, errors, aborts and releases."""

from __future__ import annotations

from typing import Any, NoReturn

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


async def test_fulfillment_value_of_close_must_be_undefined_even_if_the_sink_returns_a_value() -> (
    None
):
    closed: Promise[Any] = WritableStream({"close": lambda: "Hello"}).get_writer().close()
    assert await closed is None


async def test_when_sink_calls_error_asynchronously_while_close_is_in_flight_the_stream_should_not_error() -> (
    None
):
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    closed = writer.close()
    await flush()
    stream.controller.error(ERROR_1)
    await flush()
    closing.resolve(None)
    await closed
    await writer.closed
    await flush()
    await writer.closed


async def test_when_sink_calls_error_synchronously_while_closing_the_stream_should_not_become_errored() -> (
    None
):
    stream = recording_writable_stream(
        {"close": lambda: stream.controller.error(RuntimeError("error me"))}
    )
    writer = stream.get_writer()
    await writer.close()
    await writer.closed


async def test_when_the_sink_throws_during_close_requested_while_a_write_is_in_flight_the_stream_errors() -> (
    None
):
    def close() -> NoReturn:
        raise ERROR_1

    writer = WritableStream({"close": close}).get_writer()
    written, closed = writer.write("y"), writer.close()
    await written
    assert await rejection(closed) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1


async def test_release_lock_on_a_stream_with_a_pending_write_in_which_the_stream_has_been_errored() -> (
    None
):
    def write(chunk: object, controller: Any) -> Promise[None]:
        controller.error(ERROR_1)
        return Promise()

    stream = WritableStream({"write": write})
    writer = stream.get_writer()
    writer.write("a")
    await flush()
    writer.release_lock()
    assert not stream.locked


async def test_release_lock_on_a_stream_with_a_pending_close_in_which_controller_error_was_called() -> (
    None
):
    def close() -> Promise[None]:
        stream.controller.error(ERROR_1)
        return Promise()

    stream = recording_writable_stream({"close": close})
    writer = stream.get_writer()
    writer.close()
    await flush()
    writer.release_lock()
    assert not stream.locked


async def test_when_close_is_called_in_writable_state_ready_should_be_a_fulfilled_promise() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    await flush()
    assert writer.desired_size == 1
    writer.close()
    assert writer.desired_size == 1
    await writer.ready
    assert stream.events == ["close"]


async def test_when_close_is_called_in_waiting_state_ready_promise_should_be_fulfilled() -> None:
    stream = recording_writable_stream({"write": lambda *_: Promise()})
    writer = stream.get_writer()
    await flush()
    writer.write("a")
    assert writer.desired_size == 0
    ready = writer.ready
    await flush()
    assert not ready.settled
    writer.close()
    await ready
    assert writer.ready is ready
    assert stream.events == ["write", "a"]


async def test_when_close_is_called_in_waiting_state_ready_should_be_fulfilled_at_once() -> None:
    closing: Promise[None] = Promise()
    stream = recording_writable_stream({"close": lambda: closing})
    writer = stream.get_writer()
    await flush()
    writer.write("a")
    writer.close()
    assert writer.ready.settled
    await writer.ready
    await flush()
    assert stream.events == ["write", "a", "close"]
    assert not writer.closed.settled


async def test_returning_a_thenable_from_close_should_work() -> None:
    async def close() -> NoReturn:
        raise ERROR_1

    assert await rejection(WritableStream({"close": close}).get_writer().close()) is ERROR_1


async def test_release_lock_should_not_change_the_result_of_sync_close() -> None:
    writer = WritableStream().get_writer()
    await flush()
    closing, closed = writer.close(), writer.closed
    writer.release_lock()
    await closing
    await rejects_with_type_error(closed)


async def test_release_lock_should_not_change_the_result_of_async_close() -> None:
    writer = WritableStream({"close": flush}).get_writer()
    await flush()
    closing, closed = writer.close(), writer.closed
    writer.release_lock()
    await closing
    await rejects_with_type_error(closed)


async def test_close_should_set_state_to_closed_even_if_writer_has_detached() -> None:
    closing: Promise[None] = Promise()
    stream = WritableStream({"close": lambda: closing})
    writer = stream.get_writer()
    closed = writer.close()
    writer.release_lock()
    await flush()
    closing.resolve(None)
    await closed
    assert stream.get_writer().desired_size == 0


async def test_the_promise_returned_by_async_abort_during_close_should_resolve() -> None:
    closing: Promise[None] = Promise()
    stream = WritableStream({"close": lambda: closing})
    writer = stream.get_writer()
    writer.close()
    writer.release_lock()
    await flush()
    aborting = stream.get_writer()
    aborted = aborting.abort()
    aborting.release_lock()
    closing.resolve(None)
    await aborted


async def test_promises_must_fulfill_in_the_expected_order_on_closure() -> None:
    log: list[str] = []
    writer = WritableStream({}).get_writer()
    told(log, "close", writer.close())
    told(log, "closed", writer.closed)
    await flush()
    assert log == ["close", "closed"]


async def test_promises_must_fulfill_in_the_expected_order_on_aborted_closure() -> None:
    log: list[str] = []
    stream = WritableStream({})
    await flush()
    writer = stream.get_writer()
    told(log, "close", writer.close())
    told(log, "abort", writer.abort(ERROR_1))
    told(log, "closed", writer.closed)
    await flush()
    assert log == ["close", "abort", "closed"]


async def test_promises_must_reject_in_the_expected_order_on_aborted_and_errored_closure() -> None:
    log: list[str] = []
    stream = WritableStream({"close": lambda: Promise.rejected(ERROR_1)})
    await flush()
    writer = stream.get_writer()
    closing, aborted = writer.close(), writer.abort(ERROR_2)
    told(log, "close", closing)
    told(log, "abort", aborted)
    told(log, "closed", writer.closed)
    assert await rejection(closing) is ERROR_1
    assert await rejection(aborted) is ERROR_1
    assert await rejection(writer.closed) is ERROR_2
    await flush()
    assert log == ["close rejected", "abort rejected", "closed rejected"]


async def test_close_should_not_reject_until_no_sink_methods_are_in_flight() -> None:
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    writer = stream.get_writer()
    await flush()
    written = writer.write("c")
    stream.controller.error(ERROR_1)
    closing = writer.close()
    await flush()
    assert not closing.settled
    writing.resolve(None)
    await written
    assert await rejection(closing) is ERROR_1


async def test_ready_promise_should_be_initialised_as_fulfilled_for_a_writer_on_a_closed_stream() -> (
    None
):
    stream = WritableStream()
    writer = stream.get_writer()
    await writer.close()
    writer.release_lock()
    ready = stream.get_writer().ready
    assert isinstance(ready, Promise)
    await ready


async def test_close_on_a_writable_stream_should_work() -> None:
    stream = WritableStream()
    stream.close()
    await stream.get_writer().closed


async def test_close_on_a_locked_stream_should_reject() -> None:
    stream = WritableStream()
    stream.get_writer()
    await rejects_with_type_error(stream.close())


async def test_close_on_an_erroring_stream_should_reject() -> None:
    stream = WritableStream({"start": lambda controller: controller.error(ERROR_1)})
    assert await rejection(stream.close()) is ERROR_1


async def test_close_on_an_errored_stream_should_reject() -> None:
    stream = WritableStream({"start": lambda controller: controller.error(ERROR_1)})
    writer = stream.get_writer()
    assert await rejection(writer.closed) is ERROR_1
    writer.release_lock()
    refused = await rejection(stream.close())
    assert isinstance(refused, TypeError)
    assert refused.__cause__ is ERROR_1


async def test_close_on_a_closed_stream_should_reject() -> None:
    stream = WritableStream()
    writer = stream.get_writer()
    await writer.close()
    writer.release_lock()
    error = await rejection(stream.close())
    assert isinstance(error, TypeError)
    assert str(error) == "This WritableStream has been closed."


async def test_close_on_a_stream_with_a_pending_close_should_reject() -> None:
    stream = WritableStream({"close": lambda: Promise()})
    writer = stream.get_writer()
    writer.close()
    writer.release_lock()
    await rejects_with_type_error(stream.close())
