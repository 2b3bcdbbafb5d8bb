"""read-min: a read that waits for more than one element."""

from __future__ import annotations

import pytest

from emulator.errors import RangeError
from tests.streams.wpt.kit import flush, rejection, rejects_with_type_error
from tests.streams.wpt.readable_byte_streams.support import (
    Controller,
    Kept,
    never,
    read,
    respond,
    shorts,
    view,
)


async def test_rejects_if_min_is_0() -> None:
    error = await rejection(Kept(never).byob_reader().read(bytearray(1), min=0))
    assert isinstance(error, TypeError)
    assert str(error) == "A minimum is a whole number from 1 to the view's 1 elements, not 0."


@pytest.mark.parametrize("into", [bytearray(1), shorts(0), memoryview(bytearray(1))])
async def test_rejects_if_min_is_larger_than_the_views_length(into: object) -> None:
    """Uint8Array, Uint16Array, DataView: three cases."""
    error = await rejection(Kept(never).byob_reader().read(into, min=2))
    assert isinstance(error, RangeError)


async def test_read_min_then_read() -> None:
    sizes = []

    def pull(controller: Controller, count: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, [b"\1\2", b"\3", b"\4"][count - 1])

    kept = Kept(pull)
    reader = kept.byob_reader()
    first, second = reader.read(bytearray(3), min=3), reader.read(bytearray(1))
    assert await read(first) == (b"\1\2\3", False)
    assert await read(second) == (b"\4", False)
    assert (kept.pulls, sizes) == (3, [3, 1, 1])


async def test_enqueue_then_read_min() -> None:
    sizes = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, b"\2\3")

    kept = Kept(pull, start=lambda controller: controller.enqueue(b"\1"))
    assert await read(kept.byob_reader().read(bytearray(3), min=3)) == (b"\1\2\3", False)
    assert (kept.pulls, sizes) == (1, [2])


async def test_read_min_then_multiple_enqueue() -> None:
    sizes = []

    def pull(controller: Controller, count: int) -> None:
        sizes.append(len(view(controller)))
        controller.enqueue([b"\1\2", b"\3"][count - 1])

    kept = Kept(pull)
    assert await read(kept.byob_reader().read(bytearray(3), min=3)) == (b"\1\2\3", False)
    assert (kept.pulls, sizes) == (2, [3, 1])


async def test_enqueue_read_min_partially_then_read() -> None:
    data = b"\1" + bytes(7) + b"\2" + bytes(7)
    kept = Kept(never, start=lambda controller: controller.enqueue(data))
    byob_reader = kept.byob_reader()
    assert await read(byob_reader.read(bytearray(8), min=8)) == (data[:8], False)
    byob_reader.release_lock()
    assert await read(kept.reader().read()) == (data[8:], False)


async def test_read_min_then_respond_with_new_view_of_other_memory() -> None:
    """The suite's "with a transferred ArrayBuffer": the bytes are elsewhere now."""
    log = []

    def pull(controller: Controller, _: int) -> None:
        request = controller.byob_request
        assert request is not None
        request.respond_with_new_view(bytearray(b"\1"))
        log.append((controller.byob_request, request.view))

    kept = Kept(pull)
    assert await read(kept.byob_reader().read(bytearray(1), min=1)) == (b"\1", False)
    assert (kept.pulls, log) == (1, [(None, None)])


async def test_read_min_on_a_closed_stream() -> None:
    reader = Kept(never, start=lambda controller: controller.close()).byob_reader()
    assert await read(reader.read(bytearray(b"\1"), min=1)) == (b"", True)
    await reader.closed


async def test_read_min_when_closed_before_view_is_filled() -> None:
    def pull(controller: Controller, count: int) -> None:
        if count == 1:
            respond(controller, b"\1")
            return
        controller.close()
        respond(controller, b"")

    kept = Kept(pull)
    reader = kept.byob_reader()
    assert await read(reader.read(bytearray(3), min=3)) == (b"\1", True)
    assert kept.pulls == 2
    await reader.closed


async def test_read_min_when_closed_immediately_after_view_is_filled() -> None:
    def pull(controller: Controller, count: int) -> None:
        respond(controller, [b"\1\2", b"\3"][count - 1])
        if count == 2:
            controller.close()

    kept = Kept(pull)
    reader = kept.byob_reader()
    assert await read(reader.read(bytearray(3), min=3)) == (b"\1\2\3", False)
    assert kept.pulls == 2
    await reader.closed


async def test_read_min_on_an_errored_stream() -> None:
    error = RuntimeError("error1")
    reader = Kept(never, start=lambda controller: controller.error(error)).byob_reader()
    assert await rejection(reader.read(bytearray(1), min=1)) is error
    assert await rejection(reader.closed) is error


async def test_read_min_then_error() -> None:
    error = RuntimeError("error1")
    kept = Kept()
    reader = kept.byob_reader()
    pending = reader.read(bytearray(1), min=1)
    kept.controller.error(error)
    assert await rejection(pending) is error
    assert await rejection(reader.closed) is error


async def test_get_reader_read_min_then_cancel() -> None:
    reasons: list[object] = []

    def cancel(reason: object) -> str:
        reasons.append(reason)
        return "bar"

    kept = Kept(never, cancel=cancel)
    reader = kept.byob_reader()
    pending = reader.read(bytearray(1), min=1)
    reason = TypeError("foo")
    assert await reader.cancel(reason) is None
    assert await read(pending) == (None, True)
    assert reasons == [reason]


async def test_cancel_with_partially_filled_pending_read_min_request() -> None:
    sizes = []

    def pull(controller: Controller, _: int) -> None:
        sizes.append(len(view(controller)))
        respond(controller, b"\1")
        sizes.append(len(view(controller)))

    kept = Kept(pull)
    await flush()
    assert kept.pulls == 0
    reader = kept.byob_reader()
    pending = reader.read(bytearray(3), min=3)
    assert (kept.pulls, sizes) == (1, [3, 2])
    await reader.cancel()
    assert await read(pending) == (None, True)
    assert kept.pulls == 1
    await reader.closed


async def test_enqueue_then_read_min_with_smaller_views() -> None:
    data = bytes(7) + b"\1" + bytes(7) + b"\2"
    kept = Kept(start=lambda controller: controller.enqueue(data))
    reader = kept.byob_reader()
    assert await read(reader.read(bytearray(8), min=8)) == (data[:8], False)
    assert await read(reader.read(bytearray(8), min=8)) == (data[8:], False)
    assert kept.pulls == 0


async def test_3_byte_enqueue_then_close_then_read_min_with_2_byte_elements_must_fail() -> None:
    def start(controller: Controller) -> None:
        controller.enqueue(b"\xaa\xbb\xcc")
        controller.close()

    reader = Kept(never, start=start).byob_reader()
    await rejects_with_type_error(reader.read(shorts(0, 0), min=2))
    await rejects_with_type_error(reader.closed)


async def test_read_min_with_2_byte_elements_then_3_byte_enqueue_then_close_must_fail() -> None:
    kept = Kept(never)
    reader = kept.byob_reader()
    pending = reader.read(shorts(0, 0), min=2)
    kept.controller.enqueue(b"\xaa\xbb\xcc")
    with pytest.raises(TypeError, match="in the middle of an element"):
        kept.controller.close()
    await rejects_with_type_error(pending)
    await rejects_with_type_error(reader.closed)


async def test_tee_with_read_min_from_branch1_and_read_from_branch2() -> None:
    kept = Kept()
    reader1, reader2 = (branch.get_reader(mode="byob") for branch in kept.stream.tee())
    await flush()
    assert kept.pulls == 0
    read1, read2 = reader1.read(bytearray(3), min=3), reader2.read(bytearray(1))
    assert kept.pulls == 1
    assert len(view(kept.controller)) == 3
    respond(kept.controller, b"\1")
    assert await read(read2) == (b"\1", False)
    await flush()
    assert kept.pulls == 2
    assert len(view(kept.controller)) == 2
    respond(kept.controller, b"\2\3")
    assert await read(read1) == (b"\1\2\3", False)
    assert await read(reader2.read(bytearray(2))) == (b"\2\3", False)
    assert kept.pulls == 2
