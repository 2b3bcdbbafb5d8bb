"""The works, done by our streams and by the others: `work(count)` moves `count` chunks and returns how many arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bench.streams.ends import (
    Count,
    CountingSink,
    Fed,
    FedAiohttp,
    FedAnyio,
    FedReader,
    ManyChunks,
    produce,
    standard_sink,
    standard_source,
)
from emulator.streams import ReadableStream, TransformStream, WritableStream

Work = Callable[[int], Awaitable[int]]


async def drain(stream: ReadableStream, arrived: Count) -> None:
    """Read `stream` to its end."""
    reader = stream.get_reader()
    while True:
        value, done = await reader.read()
        if done:
            return
        arrived.take(value)


# Ours.


async def standard_reader(count: int) -> int:
    """A worker's own source, read chunk by chunk."""
    arrived = Count()
    await drain(standard_source(count), arrived)
    return arrived.chunks


async def native_reader(count: int) -> int:
    """A connection's stream, read chunk by chunk."""
    arrived = Count()
    await drain(ReadableStream(ManyChunks(count)), arrived)
    return arrived.chunks


async def standard_pipe(count: int) -> int:
    """A worker's own source, piped to a worker's own sink."""
    arrived = Count()
    await standard_source(count).pipe_to(standard_sink(arrived))
    return arrived.chunks


async def native_pipe(count: int) -> int:
    """A connection's stream, piped to another connection."""
    arrived = Count()
    await ReadableStream(ManyChunks(count)).pipe_to(WritableStream(CountingSink(arrived)))
    return arrived.chunks


def _upper(chunk: bytes, controller: Any) -> None:
    controller.enqueue(chunk.upper())


async def standard_transform(count: int) -> int:
    """A TransformStream between a worker's own source and a reader."""
    arrived = Count()
    await drain(
        standard_source(count).pipe_through(TransformStream({"transform": _upper})), arrived
    )
    return arrived.chunks


async def native_transform(count: int) -> int:
    """A TransformStream between a connection's stream and another connection."""
    arrived = Count()
    stream = ReadableStream(ManyChunks(count)).pipe_through(TransformStream({"transform": _upper}))
    await stream.pipe_to(WritableStream(CountingSink(arrived)))
    return arrived.chunks


async def standard_tee(count: int) -> int:
    """Both branches of a worker's own source, each read."""
    arrived = Count()
    first, second = standard_source(count).tee()
    await asyncio.gather(drain(first, arrived), drain(second, arrived))
    return arrived.chunks // 2


async def native_tee(count: int) -> int:
    """Both branches of a connection's stream, each read."""
    arrived = Count()
    first, second = ReadableStream(ManyChunks(count)).tee()
    await asyncio.gather(drain(first, arrived), drain(second, arrived))
    return arrived.chunks // 2


# The others.


async def _empty(fed: Fed, arrived: Count) -> None:
    while chunk := await fed.next():
        arrived.take(chunk)


def fed_reader(make: Callable[[], Fed]) -> Work:
    """A producer, and a consumer that reads chunk by chunk."""

    async def work(count: int) -> int:
        arrived, fed = Count(), make()
        await asyncio.gather(produce(fed, count), _empty(fed, arrived))
        return arrived.chunks

    return work


def fed_pipe(make: Callable[[], Fed]) -> Work:
    """A producer, and a loop that reads each chunk and awaits its writing, as a pipe is written by hand."""

    async def work(count: int) -> int:
        arrived, fed = Count(), make()

        async def write(chunk: bytes) -> None:
            arrived.take(chunk)

        async def pipe() -> None:
            while chunk := await fed.next():
                await write(chunk)

        await asyncio.gather(produce(fed, count), pipe())
        return arrived.chunks

    return work


def fed_transform(make: Callable[[], Fed]) -> Work:
    """A producer, a stage that feeds what it makes of each chunk to a second queue, and a consumer."""

    async def work(count: int) -> int:
        arrived, before, after = Count(), make(), make()

        async def stage() -> None:
            while chunk := await before.next():
                await after.feed(chunk.upper())
            after.end()

        await asyncio.gather(produce(before, count), stage(), _empty(after, arrived))
        return arrived.chunks

    return work


def fed_tee(make: Callable[[], Fed]) -> Work:
    """A producer, a stage that feeds each chunk to two queues, and a consumer of each."""

    async def work(count: int) -> int:
        arrived, before, first, second = Count(), make(), make(), make()

        async def stage() -> None:
            while chunk := await before.next():
                await first.feed(chunk)
                await second.feed(chunk)
            first.end()
            second.end()

        await asyncio.gather(
            produce(before, count), stage(), _empty(first, arrived), _empty(second, arrived)
        )
        return arrived.chunks // 2

    return work


OTHERS: dict[str, Callable[[], Fed]] = {
    "asyncio": FedReader,
    "aiohttp": FedAiohttp,
    "anyio": FedAnyio,
}


def _beside(fed: Callable[[Callable[[], Fed]], Work]) -> dict[str, Work]:
    return {name: fed(make) for name, make in OTHERS.items()}


WORKS: dict[str, dict[str, Work]] = {
    "reader": {
        "pyworker": standard_reader,
        "pyworker native": native_reader,
        **_beside(fed_reader),
    },
    "pipe_to": {"pyworker": standard_pipe, "pyworker native": native_pipe, **_beside(fed_pipe)},
    "transform": {
        "pyworker": standard_transform,
        "pyworker native": native_transform,
        **_beside(fed_transform),
    },
    "tee": {"pyworker": standard_tee, "pyworker native": native_tee, **_beside(fed_tee)},
}
