"""general.any.js: writers in each state of their stream, and how a sink's methods are called."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import WritableStream
from tests.streams.wpt.kit import flush, rejection, told


async def test_desired_size_on_a_released_writer() -> None:
    writer = WritableStream({}).get_writer()
    writer.release_lock()
    with pytest.raises(TypeError):
        _ = writer.desired_size


async def test_desired_size_initial_value() -> None:
    assert WritableStream({}).get_writer().desired_size == 1


async def test_desired_size_on_a_writer_for_a_closed_stream() -> None:
    writer = WritableStream({}).get_writer()
    writer.close()
    await writer.closed
    assert writer.desired_size == 0


async def test_desired_size_on_a_writer_for_an_errored_stream() -> None:
    stream = WritableStream({"start": lambda controller: controller.error()})
    assert stream.get_writer().desired_size is None


async def test_get_writer_on_a_closing_writable_stream() -> None:
    stream = WritableStream({})
    writer = stream.get_writer()
    writer.close()
    writer.release_lock()
    await stream.get_writer().closed


async def test_get_writer_on_a_closed_writable_stream() -> None:
    stream = WritableStream({})
    writer = stream.get_writer()
    await writer.close()
    writer.release_lock()
    await stream.get_writer().closed


async def test_get_writer_on_an_aborted_writable_stream() -> None:
    stream = WritableStream({})
    writer = stream.get_writer()
    writer.abort()
    writer.release_lock()
    assert str(await rejection(stream.get_writer().closed)) == "The stream was aborted."


async def test_get_writer_on_an_errored_writable_stream() -> None:
    stream = WritableStream({"start": lambda controller: controller.error()})
    writer = stream.get_writer()
    error = await rejection(writer.closed)
    writer.release_lock()
    assert await rejection(stream.get_writer().closed) is error


async def test_closed_and_ready_on_a_released_writer() -> None:
    writer = WritableStream({}).get_writer()
    writer.release_lock()
    error = await rejection(writer.closed)
    assert isinstance(error, TypeError)
    assert await rejection(writer.ready) is error


async def test_should_call_underlying_sink_methods_as_methods() -> None:
    selves: list[object] = []

    class Sink:
        def start(self) -> None:
            selves.append(self)

        def write(self) -> None:
            selves.append(self)

        def close(self) -> None:
            selves.append(self)

        def abort(self) -> None:
            selves.append(self)

    sink = Sink()
    writer = WritableStream(sink).get_writer()
    writer.write("a")
    await writer.close()
    await WritableStream(sink).get_writer().abort()
    assert selves == [sink] * 5


async def test_a_function_with_any_signature_may_be_every_method() -> None:
    calls: list[tuple[object, ...]] = []

    def anything(*arguments: object) -> None:
        calls.append(arguments)

    sink = dict.fromkeys(("start", "write", "close", "abort"), anything)
    writer = WritableStream(sink).get_writer()
    writer.write("a")
    writer.close()
    await writer.closed
    reason = RuntimeError("abort error")
    aborting = WritableStream(sink).get_writer()
    aborting.abort(reason)
    assert await rejection(aborting.closed) is reason
    without_abort = WritableStream({**sink, "abort": None}).get_writer()
    without_abort.abort(reason)
    assert await rejection(without_abort.closed) is reason
    assert [len(arguments) for arguments in calls] == [1, 2, 0, 1, 1, 1]


async def test_strategy_size_should_be_called_with_the_chunk_alone() -> None:
    given: list[Any] = []

    def size(*arguments: object) -> int:
        given.append(arguments)
        return 1

    await WritableStream({}, {"size": size}).get_writer().write("a")
    assert given == [("a",)]


async def test_redundant_release_lock_is_no_op() -> None:
    stream = WritableStream()
    first = stream.get_writer()
    first.release_lock()
    second = stream.get_writer()
    first.release_lock()
    await second.ready
    assert stream.locked


async def test_ready_promise_should_fire_before_closed_on_release_lock() -> None:
    log: list[str] = []
    stream = WritableStream()
    writer = stream.get_writer()
    await flush()
    written = writer.write("dummy")
    told(log, "ready", writer.ready)
    told(log, "closed", writer.closed)
    writer.release_lock()
    await flush()
    assert log == ["ready rejected", "closed rejected"]
    await written
    await stream.abort()
