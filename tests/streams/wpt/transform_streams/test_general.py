"""general.any.js: what goes in comes out, changed, in order, and ends when it should."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from emulator.errors import RangeError
from emulator.streams import Promise, ReadableStream, TransformStream, WritableStream
from tests.streams.wpt.kit import chunk, flush, rejection, rest_of
from tests.streams.wpt.transform_streams.support import RecordingTransform

CANCELLED = RuntimeError("cancel reason")


async def test_can_be_constructed_with_a_transform_function() -> None:
    TransformStream({"transform": lambda: None})


async def test_can_be_constructed_with_no_transform_function() -> None:
    TransformStream()
    TransformStream({})


async def test_instances_must_have_writable_and_readable_properties_of_the_correct_types() -> None:
    stream = TransformStream({"transform": lambda: None})
    assert isinstance(stream.writable, WritableStream)
    assert isinstance(stream.readable, ReadableStream)
    assert stream.writable.get_writer() is not None
    assert stream.readable.get_reader() is not None


async def test_writable_starts_in_the_writable_state() -> None:
    assert TransformStream({"transform": lambda: None}).writable.get_writer().desired_size == 1


async def test_identity_can_read_from_readable_what_is_put_into_writable() -> None:
    stream = TransformStream()
    writer = stream.writable.get_writer()
    writer.write("a")
    sizes = [writer.desired_size]
    assert await stream.readable.get_reader().read() == chunk("a")
    await flush()
    sizes.append(writer.desired_size)
    assert sizes == [0, 1]


async def test_uppercaser_sync() -> None:
    stream = TransformStream({"transform": lambda text, c: c.enqueue(text.upper())})
    stream.writable.get_writer().write("a")
    assert await stream.readable.get_reader().read() == chunk("A")


async def test_uppercaser_doubler_sync() -> None:
    def transform(text: str, controller: Any) -> None:
        controller.enqueue(text.upper())
        controller.enqueue(text.upper())

    stream = TransformStream({"transform": transform})
    stream.writable.get_writer().write("a")
    reader = stream.readable.get_reader()
    assert await reader.read() == chunk("A")
    assert await reader.read() == chunk("A")


async def test_uppercaser_async() -> None:
    async def transform(text: str, controller: Any) -> None:
        await flush()
        controller.enqueue(text.upper())

    stream = TransformStream({"transform": transform})
    stream.writable.get_writer().write("a")
    assert await stream.readable.get_reader().read() == chunk("A")


async def test_uppercaser_doubler_async() -> None:
    transforming: Promise[None] = Promise()
    again: list[Any] = []

    def transform(text: str, controller: Any) -> Promise[None]:
        asyncio.get_running_loop().call_soon(controller.enqueue, text.upper())
        again.append(lambda: controller.enqueue(text.upper()))
        return transforming

    stream = TransformStream({"transform": transform})
    reader = stream.readable.get_reader()
    written = stream.writable.get_writer().write("a")
    assert await reader.read() == chunk("A")
    again[0]()
    assert await reader.read() == chunk("A")
    transforming.resolve(None)
    await written


async def test_closing_the_writable_closes_the_readable_when_there_are_no_queued_writes() -> None:
    stream = TransformStream({"transform": lambda: None})
    writer = stream.writable.get_writer()
    writer.close()
    await writer.closed
    await stream.readable.get_reader().closed


async def test_closing_the_writable_waits_for_transforms_to_finish_before_closing_both() -> None:
    transforming: Promise[None] = Promise()
    stream = TransformStream({"transform": lambda: transforming}, None, {"high_water_mark": 1})
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    closed = stream.readable.get_reader().closed
    await flush()
    assert not closed.settled
    transforming.resolve(None)
    await writer.closed
    assert closed.settled
    await closed


def two(controller: Any) -> None:
    controller.enqueue("x")
    controller.enqueue("y")


async def test_closing_the_writable_closes_the_readable_after_sync_enqueues_and_async_done() -> (
    None
):
    async def transform(_: object, controller: Any) -> None:
        two(controller)
        await flush()

    stream = TransformStream({"transform": transform})
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await rest_of(stream.readable) == ["x", "y"]
    await writer.closed


async def test_closing_the_writable_closes_the_readable_after_async_enqueues_and_async_done() -> (
    None
):
    async def transform(_: object, controller: Any) -> None:
        await flush()
        two(controller)
        await flush()

    stream = TransformStream({"transform": transform})
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await rest_of(stream.readable) == ["x", "y"]
    await writer.closed


async def test_should_call_transformer_methods_as_methods() -> None:
    class Suffixer:
        suffix = "-suffix"

        def start(self, controller: Any) -> None:
            controller.enqueue("start" + self.suffix)

        def transform(self, text: str, controller: Any) -> None:
            controller.enqueue(text + self.suffix)

        def flush(self, controller: Any) -> None:
            controller.enqueue("flushed" + self.suffix)

    stream = TransformStream(Suffixer())
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await rest_of(stream.readable) == ["start-suffix", "a-suffix", "flushed-suffix"]
    await writer.closed


async def test_a_function_with_any_signature_may_be_every_method() -> None:
    calls: list[int] = []
    anything = dict.fromkeys(("start", "transform", "flush"), lambda *args: calls.append(len(args)))
    stream = TransformStream(anything)
    writer = stream.writable.get_writer()
    writer.write("a")
    writer.close()
    assert await rest_of(stream.readable) == []
    assert calls == [1, 2, 1]


async def test_start_transform_and_flush_should_be_strictly_ordered() -> None:
    log: list[str] = []

    def slow(name: str) -> Any:
        async def method(*_: object) -> None:
            log.append(f"{name} begins")
            await flush()
            log.append(f"{name} ends")

        return method

    names = ("start", "transform", "flush")
    stream = TransformStream({name: slow(name) for name in names}, None, {"high_water_mark": 1})
    writer = stream.writable.get_writer()
    written = writer.write("a")
    await writer.close()
    assert log == [f"{name} {what}" for name in names for what in ("begins", "ends")]
    await written


async def test_it_should_be_possible_to_call_transform_synchronously() -> None:
    stream = RecordingTransform({"transform": lambda *_: None}, None, {"high_water_mark": math.inf})
    await flush()
    written = stream.writable.get_writer().write()
    assert stream.events == ["transform", None]
    await written


async def test_closing_the_writable_should_close_the_readable_with_no_queued_chunks_even_with_backpressure() -> (
    None
):
    stream = TransformStream({}, None, {"high_water_mark": 0})
    writer = stream.writable.get_writer()
    writer.close()
    await writer.closed
    await stream.readable.get_reader().closed


async def test_enqueue_should_throw_after_controller_terminate() -> None:
    stream = RecordingTransform()
    stream.controller.terminate()
    with pytest.raises(TypeError):
        stream.controller.enqueue()


async def test_enqueue_should_throw_after_readable_cancel() -> None:
    stream = RecordingTransform()
    cancelled = stream.readable.cancel()
    with pytest.raises(TypeError):
        stream.controller.enqueue()
    await cancelled


async def test_controller_terminate_should_do_nothing_the_second_time_it_is_called() -> None:
    stream = RecordingTransform()
    stream.controller.terminate()
    first = await rejection(stream.writable.get_writer().closed)
    stream.controller.terminate()
    assert stream.writable.core.error is first


async def test_terminate_should_abort_writable_immediately_after_readable_cancel() -> None:
    stream = RecordingTransform()
    cancelled = stream.readable.cancel(CANCELLED)
    stream.controller.terminate()
    await cancelled
    assert isinstance(await rejection(stream.writable.get_writer().closed), TypeError)


async def test_terminate_should_do_nothing_after_readable_cancel_resolves() -> None:
    stream = RecordingTransform()
    await stream.readable.cancel(CANCELLED)
    stream.controller.terminate()
    assert await rejection(stream.writable.get_writer().closed) is CANCELLED


async def test_start_should_not_be_called_twice() -> None:
    starts: list[object] = []
    TransformStream({"start": starts.append})
    await flush()
    assert len(starts) == 1


async def test_specifying_a_defined_readable_type_should_throw() -> None:
    with pytest.raises(RangeError, match="readable_type"):
        TransformStream({"readableType": "bytes"})


async def test_specifying_a_defined_writable_type_should_throw() -> None:
    with pytest.raises(RangeError, match="writable_type"):
        TransformStream({"writableType": "bytes"})


async def test_subclassing_transform_stream_should_work() -> None:
    class Subclass(TransformStream):
        def extra(self) -> bool:
            return True

    stream = Subclass()
    assert isinstance(stream, TransformStream)
    assert stream.extra()
