"""flush.any.js: flush comes after the last write and before the end."""

from __future__ import annotations

from typing import Any

from emulator.streams import Promise, TransformStream
from tests.streams.wpt.kit import chunk, flush, rejection

ERROR_1 = RuntimeError("error1")


async def test_flush_is_called_immediately_when_the_writable_is_closed_if_no_writes_are_queued() -> (
    None
):
    log: list[str] = []
    stream = TransformStream({"transform": lambda: None, "flush": lambda: log.append("flush")})
    await stream.writable.get_writer().close()
    assert log == ["flush"]


async def test_flush_is_called_after_all_queued_writes_finish_once_the_writable_is_closed() -> None:
    transforming: Promise[None] = Promise()
    flushes: list[str] = []

    def never() -> Promise[None]:
        flushes.append("flush")
        return Promise()

    stream = TransformStream(
        {"transform": lambda: transforming, "flush": never}, None, {"high_water_mark": 1}
    )
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    closed = stream.readable.get_reader().closed
    await flush()
    assert flushes == []
    transforming.resolve(None)
    await flush()
    assert flushes == ["flush"]
    assert not closed.settled


def enqueue_two(controller: Any) -> None:
    controller.enqueue("x")
    controller.enqueue("y")


async def test_flush_gets_a_chance_to_enqueue_more_into_the_readable() -> None:
    stream = TransformStream({"transform": lambda: None, "flush": enqueue_two})
    reader, writer = stream.readable.get_reader(), stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await reader.read() == chunk("x")
    assert await reader.read() == chunk("y")


async def test_flush_gets_a_chance_to_enqueue_more_and_can_then_async_close() -> None:
    async def later(controller: Any) -> None:
        enqueue_two(controller)
        await flush()

    stream = TransformStream({"transform": lambda: None, "flush": later})
    reader, writer = stream.readable.get_reader(), stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await reader.read() == chunk("x")
    assert await reader.read() == chunk("y")
    await reader.closed


async def test_error_during_flush_should_cause_writer_close_to_reject() -> None:
    stream = TransformStream({"flush": lambda controller: controller.error(ERROR_1)})
    assert await rejection(stream.writable.get_writer().close()) is ERROR_1


async def test_closing_the_writable_side_should_call_transformer_flush_and_a_parallel_cancel_should_not_reject() -> (
    None
):
    flushing: Promise[None] = Promise()
    cancels: list[object] = []
    stream = TransformStream({"flush": lambda: flushing, "cancel": cancels.append})
    await flush()
    closed, cancelled = stream.writable.close(), stream.readable.cancel(ERROR_1)
    flushing.resolve(None)
    await closed
    await cancelled
    assert cancels == []
