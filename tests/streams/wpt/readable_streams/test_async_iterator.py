"""readable-streams/async-iterator: `async for`, step by step, and leaving early.

`it.next()` is `anext(it)`, `it.return()` is `it.aclose()`, which passes no value through. A step is made when it is
awaited; the cases that await nothing between steps begin them as tasks, in their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulator.streams import CountQueuingStrategy, Promise, ReadableStream
from tests.streams.wpt.kit import (
    END,
    chunk,
    controlled,
    flush,
    recording_readable_stream,
    rejection,
    told,
)

ERROR = Exception("error1")


async def step(iterator: Any) -> Any:
    """Return what the next step gives: a chunk, or END."""
    try:
        return await anext(iterator)
    except StopAsyncIteration:
        return END


async def settle_all(*steps: Any) -> list[Any]:
    """Make all steps at once and return what each gave or raised."""
    return await asyncio.gather(*steps, return_exceptions=True)


async def collected(stream: ReadableStream) -> list[Any]:
    return [each async for each in stream]


def full(*chunks: Any) -> ReadableStream:
    stream, controller = controlled()
    for each in chunks:
        controller.enqueue(each)
    controller.close()
    return stream


def pulled(value: Callable[[int], Any]) -> dict[str, Any]:
    """Return a source that gives value(1), value(2), value(3)."""
    count = 0

    def pull(controller: Any) -> None:
        nonlocal count
        count += 1
        controller.enqueue(value(count))
        if count >= 3:
            controller.close()

    return {"pull": pull}


def one_then_error() -> ReadableStream:
    pulls = 0

    def pull(controller: Any) -> None:
        nonlocal pulls
        pulls += 1
        if pulls == 1:
            controller.enqueue(0)
        else:
            controller.error(ERROR)

    return ReadableStream({"pull": pull})


async def test_instances_have_the_correct_list_of_properties() -> None:
    iterator = ReadableStream().values()
    assert aiter(iterator) is iterator
    assert callable(iterator.__anext__)
    assert callable(iterator.aclose)
    assert not hasattr(iterator, "athrow")


async def test_async_iterating_a_push_source() -> None:
    assert await collected(full(1, 2, 3)) == [1, 2, 3]


async def test_async_iterating_a_pull_source() -> None:
    assert await collected(ReadableStream(pulled(lambda count: count))) == [1, 2, 3]


async def test_async_iterating_a_push_source_with_undefined_values() -> None:
    assert await collected(full(None, None, None)) == [None, None, None]


async def test_async_iterating_a_pull_source_with_undefined_values() -> None:
    assert await collected(ReadableStream(pulled(lambda _: None))) == [None, None, None]


async def test_async_iterating_a_pull_source_manually() -> None:
    stream = recording_readable_stream(
        pulled(lambda count: count), CountQueuingStrategy(high_water_mark=0)
    )
    iterator = stream.values()
    assert stream.events == []
    for count in (1, 2, 3):
        assert await step(iterator) == count
        assert stream.events == ["pull"] * count
    assert await step(iterator) == END
    assert stream.events == ["pull"] * 3


async def test_async_iterating_an_errored_stream_throws() -> None:
    stream, controller = controlled()
    controller.error(ERROR)
    assert await rejection(collected(stream)) is ERROR


async def test_async_iterating_a_closed_stream_never_executes_the_loop_body() -> None:
    assert await collected(full()) == []


async def test_async_iterating_an_empty_but_open_stream_stalls() -> None:
    stream, controller = controlled()
    task = asyncio.create_task(collected(stream))
    await flush()
    assert not task.done()
    controller.close()
    assert await task == []


async def test_async_iterating_a_partially_consumed_stream() -> None:
    stream = full(1, 2, 3)
    reader = stream.get_reader()
    assert await reader.read() == chunk(1)
    reader.release_lock()
    assert await collected(stream) == [2, 3]


@pytest.mark.parametrize("kind", ["throw", "break", "return"])
@pytest.mark.parametrize("prevent_cancel", [False, True])
async def test_cancellation_behavior_inside_loop_body(kind: str, prevent_cancel: bool) -> None:
    stream = recording_readable_stream({"start": lambda controller: controller.enqueue(0)})

    async def loop() -> None:
        async for _ in stream.values({"preventCancel": prevent_cancel}):
            if kind == "throw":
                raise ERROR
            if kind == "break":
                break
            return

    if kind == "throw":
        assert await rejection(loop()) is ERROR
        ERROR.__traceback__ = None  # It holds the loop's frame.
    else:
        await loop()
    await flush()
    assert not stream.locked
    expected = [] if prevent_cancel else ["cancel", None]
    assert stream.events_without_pulls == expected


@pytest.mark.parametrize("prevent_cancel", [False, True])
async def test_cancellation_behavior_when_manually_calling_return(prevent_cancel: bool) -> None:
    stream = recording_readable_stream({"start": lambda controller: controller.enqueue(0)})
    await stream.values(prevent_cancel=prevent_cancel).aclose()
    assert stream.events == ([] if prevent_cancel else ["cancel", None])


async def test_next_rejects_if_the_stream_errors() -> None:
    iterator = aiter(one_then_error())
    assert await step(iterator) == 0
    assert await rejection(step(iterator)) is ERROR


async def test_return_does_not_reject_if_the_stream_has_not_errored_yet() -> None:
    await aiter(one_then_error()).aclose()


async def test_return_rejects_if_the_stream_has_errored() -> None:
    iterator = aiter(ReadableStream({"pull": lambda controller: controller.error(ERROR)}))
    await flush()
    assert await rejection(iterator.aclose()) is ERROR


async def test_next_that_succeeds_next_that_reports_an_error_next() -> None:
    iterator = aiter(one_then_error())
    assert await step(iterator) == 0
    assert await rejection(step(iterator)) is ERROR
    assert await step(iterator) == END


async def test_next_that_succeeds_next_that_reports_an_error_next_no_awaiting() -> None:
    iterator = aiter(one_then_error())
    results = await settle_all(step(iterator), step(iterator), step(iterator))
    assert results == [0, ERROR, END]


async def test_next_that_succeeds_next_that_reports_an_error_return() -> None:
    iterator = aiter(one_then_error())
    assert await step(iterator) == 0
    assert await rejection(step(iterator)) is ERROR
    await iterator.aclose()


async def test_next_that_succeeds_next_that_reports_an_error_return_no_awaiting() -> None:
    iterator = aiter(one_then_error())
    first, second = asyncio.create_task(step(iterator)), asyncio.create_task(step(iterator))
    await asyncio.sleep(0)
    results = await settle_all(first, second, iterator.aclose())
    assert results == [0, ERROR, None]


def counting() -> tuple[ReadableStream, list[int]]:
    pulls: list[int] = []

    def pull(controller: Any) -> None:
        controller.enqueue(len(pulls))
        pulls.append(len(pulls))

    return ReadableStream({"pull": pull}), pulls


async def test_next_that_succeeds_return() -> None:
    stream, pulls = counting()
    iterator = aiter(stream)
    assert await step(iterator) == 0
    await flush()
    await iterator.aclose()
    assert len(pulls) == 2


async def test_next_that_succeeds_return_no_awaiting() -> None:
    stream, pulls = counting()
    iterator = aiter(stream)
    await flush()
    first = asyncio.create_task(step(iterator))
    await asyncio.sleep(0)
    assert await settle_all(first, iterator.aclose()) == [0, None]
    await flush()
    assert len(pulls) == 2


async def test_return_next() -> None:
    iterator = ReadableStream().values()
    await iterator.aclose()
    assert await step(iterator) == END


async def test_return_next_no_awaiting() -> None:
    iterator = ReadableStream().values()
    order: list[str] = []
    told(order, "return", iterator.aclose())
    assert await step(iterator) == END
    await asyncio.sleep(0)
    assert order == ["return"]


async def test_return_next_with_delayed_cancel() -> None:
    cancelling: Promise[None] = Promise()
    stream = recording_readable_stream({"cancel": lambda _: cancelling})
    iterator = stream.values()
    returned = iterator.aclose()
    await flush()
    assert not returned.settled
    cancelling.resolve(None)
    await returned
    assert await step(iterator) == END


async def test_return_next_with_delayed_cancel_no_awaiting() -> None:
    cancelling: Promise[None] = Promise()
    stream = recording_readable_stream({"cancel": lambda _: cancelling})
    iterator = stream.values()
    order: list[str] = []
    returned = iterator.aclose()
    told(order, "return", returned)
    following = asyncio.create_task(step(iterator))
    following.add_done_callback(lambda _: order.append("next"))
    await flush()
    assert stream.events == ["cancel", None]
    assert order == []
    cancelling.resolve(None)
    await returned
    assert await following == END
    await flush()
    assert order == ["return", "next"]


async def test_return_return() -> None:
    iterator = ReadableStream().values()
    await iterator.aclose()
    await iterator.aclose()


async def test_return_return_no_awaiting() -> None:
    iterator = ReadableStream().values()
    order: list[str] = []
    told(order, "return 1", iterator.aclose())
    told(order, "return 2", iterator.aclose())
    await flush()
    assert order == ["return 1", "return 2"]


async def test_values_throws_if_there_is_already_a_lock() -> None:
    stream = full(0)
    kept = stream.values()
    with pytest.raises(TypeError, match="locked to a reader"):
        stream.values()
    await kept.aclose()


async def test_acquiring_a_reader_after_exhaustively_async_iterating_a_stream() -> None:
    stream = full(1, 2, 3)
    assert await collected(stream) == [1, 2, 3]
    await stream.get_reader().closed


async def test_acquiring_a_reader_after_returning_from_a_stream_that_errors() -> None:
    stream = one_then_error()
    iterator = stream.values({"preventCancel": True})
    assert await step(iterator) == 0
    assert await rejection(step(iterator)) is ERROR
    await iterator.aclose()
    assert await rejection(stream.get_reader().closed) is ERROR


async def first_two(iterable: Any) -> list[Any]:
    chunks = []
    async for each in iterable:
        chunks.append(each)
        if each >= 2:
            break
    return chunks


async def test_acquiring_a_reader_after_partially_async_iterating_a_stream() -> None:
    stream = full(1, 2, 3)
    assert await first_two(stream) == [1, 2]
    await flush()
    await stream.get_reader().closed


async def test_reading_the_remaining_chunks_after_partially_iterating_with_prevent_cancel() -> None:
    stream = full(1, 2, 3)
    assert await first_two(stream.values(prevent_cancel=True)) == [1, 2]
    await flush()
    reader = stream.get_reader()
    assert await reader.read() == chunk(3)
    await reader.closed


@pytest.mark.parametrize("prevent_cancel", [False, True])
async def test_return_unlocks_the_stream_synchronously(prevent_cancel: bool) -> None:
    stream = ReadableStream()
    stream.values(prevent_cancel=prevent_cancel).aclose()
    stream.get_reader()


async def test_close_while_next_is_pending() -> None:
    async def start(controller: Any) -> None:
        for each in "abc":
            controller.enqueue(each)
        await flush()
        controller.close()

    assert await collected(ReadableStream({"start": start})) == ["a", "b", "c"]
