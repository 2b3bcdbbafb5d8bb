"""respond-after-enqueue: the request that an enqueue has answered is over."""

from __future__ import annotations

from tests.streams.wpt.kit import rejection
from tests.streams.wpt.readable_byte_streams.support import Controller, Kept, read


async def test_respond_after_enqueue_should_not_crash() -> None:
    def pull(controller: Controller, _: int) -> None:
        controller.enqueue(b"\1\2\3")
        controller.byob_request.respond(10)  # type: ignore[union-attr]

    reader = Kept(pull, auto_allocate=10).reader()
    assert await read(reader.read()) == (b"\1\2\3", False)
    assert isinstance(await rejection(reader.closed), AttributeError)


async def test_respond_with_cached_request_after_enqueue_should_not_crash() -> None:
    def pull(controller: Controller, _: int) -> None:
        request = controller.byob_request
        assert request is not None
        controller.enqueue(b"\1\2\3")
        request.respond(10)

    reader = Kept(pull, auto_allocate=10).reader()
    assert await read(reader.read()) == (b"\1\2\3", False)
    assert str(await rejection(reader.closed)) == "This BYOB request has been answered already."


async def test_respond_after_enqueue_with_double_read_should_not_crash() -> None:
    def pull(controller: Controller, _: int) -> None:
        controller.enqueue(b"\1\2\3")
        assert controller.byob_request is not None
        controller.byob_request.respond(2)

    reader = Kept(pull, auto_allocate=10).reader()
    first, second = reader.read(), reader.read()
    assert await read(first) == (b"\1\2\3", False)
    assert await read(second) == (b"\0\0", False)
