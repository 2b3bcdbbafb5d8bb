"""readable-streams/bad-underlying-sources: sources that raise, and controllers used at the wrong time."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import errors
from emulator.streams import CountQueuingStrategy, Promise, ReadableStream
from tests.streams.wpt.kit import chunk, controlled, rejection, turn

THE_ERROR = Exception("a unique string")


def throw(*_: object) -> Any:
    raise THE_ERROR


def throwing_getter(name: str) -> object:
    """Return an object whose attribute `name` raises."""
    return type("Source", (), {name: property(throw)})()


@pytest.mark.parametrize("name", ["start", "pull", "cancel"])
def test_throwing_getter(name: str) -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream(throwing_getter(name))
    assert caught.value is THE_ERROR


def test_start_throwing_method() -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream({"start": throw})
    assert caught.value is THE_ERROR


async def test_throwing_pull_method_initial_pull() -> None:
    assert await rejection(ReadableStream({"pull": throw}).get_reader().closed) is THE_ERROR


async def test_pull_throwing_getter_second_pull_does_not_result_in_a_second_get() -> None:
    class Source:
        gets = 0

        @property
        def pull(self) -> Any:
            self.gets += 1
            if self.gets > 1:
                raise THE_ERROR
            return lambda controller: controller.enqueue("a")

    source = Source()
    reader = ReadableStream(source).get_reader()
    assert await reader.read() == chunk("a")
    assert await reader.read() == chunk("a")
    assert source.gets == 1


async def test_pull_throwing_method_second_pull() -> None:
    pulls = 0

    def pull(controller: Any) -> None:
        nonlocal pulls
        pulls += 1
        if pulls > 1:
            raise THE_ERROR
        controller.enqueue("a")

    reader = ReadableStream({"pull": pull}).get_reader()
    assert await reader.read() == chunk("a")
    assert await rejection(reader.closed) is THE_ERROR


async def test_cancel_throwing_method() -> None:
    assert await rejection(ReadableStream({"cancel": throw}).cancel()) is THE_ERROR


@pytest.mark.parametrize("queued", [(), ("a", "b")], ids=["empty", "non-empty"])
async def test_enqueue_on_a_cancelled_stream_throws(queued: tuple[str, ...]) -> None:
    stream, controller = controlled()
    for each in queued:
        controller.enqueue(each)
    stream.cancel()
    with pytest.raises(TypeError) as caught:
        controller.enqueue("c")
    assert str(caught.value) == errors.CONTROLLER_CLOSED
    await stream.get_reader().closed


async def test_enqueue_on_a_closed_stream_throws() -> None:
    stream, controller = controlled()
    controller.close()
    with pytest.raises(TypeError):
        controller.enqueue("a")
    await stream.get_reader().closed


async def test_enqueue_on_an_errored_stream_throws() -> None:
    stream, controller = controlled()
    controller.error(THE_ERROR)
    with pytest.raises(TypeError):
        controller.enqueue("a")
    assert await rejection(stream.get_reader().closed) is THE_ERROR


async def test_close_twice_on_an_empty_stream_throws_the_second_time() -> None:
    stream, controller = controlled()
    controller.close()
    with pytest.raises(TypeError) as caught:
        controller.close()
    assert str(caught.value) == errors.CONTROLLER_NOT_OPEN
    await stream.get_reader().closed


async def test_close_twice_on_a_non_empty_stream_throws_the_second_time() -> None:
    stream, controller = controlled()
    controller.enqueue("a")
    controller.close()
    with pytest.raises(TypeError):
        controller.close()
    reader = stream.get_reader()
    closed = reader.closed
    assert not closed.settled
    assert await reader.read() == chunk("a")
    await closed


@pytest.mark.parametrize("queued", [(), ("a",)], ids=["empty", "non-empty"])
async def test_close_on_a_cancelled_stream_throws(queued: tuple[str, ...]) -> None:
    stream, controller = controlled()
    for each in queued:
        controller.enqueue(each)
    stream.cancel()
    with pytest.raises(TypeError):
        controller.close()
    await stream.get_reader().closed


async def test_close_after_error_throws() -> None:
    stream, controller = controlled()
    controller.error(THE_ERROR)
    with pytest.raises(TypeError):
        controller.close()
    assert await rejection(stream.get_reader().closed) is THE_ERROR


async def test_error_twice_does_not_throw() -> None:
    stream, controller = controlled()
    controller.error(THE_ERROR)
    controller.error()
    assert await rejection(stream.get_reader().closed) is THE_ERROR


async def test_error_after_close_does_not_throw() -> None:
    stream, controller = controlled()
    controller.close()
    controller.error()
    await stream.get_reader().closed


@pytest.mark.parametrize("name", ["start", "pull"])
async def test_error_and_a_rejected_promise_errors_with_the_first_error(name: str) -> None:
    def method(controller: Any) -> Promise[None]:
        controller.error(THE_ERROR)
        return Promise.rejected(Exception("2"))

    assert await rejection(ReadableStream({name: method}).get_reader().closed) is THE_ERROR


async def test_read_does_not_error_if_it_dequeues_and_pull_throws() -> None:
    throwing = False

    def pull(controller: Any) -> None:
        if throwing:
            raise THE_ERROR
        controller.enqueue(0)

    reader = ReadableStream({"pull": pull}, CountQueuingStrategy(high_water_mark=1)).get_reader()
    await turn()
    throwing = True
    assert await reader.read() == chunk(0)
    assert await rejection(reader.closed) is THE_ERROR
