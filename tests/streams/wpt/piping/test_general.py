"""streams/piping/general and general-addition: locks, wrong arguments, many chunks."""

from __future__ import annotations

from typing import Any

from emulator.streams import CountQueuingStrategy, ReadableStream, WritableStream
from tests.streams.wpt.kit import (
    flush,
    recording_readable_stream,
    recording_writable_stream,
    rejects_with_type_error,
)
from tests.streams.wpt.piping.support import fulfilled


async def test_piping_must_lock_both_the_readable_stream_and_writable_stream() -> None:
    rs, ws = ReadableStream(), WritableStream()
    assert (rs.locked, ws.locked) == (False, False)
    rs.pipe_to(ws)
    assert (rs.locked, ws.locked) == (True, True)


async def test_piping_finishing_must_unlock_both_the_readable_stream_and_writable_stream() -> None:
    rs = ReadableStream({"start": lambda controller: controller.close()})
    ws = WritableStream()
    await fulfilled(rs.pipe_to(ws))
    assert (rs.locked, ws.locked) == (False, False)


async def test_pipe_to_must_check_the_brand_of_its_writable_stream_argument() -> None:
    fake: Any = object()
    await rejects_with_type_error(ReadableStream().pipe_to(fake))


async def test_pipe_to_must_fail_if_the_readable_is_locked_and_not_lock_the_writable() -> None:
    rs, ws = ReadableStream(), WritableStream()
    rs.get_reader()
    await rejects_with_type_error(rs.pipe_to(ws))
    assert not ws.locked


async def test_pipe_to_must_fail_if_the_writable_is_locked_and_not_lock_the_readable() -> None:
    rs, ws = ReadableStream(), WritableStream()
    ws.get_writer()
    await rejects_with_type_error(rs.pipe_to(ws))
    assert not rs.locked


async def test_piping_from_a_readable_stream_from_which_lots_of_chunks_are_synchronously_readable() -> (
    None
):
    count = 10
    written: list[Any] = []

    def start(controller: Any) -> None:
        for number in range(count):
            controller.enqueue(number)
        controller.close()

    rs = ReadableStream({"start": start})
    ws = WritableStream(
        {"write": written.append, "close": lambda: written.append("closed")},
        CountQueuingStrategy(high_water_mark=count),
    )
    await fulfilled(rs.pipe_to(ws))
    assert written == [*range(count), "closed"]
    await fulfilled(rs.get_reader().closed)
    await fulfilled(ws.get_writer().closed)


async def test_a_chunk_becomes_asynchronously_readable_after_the_pipe_to() -> None:
    rs = recording_readable_stream()
    ws = recording_writable_stream()
    piped = rs.pipe_to(ws)
    await flush()
    rs.controller.enqueue("Hello")
    await flush()
    rs.controller.close()
    await fulfilled(piped)
    assert ws.events == ["write", "Hello", "close"]


async def test_enqueue_must_not_synchronously_call_write_algorithm() -> None:
    rs = recording_readable_stream(None, {"highWaterMark": 0})
    ws = recording_writable_stream()
    rs.pipe_to(ws)
    await flush()
    rs.controller.enqueue("a")
    assert ws.events == []
    await flush()
    assert ws.events == ["write", "a"]
