"""error.any.js: controller.error() in each state."""

from __future__ import annotations

from emulator.streams import WritableStream
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")


async def test_controller_error_should_error_the_stream() -> None:
    stream = WritableStream({"start": lambda controller: controller.error(ERROR_1)})
    assert await rejection(stream.get_writer().closed) is ERROR_1


async def test_controller_error_on_erroring_stream_should_not_throw() -> None:
    stream = recording_writable_stream()
    aborted = stream.abort(ERROR_2)
    stream.controller.error(ERROR_1)
    await aborted
    assert await rejection(stream.get_writer().closed) is ERROR_2


async def test_surplus_calls_to_controller_error_should_be_a_no_op() -> None:
    stream = recording_writable_stream()
    stream.controller.error(ERROR_1)
    stream.controller.error(ERROR_2)
    assert await rejection(stream.get_writer().closed) is ERROR_1


async def test_controller_error_on_errored_stream_should_not_throw() -> None:
    stream = recording_writable_stream()
    await stream.abort(ERROR_2)
    stream.controller.error(ERROR_1)
    assert await rejection(stream.get_writer().closed) is ERROR_2


async def test_controller_error_on_closed_stream_should_not_throw() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    await writer.close()
    stream.controller.error(ERROR_1)
    await flush()
    await writer.closed
