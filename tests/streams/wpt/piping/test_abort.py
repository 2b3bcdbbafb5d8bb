"""streams/piping/abort: the use of pipe_to with an AbortSignal."""

from __future__ import annotations

import math
from typing import Any

import pytest

from emulator.errors import AbortError
from emulator.streams import (
    AbortController,
    CountQueuingStrategy,
    Promise,
    ReadableStream,
    WritableStream,
)
from tests.streams.wpt.kit import flush, recording_readable_stream, recording_writable_stream, turn
from tests.streams.wpt.piping.support import (
    Failure,
    assert_rejects,
    assert_rejects_as,
    fulfilled,
    rejection,
)

ERROR_1 = Failure("error1")
ERROR_2 = Failure("error2")
# Without an abort these cases would fail by this, not hang.
ERROR_ON_PULL = {"pull": lambda controller: controller.error(Failure("failed to abort"))}
HWM_0 = {"highWaterMark": 0}

REASONS = pytest.mark.parametrize(
    "reason", [pytest.param(None, id="undefined"), pytest.param(ERROR_1, id="error1")]
)


def aborted() -> AbortController:
    controller = AbortController()
    controller.abort()
    return controller


@pytest.mark.parametrize("signal", ["AbortSignal", True, -1])
async def test_an_invalid_signal_argument_should_cause_pipe_to_to_reject(signal: object) -> None:
    rs = recording_readable_stream(ERROR_ON_PULL, HWM_0)
    ws = recording_writable_stream()
    await assert_rejects_as(rs.pipe_to(ws, {"signal": signal}), TypeError)
    assert rs.events == []
    assert ws.events == []


async def test_an_aborted_signal_should_cause_the_writable_stream_to_reject_with_an_abort_error() -> (
    None
):
    rs = recording_readable_stream(ERROR_ON_PULL, HWM_0)
    ws = WritableStream()
    await assert_rejects_as(rs.pipe_to(ws, signal=aborted().signal), AbortError)
    await fulfilled(rs.get_reader().closed)
    await assert_rejects_as(ws.get_writer().closed, AbortError)
    assert rs.events[0] == "cancel"
    assert rs.events[1].name == "AbortError"
    assert len(rs.events) == 2


@REASONS
async def test_all_the_error_objects_should_be_the_same_object(reason: Any) -> None:
    rs = recording_readable_stream(ERROR_ON_PULL, HWM_0)
    ws = WritableStream()
    controller = AbortController()
    controller.abort(reason)
    piped = rs.pipe_to(ws, signal=controller.signal)
    error = await rejection(piped)
    assert error is reason or isinstance(error, AbortError)
    await fulfilled(rs.get_reader().closed)
    await assert_rejects(ws.get_writer().closed, error)
    assert controller.signal.reason is error
    assert rs.events == ["cancel", error]


async def test_prevent_cancel_should_prevent_canceling_the_readable() -> None:
    rs = recording_readable_stream(ERROR_ON_PULL, HWM_0)
    piped = rs.pipe_to(WritableStream(), signal=aborted().signal, prevent_cancel=True)
    await assert_rejects_as(piped, AbortError)
    assert rs.events == []


async def test_prevent_abort_should_prevent_aborting_the_writable() -> None:
    rs = ReadableStream(ERROR_ON_PULL, HWM_0)
    ws = recording_writable_stream()
    await assert_rejects_as(rs.pipe_to(ws, signal=aborted().signal, prevent_abort=True), AbortError)
    assert ws.events == []
    await fulfilled(ws.get_writer().ready)


async def test_prevent_cancel_and_prevent_abort_should_prevent_both() -> None:
    rs = recording_readable_stream(ERROR_ON_PULL, HWM_0)
    ws = recording_writable_stream()
    options = {"signal": aborted().signal, "preventCancel": True, "preventAbort": True}
    await assert_rejects_as(rs.pipe_to(ws, options), AbortError)
    assert rs.events == []
    assert ws.events == []
    await fulfilled(ws.get_writer().ready)


@REASONS
async def test_abort_should_prevent_further_reads(reason: Any) -> None:
    def start(controller: Any) -> None:
        controller.enqueue("a")
        controller.enqueue("b")
        controller.close()

    rs = ReadableStream({"start": start})
    controller = AbortController()
    ws = recording_writable_stream({"write": lambda *_: controller.abort(reason)})
    error = await rejection(rs.pipe_to(ws, signal=controller.signal))
    assert error is reason or isinstance(error, AbortError)
    assert controller.signal.reason is error
    assert ws.events == ["write", "a", "abort", error]


@REASONS
async def test_all_pending_writes_should_complete_on_abort(reason: Any) -> None:
    kept: list[Any] = []

    def start(controller: Any) -> None:
        kept.append(controller)
        controller.enqueue("a")
        controller.enqueue("b")

    rs = ReadableStream({"start": start})
    controller = AbortController()
    written: Promise[None] = Promise()
    ws = recording_writable_stream(
        {"write": lambda *_: written}, CountQueuingStrategy(high_water_mark=math.inf)
    )
    piped = rs.pipe_to(ws, signal=controller.signal)
    await flush()
    controller.abort(reason)
    await turn()
    written.resolve(None)
    error = await rejection(piped)
    assert error is reason or isinstance(error, AbortError)
    assert controller.signal.reason is error
    assert ws.events == ["write", "a", "write", "b", "abort", error]


async def test_a_rejection_from_underlying_source_cancel_should_be_returned_by_pipe_to() -> None:
    rs = ReadableStream({**ERROR_ON_PULL, "cancel": lambda: Promise.rejected(ERROR_1)}, HWM_0)
    await assert_rejects(rs.pipe_to(WritableStream(), signal=aborted().signal), ERROR_1)


async def test_a_rejection_from_underlying_sink_abort_should_be_returned_by_pipe_to() -> None:
    rs = ReadableStream(ERROR_ON_PULL, HWM_0)
    ws = WritableStream({"abort": lambda: Promise.rejected(ERROR_1)})
    await assert_rejects(rs.pipe_to(ws, signal=aborted().signal), ERROR_1)


async def test_a_rejection_from_sink_abort_should_be_preferred_to_one_from_source_cancel() -> None:
    events: list[str] = []

    def cancel() -> Promise[None]:
        events.append("cancel")
        return Promise.rejected(ERROR_1)

    def abort() -> Promise[None]:
        events.append("abort")
        return Promise.rejected(ERROR_2)

    rs = ReadableStream({**ERROR_ON_PULL, "cancel": cancel}, HWM_0)
    ws = WritableStream({"abort": abort})
    await assert_rejects(rs.pipe_to(ws, signal=aborted().signal), ERROR_2)
    assert events == ["abort", "cancel"]


async def test_abort_signal_takes_priority_over_closed_readable() -> None:
    rs = ReadableStream({"start": lambda controller: controller.close()})
    await assert_rejects_as(rs.pipe_to(WritableStream(), signal=aborted().signal), AbortError)


async def test_abort_signal_takes_priority_over_errored_readable() -> None:
    rs = ReadableStream({"start": lambda controller: controller.error(ERROR_1)})
    await assert_rejects_as(rs.pipe_to(WritableStream(), signal=aborted().signal), AbortError)


async def test_abort_signal_takes_priority_over_closed_writable() -> None:
    rs = ReadableStream(ERROR_ON_PULL, HWM_0)
    ws = WritableStream()
    writer = ws.get_writer()
    await fulfilled(writer.close())
    writer.release_lock()
    await assert_rejects_as(rs.pipe_to(ws, signal=aborted().signal), AbortError)


async def test_abort_signal_takes_priority_over_errored_writable() -> None:
    rs = ReadableStream(ERROR_ON_PULL, HWM_0)
    ws = WritableStream({"start": lambda controller: controller.error(ERROR_1)})
    await assert_rejects_as(rs.pipe_to(ws, signal=aborted().signal), AbortError)


async def test_abort_should_do_nothing_after_the_readable_is_closed() -> None:
    rs = recording_readable_stream()
    ws = WritableStream()
    controller = AbortController()
    piped = rs.pipe_to(ws, signal=controller.signal, prevent_close=True)
    rs.controller.close()
    await turn()
    controller.abort()
    await fulfilled(piped)
    await fulfilled(ws.get_writer().write("this should succeed"))


async def test_abort_should_do_nothing_after_the_readable_is_errored() -> None:
    rs = recording_readable_stream()
    ws = WritableStream()
    controller = AbortController()
    piped = rs.pipe_to(ws, signal=controller.signal, prevent_abort=True)
    rs.controller.error(ERROR_1)
    await turn()
    controller.abort()
    await assert_rejects(piped, ERROR_1)
    await fulfilled(ws.get_writer().write("this should succeed"))


async def test_abort_should_do_nothing_after_the_readable_is_errored_even_with_pending_writes() -> (
    None
):
    rs = recording_readable_stream()
    written: Promise[None] = Promise()

    def write(*_: object) -> Promise[None]:
        rs.controller.error(ERROR_1)
        return written

    ws = WritableStream({"write": write})
    controller = AbortController()
    piped = rs.pipe_to(ws, signal=controller.signal, prevent_abort=True)
    rs.controller.enqueue("a")
    await flush()
    controller.abort()
    written.resolve(None)
    await assert_rejects(piped, ERROR_1)
    await fulfilled(ws.get_writer().write("this should succeed"))


async def test_abort_should_do_nothing_after_the_writable_is_errored() -> None:
    async def pull(controller: Any) -> None:
        await flush()
        controller.close()

    kept: list[Any] = []
    rs = recording_readable_stream({"pull": pull})
    ws = WritableStream({"start": kept.append})
    controller = AbortController()
    piped = rs.pipe_to(ws, signal=controller.signal, prevent_cancel=True)
    await turn()
    kept[0].error(ERROR_1)
    await turn()
    controller.abort()
    await assert_rejects(piped, ERROR_1)
    assert rs.events == ["pull"]


@pytest.mark.parametrize("prevent_abort", [False, True])
async def test_abort_should_stop_pulling_from_source(prevent_abort: bool) -> None:
    """Two cases: preventCancel = true; preventCancel = true and preventAbort = true."""
    pull_called: Promise[None] = Promise()
    write_called: Promise[None] = Promise()
    written: Promise[None] = Promise()
    rs = recording_readable_stream({"pull": lambda *_: pull_called.resolve(None)}, HWM_0)

    def write(*_: object) -> Promise[None]:
        write_called.resolve(None)
        return written

    ws = recording_writable_stream({"write": write}, {"highWaterMark": math.inf})
    rs.controller.enqueue("a")
    assert rs.events == []
    controller = AbortController()
    piped = rs.pipe_to(
        ws, signal=controller.signal, prevent_cancel=True, prevent_abort=prevent_abort
    )
    await fulfilled(write_called)
    assert ws.events == ["write", "a"]
    await fulfilled(pull_called)
    assert rs.events == ["pull"]

    controller.abort(ERROR_1)
    rs.controller.enqueue("b")
    await flush()
    written.resolve(None)
    await assert_rejects(piped, ERROR_1)
    assert rs.events == ["pull"]
    assert ws.events == ["write", "a"] + ([] if prevent_abort else ["abort", ERROR_1])

    rs.controller.close()
    assert await fulfilled(rs.get_reader().read()) == ("b", False)
