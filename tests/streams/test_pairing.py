"""Pipes between native and standard streams, in all four combinations, and the machinery at work in each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.errors import AbortError
from emulator.streams import (
    AbortController,
    IdentityTransformStream,
    NativeReadable,
    NativeWritable,
    Promise,
    ReadableState,
    ReadableStream,
    ReadResult,
    TransformStream,
    WritableState,
    WritableStream,
)
from tests.streams.ends import ROOM, Native, NativeSink, Sink, Source, Standard, StandardSink
from tests.streams.wpt.kit import flush, rejection
from tests.support.native import RecordingSink, ScriptedSource
from tests.support.waiting import within

ERROR = ConnectionError("the line broke")


@pytest.fixture(params=[Native, Standard], ids=["native", "standard"])
def make_source(request: pytest.FixtureRequest) -> type[Source]:
    kind: type[Source] = request.param
    return kind


@pytest.fixture(params=[NativeSink, StandardSink], ids=["to_native", "to_standard"])
def make_sink(request: pytest.FixtureRequest) -> type[Sink]:
    kind: type[Sink] = request.param
    return kind


async def settled(piped: Promise[None], sink: Sink) -> None:
    """Let `sink` take what it has until the pipe is over."""
    await flush()
    await sink.drain()
    assert piped.settled


async def test_all_bytes_and_the_end_arrive(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream)
    assert (source.stream.locked, sink.stream.locked) == (True, True)
    for number in range(20):
        source.give(b"%03d" % number)
    source.end()
    await settled(piped, sink)
    assert await piped is None  # type: ignore[func-returns-value]
    assert sink.taken == b"".join(b"%03d" % number for number in range(20))
    assert sink.finished
    assert (source.stream.locked, sink.stream.locked) == (False, False)
    assert source.stream.core.state is ReadableState.CLOSED
    assert sink.stream.core.state is WritableState.CLOSED


async def test_a_full_sink_makes_the_source_wait(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream)
    await flush()
    for number in range(20):
        source.give(b"%03d" % number)
        await flush()
    # Chunks of three bytes: the third fills the sink's room of eight.
    assert len(sink.taken) <= ROOM + 1
    source.end()
    await settled(piped, sink)
    assert len(sink.taken) == 60


async def test_prevent_close_leaves_the_sink_open(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream, prevent_close=True)
    source.give(b"one")
    source.end()
    await settled(piped, sink)
    await piped
    assert not sink.finished
    writer = sink.stream.get_writer()
    written = writer.write(b"two")
    await sink.drain()
    await within(written)
    assert sink.taken == b"onetwo"


@pytest.mark.parametrize("prevented", [False, True])
async def test_a_failing_source_aborts_the_sink_unless_prevented(
    make_source: type[Source], make_sink: type[Sink], prevented: bool
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream, prevent_abort=prevented)
    source.give(b"one")
    await flush()
    source.fail(ERROR)
    await settled(piped, sink)
    assert await rejection(piped) is ERROR
    assert sink.taken == b"one"
    assert sink.aborted_with is (None if prevented else ERROR)
    if prevented:
        written = sink.stream.get_writer().write(b"two")
        await sink.drain()
        await within(written)
        assert sink.taken == b"onetwo"
    else:
        assert await rejection(sink.stream.get_writer().closed) is ERROR


@pytest.mark.parametrize("prevented", [False, True])
async def test_a_lost_sink_cancels_the_source_unless_prevented(
    make_source: type[Source], make_sink: type[Sink], prevented: bool
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream, prevent_cancel=prevented)
    source.give(b"one")
    await flush()
    sink.lose(ERROR)
    await flush()
    assert await rejection(piped) is ERROR
    assert source.cancelled_with is (None if prevented else ERROR)
    if prevented:
        source.give(b"two")
        source.end()
        reader = source.stream.get_reader()
        assert await within(reader.read()) == (b"two", False)
        assert await within(reader.read()) == (None, True)


async def test_a_chunk_that_comes_as_the_sink_is_lost_is_kept(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    piped = source.stream.pipe_to(sink.stream, prevent_cancel=True)
    await flush()
    sink.lose(ERROR)
    source.give(b"kept")
    assert await rejection(piped) is ERROR
    assert sink.taken == b""
    assert await within(source.stream.get_reader().read()) == (b"kept", False)


async def test_a_signal_ends_both_sides_when_what_was_read_is_written(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    controller = AbortController()
    piped = source.stream.pipe_to(sink.stream, signal=controller.signal)
    source.give(b"12345678")
    source.give(b"never written")
    await flush()
    controller.abort(ERROR)
    await flush()
    assert not piped.settled
    await settled(piped, sink)
    assert await rejection(piped) is ERROR
    assert sink.taken == b"12345678"
    assert sink.aborted_with is ERROR
    assert source.cancelled_with is ERROR
    assert (source.stream.locked, sink.stream.locked) == (False, False)


async def test_a_signal_that_ends_neither_side_leaves_both_as_they_are(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    controller = AbortController()
    piped = source.stream.pipe_to(
        sink.stream, signal=controller.signal, prevent_abort=True, prevent_cancel=True
    )
    source.give(b"12345678")
    source.give(b"kept")
    await flush()
    controller.abort(ERROR)
    await settled(piped, sink)
    assert await rejection(piped) is ERROR
    assert (sink.aborted_with, source.cancelled_with) == (None, None)
    again = source.stream.pipe_to(sink.stream)
    source.end()
    await settled(again, sink)
    assert sink.taken == b"12345678kept"
    assert sink.finished


async def test_a_signal_says_nothing_after_the_end(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    controller = AbortController()
    piped = source.stream.pipe_to(sink.stream, signal=controller.signal)
    source.give(b"1234")
    source.end()
    await flush()
    controller.abort(ERROR)
    await settled(piped, sink)
    await piped
    assert sink.finished
    assert sink.aborted_with is None


async def test_a_signal_aborted_before_ends_both_sides_at_once(
    make_source: type[Source], make_sink: type[Sink]
) -> None:
    source, sink = make_source(), make_sink()
    controller = AbortController()
    controller.abort()
    piped = source.stream.pipe_to(sink.stream, signal=controller.signal)
    error = await within(rejection(piped))
    assert isinstance(error, AbortError)
    assert source.cancelled_with is error
    assert sink.aborted_with is error


async def test_a_chunk_that_is_not_bytes_ends_both_sides_of_a_pipe_to_a_native_sink() -> None:
    source, sink = Standard(), NativeSink()
    piped = source.stream.pipe_to(sink.stream)
    text: Any = "text"
    source.give(text)
    error = await within(rejection(piped))
    assert str(error).startswith("This WritableStream takes bytes")
    assert source.cancelled_with is error
    assert sink.aborted_with is error


async def test_closing_a_native_sink_under_a_pipe_cancels_the_source(
    make_source: type[Source],
) -> None:
    source, sink = make_source(), NativeSink()
    piped = source.stream.pipe_to(sink.stream)
    await flush()
    sink.stream.core.close()
    error = await within(rejection(piped))
    assert isinstance(error, TypeError)
    assert source.cancelled_with is error


async def test_an_identity_transform_stream_makes_a_standard_source_wait() -> None:
    source = Standard()
    through = source.stream.pipe_through(IdentityTransformStream())
    for _ in range(10):
        source.give(b"123")
        await flush()
    core = through.core
    assert isinstance(core, NativeReadable)
    assert core.buffered_bytes == 3
    source.end()
    assert b"".join([chunk async for chunk in through]) == b"123" * 10


# What is at work.


class CountedReadable(NativeReadable):
    """Counts the reads that readers and pipes make."""

    reads = 0

    def read(self) -> Promise[ReadResult]:
        self.reads += 1
        return super().read()


def counted(source: ScriptedSource) -> tuple[ReadableStream, CountedReadable]:
    core = CountedReadable(source)
    return ReadableStream.of(core), core


async def pumped(source: ScriptedSource, core: CountedReadable, piped: Promise[None]) -> bool:
    """Move bytes; tell whether that went without reads and without tasks."""
    tasks = asyncio.all_tasks()
    pumping = core.pumping
    for _ in range(10):
        source.deliver(b"bytes")
        await flush()
    assert asyncio.all_tasks() == tasks, "no pipe needs a task"
    source.end()
    await within(piped)
    return pumping and not core.reads


@pytest.mark.parametrize("with_signal", [False, True])
async def test_native_streams_stay_native_through_pipe_to(with_signal: bool) -> None:
    source, sink = ScriptedSource(), RecordingSink()
    stream, core = counted(source)
    signal = AbortController().signal if with_signal else None
    piped = stream.pipe_to(WritableStream(sink), signal=signal)
    assert await pumped(source, core, piped)
    assert sink.writes == [b"bytes"] * 10


async def test_native_streams_stay_native_through_an_identity_transform_stream() -> None:
    source, sink = ScriptedSource(), RecordingSink()
    stream, core = counted(source)
    transform = IdentityTransformStream()
    piped = stream.pipe_through(transform).pipe_to(WritableStream(sink))
    assert isinstance(transform.readable.core, NativeReadable)
    assert transform.readable.core.pumping
    assert await pumped(source, core, piped)
    assert sink.writes == [b"bytes"] * 10


async def test_a_transform_stream_leaves_the_fast_path_only_where_it_stands() -> None:
    source, sink = ScriptedSource(), RecordingSink()
    stream, core = counted(source)
    before, after = IdentityTransformStream(), IdentityTransformStream()
    upper = TransformStream(
        {"transform": lambda chunk, controller: controller.enqueue(chunk.upper())}
    )
    piped = (
        stream.pipe_through(before)
        .pipe_through(upper)
        .pipe_through(after)
        .pipe_to(WritableStream(sink))
    )
    first, last = before.readable.core, after.readable.core
    assert isinstance(first, NativeReadable)
    assert isinstance(last, NativeReadable)
    # Native up to the transform, chunk by chunk into it and out of it, native after it.
    assert not first.pumping
    assert last.pumping
    assert isinstance(after.writable.core, NativeWritable)
    assert await pumped(source, core, piped)
    assert sink.writes == [b"BYTES"] * 10
