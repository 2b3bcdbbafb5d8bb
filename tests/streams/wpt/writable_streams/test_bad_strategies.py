"""bad-strategies.any.js: strategies that can't be used."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from emulator.errors import RangeError
from emulator.streams import WritableStream
from tests.streams.wpt.kit import rejection

ERROR_1 = RuntimeError("a unique string")


class ThrowingSize:
    @property
    def size(self) -> NoReturn:
        raise ERROR_1


class ThrowingMark:
    def size(self, chunk: object) -> int:
        return 1

    @property
    def high_water_mark(self) -> NoReturn:
        raise ERROR_1


def test_throwing_strategy_size_getter() -> None:
    with pytest.raises(RuntimeError) as caught:
        WritableStream({}, ThrowingSize())
    assert caught.value is ERROR_1


def test_reject_any_non_function_value_for_strategy_size() -> None:
    with pytest.raises(TypeError, match="size"):
        WritableStream({}, {"size": "a string"})


def test_throwing_strategy_high_water_mark_getter() -> None:
    with pytest.raises(RuntimeError) as caught:
        WritableStream({}, ThrowingMark())
    assert caught.value is ERROR_1


@pytest.mark.parametrize("mark", [-1, float("-inf"), float("nan"), "foo", {}])
def test_invalid_strategy_high_water_mark(mark: Any) -> None:
    with pytest.raises(RangeError):
        WritableStream({}, {"size": lambda _: 1, "high_water_mark": mark})


async def test_throwing_strategy_size_method() -> None:
    def size(chunk: object) -> NoReturn:
        raise ERROR_1

    writer = WritableStream({}, {"size": size, "high_water_mark": 5}).get_writer()
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1


@pytest.mark.parametrize("size", [float("nan"), float("-inf"), float("inf"), -1])
async def test_invalid_strategy_size_return_value(size: float) -> None:
    strategy = {"size": lambda _: size, "high_water_mark": 5}
    writer = WritableStream({}, strategy).get_writer()
    error = await rejection(writer.write("a"))
    assert isinstance(error, RangeError)
    assert await rejection(writer.closed) is error


def test_invalid_size_beats_invalid_high_water_mark() -> None:
    with pytest.raises(TypeError, match="size"):
        WritableStream(None, {"size": "not a function", "high_water_mark": float("nan")})
