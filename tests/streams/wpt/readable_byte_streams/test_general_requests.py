"""general: BYOB requests, the views that a source fills in place and answers for."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from emulator.errors import RangeError
from emulator.streams import Promise, ReadableStreamBYOBRequest
from tests.streams.wpt.kit import flush, rejects_with_type_error, turn
from tests.streams.wpt.readable_byte_streams.support import (
    Controller,
    Kept,
    got,
    is_released,
    never,
    read,
    respond,
    shorts,
    view,
)


def request_of(controller: Controller) -> ReadableStreamBYOBRequest:
    """Return the request that waits."""
    assert controller.byob_request is not None
    return controller.byob_request


async def test_auto_allocate_chunk_size() -> None:
    sizes = []

    def pull(controller: Controller, count: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, [b"\1", b"\2\3"][count - 1])

    kept = Kept(pull, auto_allocate=16)
    reader = kept.reader()
    first, second = reader.read(), reader.read()
    assert kept.pulls == 0
    assert await read(first) == (b"\1", False)
    assert await read(second) == (b"\2\3", False)
    assert (kept.pulls, sizes) == (2, [16, 16])


async def test_mix_of_auto_allocate_and_byob() -> None:
    sizes = []

    def pull(controller: Controller, count: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, [b"\1", b"\2\3"][count - 1])

    kept = Kept(pull, auto_allocate=16)
    reader = kept.reader()
    assert await read(reader.read()) == (b"\1", False)
    reader.release_lock()
    assert await read(kept.byob_reader().read(bytearray(32))) == (b"\2\3", False)
    assert (kept.pulls, sizes) == (2, [16, 32])


async def test_read_view_then_respond() -> None:
    log = []

    def pull(controller: Controller, _: int) -> None:
        request = request_of(controller)
        shown = view(controller)
        shown[0] = 1
        request.respond(1)
        log.append((controller.byob_request, request.view, is_released(shown)))

    kept = Kept(pull)
    assert await read(kept.byob_reader().read(bytearray(1))) == (b"\1", False)
    assert log == [(None, None, True)]


async def test_read_view_then_respond_with_new_view_of_other_memory() -> None:
    """The suite's "with a transferred ArrayBuffer": the bytes are elsewhere now."""
    log = []

    def pull(controller: Controller, _: int) -> None:
        request = request_of(controller)
        request.respond_with_new_view(bytearray(b"\1"))
        log.append((controller.byob_request, request.view))

    kept = Kept(pull)
    mine = bytearray(1)
    assert await read(kept.byob_reader().read(mine)) == (b"\1", False)
    assert mine == b"\1"
    assert log == [(None, None)]


async def test_read_view_then_respond_with_too_big_value() -> None:
    errors = []

    def pull(controller: Controller, _: int) -> None:
        with pytest.raises(RangeError) as caught:
            request_of(controller).respond(2)
        errors.append(str(caught.value))
        request_of(controller).respond(1)

    await Kept(pull).byob_reader().read(bytearray(1))
    assert errors == ["More bytes were responded with than the view has room for."]


@pytest.mark.parametrize("together", [False, True])
async def test_respond_3_to_a_2_element_view_keeps_the_1_byte_remainder(together: bool) -> None:
    """Enqueues the remainder; fulfills a second read(view) with it: two cases."""
    sizes = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, b"\1\2\3")

    kept = Kept(pull)
    reader = kept.byob_reader()
    first = reader.read(shorts(0, 0))
    second = reader.read(bytearray(1)) if together else None
    result = await first
    assert got(result) == (b"\1\2", False)
    assert result.value.format == "H"
    assert await read(second or reader.read(bytearray(1))) == (b"\3", False)
    assert (kept.pulls, sizes) == (1, [4])


async def test_cancel_with_partially_filled_pending_pull_request() -> None:
    sizes = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append(len(view(controller)))
        controller.enqueue(b"\0")
        sizes.append(len(view(controller)))

    kept = Kept(pull)
    await flush()
    reader = kept.byob_reader()
    pending = reader.read(shorts(0))
    assert (kept.pulls, sizes) == (1, [2, 1])
    reader.cancel()
    assert await read(pending) == (None, True)
    assert kept.pulls == 1


async def test_enqueue_1_byte_get_reader_then_read_view_of_2_byte_elements() -> None:
    sizes = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, b"\xaa")

    kept = Kept(pull, start=lambda controller: controller.enqueue(b"\xff"))
    assert await read(kept.byob_reader().read(shorts(0))) == (b"\xff\xaa", False)
    assert sizes == [1]


async def test_enqueue_3_byte_get_reader_then_read_view_of_two_2_byte_elements() -> None:
    log: list[object] = []

    def pull(controller: Controller, _: int) -> None:
        log.append(len(view(controller)))
        respond(controller, b"\3")
        log.append(controller.desired_size)

    kept = Kept(pull, start=lambda controller: controller.enqueue(b"\1\0\2"))
    await flush()
    reader = kept.byob_reader()
    first = reader.read(shorts(0, 0))
    assert kept.pulls == 0
    assert await read(first) == (b"\1\0", False)
    second = reader.read(shorts(0))
    assert kept.pulls == 1
    assert await read(second) == (b"\2\3", False)
    assert log == [1, 0]


async def test_read_view_then_respond_and_close_in_pull() -> None:
    def pull(controller: Controller, _: int) -> None:
        respond(controller, bytes(15) + b"\1")
        controller.close()

    reader = Kept(pull).byob_reader()
    assert await read(reader.read(bytearray(16))) == (bytes(15) + b"\1", False)
    assert await read(reader.read(bytearray(16))) == (b"", True)


def by_respond(controller: Controller) -> None:
    """Fill one byte in place."""
    respond(controller, b"\1")


def by_enqueue(controller: Controller) -> None:
    """Have one byte copied."""
    controller.enqueue(b"\1")


@pytest.mark.parametrize("fill", [by_respond, by_enqueue])
async def test_read_view_of_a_4_byte_element_then_fill_it_by_multiple_calls(
    fill: Callable[[Controller], None],
) -> None:
    """Multiple respond() calls; multiple enqueue() calls: two cases."""
    sizes, shown = [], []

    def pull(controller: Controller, _: int) -> None:
        for _ in range(4):
            shown.append(view(controller))
            sizes.append(len(shown[-1]))
            fill(controller)

    kept = Kept(pull)
    mine = memoryview(bytearray(4)).cast("I")
    result = await kept.byob_reader().read(mine)
    assert (list(result.value), result.done) == ([0x01010101], False)
    assert (kept.pulls, sizes) == (1, [4, 3, 2, 1])
    assert all(is_released(each) for each in shown)


async def test_multiple_read_view_close_and_respond() -> None:
    kept = Kept(never)
    reader = kept.byob_reader()
    first, second = reader.read(bytearray(16)), reader.read(bytearray(32))
    kept.controller.close()
    request_of(kept.controller).respond(0)
    assert await read(first) == (b"", True)
    assert await read(second) == (b"", True)


async def test_calling_respond_twice_on_the_same_request_should_throw() -> None:
    requests = []

    def pull(controller: Controller, _: int) -> None:
        requests.append(request_of(controller))
        requests[0].respond(4)

    await Kept(pull).byob_reader().read(bytearray(16))
    with pytest.raises(TypeError, match="answered already"):
        requests[0].respond(4)


async def test_calling_respond_with_new_view_twice_on_the_same_request_should_throw() -> None:
    requests = []

    def pull(controller: Controller, _: int) -> None:
        requests.append(request_of(controller))
        requests[0].respond_with_new_view(bytearray(16))

    await Kept(pull).byob_reader().read(bytearray(16))
    with pytest.raises(TypeError, match="answered already"):
        requests[0].respond_with_new_view(bytearray(16))


async def test_calling_respond_0_twice_on_the_same_request_should_throw_even_when_closed() -> None:
    done: Promise[None] = Promise()
    kept = Kept(lambda *_: done)
    pending = kept.byob_reader().read(bytearray(16))
    await flush()
    request = request_of(kept.controller)
    kept.controller.close()
    request.respond(0)
    done.resolve(None)
    assert await read(pending) == (b"", True)
    with pytest.raises(TypeError, match="answered already"):
        request.respond(0)


async def test_calling_respond_should_throw_when_canceled() -> None:
    done: Promise[None] = Promise()
    kept = Kept(lambda *_: done)
    reader = kept.byob_reader()
    pending = reader.read(bytearray(16))
    await flush()
    request = request_of(kept.controller)
    cancelled = reader.cancel("meh")
    with pytest.raises(TypeError, match="answered already"):
        request.respond(0)
    done.resolve(None)
    assert await read(pending) == (None, True)
    await cancelled


async def test_pull_resolving_should_not_resolve_read() -> None:
    done: Promise[None] = Promise()
    reader = Kept(lambda *_: done).byob_reader()
    pending = reader.read(bytearray(16))
    await flush()
    done.resolve(None)
    await flush()
    assert not pending.settled
    reader.release_lock()
    await rejects_with_type_error(pending)


async def test_default_reader_auto_allocate_chunk_size_and_request_interaction() -> None:
    kept = Kept(auto_allocate=128)
    pending = kept.reader().read()
    request = request_of(kept.controller)
    kept.controller.close()
    request.respond(0)
    assert await read(pending) == (None, True)


async def test_respond_with_new_view_with_a_smaller_view() -> None:
    def pull(controller: Controller, _: int) -> None:
        smaller = view(controller)[:1]
        smaller[0] = 1
        request_of(controller).respond_with_new_view(smaller)

    mine = bytearray(b"\4\5\6")
    assert await read(Kept(pull).byob_reader().read(mine)) == (b"\1", False)
    assert mine == b"\1\5\6"


async def test_respond_with_new_view_with_a_zero_length_view_in_the_closed_state() -> None:
    def pull(controller: Controller, _: int) -> None:
        empty = view(controller)[:0]
        controller.close()
        request_of(controller).respond_with_new_view(empty)

    mine = bytearray(b"\4\5\6")
    assert await read(Kept(pull).byob_reader().read(mine)) == (b"", True)
    assert mine == b"\4\5\6"


async def test_respond_with_new_view_of_other_memory_in_the_readable_state() -> None:
    """The suite's "with a transferred non-zero-length view"."""
    kept = Kept()
    mine = bytearray(b"\4\5\6")
    pending = kept.byob_reader().read(mine)
    await flush()
    request_of(kept.controller).respond_with_new_view(b"\x2a")
    assert await read(pending) == (b"\x2a", False)
    assert mine == b"\x2a\5\6"


async def test_respond_with_new_view_of_other_memory_in_the_closed_state() -> None:
    """The suite's "with a transferred zero-length view"."""
    kept = Kept()
    mine = bytearray(b"\4\5\6")
    pending = kept.byob_reader().read(mine)
    await flush()
    request = request_of(kept.controller)
    kept.controller.close()
    request.respond_with_new_view(b"")
    assert await read(pending) == (b"", True)
    assert mine == b"\4\5\6"


async def test_enqueue_discards_auto_allocated_request() -> None:
    kept = Kept(auto_allocate=10)
    await flush()
    reader = kept.reader()
    pending = reader.read()
    assert kept.pulls == 1
    first = request_of(kept.controller)
    assert len(view(kept.controller)) == 10
    kept.controller.enqueue(b"\1\2\3")
    assert first.view is None
    assert await read(pending) == (b"\1\2\3", False)
    await turn()  # The pull is over.
    reader.release_lock()

    byob_reader = kept.byob_reader()
    pending = byob_reader.read(bytearray(b"\4\5\6"))
    assert kept.pulls == 2
    second = request_of(kept.controller)
    assert bytes(view(kept.controller)) == b"\4\5\6"
    second.respond(3)
    assert second.view is None
    assert await read(pending) == (b"\4\5\6", False)
    byob_reader.release_lock()
    assert kept.pulls == 2


async def test_auto_allocate_chunk_size_read_respond_with_new_view() -> None:
    def pull(controller: Controller, _: int) -> None:
        new = view(controller)[:3]
        new[:] = struct.pack("3B", 20, 21, 22)
        request_of(controller).respond_with_new_view(new)

    kept = Kept(pull, auto_allocate=10)
    assert await read(kept.reader().read()) == (bytes([20, 21, 22]), False)
