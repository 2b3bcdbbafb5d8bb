"""general: a reader is released while its view waits, and another one reads on."""

from __future__ import annotations

from typing import Any

from emulator.streams import Promise, ReadableStreamBYOBRequest, ReadResult
from tests.streams.wpt.kit import flush, rejects_with_type_error
from tests.streams.wpt.readable_byte_streams.support import Kept, read, shorts, view

Read = Promise[ReadResult]


async def waiting(
    first: Any, *, auto_allocate: int | None = None
) -> tuple[Kept, Any, Read, ReadableStreamBYOBRequest]:
    """Have a read wait, into view `first` or auto-allocated; return its reader, itself and its request."""
    kept = Kept(auto_allocate=auto_allocate)
    await flush()
    reader = kept.reader() if first is None else kept.byob_reader()
    pending = reader.read() if first is None else reader.read(first)
    request = kept.controller.byob_request
    assert request is not None
    return kept, reader, pending, request


async def hand_over(
    first: Any, second: Any, *, auto_allocate: int | None = None
) -> tuple[Kept, Any, Read, ReadableStreamBYOBRequest]:
    """Have a read wait, release its reader, read with another; the request stays as it was."""
    kept, reader, lost, request = await waiting(first, auto_allocate=auto_allocate)
    shown = bytes(view(kept.controller))
    reader.release_lock()
    reader = kept.reader() if second is None else kept.byob_reader()
    pending = reader.read() if second is None else reader.read(second)
    assert kept.controller.byob_request is request
    assert bytes(view(kept.controller)) == shown
    await rejects_with_type_error(lost)
    return kept, reader, pending, request


def waits(kept: Kept) -> bool:
    """True while a view waits to be filled."""
    return kept.controller.byob_request is not None


def write(request: ReadableStreamBYOBRequest, data: bytes) -> None:
    """Write `data` into the request's view."""
    assert request.view is not None
    request.view[: len(data)] = data


async def test_read_view_on_second_reader_respond() -> None:
    kept, _, pending, request = await hand_over(bytearray(b"\1\2\3"), mine := bytearray(b"\4\5\6"))
    write(request, b"\x0b")
    request.respond(1)
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b", False)
    assert mine == b"\x0b\5\6"


async def test_read_view_on_second_reader_with_a_2_byte_element_respond_1() -> None:
    kept, _, pending, request = await hand_over(bytearray(b"\1\2\3"), shorts(0))
    write(request, b"\x11")
    request.respond(1)
    assert not pending.settled
    second = kept.controller.byob_request
    assert second is not None
    assert bytes(view(kept.controller)) == b"\0"
    write(second, b"\x22")
    second.respond(1)
    assert await read(pending) == (b"\x11\x22", False)


async def test_read_view_on_second_reader_with_2_elements_respond_3() -> None:
    kept, reader, pending, request = await hand_over(bytearray(b"\1\2\3"), bytearray(b"\4\5"))
    write(request, b"\6\7\10")
    request.respond(3)
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\6\7", False)
    assert await read(reader.read(bytearray(3))) == (b"\10", False)


async def test_read_view_on_second_reader_respond_with_new_view() -> None:
    kept, _, pending, request = await hand_over(bytearray(b"\1\2\3"), bytearray(b"\4\5\6"))
    write(request, b"\x0b\x0c")
    request.respond_with_new_view(view(kept.controller)[:2])
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b\x0c", False)


async def test_read_view_on_second_reader_enqueue() -> None:
    kept, _, pending, _ = await hand_over(bytearray(b"\1\2\3"), bytearray(b"\4\5\6"))
    kept.controller.enqueue(b"\x0b\x0c")
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b\x0c", False)


async def test_read_view_on_second_reader_close_respond_0() -> None:
    kept, _, pending, request = await hand_over(bytearray(b"\1\2\3"), bytearray(b"\4\5\6"))
    kept.controller.close()
    request.respond(0)
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"", True)


async def test_auto_allocate_read_on_second_reader_respond() -> None:
    kept, _, pending, request = await hand_over(None, None, auto_allocate=4)
    write(request, b"\x0b")
    request.respond(1)
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b", False)


async def test_auto_allocate_read_on_second_reader_enqueue() -> None:
    kept, _, pending, _ = await hand_over(None, None, auto_allocate=4)
    kept.controller.enqueue(b"\x0b")
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b", False)


async def test_auto_allocate_read_view_on_second_reader_respond() -> None:
    kept, _, pending, request = await hand_over(None, bytearray(b"\4\5\6"), auto_allocate=4)
    write(request, b"\x0b")
    request.respond(1)
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b", False)


async def test_auto_allocate_read_view_on_second_reader_enqueue() -> None:
    kept, _, pending, _ = await hand_over(None, bytearray(b"\4\5\6"), auto_allocate=4)
    kept.controller.enqueue(b"\x0b")
    assert kept.controller.byob_request is None
    assert await read(pending) == (b"\x0b", False)


async def test_respond_1_release_lock_read_view_on_second_reader_respond_1() -> None:
    kept, first, lost, request = await waiting(shorts(0))
    write(request, b"\x11")
    request.respond(1)
    second = kept.controller.byob_request
    assert second is not None
    assert bytes(view(kept.controller)) == b"\0"
    first.release_lock()
    pending = kept.byob_reader().read(shorts(0))
    assert kept.controller.byob_request is second
    assert bytes(view(kept.controller)) == b"\0"
    await rejects_with_type_error(lost)
    write(second, b"\x22")
    second.respond(1)
    assert not waits(kept)
    assert await read(pending) == (b"\x11\x22", False)


async def test_respond_1_release_lock_read_on_second_reader_enqueue() -> None:
    kept, first, lost, request = await waiting(shorts(0))
    write(request, b"\x11")
    request.respond(1)
    second = kept.controller.byob_request
    first.release_lock()
    reader = kept.reader()
    pending = reader.read()
    assert kept.controller.byob_request is second
    await rejects_with_type_error(lost)
    kept.controller.enqueue(b"\x22")
    assert not waits(kept)
    assert await read(pending) == (b"\x11", False)
    assert await read(reader.read()) == (b"\x22", False)
