"""readable-streams/bad-strategies: strategies that raise, or say what can't be."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator import errors
from emulator.errors import RangeError
from emulator.streams import ReadableStream
from tests.streams.wpt.kit import controlled, rejection

THE_ERROR = Exception("a unique string")


class Throwing:
    """A strategy one of whose attributes raises."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise THE_ERROR
        return {"size": lambda _: 1, "high_water_mark": 5}.get(name)


@pytest.mark.parametrize("name", ["size", "high_water_mark"])
def test_throwing_getter(name: str) -> None:
    with pytest.raises(Exception) as caught:
        ReadableStream({}, Throwing(name))
    assert caught.value is THE_ERROR


async def test_size_errors_the_stream_and_then_throws() -> None:
    controller_error, thrown = Exception("controller error"), Exception("thrown error")

    def size() -> float:
        controller.error(controller_error)
        raise thrown

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 5})
    with pytest.raises(Exception) as caught:
        controller.enqueue("a")
    assert caught.value is thrown
    assert await rejection(stream.get_reader().closed) is controller_error


async def test_size_errors_the_stream_and_then_returns_infinity() -> None:
    def size() -> float:
        controller.error(THE_ERROR)
        return math.inf

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 5})
    with pytest.raises(RangeError) as caught:
        controller.enqueue("a")
    assert str(caught.value) == errors.CHUNK_SIZE_INVALID.format(size=math.inf)
    assert await rejection(stream.get_reader().closed) is THE_ERROR


async def test_throwing_size_method() -> None:
    def size() -> float:
        raise THE_ERROR

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 5})
    with pytest.raises(Exception) as caught:
        controller.enqueue("a")
    assert caught.value is THE_ERROR
    assert await rejection(stream.get_reader().closed) is THE_ERROR


@pytest.mark.parametrize("mark", [-1, -math.inf, math.nan, "foo", {}])
def test_invalid_high_water_mark(mark: object) -> None:
    with pytest.raises(RangeError) as caught:
        ReadableStream({}, {"size": lambda: 1, "high_water_mark": mark})
    assert str(caught.value) == errors.HIGH_WATER_MARK_INVALID.format(value=mark)


@pytest.mark.parametrize("size", [math.nan, -math.inf, math.inf, -1])
async def test_invalid_size_return_value(size: float) -> None:
    stream, controller = controlled(strategy={"size": lambda: size, "high_water_mark": 5})
    with pytest.raises(RangeError) as caught:
        controller.enqueue("hi")
    assert str(caught.value) == errors.CHUNK_SIZE_INVALID.format(size=size)
    assert await rejection(stream.get_reader().closed) is caught.value
