"""bad-buffers-and-views: empty views, released ones (Python's word for a detached buffer), too large ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.errors import RangeError
from tests.streams.wpt.kit import rejection, rejects_with_type_error, turn
from tests.streams.wpt.readable_byte_streams.support import Controller, Kept, view


def released() -> memoryview:
    """Return a view whose memory is out of reach."""
    gone = memoryview(bytearray(b"\1\2\3"))
    gone.release()
    return gone


async def in_pull(act: Callable[[Controller], None]) -> None:
    """Run `act` in a pull for a view of 3 bytes; fails as it does."""

    def pull(controller: Controller, _: int) -> None:
        act(controller)
        passed.append(True)

    passed: list[bool] = []
    kept = Kept(pull)
    kept.byob_reader().read(memoryview(bytearray(b"\4\5\6\7"))[:3])
    while not kept.pulls:
        await turn()
    assert passed


async def test_enqueuing_an_already_detached_buffer_throws() -> None:
    with pytest.raises(ValueError, match="released"):
        Kept().controller.enqueue(released())


@pytest.mark.parametrize("empty", [bytearray(), memoryview(bytearray(10))[:0]])
async def test_enqueuing_zero_length_throws(empty: Any) -> None:
    """A zero-length buffer; a zero-length view on a non-zero-length buffer: two cases."""
    with pytest.raises(TypeError, match="takes no empty chunk"):
        Kept().controller.enqueue(empty)


async def test_reading_into_an_already_detached_buffer_rejects() -> None:
    reader = Kept(start=lambda controller: controller.enqueue(b"\1\2\3")).byob_reader()
    assert isinstance(await rejection(reader.read(released())), ValueError)


@pytest.mark.parametrize("empty", [bytearray(), memoryview(bytearray(10))[:0]])
async def test_reading_into_zero_length_rejects(empty: Any) -> None:
    """A zero-length buffer; a zero-length view on a non-zero-length buffer: two cases."""
    reader = Kept(start=lambda controller: controller.enqueue(b"\1\2\3")).byob_reader()
    await rejects_with_type_error(reader.read(empty))


@pytest.mark.parametrize("closed", [False, True])
async def test_respond_with_new_view_throws_if_the_supplied_view_has_been_detached(
    closed: bool,
) -> None:
    """In the readable state; in the closed state: two cases."""

    def act(controller: Controller) -> None:
        request = controller.byob_request
        assert request is not None
        if closed:
            controller.close()
        with pytest.raises(ValueError, match="released"):
            request.respond_with_new_view(released())

    await in_pull(act)


def empty_buffer(_: Controller) -> Any:
    """Memory of no bytes."""
    return bytearray()


def empty_view(controller: Controller) -> Any:
    """No bytes of the request's own memory."""
    return view(controller)[:0]


@pytest.mark.parametrize("empty", [empty_buffer, empty_view])
async def test_respond_with_new_view_throws_if_it_is_zero_length_in_the_readable_state(
    empty: Callable[[Controller], Any],
) -> None:
    """A zero-length buffer; a zero-length view on a non-zero-length buffer: two cases."""

    def act(controller: Controller) -> None:
        request = controller.byob_request
        assert request is not None
        with pytest.raises(TypeError, match="at least 1 byte"):
            request.respond_with_new_view(empty(controller))

    await in_pull(act)


async def test_respond_with_new_view_throws_if_the_supplied_view_has_a_larger_length() -> None:
    def act(controller: Controller) -> None:
        request = controller.byob_request
        assert request is not None
        with pytest.raises(RangeError, match="than the view has room for"):
            request.respond_with_new_view(bytes([20, 21, 22, 23]))

    await in_pull(act)


async def test_respond_with_new_view_throws_if_it_is_non_zero_length_in_the_closed_state() -> None:
    def act(controller: Controller) -> None:
        request = controller.byob_request
        assert request is not None
        new = view(controller)[:1]
        controller.close()
        with pytest.raises(TypeError, match="stream is closed"):
            request.respond_with_new_view(new)

    await in_pull(act)
