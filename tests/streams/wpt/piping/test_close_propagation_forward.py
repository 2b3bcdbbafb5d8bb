"""streams/piping/close-propagation-forward: what the source's end means for the destination."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.streams import CountQueuingStrategy, Promise
from tests.streams.wpt.kit import (
    RecordingWritable,
    flush,
    recording_readable_stream,
    recording_writable_stream,
)
from tests.streams.wpt.piping.support import FALSY, TRUTHY, Failure, assert_rejects, fulfilled

ERROR_1 = Failure("error1!")
NEVER_DESIRES = CountQueuingStrategy(high_water_mark=0)


def refuse_to_close() -> None:
    raise ERROR_1


REFUSES = {"close": refuse_to_close}


async def check_starts_closed(options: dict[str, Any], events: list[Any]) -> None:
    rs = recording_readable_stream({"start": lambda controller: controller.close()})
    ws = recording_writable_stream()
    await fulfilled(rs.pipe_to(ws, options))
    assert rs.events == []
    assert ws.events == events
    await fulfilled(rs.get_reader().closed)
    if events:
        await fulfilled(ws.get_writer().closed)


async def check_becomes_closed(
    ws: RecordingWritable,
    events: list[Any],
    *,
    chunks: tuple[str, ...] = (),
    fails: bool = False,
    **options: Any,
) -> None:
    rs = recording_readable_stream()
    piped = rs.pipe_to(ws, options)
    await flush()
    for chunk in chunks:
        rs.controller.enqueue(chunk)
        await flush()
    rs.controller.close()
    if fails:
        await assert_rejects(piped, ERROR_1)
    else:
        await fulfilled(piped)
    assert rs.events_without_pulls == []
    assert ws.events == events
    await fulfilled(rs.get_reader().closed)
    if fails:
        await assert_rejects(ws.get_writer().closed, ERROR_1)
    elif "close" in events:
        await fulfilled(ws.get_writer().closed)


async def test_starts_closed_prevent_close_omitted_fulfilled_close_promise() -> None:
    await check_starts_closed({}, ["close"])


async def test_starts_closed_prevent_close_omitted_rejected_close_promise() -> None:
    rs = recording_readable_stream({"start": lambda controller: controller.close()})
    ws = recording_writable_stream(REFUSES)
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events == []
    assert ws.events == ["close"]
    await fulfilled(rs.get_reader().closed)
    await assert_rejects(ws.get_writer().closed, ERROR_1)


@pytest.mark.parametrize("falsy", FALSY)
async def test_starts_closed_prevent_close_falsy_fulfilled_close_promise(falsy: object) -> None:
    await check_starts_closed({"preventClose": falsy}, ["close"])


@pytest.mark.parametrize("truthy", TRUTHY)
async def test_starts_closed_prevent_close_truthy(truthy: object) -> None:
    await check_starts_closed({"preventClose": truthy}, [])


async def test_starts_closed_prevent_close_prevent_abort() -> None:
    await check_starts_closed({"preventClose": True, "preventAbort": True}, [])


async def test_starts_closed_prevent_close_prevent_abort_prevent_cancel() -> None:
    await check_starts_closed(
        {"preventClose": True, "preventAbort": True, "preventCancel": True}, []
    )


async def test_becomes_closed_asynchronously_fulfilled_close_promise() -> None:
    await check_becomes_closed(recording_writable_stream(), ["close"])


async def test_becomes_closed_asynchronously_rejected_close_promise() -> None:
    await check_becomes_closed(recording_writable_stream(REFUSES), ["close"], fails=True)


async def test_becomes_closed_asynchronously_prevent_close() -> None:
    await check_becomes_closed(recording_writable_stream(), [], prevent_close=True)


async def test_becomes_closed_asynchronously_dest_never_desires_chunks_fulfilled_close_promise() -> (
    None
):
    await check_becomes_closed(recording_writable_stream(None, NEVER_DESIRES), ["close"])


async def test_becomes_closed_asynchronously_dest_never_desires_chunks_rejected_close_promise() -> (
    None
):
    ws = recording_writable_stream(REFUSES, NEVER_DESIRES)
    await check_becomes_closed(ws, ["close"], fails=True)


async def test_becomes_closed_asynchronously_dest_never_desires_chunks_prevent_close() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_becomes_closed(ws, [], prevent_close=True)


async def test_becomes_closed_after_one_chunk_fulfilled_close_promise() -> None:
    ws = recording_writable_stream()
    await check_becomes_closed(ws, ["write", "Hello", "close"], chunks=("Hello",))


async def test_becomes_closed_after_one_chunk_rejected_close_promise() -> None:
    ws = recording_writable_stream(REFUSES)
    await check_becomes_closed(ws, ["write", "Hello", "close"], chunks=("Hello",), fails=True)


async def test_becomes_closed_after_one_chunk_prevent_close() -> None:
    ws = recording_writable_stream()
    await check_becomes_closed(ws, ["write", "Hello"], chunks=("Hello",), prevent_close=True)


@pytest.mark.parametrize("prevent_close", [False, True])
async def test_shutdown_must_not_occur_until_the_final_write_completes(prevent_close: bool) -> None:
    """Two cases: without and with preventClose."""
    written: Promise[None] = Promise()
    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": lambda *_: written})
    piped = rs.pipe_to(ws, prevent_close=prevent_close)
    rs.controller.enqueue("a")
    rs.controller.close()
    await flush()
    assert ws.events == ["write", "a"]
    assert not piped.settled
    written.resolve(None)
    await fulfilled(piped)
    await flush()
    assert ws.events == ["write", "a"] + ([] if prevent_close else ["close"])


@pytest.mark.parametrize("prevent_close", [False, True])
async def test_shutdown_must_not_occur_until_the_final_write_completes_becomes_closed_after_first_write(
    prevent_close: bool,
) -> None:
    """Two cases: without and with preventClose."""
    writes: list[Promise[None]] = []

    def write(*_: object) -> Promise[None]:
        writes.append(Promise())
        return writes[-1]

    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": write}, CountQueuingStrategy(high_water_mark=2))
    piped = rs.pipe_to(ws, prevent_close=prevent_close)
    rs.controller.enqueue("a")
    rs.controller.enqueue("b")
    await flush()
    assert ws.events == ["write", "a"]
    assert not piped.settled

    rs.controller.close()
    writes[0].resolve(None)
    await flush()
    assert ws.events == ["write", "a", "write", "b"]
    assert not piped.settled

    writes[1].resolve(None)
    await fulfilled(piped)
    await flush()
    assert ws.events == ["write", "a", "write", "b"] + ([] if prevent_close else ["close"])


async def test_erroring_the_writable_while_flushing_pending_writes_should_error_pipe_to() -> None:
    def start(controller: Any) -> None:
        controller.enqueue("a")
        controller.enqueue("b")
        controller.close()

    written: Promise[None] = Promise()
    rs = recording_readable_stream({"start": start})
    ws = recording_writable_stream({"write": lambda *_: written}, {"highWaterMark": 3})
    piped = rs.pipe_to(ws)
    await flush()
    written.reject(ERROR_1)
    await assert_rejects(piped, ERROR_1)
    assert rs.events == []
    assert ws.events == ["write", "a"]
    await fulfilled(rs.get_reader().closed)
    await assert_rejects(ws.get_writer().closed, ERROR_1)
