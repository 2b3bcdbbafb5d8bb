"""general: what reads give of what was enqueued, and where the end cuts an element."""

from __future__ import annotations

from typing import Any

import pytest

from tests.streams.wpt.kit import flush, rejection, rejects_with_type_error
from tests.streams.wpt.readable_byte_streams.support import (
    Controller,
    Kept,
    got,
    never,
    read,
    shorts,
)


async def test_enqueue_get_reader_then_read() -> None:
    sizes = []

    def start(controller: Controller) -> None:
        controller.enqueue(bytes(16))
        sizes.append(controller.desired_size)

    kept = Kept(
        lambda controller, _: sizes.append(controller.desired_size), start=start, high_water_mark=8
    )
    await flush()
    assert (kept.pulls, sizes) == (0, [-8])
    pending = kept.reader().read()
    assert (kept.pulls, sizes) == (1, [-8, 8])
    assert await read(pending) == (bytes(16), False)


async def test_enqueue_with_2_byte_elements_get_reader_then_read() -> None:
    kept = Kept(start=lambda controller: controller.enqueue(memoryview(shorts(*range(16)))))
    result = await kept.reader().read()
    assert (type(result.value), len(result.value)) == (bytes, 32)


async def test_enqueue_read_view_partially_then_read() -> None:
    data = b"\1" + bytes(7) + b"\2" + bytes(7)
    kept = Kept(never, start=lambda controller: controller.enqueue(data))
    byob_reader = kept.byob_reader()
    assert await read(byob_reader.read(bytearray(8))) == (data[:8], False)
    byob_reader.release_lock()
    result = await kept.reader().read()
    assert (result.value, type(result.value)) == (data[8:], bytes)


async def test_get_reader_enqueue_close_then_read() -> None:
    kept = Kept(never)
    reader = kept.reader()
    kept.controller.enqueue(bytes(16))
    kept.controller.close()
    assert await read(reader.read()) == (bytes(16), False)
    assert await read(reader.read()) == (None, True)


async def test_enqueue_close_get_reader_then_read() -> None:
    def start(controller: Controller) -> None:
        controller.enqueue(bytes(16))
        controller.close()

    reader = Kept(never, start=start).reader()
    assert await read(reader.read()) == (bytes(16), False)
    assert await read(reader.read()) == (None, True)


async def test_respond_to_pull_by_enqueue() -> None:
    requests = []

    def pull(controller: Controller, _: int) -> None:
        controller.enqueue(bytes(16))
        requests.append(controller.byob_request)

    assert await read(Kept(pull).reader().read()) == (bytes(16), False)
    assert requests == [None]


async def test_respond_to_pull_by_enqueue_asynchronously() -> None:
    sizes: list[Any] = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append((controller.desired_size, controller.byob_request))
        for _ in range(2):
            controller.enqueue(b"\0")
            sizes.append(controller.desired_size)

    kept = Kept(pull)
    reader = kept.reader()
    reads = [reader.read() for _ in range(3)]
    kept.controller.enqueue(b"\0")
    assert kept.pulls == 0
    assert [await read(each) for each in reads] == [(b"\0", False)] * 3
    await flush()
    assert (kept.pulls, sizes) == (1, [(0, None), 0, 0])


async def test_respond_to_multiple_pull_by_separate_enqueue() -> None:
    sizes: list[Any] = []

    def pull(controller: Controller, count: int) -> None:
        sizes.append((controller.desired_size, controller.byob_request))
        if count <= 3:
            controller.enqueue(b"\0")
        else:
            controller.close()

    kept = Kept(pull, high_water_mark=256)
    reader = kept.reader()
    reads = [reader.read() for _ in range(3)]
    assert kept.pulls == 0
    assert [await read(each) for each in reads] == [(b"\0", False)] * 3
    await flush()
    assert (kept.pulls, sizes) == (4, [(256, None)] * 4)


async def test_enqueue_get_reader_then_read_view() -> None:
    data = bytes(15) + b"\1"
    kept = Kept(never, start=lambda controller: controller.enqueue(data))
    assert await read(kept.byob_reader().read(bytearray(16))) == (data, False)


async def test_enqueue_get_reader_then_read_view_where_the_buffer_is_not_fully_covered() -> None:
    kept = Kept(start=lambda controller: controller.enqueue(bytes(7) + b"\1"))
    memory = bytearray(b"\xff" * 16)
    assert await read(kept.byob_reader().read(memoryview(memory)[8:])) == (bytes(7) + b"\1", False)
    assert memory == b"\xff" * 8 + bytes(7) + b"\1"
    assert kept.pulls == 0


async def test_multiple_enqueue_get_reader_then_read_view() -> None:
    def start(controller: Controller) -> None:
        controller.enqueue(bytes(15) + b"{")
        controller.enqueue(bytes(7) + b"o")

    kept = Kept(start=start)
    expected = bytes(15) + b"{" + bytes(7) + b"o"
    assert await read(kept.byob_reader().read(bytearray(24))) == (expected, False)
    assert kept.pulls == 0


async def test_enqueue_get_reader_then_read_view_with_a_bigger_view() -> None:
    kept = Kept(start=lambda controller: controller.enqueue(bytes(15) + b"\1"))
    assert await read(kept.byob_reader().read(bytearray(24))) == (bytes(15) + b"\1", False)
    assert kept.pulls == 0


async def test_enqueue_get_reader_then_read_view_with_smaller_views() -> None:
    data = bytes(7) + b"\1" + bytes(7) + b"\2"
    kept = Kept(start=lambda controller: controller.enqueue(data))
    reader = kept.byob_reader()
    assert await read(reader.read(bytearray(8))) == (data[:8], False)
    assert kept.pulls == 0
    assert await read(reader.read(bytearray(8))) == (data[8:], False)


async def test_read_view_with_2_byte_elements_on_closed_stream_with_1_byte_must_fail() -> None:
    def start(controller: Controller) -> None:
        controller.enqueue(b"\xff")
        controller.close()

    reader = Kept(never, start=start).byob_reader()
    error = await rejection(reader.read(shorts(0)))
    assert isinstance(error, TypeError)
    assert str(error) == "The stream ended in the middle of an element of the reader's view."
    assert await rejection(reader.closed) is error


async def test_a_stream_must_be_errored_if_closed_before_fulfilling_read_view() -> None:
    kept = Kept(never, start=lambda controller: controller.enqueue(b"\xff"))
    reader = kept.byob_reader()
    pending = reader.read(shorts(0))
    with pytest.raises(TypeError, match="in the middle of an element"):
        kept.controller.close()
    await rejects_with_type_error(pending)
    await rejects_with_type_error(reader.closed)


async def test_read_twice_then_enqueue_twice() -> None:
    log: list[Any] = []
    kept = Kept(lambda controller, _: log.append(controller.byob_request))
    reader = kept.reader()

    def first(result: Any) -> None:
        log.append((kept.pulls, got(result)))
        kept.controller.enqueue(b"\1\2")
        log.append(kept.pulls)

    reader.read().then(first, never)
    assert kept.pulls == 0
    reader.read().then(lambda result: log.append((kept.pulls, got(result))), never)
    assert kept.pulls == 0
    kept.controller.enqueue(b"\0")
    assert kept.pulls == 0
    await flush()
    assert log == [None, (1, (b"\0", False)), 1, (1, (b"\1\2", False))]


async def test_multiple_read_view_big_enqueue() -> None:
    kept = Kept(never)
    reader = kept.byob_reader()
    first, second = reader.read(bytearray(16)), reader.read(bytearray(16))
    kept.controller.enqueue(bytes(range(24)))
    assert await read(first) == (bytes(range(16)), False)
    assert await read(second) == (bytes(range(16, 24)), False)


async def test_multiple_read_view_and_multiple_enqueue() -> None:
    kept = Kept(never)
    reader = kept.byob_reader()
    pending = reader.read(bytearray(7))
    kept.controller.enqueue(bytes(512))
    kept.controller.enqueue(bytes(512))
    kept.controller.close()
    total = 0
    while not (result := await pending).done:
        total += len(result.value)
        pending = reader.read(bytearray(7))
    assert total == 1024


async def test_read_view_with_passing_undefined_as_view_must_fail() -> None:
    kept = Kept()
    error = await rejection(kept.byob_reader().read(None))
    assert (
        str(error) == "read(view) takes a bytearray or a writable memoryview to fill, not NoneType."
    )
    await flush()
    assert kept.pulls == 0


async def test_read_view_with_passing_an_empty_object_as_view_must_fail() -> None:
    await rejects_with_type_error(Kept().byob_reader().read({}))


async def test_read_view_with_passing_a_view_like_object_must_fail() -> None:
    like = {"buffer": bytearray(10), "byteOffset": 0, "byteLength": 10}
    await rejects_with_type_error(Kept().byob_reader().read(like))


async def test_cannot_use_an_already_released_byob_reader_to_unlock_a_stream_again() -> None:
    kept = Kept(start=lambda controller: controller.enqueue(b"\1\2\3"))
    first = kept.byob_reader()
    first.release_lock()
    second = kept.byob_reader()
    first.release_lock()
    assert await read(second.read(bytearray(3))) == (b"\1\2\3", False)
