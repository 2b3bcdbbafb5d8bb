"""readable-streams/count-queuing-strategy-integration: desired_size with a CountQueuingStrategy."""

from __future__ import annotations

import pytest

from emulator.streams import CountQueuingStrategy, ReadableStream
from tests.streams.wpt.kit import chunk, controlled


async def test_can_construct_a_readable_stream_with_a_valid_strategy() -> None:
    ReadableStream({}, CountQueuingStrategy({"highWaterMark": 4}))


@pytest.mark.parametrize(
    ("mark", "script"),
    [
        (0, "abcd > > > e > > fg"),
        (1, "abcd > > > e > > fg"),
        (4, "abcdef > > g > > > > hijk"),
    ],
)
async def test_correctly_governs_desired_size(mark: int, script: str) -> None:
    stream, controller = controlled(strategy=CountQueuingStrategy({"highWaterMark": mark}))
    reader = stream.get_reader()
    queued: list[str] = []
    for step in script.replace(" ", ""):
        if step == ">":
            assert await reader.read() == chunk(queued.pop(0))
        else:
            queued.append(step)
            controller.enqueue(step)
        assert controller.desired_size == mark - len(queued)
