"""streams/piping/close-propagation-backward: what a closed destination means for the source."""

from __future__ import annotations

from typing import Any

import pytest

from tests.streams.wpt.kit import (
    RecordingWritable,
    recording_readable_stream,
    recording_writable_stream,
    turn,
)
from tests.streams.wpt.piping.support import (
    FALSY,
    TRUTHY,
    Failure,
    assert_rejects,
    assert_rejects_as,
    fulfilled,
    rejection,
)

ERROR_1 = Failure("error1!")


def closed_writable_stream() -> RecordingWritable:
    ws = recording_writable_stream()
    writer = ws.get_writer()
    writer.close()
    writer.release_lock()
    return ws


async def check_cancelled(options: dict[str, Any]) -> None:
    rs = recording_readable_stream()
    ws = closed_writable_stream()
    error = await rejection(rs.pipe_to(ws, options))
    assert isinstance(error, TypeError)
    assert rs.events_without_pulls == ["cancel", error]
    assert ws.events == ["close"]
    await fulfilled(rs.get_reader().closed)
    await fulfilled(ws.get_writer().closed)


async def check_not_cancelled(options: dict[str, Any]) -> None:
    rs = recording_readable_stream()
    ws = closed_writable_stream()
    await assert_rejects_as(rs.pipe_to(ws, options), TypeError)
    await turn()  # The pipe is over at once; in Python, awaiting that takes no turn.
    assert rs.events_without_pulls == []
    assert ws.events == ["close"]
    await fulfilled(ws.get_writer().closed)


async def test_starts_closed_prevent_cancel_omitted_fulfilled_cancel_promise() -> None:
    await check_cancelled({})


async def test_starts_closed_prevent_cancel_omitted_rejected_cancel_promise() -> None:
    reasons: list[Any] = []

    def cancel(reason: Any) -> None:
        reasons.append(reason)
        raise ERROR_1

    rs = recording_readable_stream({"cancel": cancel})
    ws = closed_writable_stream()
    await assert_rejects(rs.pipe_to(ws), ERROR_1)
    assert isinstance(reasons[0], TypeError)
    assert rs.events_without_pulls == ["cancel", reasons[0]]
    assert ws.events == ["close"]
    await fulfilled(rs.get_reader().closed)
    await fulfilled(ws.get_writer().closed)


@pytest.mark.parametrize("falsy", FALSY)
async def test_starts_closed_prevent_cancel_falsy_fulfilled_cancel_promise(falsy: object) -> None:
    await check_cancelled({"preventCancel": falsy})


@pytest.mark.parametrize("truthy", TRUTHY)
async def test_starts_closed_prevent_cancel_truthy(truthy: object) -> None:
    await check_not_cancelled({"preventCancel": truthy})


async def test_starts_closed_prevent_cancel_prevent_abort() -> None:
    await check_not_cancelled({"preventCancel": True, "preventAbort": True})


async def test_starts_closed_prevent_cancel_prevent_abort_prevent_close() -> None:
    await check_not_cancelled({"preventCancel": True, "preventAbort": True, "preventClose": True})
