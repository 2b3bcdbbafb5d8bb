"""streams/piping/flow-control: back-pressure between the two ends."""

from __future__ import annotations

from typing import Any

from emulator.streams import CountQueuingStrategy, Promise
from tests.streams.wpt.kit import (
    flush,
    recording_readable_stream,
    recording_writable_stream,
    rest_of,
    turn,
)
from tests.streams.wpt.piping.support import Failure, assert_rejects, fulfilled

ERROR_1 = Failure("error1!")


def first_write_waits_for(written: Promise[None]) -> Any:
    """Return a sink's write whose first call is done when `written` is."""
    answers = iter([written])
    return lambda *_: next(answers, None)


async def test_non_empty_readable_into_a_writable_that_does_not_desire_chunks() -> None:
    def start(controller: Any) -> None:
        controller.enqueue("a")
        controller.enqueue("b")
        controller.close()

    rs = recording_readable_stream({"start": start})
    ws = recording_writable_stream(None, CountQueuingStrategy(high_water_mark=0))
    piped = rs.pipe_to(ws, prevent_cancel=True)
    await flush()
    ws.controller.error(ERROR_1)
    await assert_rejects(piped, ERROR_1)
    assert rs.events_without_pulls == []
    assert ws.events == []
    assert await rest_of(rs) == ["a", "b"]


async def test_non_empty_readable_into_a_writable_that_does_not_desire_chunks_but_then_does() -> (
    None
):
    def start(controller: Any) -> None:
        controller.enqueue("b")
        controller.close()

    written: Promise[None] = Promise()
    rs = recording_readable_stream({"start": start})
    ws = recording_writable_stream({"write": first_write_waits_for(written)})
    writer = ws.get_writer()
    first = writer.write("a")
    assert writer.desired_size == 0
    writer.release_lock()
    piped = rs.pipe_to(ws)
    await flush()
    written.resolve(None)
    await fulfilled(first)
    await fulfilled(piped)
    assert rs.events_without_pulls == []
    assert ws.events == ["write", "a", "write", "b", "close"]


async def test_empty_readable_becomes_non_empty_and_the_writable_starts_desiring_chunks() -> None:
    written: Promise[None] = Promise()
    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": first_write_waits_for(written)})
    writer = ws.get_writer()
    writer.write("a")
    await turn()
    assert ws.events == ["write", "a"]
    assert writer.desired_size == 0
    writer.release_lock()
    piped = rs.pipe_to(ws)
    rs.controller.enqueue("b")
    written.resolve(None)
    rs.controller.close()
    await fulfilled(piped)
    assert rs.events_without_pulls == []
    assert ws.events == ["write", "a", "write", "b", "close"]


async def test_writable_that_desires_more_chunks_before_finishing_with_previous_ones() -> None:
    unread = ["b", "c", "d"]

    def pull(controller: Any) -> None:
        controller.enqueue(unread.pop(0))
        if not unread:
            controller.close()

    written: Promise[None] = Promise()
    rs = recording_readable_stream({"pull": pull}, CountQueuingStrategy(high_water_mark=0))
    ws = recording_writable_stream(
        {"write": first_write_waits_for(written)}, CountQueuingStrategy(high_water_mark=3)
    )
    writer = ws.get_writer()
    first = writer.write("a")
    assert writer.desired_size == 2
    writer.release_lock()
    piped = rs.pipe_to(ws)
    await flush()
    assert ws.events == ["write", "a"]
    assert len(unread) == 1
    written.resolve(None)
    await fulfilled(first)
    await fulfilled(piped)
    assert rs.events == ["pull", "pull", "pull"]
    assert ws.events == [
        *("write", "a"),
        *("write", "b"),
        *("write", "c"),
        *("write", "d"),
        "close",
    ]


async def test_a_writable_that_does_not_consume_fast_enough_exerts_backpressure() -> None:
    desired: list[float] = []
    finished: list[Any] = []
    first: Promise[None] = Promise()
    later: Promise[None] = Promise()

    async def write(chunk: Any, _: object) -> None:
        await (first if chunk == "a" else later)
        finished.append(chunk)

    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": write})

    async def enqueue(chunk: str) -> None:
        rs.controller.enqueue(chunk)
        desired.append(rs.controller.desired_size)
        await flush()

    await turn()
    piped = rs.pipe_to(ws)
    await flush()
    for number, chunk in enumerate("abcd"):
        await enqueue(chunk)
        # The first chunk went to the read that waited; the others stay in the queue.
        assert desired == [1, 0, -1, -2][: number + 1]
        assert rs.controller.desired_size == desired[-1]
        assert finished == []
        assert ws.events == ["write", "a"]

    first.resolve(None)
    await flush()
    assert finished == ["a"]
    assert ws.events == ["write", "a", "write", "b"]
    assert rs.controller.desired_size == -1

    rs.controller.close()
    await flush()
    later.resolve(None)
    await fulfilled(piped)
    assert finished == ["a", "b", "c", "d"]
    assert rs.events_without_pulls == []
    assert ws.events == [
        *("write", "a"),
        *("write", "b"),
        *("write", "c"),
        *("write", "d"),
        "close",
    ]
