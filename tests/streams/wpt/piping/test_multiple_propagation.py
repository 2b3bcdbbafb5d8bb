"""streams/piping/multiple-propagation: both ends are over before the pipe begins."""

from __future__ import annotations

from typing import Any

from tests.streams.wpt.kit import (
    RecordingReadable,
    RecordingWritable,
    flush,
    recording_readable_stream,
    recording_writable_stream,
)
from tests.streams.wpt.piping.support import Failure, assert_rejects, fulfilled

ERROR_1 = Failure("error1!")
ERROR_2 = Failure("error2!")


def errored_readable_stream() -> RecordingReadable:
    return recording_readable_stream({"start": lambda controller: controller.error(ERROR_1)})


def closed_readable_stream() -> RecordingReadable:
    return recording_readable_stream({"start": lambda controller: controller.close()})


def erroring_writable_stream() -> RecordingWritable:
    return recording_writable_stream({"start": lambda controller: controller.error(ERROR_2)})


async def errored_writable_stream() -> RecordingWritable:
    ws = erroring_writable_stream()
    writer = ws.get_writer()
    await assert_rejects(writer.closed, ERROR_2)
    writer.release_lock()
    assert ws.events == []
    return ws


def closing_writable_stream() -> tuple[RecordingWritable, Any]:
    ws = recording_writable_stream()
    writer = ws.get_writer()
    closed = writer.close()
    writer.release_lock()
    return ws, closed


async def test_piping_from_an_errored_readable_stream_to_an_erroring_writable_stream() -> None:
    rs, ws = errored_readable_stream(), erroring_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_2)
    assert rs.events == []
    assert ws.events == []
    await assert_rejects(rs.get_reader().closed, ERROR_1)
    await assert_rejects(ws.get_writer().closed, ERROR_2)


async def test_piping_from_an_errored_readable_stream_to_an_errored_writable_stream() -> None:
    rs, ws = errored_readable_stream(), await errored_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events == []
    await assert_rejects(rs.get_reader().closed, ERROR_1)


async def test_piping_from_an_errored_readable_to_an_erroring_writable_prevent_abort() -> None:
    rs, ws = errored_readable_stream(), erroring_writable_stream()
    await assert_rejects(rs.pipe_to(ws, prevent_abort=True), ERROR_1)
    assert rs.events == []
    assert ws.events == []
    await assert_rejects(rs.get_reader().closed, ERROR_1)
    await assert_rejects(ws.get_writer().closed, ERROR_2)


async def test_piping_from_an_errored_readable_to_an_errored_writable_prevent_abort() -> None:
    rs, ws = errored_readable_stream(), await errored_writable_stream()
    await assert_rejects(rs.pipe_to(ws, prevent_abort=True), ERROR_1)
    assert rs.events == []
    await assert_rejects(rs.get_reader().closed, ERROR_1)


async def test_piping_from_an_errored_readable_stream_to_a_closing_writable_stream() -> None:
    rs = errored_readable_stream()
    ws, closed = closing_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events == []
    assert ws.events == ["abort", ERROR_1]
    await assert_rejects(rs.get_reader().closed, ERROR_1)
    await assert_rejects(ws.get_writer().closed, ERROR_1)
    await assert_rejects(closed, ERROR_1)


async def test_piping_from_an_errored_readable_stream_to_a_closed_writable_stream() -> None:
    rs = errored_readable_stream()
    ws, closed = closing_writable_stream()
    await flush()
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert rs.events == []
    assert ws.events == ["close"]
    await assert_rejects(rs.get_reader().closed, ERROR_1)
    await fulfilled(ws.get_writer().closed)
    await fulfilled(closed)


async def test_piping_from_a_closed_readable_stream_to_an_erroring_writable_stream() -> None:
    rs, ws = closed_readable_stream(), erroring_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_2)
    assert rs.events == []
    assert ws.events == []
    await fulfilled(rs.get_reader().closed)
    await assert_rejects(ws.get_writer().closed, ERROR_2)


async def test_piping_from_a_closed_readable_stream_to_an_errored_writable_stream() -> None:
    rs, ws = closed_readable_stream(), await errored_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_2)
    assert rs.events == []
    await fulfilled(rs.get_reader().closed)


async def test_piping_from_a_closed_readable_stream_to_a_closed_writable_stream() -> None:
    rs = closed_readable_stream()
    ws, _ = closing_writable_stream()
    await fulfilled(rs.pipe_to(ws))
    await flush()
    assert rs.events == []
    assert ws.events == ["close"]
    await fulfilled(rs.get_reader().closed)
    await fulfilled(ws.get_writer().closed)
