"""general: what a stream of bytes is, when its source is pulled, how it closes and fails."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import RangeError
from emulator.streams import (
    ByteLengthQueuingStrategy,
    CountQueuingStrategy,
    Promise,
    ReadableStream,
    ReadableStreamBYOBReader,
)
from tests.streams.wpt.kit import flush, rejection, rejects_with_type_error, turn
from tests.streams.wpt.readable_byte_streams.support import Controller, Kept, never, read


async def test_get_reader_mode_byob_throws_on_non_bytes_streams() -> None:
    with pytest.raises(TypeError, match='needs a stream of bytes: a source with type "bytes"'):
        ReadableStream().get_reader(mode="byob")


async def test_can_be_constructed_with_no_errors() -> None:
    reader = ReadableStream({"type": "bytes"}).get_reader(mode="byob")
    assert isinstance(reader, ReadableStreamBYOBReader)


async def test_construct_and_expect_start_and_pull_being_called() -> None:
    log: list[object] = []
    Kept(
        lambda controller, _: log.append(controller.desired_size),
        start=lambda _: log.append("start"),
        high_water_mark=256,
    )
    assert log == ["start"]
    await flush()
    assert log == ["start", 256]


async def test_no_automatic_pull_call_if_start_does_not_finish() -> None:
    started: Promise[None] = Promise()
    kept = Kept(start=lambda _: started, high_water_mark=256)
    await flush()
    assert kept.pulls == 0
    started.resolve(None)
    await flush()
    assert kept.pulls == 1


async def test_start_throws_an_exception() -> None:
    def start(_: object) -> None:
        raise LookupError("start")

    with pytest.raises(LookupError, match="start"):
        Kept(start=start)


async def test_construct_with_high_water_mark_of_0() -> None:
    kept = Kept(high_water_mark=0)
    await flush()
    assert kept.pulls == 0


async def test_desired_size_when_closed() -> None:
    sizes: list[object] = []

    def start(controller: Controller) -> None:
        sizes.append(controller.desired_size)
        controller.close()
        sizes.append(controller.desired_size)

    Kept(start=start, high_water_mark=10)
    assert sizes == [10, 0]


async def test_desired_size_when_errored() -> None:
    sizes: list[object] = []

    def start(controller: Controller) -> None:
        sizes.append(controller.desired_size)
        controller.error()
        sizes.append(controller.desired_size)

    Kept(start=start, high_water_mark=10)
    assert sizes == [10, None]


@pytest.mark.parametrize("mode", [None, "byob"])
async def test_get_reader_then_release_lock(mode: str | None) -> None:
    reader = Kept().stream.get_reader(mode=mode)
    reader.release_lock()
    await rejects_with_type_error(reader.closed)


@pytest.mark.parametrize("mode", [None, "byob"])
async def test_closing_a_stream_does_not_release_a_reader_automatically(mode: str | None) -> None:
    kept = Kept(never, start=lambda controller: controller.close())
    reader = kept.stream.get_reader(mode=mode)
    await reader.closed
    with pytest.raises(TypeError, match="currently locked to a reader"):
        kept.stream.get_reader(mode=mode)


@pytest.mark.parametrize("mode", [None, "byob"])
async def test_erroring_a_stream_does_not_release_a_reader_automatically(mode: str | None) -> None:
    error = RuntimeError("error1")
    kept = Kept(never, start=lambda controller: controller.error(error))
    reader = kept.stream.get_reader(mode=mode)
    assert await rejection(reader.closed) is error
    with pytest.raises(TypeError, match="currently locked to a reader"):
        kept.stream.get_reader(mode=mode)


@pytest.mark.parametrize("mode", [None, "byob"])
async def test_release_lock_must_reject_pending_read(mode: str | None) -> None:
    reader = Kept().stream.get_reader(mode=mode)
    pending = reader.read() if mode is None else reader.read(bytearray(1))
    reader.release_lock()
    await rejects_with_type_error(pending)


async def test_automatic_pull_after_start() -> None:
    kept = Kept(high_water_mark=8)
    kept.reader()
    assert kept.pulls == 0
    await turn()
    assert kept.pulls == 1


async def test_automatic_pull_after_start_and_read() -> None:
    kept = Kept()
    kept.reader().read()
    assert kept.pulls == 0
    await turn()
    assert kept.pulls == 1


async def test_automatic_pull_after_start_and_read_view() -> None:
    kept = Kept()
    kept.byob_reader().read(bytearray(8))
    assert kept.pulls == 0
    await turn()
    assert kept.pulls == 1


async def test_push_source_that_does_not_understand_pull_signal() -> None:
    kept = Kept()
    pending = kept.reader().read()
    kept.controller.enqueue(b"\0")
    assert await read(pending) == (b"\0", False)


async def test_pull_function_is_not_callable() -> None:
    with pytest.raises(TypeError, match="The pull of an underlying source"):
        ReadableStream({"type": "bytes", "pull": "foo"})


@pytest.mark.parametrize("mode", [None, "byob"])
async def test_enqueue_get_reader_then_cancel(mode: str | None) -> None:
    reasons: list[object] = []
    kept = Kept(
        never, start=lambda controller: controller.enqueue(bytes(16)), cancel=reasons.append
    )
    reason = TypeError("foo")
    assert await kept.stream.get_reader(mode=mode).cancel(reason) is None
    assert reasons == [reason]


async def test_get_reader_read_view_then_cancel() -> None:
    reasons: list[object] = []

    def cancel(reason: object) -> str:
        reasons.append(reason)
        return "bar"

    reader = Kept(never, cancel=cancel).byob_reader()
    pending = reader.read(bytearray(1))
    reason = TypeError("foo")
    assert await reader.cancel(reason) is None
    assert await read(pending) == (None, True)
    assert reasons == [reason]


async def test_throw_if_closed_more_than_once() -> None:
    kept = Kept()
    kept.controller.enqueue(b"\0")
    kept.controller.close()
    with pytest.raises(TypeError, match="closed, closing or failed already"):
        kept.controller.close()


async def test_throw_on_enqueue_after_close() -> None:
    kept = Kept()
    kept.controller.enqueue(b"\0")
    kept.controller.close()
    with pytest.raises(TypeError, match="takes no more chunks"):
        kept.controller.enqueue(b"\0")


async def test_read_on_an_errored_stream() -> None:
    error = RuntimeError("error1")
    kept = Kept(never, start=lambda controller: controller.error(error))
    assert await rejection(kept.reader().read()) is error


async def test_read_then_error() -> None:
    error = RuntimeError("error1")
    kept = Kept()
    pending = kept.reader().read()
    kept.controller.error(error)
    assert await rejection(pending) is error


async def test_read_view_on_an_errored_stream() -> None:
    error = RuntimeError("error1")
    kept = Kept(never, start=lambda controller: controller.error(error))
    assert await rejection(kept.byob_reader().read(bytearray(1))) is error


async def test_read_view_then_error() -> None:
    error = RuntimeError("error1")
    kept = Kept()
    pending = kept.byob_reader().read(bytearray(1))
    kept.controller.error(error)
    assert await rejection(pending) is error


@pytest.mark.parametrize("mode", [None, "byob"])
@pytest.mark.parametrize("errored_before", [False, True])
async def test_throwing_in_pull_must_error_the_stream_unless_it_is_errored_in_it(
    mode: str | None, errored_before: bool
) -> None:
    """Throwing in pull (in response to read() or read(view)), four cases."""
    first, thrown = RuntimeError("error1"), TypeError("foo")
    requests: list[Any] = []

    def pull(controller: Controller, _: int) -> None:
        requests.append(controller.byob_request)
        if errored_before:
            controller.error(first)
        raise thrown

    reader = Kept(pull).stream.get_reader(mode=mode)
    pending = reader.read() if mode is None else reader.read(bytearray(1))
    expected = first if errored_before else thrown
    assert await rejection(pending) is expected
    assert await rejection(reader.closed) is expected
    assert [request is None for request in requests] == [mode is None]


async def test_auto_allocate_chunk_size_cannot_be_0() -> None:
    with pytest.raises(TypeError, match="autoAllocateChunkSize"):
        Kept(auto_allocate=0)


async def test_byob_reader_can_be_constructed_directly() -> None:
    stream = ReadableStream({"type": "bytes"})
    ReadableStreamBYOBReader(stream)
    assert stream.locked


async def test_byob_reader_constructor_requires_a_readable_stream_argument() -> None:
    with pytest.raises(TypeError, match="dict"):
        ReadableStreamBYOBReader({})  # type: ignore[arg-type]


async def test_byob_reader_constructor_requires_an_unlocked_readable_stream() -> None:
    stream = ReadableStream({"type": "bytes"})
    stream.get_reader()
    with pytest.raises(TypeError, match="currently locked to a reader"):
        ReadableStreamBYOBReader(stream)


async def test_byob_reader_constructor_requires_a_readable_stream_with_type_bytes() -> None:
    with pytest.raises(TypeError, match='a source with type "bytes"'):
        ReadableStreamBYOBReader(ReadableStream())


class HasSizeMethod:
    """A strategy of the worker's own."""

    def size(self, _: object) -> int:
        return 1


async def test_constructor_should_not_accept_a_strategy_with_a_size_defined() -> None:
    strategies: list[object] = [
        {"size": lambda _: 1},
        CountQueuingStrategy(high_water_mark=1),
        ByteLengthQueuingStrategy(high_water_mark=512),
        HasSizeMethod(),
    ]
    for strategy in strategies:
        with pytest.raises(RangeError, match="leave size out"):
            ReadableStream({"type": "bytes"}, strategy)
