"""constructor.any.js: what a sink's methods are given, and what can be made by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.streams import (
    Promise,
    WritableStream,
    WritableStreamDefaultController,
    WritableStreamDefaultWriter,
)
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection

ERROR_1 = RuntimeError("error1")


async def test_controller_argument_should_be_passed_to_start_method() -> None:
    controllers: list[Any] = []
    stream = WritableStream({"start": controllers.append})
    controllers[0].error(ERROR_1)
    writer = stream.get_writer()
    assert writer.desired_size is None
    assert await rejection(writer.closed) is ERROR_1


async def test_controller_argument_should_be_passed_to_write_method() -> None:
    stream = WritableStream({"write": lambda chunk, controller: controller.error(ERROR_1)})
    writer = stream.get_writer()
    await writer.write("a")
    assert await rejection(writer.closed) is ERROR_1


async def test_controller_argument_should_not_be_passed_to_close_method() -> None:
    given: list[tuple[object, ...]] = []
    await WritableStream({"close": lambda *args: given.append(args)}).get_writer().close()
    assert given == [()]


async def test_high_water_mark_should_be_reflected_to_desired_size() -> None:
    strategy = {"high_water_mark": 1000, "size": lambda _: 1}
    writer = WritableStream({}, strategy).get_writer()
    assert writer.desired_size == 1000
    await writer.ready


async def test_ready_should_fulfill_immediately_if_the_strategy_does_not_apply_backpressure() -> (
    None
):
    strategy = {"highWaterMark": math.inf, "size": lambda _: 0}
    writer = WritableStream({}, strategy).get_writer()
    assert writer.desired_size == math.inf
    await writer.ready


async def test_writable_stream_should_be_constructible_with_no_arguments() -> None:
    assert not WritableStream().locked


async def test_instances_should_have_standard_methods_and_properties() -> None:
    writer = WritableStream({}).get_writer()
    for name in ("write", "abort", "close"):
        assert callable(getattr(writer, name))
    assert writer.desired_size == 1
    assert isinstance(writer.ready, Promise)
    assert isinstance(writer.closed, Promise)


def test_writable_stream_default_controller_constructor_should_throw() -> None:
    make: Any = WritableStreamDefaultController
    with pytest.raises(TypeError):
        make({})


async def test_default_controller_constructor_should_throw_when_passed_an_initialised_stream() -> (
    None
):
    make: Any = WritableStreamDefaultController
    with pytest.raises(TypeError):
        make(WritableStream())


def test_writable_stream_default_writer_should_throw_unless_passed_a_writable_stream() -> None:
    make: Any = WritableStreamDefaultWriter
    with pytest.raises(TypeError, match=r"is made of a WritableStream, not dict\."):
        make({})


async def test_writable_stream_default_writer_constructor_should_throw_when_stream_is_locked() -> (
    None
):
    stream = WritableStream()
    stream.get_writer()
    with pytest.raises(TypeError, match=r"This WritableStream is currently locked to a writer\."):
        WritableStreamDefaultWriter(stream)


async def test_writable_stream_cant_be_constructed_with_a_defined_type() -> None:
    with pytest.raises(ValueError, match="bytes"):
        WritableStream({"type": "bytes"})


@pytest.mark.parametrize("failing", ["write", "close", "abort", "start"])
async def test_constructor_should_stop_after_validation_of_a_sink_method_fails(
    failing: str,
) -> None:
    order = ["write", "close", "abort", "start"]
    started: list[object] = []
    sink: dict[str, object] = dict.fromkeys(order, started.append)
    sink[failing] = "no function"
    with pytest.raises(TypeError, match=failing):
        WritableStream(sink)
    await flush()
    assert started == []


async def test_constructor_should_stop_after_validation_of_the_strategy_fails() -> None:
    for strategy in ({"size": "no function"}, {"high_water_mark": -1}):
        stream: list[object] = []
        with pytest.raises((TypeError, ValueError)):
            stream.append(recording_writable_stream({}, strategy))
        assert stream == []
