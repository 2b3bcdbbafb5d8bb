"""streams/piping/pipe-through: what may be piped through, and with which options."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.streams import AbortController, ReadableStream, WritableStream
from tests.streams.wpt.kit import (
    flush,
    recording_readable_stream,
    recording_writable_stream,
    rest_of,
)
from tests.streams.wpt.piping.support import Failure, fulfilled

NOTHING = object()
BAD_STREAMS = [
    pytest.param(None, id="null"),
    pytest.param(NOTHING, id="undefined"),
    pytest.param(0, id="0"),
    pytest.param(math.nan, id="NaN"),
    pytest.param(True, id="true"),
    pytest.param("ReadableStream", id="text"),
]


def sequential_readable_stream(count: int) -> ReadableStream:
    given = iter(range(1, count + 1))

    def pull(controller: Any) -> None:
        number = next(given, None)
        if number is None:
            controller.close()
        else:
            controller.enqueue(number)

    return ReadableStream({"pull": pull})


def uninteresting_pair() -> dict[str, Any]:
    return {"writable": WritableStream(), "readable": ReadableStream()}


class Touched:
    """A pair that tells which of its sides were looked at; NOTHING is a side that is not there."""

    def __init__(self, **sides: object) -> None:
        self.touched: list[str] = []
        self._sides = sides

    def __getattr__(self, name: str) -> object:
        self.touched.append(name)
        side = self._sides.get(name, NOTHING)
        if side is NOTHING:
            raise AttributeError(name)
        if isinstance(side, Exception):
            raise side
        return side


async def test_piping_through_a_duck_typed_pass_through_transform_stream_should_work() -> None:
    kept: list[Any] = []
    readable = ReadableStream({"start": kept.append})
    writable = WritableStream(
        {"write": lambda chunk: kept[0].enqueue(chunk), "close": lambda: kept[0].close()}
    )
    end = sequential_readable_stream(5).pipe_through({"readable": readable, "writable": writable})
    assert await fulfilled(rest_of(end)) == [1, 2, 3, 4, 5]


async def test_a_transform_errored_on_the_writable_end_causes_no_unhandled_rejection() -> None:
    error = Failure("this rejection should not be reported as unhandled")
    writable = WritableStream({"start": lambda controller: controller.error(error)})
    sequential_readable_stream(5).pipe_through({"writable": writable, "readable": ReadableStream()})
    await flush()


async def test_pipe_through_should_not_call_pipe_to_on_this() -> None:
    called: list[object] = []

    class BadReadableStream(ReadableStream):
        def pipe_to(self, *arguments: Any, **named: Any) -> Any:
            called.append(arguments)

    rs = BadReadableStream({"start": lambda controller: controller.close()})
    pair = uninteresting_pair()
    assert rs.pipe_through(pair) is pair["readable"]
    assert called == []
    assert pair["writable"].locked


@pytest.mark.parametrize("bad", BAD_STREAMS)
async def test_pipe_through_should_brand_check_readable(bad: object) -> None:
    pair = Touched(readable=bad, writable=WritableStream())
    with pytest.raises(TypeError):
        ReadableStream().pipe_through(pair)
    assert "writable" in pair.touched


@pytest.mark.parametrize("bad", BAD_STREAMS)
async def test_pipe_through_should_brand_check_writable(bad: object) -> None:
    pair = Touched(readable=ReadableStream(), writable=bad)
    rs = ReadableStream({"start": lambda controller: controller.close()})
    with pytest.raises(TypeError):
        rs.pipe_through(pair)
    assert "readable" in pair.touched


async def test_pipe_through_should_rethrow_errors_from_accessing_readable_or_writable() -> None:
    error = Failure("custom")
    rs = recording_readable_stream(None, {"highWaterMark": 0})
    for pair in (
        Touched(readable={}, writable=error),
        Touched(readable=error, writable={}),
    ):
        with pytest.raises(Failure) as caught:
            rs.pipe_through(pair)
        assert caught.value is error
    await flush()
    assert rs.events == []


@pytest.mark.parametrize("signal", [0, math.nan, True, "AbortSignal"])
async def test_invalid_values_of_signal_should_throw(signal: object) -> None:
    rs = ReadableStream()
    with pytest.raises(TypeError):
        rs.pipe_through(uninteresting_pair(), {"signal": signal})
    assert not rs.locked


async def test_pipe_through_should_accept_a_real_abort_signal() -> None:
    pair = uninteresting_pair()
    rs = ReadableStream()
    assert rs.pipe_through(pair, {"signal": AbortController().signal}) is pair["readable"]
    assert rs.locked


async def test_pipe_through_should_throw_if_this_is_locked() -> None:
    rs = ReadableStream()
    rs.get_reader()
    with pytest.raises(TypeError):
        rs.pipe_through(uninteresting_pair())


async def test_pipe_through_should_throw_if_writable_is_locked() -> None:
    rs, pair = ReadableStream(), uninteresting_pair()
    pair["writable"].get_writer()
    with pytest.raises(TypeError):
        rs.pipe_through(pair)
    assert not rs.locked


async def test_pipe_through_should_not_care_if_readable_is_locked() -> None:
    rs, pair = ReadableStream(), uninteresting_pair()
    pair["readable"].get_reader()
    assert rs.pipe_through(pair) is pair["readable"]


async def test_prevent_cancel_should_work() -> None:
    rs = recording_readable_stream()
    writable = WritableStream({"start": lambda controller: controller.error()})
    rs.pipe_through({"writable": writable, "readable": ReadableStream()}, {"preventCancel": True})
    await flush()
    assert rs.events == ["pull"]


async def test_prevent_close_should_work() -> None:
    rs = ReadableStream({"start": lambda controller: controller.close()})
    writable = recording_writable_stream()
    rs.pipe_through({"writable": writable, "readable": ReadableStream()}, {"preventClose": True})
    await flush()
    assert writable.events == []


async def test_prevent_abort_should_work() -> None:
    rs = ReadableStream({"start": lambda controller: controller.error()})
    writable = recording_writable_stream()
    rs.pipe_through({"writable": writable, "readable": ReadableStream()}, {"preventAbort": True})
    await flush()
    assert writable.events == []
