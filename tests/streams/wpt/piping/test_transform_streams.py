"""streams/piping/transform-streams: a pipe through an identity transform."""

from __future__ import annotations

from typing import Any

from emulator.streams import ReadableStream, TransformStream
from tests.streams.wpt.kit import recording_writable_stream
from tests.streams.wpt.piping.support import fulfilled


async def test_piping_through_an_identity_transform_stream_should_close_the_destination() -> None:
    """When the source closes."""

    def start(controller: Any) -> None:
        for chunk in "abc":
            controller.enqueue(chunk)
        controller.close()

    rs = ReadableStream({"start": start})
    ws = recording_writable_stream()
    await fulfilled(rs.pipe_through(TransformStream()).pipe_to(ws))
    assert ws.events == ["write", "a", "write", "b", "write", "c", "close"]
    await fulfilled(ws.get_writer().closed)
