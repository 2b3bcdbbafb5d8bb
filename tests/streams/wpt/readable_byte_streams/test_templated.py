"""templated: what every empty stream does, and what a source may not do after its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import END, flush, rejects_with_type_error
from tests.streams.wpt.readable_byte_streams.support import Controller, Kept


async def test_empty_instances_have_the_correct_methods_and_properties() -> None:
    stream = Kept().stream
    assert stream.locked is False
    for name in ("cancel", "get_reader", "getReader", "pipe_through", "pipeTo", "tee"):
        assert callable(getattr(stream, name))


async def test_empty_calling_get_reader_with_invalid_arguments_should_throw() -> None:
    stream = Kept().stream
    for mode in ("", "asdf"):
        with pytest.raises(TypeError, match='takes mode "byob" or none'):
            stream.get_reader({"mode": mode})
    with pytest.raises(TypeError, match="must be a mapping or None, not int"):
        stream.get_reader(5)  # type: ignore[arg-type]
    stream.get_reader(None)


class Held:
    """A stream, its reader and a read of it."""

    def __init__(self, mode: str | None) -> None:
        self.stream: ReadableStream = Kept().stream
        self.reader: Any = self.stream.get_reader(mode=mode)
        self._mode = mode

    def read(self) -> Promise[Any]:
        """Read as this kind of reader does."""
        read: Promise[Any] = self.reader.read(*([bytearray(1)] if self._mode else []))
        return read


@pytest.fixture(params=[None, "byob"], ids=["default reader", "BYOB reader"])
def held(request: pytest.FixtureRequest) -> Callable[[], Held]:
    """Both readers of an empty stream."""
    return lambda: Held(request.param)


async def test_reader_instances_have_the_correct_methods(held: Callable[[], Held]) -> None:
    reader = held().reader
    assert isinstance(reader.closed, Promise)
    for name in ("cancel", "read", "release_lock", "releaseLock"):
        assert callable(getattr(reader, name))


async def test_locked_should_be_true(held: Callable[[], Held]) -> None:
    assert held().stream.locked is True


@pytest.mark.parametrize("count", [1, 2])
async def test_reads_should_never_settle(held: Callable[[], Held], count: int) -> None:
    """read() should never settle; two read()s should both never settle: two cases."""
    each = held()
    reads = [each.read() for _ in range(count)]
    await flush()
    assert not any(read.settled for read in reads)


async def test_read_should_return_distinct_promises_each_time(held: Callable[[], Held]) -> None:
    each = held()
    assert each.read() is not each.read()


async def test_get_reader_again_on_the_stream_should_fail(held: Callable[[], Held]) -> None:
    with pytest.raises(TypeError, match="currently locked to a reader"):
        held().stream.get_reader()


async def test_releasing_the_lock_should_reject_all_pending_read_requests(
    held: Callable[[], Held],
) -> None:
    each = held()
    reads = [each.read(), each.read()]
    each.reader.release_lock()
    for read in reads:
        await rejects_with_type_error(read)
    assert each.stream.locked is False


async def test_releasing_the_lock_should_cause_further_read_calls_to_reject(
    held: Callable[[], Held],
) -> None:
    each = held()
    each.reader.release_lock()
    for _ in range(2):
        await rejects_with_type_error(each.read())


async def test_releasing_the_lock_should_cause_closed_calls_to_reject(
    held: Callable[[], Held],
) -> None:
    each = held()
    before = each.reader.closed
    each.reader.release_lock()
    assert each.reader.closed is before
    await rejects_with_type_error(before)


async def test_releasing_the_lock_should_cause_locked_to_become_false(
    held: Callable[[], Held],
) -> None:
    each = held()
    each.reader.release_lock()
    assert each.stream.locked is False


async def test_canceling_via_the_reader_should_cause_it_to_act_closed(
    held: Callable[[], Held],
) -> None:
    each = held()
    each.reader.cancel()
    result = await each.read()
    assert result.done
    assert result == END or not len(result.value)


async def test_canceling_via_the_stream_should_fail(held: Callable[[], Held]) -> None:
    await rejects_with_type_error(held().stream.cancel())


def closed(controller: Controller) -> None:
    """End it."""
    controller.close()


def enqueued_and_closed(controller: Controller) -> None:
    """End it behind a chunk."""
    controller.enqueue(b"a")
    controller.close()


def errored(controller: Controller) -> None:
    """Fail it."""
    controller.error(RuntimeError("a unique string"))


@pytest.mark.parametrize("after", [closed, enqueued_and_closed, errored])
async def test_enqueue_throws_after(after: Callable[[Controller], None]) -> None:
    """After close(); after enqueue() and close(); after error(): three cases."""
    controller = Kept().controller
    after(controller)
    with pytest.raises(TypeError, match="takes no more chunks"):
        controller.enqueue(b"b")


@pytest.mark.parametrize("after", [closed, enqueued_and_closed, errored])
async def test_close_throws_after(after: Callable[[Controller], None]) -> None:
    """After close(); after enqueue() and close(); after error(): three cases."""
    controller = Kept().controller
    after(controller)
    with pytest.raises(TypeError, match="closed, closing or failed already"):
        controller.close()
