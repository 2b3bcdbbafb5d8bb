"""Standard streams of bytes where Python asks more than the standard: waits that are cancelled, large queues."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator import errors
from emulator.streams import Promise, ReadableByteStreamController, ReadableStream, ReadResult
from tests.support.native import let_loop_run


class Bytes:
    """A byte stream, its controller and a reader with views of its own."""

    def __init__(self, **extras: Any) -> None:
        self.controller: ReadableByteStreamController

        def start(controller: ReadableByteStreamController) -> None:
            self.controller = controller

        self.stream = ReadableStream({"type": "bytes", "start": start, **extras})
        self.reader: Any = self.stream.get_reader(mode="byob")


def got(result: ReadResult) -> tuple[bytes | None, bool]:
    return (None if result.value is None else bytes(result.value)), result.done


async def given_up(pending: Promise[ReadResult]) -> Promise[ReadResult]:
    """Wait for a read in a task, cancel that, and return the read."""

    async def wait() -> None:
        await pending

    task = asyncio.create_task(wait())
    await let_loop_run()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    return pending


async def test_the_next_read_takes_the_place_of_one_given_up_and_gets_its_own_view() -> None:
    held = Bytes()
    old, new = bytearray(b"...."), bytearray(4)
    lost = await given_up(held.reader.read(old))
    pending = held.reader.read(new)
    held.controller.enqueue(b"abcd")
    assert got(await pending) == (b"abcd", False)
    assert new == b"abcd"
    assert old == b"...."
    with pytest.raises(TypeError) as caught:
        await lost
    assert str(caught.value) == errors.READ_ABANDONED


async def test_a_read_given_up_with_a_part_filled_gives_it_to_the_next() -> None:
    held = Bytes()
    pending = held.reader.read(bytearray(4), min=4)
    held.controller.enqueue(b"ab")
    await given_up(pending)
    assert got(await held.reader.read(bytearray(4))) == (b"ab", False)


@pytest.mark.parametrize("respond", [True, False])
async def test_a_source_that_was_shown_the_view_of_a_read_given_up_may_still_answer(
    respond: bool,
) -> None:
    held = Bytes()
    pending = held.reader.read(bytearray(4), min=4)
    await let_loop_run()
    held.controller.enqueue(b"ab")
    request = held.controller.byob_request
    assert request is not None
    await given_up(pending)
    after = held.reader.read(bytearray(4), min=3)
    assert held.controller.byob_request is request
    if respond:
        assert request.view is not None
        request.view[0] = ord("c")
        request.respond(1)
    else:
        held.controller.enqueue(b"c")
    assert got(await after) == (b"abc", False)


async def test_a_read_given_up_behind_another_steps_aside_for_the_third() -> None:
    held = Bytes()
    views = [bytearray(2) for _ in range(3)]
    first = held.reader.read(views[0])
    await given_up(held.reader.read(views[1]))
    third = held.reader.read(views[2])
    held.controller.enqueue(b"abcd")
    assert got(await first) == (b"ab", False)
    assert got(await third) == (b"cd", False)
    assert views == [b"ab", b"\0\0", b"cd"]


async def test_a_read_given_up_before_another_steps_aside_when_bytes_come() -> None:
    held = Bytes()
    first, second = bytearray(2), bytearray(2)
    given = held.reader.read(first)
    after = held.reader.read(second)
    await given_up(given)
    held.controller.enqueue(b"ab")
    assert got(await after) == (b"ab", False)
    assert first == b"\0\0"


async def test_a_promise_that_is_kept_is_still_answered() -> None:
    held = Bytes()
    pending = await given_up(held.reader.read(bytearray(4)))
    held.controller.enqueue(b"ab")
    assert got(await pending) == (b"ab", False)


@pytest.mark.parametrize("end", [True, False])
async def test_bytes_in_the_moment_of_cancelling_go_to_the_next_read(end: bool) -> None:
    held = Bytes()

    async def read() -> None:
        await held.reader.read(memoryview(bytearray(4)).cast("H"))

    task = asyncio.create_task(read())
    await let_loop_run()
    held.controller.enqueue(b"ab")
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    held.controller.enqueue(b"cd")
    if end:
        held.controller.close()
    assert got(await held.reader.read(bytearray(8), min=4)) == (b"abcd", False)


async def test_bytes_that_come_back_behind_the_end_are_read_before_it() -> None:
    held = Bytes()

    async def read() -> None:
        await held.reader.read(bytearray(4))

    task = asyncio.create_task(read())
    await let_loop_run()
    held.controller.enqueue(b"abc")
    held.controller.close()
    task.cancel()
    await asyncio.wait({task})
    two = memoryview(bytearray(2)).cast("H")
    assert got(await held.reader.read(two)) == (b"ab", False)
    with pytest.raises(TypeError) as caught:
        await held.reader.read(two)
    assert str(caught.value) == errors.VIEW_CUT
    assert got(await held.reader.read(bytearray(4))) == (b"c", False)
    assert got(await held.reader.read(bytearray(4))) == (b"", True)


async def test_many_small_views_of_one_large_chunk() -> None:
    held = Bytes()
    data = bytes(range(256)) * 256
    held.controller.enqueue(data)
    held.controller.close()
    view, seen = bytearray(7), bytearray()
    while not (result := await held.reader.read(view)).done:
        seen += result.value
    assert seen == data


async def test_a_source_can_not_write_into_a_view_that_was_answered() -> None:
    held = Bytes()
    pending = held.reader.read(bytearray(4))
    request = held.controller.byob_request
    assert request is not None
    kept = request.view
    assert kept is not None
    held.controller.enqueue(b"ab")
    with pytest.raises(ValueError, match="released"):
        kept[0] = 0
    assert got(await pending) == (b"ab", False)


@pytest.mark.parametrize("written", [-1, 1.0, "1", None])
async def test_respond_takes_a_number_of_bytes(written: object) -> None:
    held = Bytes()
    held.reader.read(bytearray(4))
    request = held.controller.byob_request
    assert request is not None
    with pytest.raises(TypeError) as caught:
        request.respond(written)
    assert str(caught.value) == errors.RESPOND_INVALID.format(value=written)


async def test_respond_with_new_view_takes_bytes() -> None:
    held = Bytes()
    held.reader.read(bytearray(4))
    request = held.controller.byob_request
    assert request is not None
    with pytest.raises(TypeError) as caught:
        request.respond_with_new_view("text")
    assert str(caught.value) == errors.NEW_VIEW_INVALID.format(type="str")


async def test_a_view_of_no_native_elements_is_refused_before_anything_is_read() -> None:
    held = Bytes()
    with pytest.raises(TypeError, match="contiguous memory of native elements"):
        await held.reader.read(memoryview(bytearray(4))[::2])
    assert not held.stream.disturbed


async def test_a_part_that_a_read_given_up_held_at_the_end_is_read_before_it() -> None:
    held = Bytes()
    pending = held.reader.read(bytearray(4), min=4)
    held.controller.enqueue(b"ab")
    await given_up(pending)
    held.controller.close()
    request = held.controller.byob_request
    assert request is not None
    request.respond(0)
    assert got(await held.reader.read(bytearray(4))) == (b"ab", False)
    assert got(await held.reader.read(bytearray(4))) == (b"", True)


async def test_a_part_that_a_released_reader_held_is_read_before_the_end() -> None:
    held = Bytes()
    held.reader.read(bytearray(4), min=4)
    held.controller.enqueue(b"ab")
    held.reader.release_lock()
    held.controller.close()
    reader = held.stream.get_reader()
    assert await reader.read() == ReadResult(b"ab", False)
    assert (await reader.read()).done


async def test_a_minimum_that_the_rest_does_not_reach_fails_the_stream_as_the_standard_says() -> (
    None
):
    held = Bytes()
    held.controller.enqueue(b"abc")
    held.controller.close()
    with pytest.raises(TypeError) as caught:
        await held.reader.read(bytearray(4), min=4)
    assert str(caught.value) == errors.VIEW_SHORT
