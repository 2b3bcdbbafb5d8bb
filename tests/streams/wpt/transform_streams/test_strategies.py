"""strategies.any.js: each side has its own strategy."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.errors import RangeError
from emulator.streams import TransformStream
from tests.streams.wpt.kit import flush, rejection
from tests.streams.wpt.transform_streams.support import RecordingTransform


async def test_writable_strategy_high_water_mark_should_work() -> None:
    stream = TransformStream({}, {"high_water_mark": 17})
    assert stream.writable.get_writer().desired_size == 17


async def test_readable_strategy_high_water_mark_should_work() -> None:
    stream = RecordingTransform({}, None, {"high_water_mark": 9})
    writer = stream.writable.get_writer()
    for number in range(10):
        writer.write(number)
    await flush()
    assert stream.events[::2] == ["transform"] * 9
    assert stream.events[1::2] == list(range(9))


async def test_writable_should_have_the_correct_size_function() -> None:
    log: list[str] = []

    def sized(name: str) -> Any:
        def size(_: object) -> int:
            log.append(name)
            return 1

        return size

    def transform(chunk: object, controller: Any) -> None:
        log.append("transform")
        controller.enqueue(chunk)

    stream = TransformStream(
        {"transform": transform},
        {"size": sized("writable")},
        {"size": sized("readable"), "high_water_mark": math.inf},
    )
    await stream.writable.get_writer().write()
    assert log == ["writable", "transform", "readable"]


async def test_default_writable_strategy_should_be_equivalent_to_high_water_mark_1() -> None:
    writer = TransformStream().writable.get_writer()
    assert writer.desired_size == 1
    writer.write(None)
    assert writer.desired_size == 0


async def test_default_readable_strategy_should_be_equivalent_to_high_water_mark_0() -> None:
    sizes: list[float | None] = []

    def transform(_: object, controller: Any) -> None:
        sizes.append(controller.desired_size)
        controller.enqueue(None)
        sizes.append(controller.desired_size)
        controller.enqueue(None)
        sizes.append(controller.desired_size)

    stream = TransformStream({"transform": transform})
    written = stream.writable.get_writer().write()
    await stream.readable.get_reader().read()
    await written
    assert sizes == [0, 0, -1]


@pytest.mark.parametrize("mark", [-1, math.nan])
async def test_a_range_error_should_be_thrown_for_an_invalid_high_water_mark(mark: float) -> None:
    with pytest.raises(RangeError):
        TransformStream(None, {"high_water_mark": mark})
    with pytest.raises(RangeError):
        TransformStream(None, None, {"high_water_mark": mark})


class FortyTwo:
    """Is no number, but can be made one."""

    def __float__(self) -> float:
        return 42.0


async def test_writable_strategy_high_water_mark_should_be_converted_to_a_number() -> None:
    stream = TransformStream(None, {"high_water_mark": FortyTwo()})
    assert stream.writable.get_writer().desired_size == 42


async def test_readable_strategy_high_water_mark_should_be_converted_to_a_number() -> None:
    stream = RecordingTransform(None, None, {"high_water_mark": FortyTwo()})
    assert stream.controller.desired_size == 42


async def test_a_bad_readable_size_function_should_cause_write_to_reject_on_an_identity_transform() -> (
    None
):
    stream = TransformStream(None, None, {"size": lambda _: math.nan, "high_water_mark": 1})
    assert isinstance(await rejection(stream.writable.get_writer().write()), RangeError)


async def test_a_bad_readable_size_function_should_error_the_stream_even_when_transform_catches_it() -> (
    None
):
    def transform(chunk: object, controller: Any) -> None:
        with pytest.raises(RangeError):
            controller.enqueue(chunk)

    stream = TransformStream(
        {"transform": transform}, None, {"size": lambda _: -1, "high_water_mark": 1}
    )
    writer = stream.writable.get_writer()
    await writer.write()
    for each in (writer.ready, writer.closed, stream.readable.get_reader().closed):
        assert isinstance(await rejection(each), RangeError)
