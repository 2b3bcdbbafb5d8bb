"""streams/piping/error-propagation-forward: what the source's failure means for the destination."""

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
ERROR_2 = Failure("error2!")
NEVER_DESIRES = CountQueuingStrategy(high_water_mark=0)


def fail_2(*_: object) -> None:
    raise ERROR_2


REFUSES = {"abort": fail_2}


async def check_starts_errored(
    options: dict[str, Any],
    events: list[Any],
    *,
    ws: RecordingWritable | None = None,
    error: Failure = ERROR_1,
) -> None:
    rs = recording_readable_stream({"start": lambda _: Promise.rejected(ERROR_1)})
    ws = ws or recording_writable_stream()
    await assert_rejects(rs.pipe_to(ws, options), error)
    assert rs.events == []
    assert ws.events == events


async def check_becomes_errored(
    ws: RecordingWritable,
    events: list[Any],
    *,
    chunks: tuple[str, ...] = (),
    error: Failure = ERROR_1,
    **options: Any,
) -> None:
    rs = recording_readable_stream()
    piped = rs.pipe_to(ws, options)
    await flush()
    for chunk in chunks:
        rs.controller.enqueue(chunk)
        await flush()
    rs.controller.error(ERROR_1)
    await assert_rejects(piped, error)
    assert rs.events_without_pulls == []
    assert ws.events == events


async def test_starts_errored_prevent_abort_false_fulfilled_abort_promise() -> None:
    await check_starts_errored({}, ["abort", ERROR_1])


async def test_starts_errored_prevent_abort_false_rejected_abort_promise() -> None:
    ws = recording_writable_stream(REFUSES)
    await check_starts_errored({}, ["abort", ERROR_1], ws=ws, error=ERROR_2)


@pytest.mark.parametrize("falsy", FALSY)
async def test_starts_errored_prevent_abort_falsy_fulfilled_abort_promise(falsy: object) -> None:
    await check_starts_errored({"preventAbort": falsy}, ["abort", ERROR_1])


@pytest.mark.parametrize("truthy", TRUTHY)
async def test_starts_errored_prevent_abort_truthy(truthy: object) -> None:
    await check_starts_errored({"preventAbort": truthy}, [])


async def test_starts_errored_prevent_abort_prevent_cancel() -> None:
    await check_starts_errored({"preventAbort": True, "preventCancel": True}, [])


async def test_starts_errored_prevent_abort_prevent_cancel_prevent_close() -> None:
    options = {"preventAbort": True, "preventCancel": True, "preventClose": True}
    await check_starts_errored(options, [])


async def test_becomes_errored_while_empty_fulfilled_abort_promise() -> None:
    await check_becomes_errored(recording_writable_stream(), ["abort", ERROR_1])


async def test_becomes_errored_while_empty_rejected_abort_promise() -> None:
    ws = recording_writable_stream(REFUSES)
    await check_becomes_errored(ws, ["abort", ERROR_1], error=ERROR_2)


async def test_becomes_errored_while_empty_prevent_abort() -> None:
    await check_becomes_errored(recording_writable_stream(), [], prevent_abort=True)


async def test_becomes_errored_while_empty_dest_never_desires_chunks_fulfilled_abort() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_becomes_errored(ws, ["abort", ERROR_1])


async def test_becomes_errored_while_empty_dest_never_desires_chunks_rejected_abort() -> None:
    ws = recording_writable_stream(REFUSES, NEVER_DESIRES)
    await check_becomes_errored(ws, ["abort", ERROR_1], error=ERROR_2)


async def test_becomes_errored_while_empty_dest_never_desires_chunks_prevent_abort() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_becomes_errored(ws, [], prevent_abort=True)


async def test_becomes_errored_after_one_chunk_fulfilled_abort_promise() -> None:
    ws = recording_writable_stream()
    await check_becomes_errored(ws, ["write", "Hello", "abort", ERROR_1], chunks=("Hello",))


async def test_becomes_errored_after_one_chunk_rejected_abort_promise() -> None:
    ws = recording_writable_stream(REFUSES)
    events = ["write", "Hello", "abort", ERROR_1]
    await check_becomes_errored(ws, events, chunks=("Hello",), error=ERROR_2)


async def test_becomes_errored_after_one_chunk_prevent_abort() -> None:
    ws = recording_writable_stream()
    await check_becomes_errored(ws, ["write", "Hello"], chunks=("Hello",), prevent_abort=True)


async def test_becomes_errored_after_one_chunk_dest_never_desires_chunks_fulfilled_abort() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_becomes_errored(ws, ["abort", ERROR_1], chunks=("Hello",))


async def test_becomes_errored_after_one_chunk_dest_never_desires_chunks_rejected_abort() -> None:
    ws = recording_writable_stream(REFUSES, NEVER_DESIRES)
    await check_becomes_errored(ws, ["abort", ERROR_1], chunks=("Hello",), error=ERROR_2)


async def test_becomes_errored_after_one_chunk_dest_never_desires_chunks_prevent_abort() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_becomes_errored(ws, [], chunks=("Hello",), prevent_abort=True)


@pytest.mark.parametrize("prevent_abort", [False, True])
async def test_shutdown_must_not_occur_until_the_final_write_completes(prevent_abort: bool) -> None:
    """Two cases: without and with preventAbort."""
    write_called: Promise[None] = Promise()
    written: Promise[None] = Promise()

    def write(*_: object) -> Promise[None]:
        write_called.resolve(None)
        return written

    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": write})
    piped = rs.pipe_to(ws, prevent_abort=prevent_abort)
    rs.controller.enqueue("a")
    await fulfilled(write_called)
    rs.controller.error(ERROR_1)
    await flush()
    assert ws.events == ["write", "a"]
    assert not piped.settled
    written.resolve(None)
    await assert_rejects(piped, ERROR_1)
    await flush()
    assert ws.events == ["write", "a"] + ([] if prevent_abort else ["abort", ERROR_1])


@pytest.mark.parametrize("prevent_abort", [False, True])
async def test_shutdown_must_not_occur_until_the_final_write_completes_becomes_errored_after_first_write(
    prevent_abort: bool,
) -> None:
    """Two cases: without and with preventAbort."""
    writes: list[Promise[None]] = []

    def write(*_: object) -> Promise[None]:
        writes.append(Promise())
        return writes[-1]

    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": write}, CountQueuingStrategy(high_water_mark=2))
    piped = rs.pipe_to(ws, prevent_abort=prevent_abort)
    rs.controller.enqueue("a")
    rs.controller.enqueue("b")
    await flush()
    assert ws.events == ["write", "a"]
    assert not piped.settled

    rs.controller.error(ERROR_1)
    writes[0].resolve(None)
    await flush()
    assert ws.events == ["write", "a", "write", "b"]
    assert not piped.settled

    writes[1].resolve(None)
    await assert_rejects(piped, ERROR_1)
    await flush()
    end = [] if prevent_abort else ["abort", ERROR_1]
    assert ws.events == ["write", "a", "write", "b", *end]
