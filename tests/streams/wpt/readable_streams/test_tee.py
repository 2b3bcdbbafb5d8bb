"""readable-streams/tee: one stream for two."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import ReadableStream
from tests.streams.wpt.kit import (
    END,
    all_of,
    chunk,
    controlled,
    flush,
    recording_readable_stream,
    rejection,
    rest_of,
)
from tests.streams.wpt.readable_streams import templates

ERROR = Exception("boo!")
NOTHING_AHEAD = {"high_water_mark": 0}


def full(*chunks: Any) -> ReadableStream:
    stream, controller = controlled()
    for each in chunks:
        controller.enqueue(each)
    controller.close()
    return stream


def readers_of(stream: ReadableStream) -> tuple[Any, Any]:
    first, second = stream.tee()
    return first.get_reader(), second.get_reader()


class TestTeeCancel(templates.TeeCancel):
    def make(self, source: dict[str, Any]) -> ReadableStream:
        return ReadableStream(source)


async def test_returns_two_readable_streams() -> None:
    result = ReadableStream().tee()
    assert [type(each) for each in result] == [ReadableStream, ReadableStream]


async def test_can_read_one_branch_to_the_end_without_affecting_the_other() -> None:
    first, second = readers_of(full("a", "b"))
    closed = second.closed
    assert await all_of(first.read(), first.read(), first.read()) == [chunk("a"), chunk("b"), END]
    await first.closed
    assert await second.read() == chunk("a")
    await flush()
    assert not closed.settled


async def test_values_are_equal_across_each_branch() -> None:
    the_object = {"the": "test object"}
    stream, controller = controlled()
    controller.enqueue(the_object)
    first, second = readers_of(stream)
    one, other = await all_of(first.read(), second.read())
    assert one.value is the_object
    assert other.value is the_object


async def test_errors_in_the_source_propagate_to_both_branches() -> None:
    def pull() -> None:
        raise ERROR

    stream, controller = controlled({"pull": pull})
    controller.enqueue("a")
    controller.enqueue("b")
    first, second = readers_of(stream)
    closed = first.closed, second.closed
    read_a, read_b = first.read(), first.read()
    assert await read_a == chunk("a")
    assert await read_b == chunk("b")
    for promise in (*closed, second.read(), first.read()):
        assert await rejection(promise) is ERROR


@pytest.mark.parametrize("index", [0, 1], ids=["branch1", "branch2"])
async def test_cancelling_a_branch_does_not_impact_the_other(index: int) -> None:
    branches = full("a", "b").tee()
    branches[index].cancel()
    assert await rest_of(branches[index]) == []
    assert await rest_of(branches[1 - index]) == ["a", "b"]


async def test_erroring_a_teed_stream_errors_both_branches() -> None:
    stream, controller = controlled()
    branches = stream.tee()
    controller.enqueue()
    controller.enqueue()
    await flush()
    controller.error(ERROR)
    for branch in branches:
        assert await rejection(branch.get_reader().closed) is ERROR


async def test_closing_the_original_immediately_closes_the_branches() -> None:
    stream, controller = controlled()
    first, second = readers_of(stream)
    closed = all_of(first.closed, second.closed)
    controller.close()
    await closed


async def test_erroring_the_original_immediately_errors_the_branches() -> None:
    stream, controller = controlled()
    first, second = readers_of(stream)
    closed = first.closed, second.closed
    controller.error(ERROR)
    for promise in closed:
        assert await rejection(promise) is ERROR


async def test_cancelling_a_branch_finishes_when_the_other_reads_until_end_of_stream() -> None:
    stream, controller = controlled()
    first, second = readers_of(stream)
    cancelled = second.cancel()
    controller.enqueue("a")
    assert await first.read() == chunk("a")
    controller.close()
    assert await first.read() == END
    await first.closed
    await cancelled


async def test_cancelling_a_branch_finishes_when_original_stream_errors() -> None:
    stream, controller = controlled()
    first, second = readers_of(stream)
    cancelled = second.cancel()
    controller.error(ERROR)
    assert await rejection(first.read()) is ERROR
    await cancelled


async def test_cancelling_both_branches_in_sequence_with_delay() -> None:
    first, second = ReadableStream({}).tee()
    cancelled = first.cancel()
    await flush()
    await all_of(cancelled, second.cancel())


async def test_failing_to_cancel_when_cancelling_both_branches_in_sequence_with_delay() -> None:
    def cancel() -> None:
        raise ERROR

    first, second = ReadableStream({"cancel": cancel}).tee()
    cancelled = first.cancel()
    await flush()
    assert await rejection(second.cancel()) is ERROR
    assert await rejection(cancelled) is ERROR


async def test_does_not_pull_more_chunks_than_can_fit_in_the_branch_queue() -> None:
    stream = recording_readable_stream({}, NOTHING_AHEAD)
    stream.tee()
    await flush()
    assert stream.events == ["pull"]


async def test_only_pulls_enough_to_fill_the_emptiest_queue() -> None:
    stream = recording_readable_stream(
        {"pull": lambda controller: controller.enqueue("a")}, NOTHING_AHEAD
    )
    first, second = readers_of(stream)
    await all_of(first.read(), second.read())
    await flush()
    assert stream.events == ["pull", "pull"]


async def test_does_not_pull_when_original_is_already_errored() -> None:
    stream = recording_readable_stream({}, NOTHING_AHEAD)
    stream.controller.error(ERROR)
    first, second = readers_of(stream)
    await flush()
    assert stream.events == []
    assert await rejection(first.closed) is ERROR
    assert await rejection(second.closed) is ERROR


@pytest.mark.parametrize(
    "reading", [(0,), (1,), (0, 1)], ids=["branch 1", "branch 2", "both branches"]
)
async def test_stops_pulling_when_original_stream_errors_while_reading(
    reading: tuple[int, ...],
) -> None:
    stream = recording_readable_stream({}, NOTHING_AHEAD)
    readers = readers_of(stream)
    await flush()
    assert stream.events == ["pull"]
    stream.controller.enqueue("a")
    await all_of(*(readers[index].read() for index in reading))
    await flush()
    assert stream.events == ["pull", "pull"]
    stream.controller.error(ERROR)
    for reader in readers:
        assert await rejection(reader.closed) is ERROR
    await flush()
    assert stream.events == ["pull", "pull"]


async def test_enqueue_and_close_while_both_branches_are_pulling() -> None:
    stream = recording_readable_stream()
    first, second = readers_of(stream)
    reads = first.read(), second.read()
    await flush()
    stream.controller.enqueue("a")
    stream.controller.close()
    assert await all_of(*reads) == [chunk("a"), chunk("a")]
    assert await all_of(first.read(), second.read()) == [END, END]
