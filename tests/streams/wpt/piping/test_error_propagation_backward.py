"""streams/piping/error-propagation-backward: what the destination's failure means for the source."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.streams import CountQueuingStrategy, Promise
from tests.streams.wpt.kit import (
    RecordingWritable,
    flush,
    recording_readable_stream,
    recording_writable_stream,
)
from tests.streams.wpt.piping.support import (
    FALSY,
    TRUTHY,
    Failure,
    assert_rejects,
    fulfilled,
)

ERROR_1 = Failure("error1!")
ERROR_2 = Failure("error2!")
NEVER_DESIRES = CountQueuingStrategy(high_water_mark=0)


def fail_1(*_: object) -> None:
    raise ERROR_1


def fail_2(*_: object) -> None:
    raise ERROR_2


def reject_1(*_: object) -> Promise[None]:
    return Promise.rejected(ERROR_1)


def say_hello(controller: Any) -> None:
    controller.enqueue("Hello")


def say_abc(controller: Any) -> None:
    for chunk in "abc":
        controller.enqueue(chunk)


def say_abc_and_close(controller: Any) -> None:
    say_abc(controller)
    controller.close()


async def check_errored_before(
    options: dict[str, Any], *, cancelled: bool, cancel: Any = None, error: Failure = ERROR_1
) -> None:
    """The destination becomes errored before piping, due to a write."""
    rs = recording_readable_stream({} if cancel is None else {"cancel": cancel})
    ws = recording_writable_stream({"write": reject_1})
    writer = ws.get_writer()
    await assert_rejects(writer.write("Hello"), ERROR_1)
    await assert_rejects(writer.closed, ERROR_1)
    writer.release_lock()
    await assert_rejects(rs.pipe_to(ws, options), error)
    assert rs.events_without_pulls == (["cancel", ERROR_1] if cancelled else [])
    assert ws.events == ["write", "Hello"]


async def check_errored_after(
    ws: RecordingWritable,
    options: dict[str, Any],
    *,
    cancelled: bool,
    cancel: Any = None,
    error: Failure = ERROR_1,
) -> None:
    """The destination becomes errored after piping has begun, by its controller."""
    rs = recording_readable_stream({} if cancel is None else {"cancel": cancel})
    piped = rs.pipe_to(ws, options)
    await flush()
    ws.controller.error(ERROR_1)
    await assert_rejects(piped, error)
    assert rs.events_without_pulls == (["cancel", ERROR_1] if cancelled else [])
    assert ws.events == []


async def check_errored_by_write(
    start: Any,
    write: Any,
    written: list[Any],
    options: dict[str, Any],
    *,
    cancelled: bool,
    cancel: Any = None,
    error: Failure = ERROR_1,
) -> None:
    """The destination becomes errored during piping, due to a write."""
    methods = {"start": start} if cancel is None else {"start": start, "cancel": cancel}
    rs = recording_readable_stream(methods)
    ws = recording_writable_stream({"write": write})
    await assert_rejects(rs.pipe_to(ws, options), error)
    assert rs.events_without_pulls == (["cancel", ERROR_1] if cancelled else [])
    assert ws.events == written


def fail_at_b() -> Any:
    async def fail_later() -> None:
        await flush()
        raise ERROR_1

    return lambda chunk, _: fail_later() if chunk == "b" else None


def refuse_c(chunk: object, _: object) -> Promise[None] | None:
    return Promise.rejected(ERROR_1) if chunk == "c" else None


async def test_starts_errored_prevent_cancel_omitted_fulfilled_cancel_promise() -> None:
    rs = recording_readable_stream()
    ws = recording_writable_stream({"start": reject_1})
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events_without_pulls == ["cancel", ERROR_1]
    assert ws.events == []


async def test_becomes_errored_before_piping_due_to_write_fulfilled_cancel_promise() -> None:
    await check_errored_before({}, cancelled=True)


async def test_becomes_errored_before_piping_due_to_write_rejected_cancel_promise() -> None:
    await check_errored_before({}, cancelled=True, cancel=fail_2, error=ERROR_2)


@pytest.mark.parametrize("falsy", FALSY)
async def test_becomes_errored_before_piping_due_to_write_prevent_cancel_falsy(
    falsy: object,
) -> None:
    await check_errored_before({"preventCancel": falsy}, cancelled=True)


@pytest.mark.parametrize("truthy", TRUTHY)
async def test_becomes_errored_before_piping_due_to_write_prevent_cancel_truthy(
    truthy: object,
) -> None:
    await check_errored_before({"preventCancel": truthy}, cancelled=False)


async def test_becomes_errored_before_piping_due_to_write_prevent_cancel_prevent_abort() -> None:
    await check_errored_before({"preventCancel": True, "preventAbort": True}, cancelled=False)


async def test_becomes_errored_before_piping_due_to_write_prevent_all() -> None:
    options = {"preventCancel": True, "preventAbort": True, "preventClose": True}
    await check_errored_before(options, cancelled=False)


async def test_becomes_errored_during_piping_due_to_write_fulfilled_cancel_promise() -> None:
    await check_errored_by_write(say_hello, fail_1, ["write", "Hello"], {}, cancelled=True)


async def test_becomes_errored_during_piping_due_to_write_rejected_cancel_promise() -> None:
    written = ["write", "Hello"]
    await check_errored_by_write(
        say_hello, fail_1, written, {}, cancelled=True, cancel=fail_2, error=ERROR_2
    )


async def test_becomes_errored_during_piping_due_to_write_prevent_cancel() -> None:
    written = ["write", "Hello"]
    await check_errored_by_write(
        say_hello, fail_1, written, {"preventCancel": True}, cancelled=False
    )


async def test_becomes_errored_during_piping_due_to_async_write_fulfilled_cancel_promise() -> None:
    written = ["write", "a", "write", "b"]
    await check_errored_by_write(say_abc, fail_at_b(), written, {}, cancelled=True)


async def test_becomes_errored_during_piping_due_to_async_write_rejected_cancel_promise() -> None:
    written = ["write", "a", "write", "b"]
    await check_errored_by_write(
        say_abc, fail_at_b(), written, {}, cancelled=True, cancel=fail_2, error=ERROR_2
    )


async def test_becomes_errored_during_piping_due_to_async_write_prevent_cancel() -> None:
    written = ["write", "a", "write", "b"]
    await check_errored_by_write(
        say_abc, fail_at_b(), written, {"preventCancel": True}, cancelled=False
    )


async def test_becomes_errored_after_piping_fulfilled_cancel_promise() -> None:
    await check_errored_after(recording_writable_stream(), {}, cancelled=True)


async def test_becomes_errored_after_piping_rejected_cancel_promise() -> None:
    ws = recording_writable_stream()
    await check_errored_after(ws, {}, cancelled=True, cancel=fail_2, error=ERROR_2)


async def test_becomes_errored_after_piping_prevent_cancel() -> None:
    ws = recording_writable_stream()
    await check_errored_after(ws, {"preventCancel": True}, cancelled=False)


async def test_becomes_errored_after_piping_due_to_last_write_source_is_closed() -> None:
    written = ["write", "a", "write", "b", "write", "c"]
    await check_errored_by_write(say_abc_and_close, refuse_c, written, {}, cancelled=False)


async def test_becomes_errored_after_piping_due_to_last_write_source_is_closed_prevent_cancel() -> (
    None
):
    written = ["write", "a", "write", "b", "write", "c"]
    await check_errored_by_write(
        say_abc_and_close, refuse_c, written, {"preventCancel": True}, cancelled=False
    )


async def test_becomes_errored_after_piping_dest_never_desires_chunks_fulfilled_cancel() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_errored_after(ws, {}, cancelled=True)


async def test_becomes_errored_after_piping_dest_never_desires_chunks_rejected_cancel() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_errored_after(ws, {}, cancelled=True, cancel=fail_2, error=ERROR_2)


async def test_becomes_errored_after_piping_dest_never_desires_chunks_prevent_cancel() -> None:
    ws = recording_writable_stream(None, NEVER_DESIRES)
    await check_errored_after(ws, {"preventCancel": True}, cancelled=False)


async def test_becomes_errored_before_piping_via_abort_fulfilled_cancel_promise() -> None:
    rs = recording_readable_stream()
    ws = recording_writable_stream()
    ws.abort(ERROR_1)
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events_without_pulls == ["cancel", ERROR_1]
    assert ws.events == ["abort", ERROR_1]


async def test_becomes_errored_before_piping_via_abort_rejected_cancel_promise() -> None:
    rs = recording_readable_stream({"cancel": fail_2})
    ws = recording_writable_stream()
    ws.abort(ERROR_1)
    await assert_rejects(rs.pipe_to(ws), ERROR_2)
    await assert_rejects(ws.get_writer().closed, ERROR_1)
    assert rs.events_without_pulls == ["cancel", ERROR_1]
    assert ws.events == ["abort", ERROR_1]


async def test_becomes_errored_before_piping_via_abort_prevent_cancel() -> None:
    rs = recording_readable_stream()
    ws = recording_writable_stream()
    ws.abort(ERROR_1)
    await assert_rejects(rs.pipe_to(ws, prevent_cancel=True), ERROR_1)
    assert rs.events_without_pulls == []
    assert ws.events == ["abort", ERROR_1]


async def test_erroring_via_the_controller_errors_once_pending_write_completes() -> None:
    write_called: Promise[None] = Promise()

    def write(*_: object) -> Any:
        write_called.resolve(None)
        return flush()

    rs = recording_readable_stream()
    ws = recording_writable_stream({"write": write})
    piped = rs.pipe_to(ws)
    rs.controller.enqueue("a")
    await fulfilled(write_called)
    ws.controller.error(ERROR_1)
    await assert_rejects(piped, ERROR_1)
    assert rs.events_without_pulls == ["cancel", ERROR_1]
    assert ws.events == ["write", "a"]


async def test_becomes_errored_immediately_before_source_receives_a_chunk_prevent_cancel() -> None:
    pull_called: Promise[None] = Promise()
    write_called: Promise[None] = Promise()
    written: Promise[None] = Promise()

    def write(*_: object) -> Promise[None]:
        write_called.resolve(None)
        return written

    rs = recording_readable_stream(
        {"pull": lambda _: pull_called.resolve(None)}, {"highWaterMark": 0}
    )
    ws = recording_writable_stream({"write": write}, {"highWaterMark": math.inf})
    rs.controller.enqueue("a")
    assert rs.events == []
    piped = rs.pipe_to(ws, prevent_cancel=True)
    await fulfilled(write_called)
    assert ws.events == ["write", "a"]
    await fulfilled(pull_called)
    assert rs.events == ["pull"]

    ws.controller.error(ERROR_1)
    rs.controller.enqueue("b")
    written.resolve(None)
    await assert_rejects(piped, ERROR_1)
    assert rs.events == ["pull"]
    assert ws.events == ["write", "a"]

    rs.controller.close()
    assert await fulfilled(rs.get_reader().read()) == ("b", False)
