"""readable-streams/reentrant-strategies: size functions that use the stream whose chunk they measure."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import (
    chunk,
    controlled,
    flush,
    recording_writable_stream,
    rejection,
    rest_of,
)

ERROR = Exception("error1")


async def test_enqueue_inside_size_works() -> None:
    calls = 0

    def size() -> int:
        nonlocal calls
        calls += 1
        if calls < 2:
            controller.enqueue("b")
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    controller.close()
    assert await rest_of(stream) == ["b", "a"]


async def test_close_inside_size_does_not_crash() -> None:
    def size() -> int:
        controller.close()
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    assert await rest_of(stream) == []


async def test_close_request_inside_size_works() -> None:
    calls = 0

    def size() -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            controller.close()
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    controller.enqueue("b")
    assert await rest_of(stream) == ["a", "b"]


async def test_error_inside_size_works() -> None:
    def size() -> int:
        controller.error(ERROR)
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    assert await rejection(stream.get_reader().read()) is ERROR


async def test_desired_size_inside_size_works() -> None:
    sizes: list[float] = []

    def size() -> int:
        sizes.append(controller.desired_size)
        return 1

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 1})
    controller.enqueue("a")
    controller.close()
    assert sizes == [1]
    assert await rest_of(stream) == ["a"]


async def test_cancel_inside_size_works() -> None:
    cancelled: list[Promise[None]] = []
    reasons: list[object] = []

    def cancel(reason: object) -> None:
        reasons.append(reason)
        with pytest.raises(TypeError):
            controller.enqueue()

    def size() -> int:
        cancelled.append(stream.cancel(ERROR))
        return 1

    stream, controller = controlled({"cancel": cancel}, {"size": size, "high_water_mark": math.inf})
    controller.enqueue("a")
    assert reasons == [ERROR]
    await stream.get_reader().closed
    await cancelled[0]


async def test_pipe_to_inside_size_behaves_as_expected() -> None:
    destination = recording_writable_stream()
    pipes: list[Promise[None]] = []

    def size() -> int:
        if not pipes:
            pipes.append(stream.pipe_to(destination))
        return 1

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 1})
    controller.enqueue("a")
    assert len(pipes) == 1
    controller.enqueue("a")
    await flush()
    assert destination.events == ["write", "a", "write", "a"]
    controller.close()
    await pipes[0]
    assert destination.events == ["write", "a", "write", "a", "close"]


async def test_read_inside_size_behaves_as_expected() -> None:
    reads: list[Promise[Any]] = []

    def size() -> int:
        reads.append(reader.read())
        return 1

    stream, controller = controlled(strategy={"size": size, "high_water_mark": 0})
    reader = stream.get_reader()
    controller.enqueue("a")
    await flush()
    assert not reads[0].settled
    controller.enqueue("b")
    assert len(reads) == 1
    assert await reads[0] == chunk("b")
    assert len(reads) == 1
    assert await reader.read() == chunk("a")


async def test_get_reader_inside_size_works() -> None:
    readers: list[Any] = []

    def size() -> int:
        readers.append(stream.get_reader())
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    assert await readers[0].read() == chunk("a")


async def test_tee_inside_size_works() -> None:
    branches: list[ReadableStream] = []

    def size() -> int:
        branches.extend(stream.tee())
        return 1

    stream, controller = controlled(strategy={"size": size})
    controller.enqueue("a")
    assert stream.locked
    controller.close()
    assert await rest_of(branches[0]) == ["a"]
    assert await rest_of(branches[1]) == ["a"]
