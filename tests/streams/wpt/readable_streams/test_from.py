"""readable-streams/from: streams of iterables and async iterables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from emulator import errors
from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import END, chunk, controlled, flush, rejection

THE_ERROR = Exception("a unique string")


def unreached(*_: object) -> Any:
    raise AssertionError("this should not be called")


def a_sync_generator() -> Iterator[str]:
    yield "a"
    yield "b"


async def an_async_generator() -> AsyncIterator[str]:
    yield "a"
    yield "b"


class SyncIterable:
    """Gives each of `items`, and is its own iterator."""

    def __init__(self, *items: Any) -> None:
        self.items = list(items)

    def __iter__(self) -> SyncIterable:
        return self

    def __next__(self) -> Any:
        if not self.items:
            raise StopIteration
        return self.items.pop(0)


class AsyncIterable(SyncIterable):
    """The same, of promises."""

    __iter__ = unreached

    def __aiter__(self) -> AsyncIterable:
        return self

    def __anext__(self) -> Promise[Any]:
        if not self.items:
            return Promise.rejected(StopAsyncIteration())
        return Promise.fulfilled(self.items.pop(0))


def a_readable_stream() -> ReadableStream:
    stream, controller = controlled()
    controller.enqueue("a")
    controller.enqueue("b")
    controller.close()
    return stream


def promises() -> list[Promise[str]]:
    return [Promise.fulfilled("a"), Promise.fulfilled("b")]


FACTORIES: dict[str, Callable[[], Any]] = {
    "an array of values": lambda: ["a", "b"],
    "an array of promises": promises,
    "an array iterator": lambda: iter(["a", "b"]),
    "a string": lambda: "ab",
    "a Set": lambda: {"a": 1, "b": 2}.keys(),
    "a Set iterator": lambda: iter({"a": 1, "b": 2}.keys()),
    "a sync generator": a_sync_generator,
    "an async generator": an_async_generator,
    "a sync iterable of values": lambda: SyncIterable("a", "b"),
    "a sync iterable of promises": lambda: SyncIterable(*promises()),
    "an async iterable": lambda: AsyncIterable("a", "b"),
    "a ReadableStream": a_readable_stream,
    "a ReadableStream async iterator": lambda: aiter(a_readable_stream()),
}


@pytest.mark.parametrize("make", FACTORIES.values(), ids=FACTORIES)
async def test_accepts(make: Callable[[], Any]) -> None:
    stream = ReadableStream.from_(make())
    assert type(stream) is ReadableStream
    reader = stream.get_reader()
    assert await reader.read() == chunk("a")
    assert await reader.read() == chunk("b")
    assert await reader.read() == END
    await reader.closed


class NotCallableIter:
    __iter__ = 42


class NotCallableAiter:
    __aiter__ = 42


BAD = {
    "null": None,
    "0": 0,
    "NaN": float("nan"),
    "true": True,
    "an object": object(),
    "a function": lambda: 42,
}


@pytest.mark.parametrize("iterable", BAD.values(), ids=BAD)
def test_throws_on_invalid_iterables(iterable: object) -> None:
    with pytest.raises(TypeError) as caught:
        ReadableStream.from_(iterable)
    assert str(caught.value) == errors.NOT_ITERABLE.format(type=type(iterable).__name__)


class IterReturnsNone:
    def __iter__(self) -> Any:
        return None


class AiterReturnsNone:
    def __aiter__(self) -> Any:
        return None


@pytest.mark.parametrize(
    "iterable", [NotCallableIter(), NotCallableAiter(), IterReturnsNone(), AiterReturnsNone()]
)
def test_throws_on_an_object_with_a_bad_iterator_method(iterable: object) -> None:
    with pytest.raises(TypeError):
        ReadableStream.from_(iterable)


class IterThrows:
    def __iter__(self) -> Any:
        raise THE_ERROR


class AiterThrows:
    def __aiter__(self) -> Any:
        raise THE_ERROR


class BothThrow:
    __iter__ = unreached

    def __aiter__(self) -> Any:
        raise THE_ERROR


@pytest.mark.parametrize("kind", [IterThrows, AiterThrows])
def test_rethrows_errors_from_calling_the_iterator_method(kind: type) -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream.from_(kind())
    assert caught.value is THE_ERROR


def test_ignores_iter_if_aiter_exists() -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream.from_(BothThrow())
    assert caught.value is THE_ERROR


class NullAiter(SyncIterable):
    __aiter__ = None


async def test_ignores_a_null_aiter() -> None:
    reader = ReadableStream.from_(NullAiter("a")).get_reader()
    assert await reader.read() == chunk("a")
    assert await reader.read() == END


class Source:
    """An async iterable whose methods a test gives; those that are not given must not be called."""

    def __init__(self, step: Callable[[], Any] = unreached) -> None:
        self._step = step
        self.steps = 0
        self.closings = 0

    def __aiter__(self) -> Source:
        return self

    def __anext__(self) -> Any:
        self.steps += 1
        return self._step()


class ClosableSource(Source):
    """The same with an aclose() that counts, and does what `closing` does."""

    def __init__(
        self, step: Callable[[], Any] = unreached, closing: Callable[[], Any] = lambda: None
    ) -> None:
        super().__init__(step)
        self._closing = closing

    async def aclose(self) -> None:
        self.closings += 1
        result = self._closing()
        if result is not None:
            await result


async def test_accepts_an_empty_iterable() -> None:
    reader = ReadableStream.from_(AsyncIterable()).get_reader()
    assert await reader.read() == END
    await reader.closed


async def test_stream_errors_when_next_rejects() -> None:
    reader = ReadableStream.from_(Source(lambda: Promise.rejected(THE_ERROR))).get_reader()
    assert await rejection(reader.read()) is THE_ERROR
    assert await rejection(reader.closed) is THE_ERROR


async def test_stream_errors_when_next_throws_synchronously() -> None:
    def step() -> Any:
        raise THE_ERROR

    reader = ReadableStream.from_(Source(step)).get_reader()
    assert await rejection(reader.read()) is THE_ERROR
    assert await rejection(reader.closed) is THE_ERROR


async def test_stream_errors_when_next_returns_a_non_object() -> None:
    reader = ReadableStream.from_(Source(lambda: 42)).get_reader()
    error = await rejection(reader.read())
    assert isinstance(error, TypeError)
    assert str(error) == errors.STEP_NOT_AWAITABLE.format(type="int")
    assert await rejection(reader.closed) is error


async def test_stream_stalls_when_next_never_settles() -> None:
    never: Promise[Any] = Promise()
    stream = ReadableStream.from_(Source(lambda: never))
    reader = stream.get_reader()
    read, closed = reader.read(), reader.closed
    await flush()
    assert not read.settled
    assert not closed.settled
    never.reject(StopAsyncIteration())
    assert await read == END


async def test_calls_next_after_first_read() -> None:
    source = Source(lambda: Promise.fulfilled("a"))
    reader = ReadableStream.from_(source).get_reader()
    await flush()
    assert source.steps == 0
    assert await reader.read() == chunk("a")
    assert source.steps == 1


async def test_cancelling_the_returned_stream_calls_and_awaits_return() -> None:
    returning: Promise[None] = Promise()
    source = ClosableSource(closing=lambda: returning)
    reader = ReadableStream.from_(source).get_reader()
    assert source.closings == 0
    cancelled = reader.cancel(THE_ERROR)
    await flush()
    assert source.closings == 1
    assert not cancelled.settled
    returning.resolve(None)
    await cancelled
    await reader.closed


async def test_return_is_not_called_when_iterator_completes_normally() -> None:
    source = ClosableSource(lambda: Promise.rejected(StopAsyncIteration()))
    reader = ReadableStream.from_(source).get_reader()
    assert await reader.read() == END
    assert source.steps == 1
    await reader.closed
    await flush()
    assert source.closings == 0


async def test_cancel_resolves_when_return_method_is_missing() -> None:
    reader = ReadableStream.from_(Source()).get_reader()
    await reader.cancel(THE_ERROR)
    await reader.closed


class NotAMethod(Source):
    aclose = 42


async def test_cancel_rejects_when_return_is_not_a_method() -> None:
    reader = ReadableStream.from_(NotAMethod()).get_reader()
    assert isinstance(await rejection(reader.cancel()), TypeError)
    await reader.closed


async def test_cancel_rejects_when_return_rejects() -> None:
    source = ClosableSource(closing=lambda: Promise.rejected(THE_ERROR))
    reader = ReadableStream.from_(source).get_reader()
    assert await rejection(reader.cancel(Exception("cancel reason"))) is THE_ERROR
    await reader.closed


class ThrowsOnClosing(Source):
    def aclose(self) -> None:
        raise THE_ERROR


async def test_cancel_rejects_when_return_throws_synchronously() -> None:
    reader = ReadableStream.from_(ThrowsOnClosing()).get_reader()
    assert await rejection(reader.cancel(Exception("cancel reason"))) is THE_ERROR
    await reader.closed


async def test_reader_read_inside_next() -> None:
    values = ["a", "b", "c"]

    def step() -> Promise[str]:
        if source.steps == 1:
            reader.read()
        return Promise.fulfilled(values.pop(0))

    source = Source(step)
    reader = ReadableStream.from_(source).get_reader()
    assert await reader.read() == chunk("a")
    await flush()
    assert source.steps == 2
    assert await reader.read() == chunk("c")
    assert source.steps == 3


async def test_reader_cancel_inside_next() -> None:
    async def step() -> str:
        await reader.cancel()
        assert source.closings == 1
        return "something else"

    source = ClosableSource(step)
    reader = ReadableStream.from_(source).get_reader()
    assert await reader.read() == END
    await flush()
    assert source.steps == 1
    await reader.closed


async def test_reader_cancel_inside_return() -> None:
    source = ClosableSource(closing=lambda: reader.cancel())
    reader = ReadableStream.from_(source).get_reader()
    await reader.cancel()
    assert source.closings == 1
    await reader.closed


async def test_push_to_array_while_reading() -> None:
    array = ["a", "b"]
    reader = ReadableStream.from_(array).get_reader()
    assert await reader.read() == chunk("a")
    assert await reader.read() == chunk("b")
    array.append("c")
    assert await reader.read() == chunk("c")
    assert await reader.read() == END
    await reader.closed
