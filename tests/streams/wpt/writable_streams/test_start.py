"""start.any.js: nothing is asked of a sink before it has started."""

from __future__ import annotations

from typing import NoReturn

import pytest

from emulator.streams import Promise, WritableStream
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection, told

ERROR_1 = RuntimeError("error1")


async def test_underlying_sinks_write_should_not_be_called_until_start_finishes() -> None:
    starting: Promise[None] = Promise()
    stream = recording_writable_stream({"start": lambda _: starting})
    writer = stream.get_writer()
    assert writer.desired_size == 1
    writer.write("a")
    after_writing = writer.desired_size
    await flush()
    assert (after_writing, stream.events) == (0, [])
    starting.resolve(None)
    await writer.ready
    assert stream.events == ["write", "a"]


async def test_underlying_sinks_close_should_not_be_called_until_start_finishes() -> None:
    starting: Promise[None] = Promise()
    stream = recording_writable_stream({"start": lambda _: starting})
    writer = stream.get_writer()
    writer.close()
    assert writer.desired_size == 1
    await flush()
    assert stream.events == []
    starting.resolve(None)
    await writer.closed
    assert stream.events == ["close"]


async def test_underlying_sinks_write_or_close_should_not_be_called_if_start_throws() -> None:
    calls: list[str] = []

    def start() -> NoReturn:
        raise ERROR_1

    with pytest.raises(RuntimeError) as caught:
        WritableStream(
            {
                "start": start,
                "write": lambda: calls.append("write"),
                "close": lambda: calls.append("close"),
            }
        )
    assert caught.value is ERROR_1
    await flush()
    assert calls == []


async def test_underlying_sinks_write_or_close_should_not_be_invoked_if_starts_promise_is_rejected() -> (
    None
):
    stream = recording_writable_stream({"start": lambda _: Promise.rejected(ERROR_1)})
    await flush()
    assert stream.events == []


async def test_returning_a_thenable_from_start_should_work() -> None:
    async def start() -> NoReturn:
        raise ERROR_1

    assert await rejection(WritableStream({"start": start}).get_writer().closed) is ERROR_1


async def test_controller_error_during_start_should_cause_writes_to_fail() -> None:
    stream = recording_writable_stream({"start": lambda controller: controller.error(ERROR_1)})
    assert await rejection(stream.get_writer().write("a")) is ERROR_1
    assert stream.events == []


async def test_controller_error_during_async_start_should_cause_existing_writes_to_fail() -> None:
    starting: Promise[None] = Promise()
    stream = recording_writable_stream({"start": lambda _: starting})
    writer = stream.get_writer()
    written, closing = writer.write("a"), writer.close()
    stream.controller.error(ERROR_1)
    starting.resolve(None)
    assert await rejection(written) is ERROR_1
    assert await rejection(closing) is ERROR_1
    assert stream.events == []


async def test_when_start_rejects_writer_promises_should_reject_in_standard_order() -> None:
    log: list[str] = []
    stream = WritableStream({"start": lambda: Promise.rejected(ERROR_1)}, {"high_water_mark": 0})
    writer = stream.get_writer()
    told(log, "ready", writer.ready)
    told(log, "closed", writer.closed)
    told(log, "write", writer.write())
    await flush()
    assert log == ["ready rejected", "write rejected", "closed rejected"]
