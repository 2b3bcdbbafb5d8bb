"""queuing-strategies: the two strategies of the standard."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from emulator.streams import ByteLengthQueuingStrategy, CountQueuingStrategy

BOTH = pytest.mark.parametrize("kind", [CountQueuingStrategy, ByteLengthQueuingStrategy])
ERROR = Exception("wow!")


class Init:
    highWaterMark = 1


class ThrowingInit:
    @property
    def high_water_mark(self) -> float:
        raise ERROR


@BOTH
def test_can_construct_with_a_valid_high_water_mark(kind: Any) -> None:
    assert kind({"highWaterMark": 4}).high_water_mark == 4
    assert kind(high_water_mark=4).highWaterMark == 4


@BOTH
def test_constructor_behaves_as_expected_with_strange_arguments(kind: Any) -> None:
    with pytest.raises(TypeError) as caught:
        kind()
    assert str(caught.value) == f"{kind.__name__} needs a high_water_mark."
    nothing: dict[str, object] = {}
    for init in (None, True, 5, nothing):
        with pytest.raises(TypeError):
            kind(init)
    with pytest.raises(Exception) as thrown:
        kind(ThrowingInit())
    assert thrown.value is ERROR
    assert kind(Init()).high_water_mark == 1


@BOTH
@pytest.mark.parametrize(
    ("value", "expected"),
    [(-math.inf, -math.inf), (-5, -5), (False, 0), (True, 1), (math.nan, math.nan), ("0", 0)],
)
def test_high_water_mark_values_are_converted_to_floats(
    kind: Any, value: object, expected: float
) -> None:
    mark = kind({"highWaterMark": value}).high_water_mark
    assert mark == expected or (math.isnan(mark) and math.isnan(expected))


@BOTH
@pytest.mark.parametrize("value", ["foo", {}, test_can_construct_with_a_valid_high_water_mark])
def test_what_is_no_number_is_nan_as_there(kind: Any, value: object) -> None:
    assert math.isnan(kind({"highWaterMark": value}).high_water_mark)


@BOTH
def test_size_is_the_same_function_across_all_instances(kind: Any) -> None:
    assert kind(high_water_mark=5).size is kind(high_water_mark=10).size


@BOTH
def test_size_has_the_right_name(kind: Any) -> None:
    assert kind(high_water_mark=5).size.__name__ == "size"


@BOTH
def test_subclassing_works_correctly(kind: Any) -> None:
    class SubClass(kind):  # type: ignore[misc]
        def size(self) -> int:
            return 2

        def sub_class_method(self) -> bool:
            return True

    strategy = SubClass({"highWaterMark": 77})
    assert strategy.high_water_mark == 77
    assert strategy.size() == 2
    assert strategy.sub_class_method()


def test_count_size_has_the_right_length() -> None:
    size = CountQueuingStrategy(high_water_mark=5).size
    assert [each.default for each in inspect.signature(size).parameters.values()] == [None]


def test_byte_length_size_has_the_right_length() -> None:
    size = ByteLengthQueuingStrategy(high_water_mark=5).size
    (parameter,) = inspect.signature(size).parameters.values()
    assert parameter.default is inspect.Parameter.empty


@pytest.mark.parametrize("chunk", [None, "potato", {}, object(), bytes(1024)])
def test_count_size_with_strange_arguments(chunk: object) -> None:
    size: Any = CountQueuingStrategy(high_water_mark=5).size
    assert size() == 1
    assert size(chunk) == 1


def test_byte_length_size_with_strange_arguments() -> None:
    size: Any = ByteLengthQueuingStrategy(high_water_mark=5).size
    bad: list[tuple[Any, ...]] = [(), (None,), ("potato",), ({},)]
    for chunk in bad:
        with pytest.raises(TypeError):
            size(*chunk)
    assert size(bytes(1024)) == 1024
    assert size(bytearray(1024)) == 1024
    assert size(memoryview(bytes(1024)).cast("I")) == 1024
