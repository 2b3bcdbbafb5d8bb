"""Two streams from one: each gives everything, at its own pace."""

from __future__ import annotations

import pytest

from emulator.streams import MemorySource, ReadableStream, WritableStream
from tests.support.native import RecordingSink, ScriptedSource


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
def branches(source: ScriptedSource) -> tuple[ReadableStream, ReadableStream]:
    return ReadableStream(source, high_water_mark_bytes=8).tee()


async def rest_of(stream: ReadableStream) -> bytes:
    return b"".join([chunk async for chunk in stream])


Branches = tuple[ReadableStream, ReadableStream]


async def test_each_gives_everything(source: ScriptedSource, branches: Branches) -> None:
    source.deliver(b"a", b"b", b"c")
    source.end()
    assert [await rest_of(branch) for branch in branches] == [b"abc", b"abc"]


@pytest.mark.parametrize("first", [0, 1])
async def test_one_is_read_to_its_end_before_the_other(first: int) -> None:
    source = ScriptedSource()
    branches = ReadableStream(source, high_water_mark_bytes=8).tee()
    body = [bytes([number]) * 65_536 for number in range(20)]
    source.deliver(*body)
    source.end()
    assert await rest_of(branches[first]) == b"".join(body)
    assert await rest_of(branches[1 - first]) == b"".join(body)


async def test_what_was_buffered_before_is_given_too() -> None:
    stream = ReadableStream(MemorySource(b"at hand"))
    assert [await rest_of(branch) for branch in stream.tee()] == [b"at hand", b"at hand"]


async def test_the_original_is_locked(source: ScriptedSource) -> None:
    stream = ReadableStream(source)
    stream.tee()
    with pytest.raises(TypeError, match="locked to a reader"):
        stream.get_reader()


async def test_chunks_are_the_same_object(source: ScriptedSource, branches: Branches) -> None:
    chunk = b"x" * 100
    source.deliver(chunk)
    for branch in branches:
        assert (await branch.get_reader().read()).value is chunk


async def test_source_is_held_while_both_are_full(
    source: ScriptedSource, branches: Branches
) -> None:
    source.deliver(*[b"x" * 65_536] * 3)
    assert (source.pauses, source.paused) == (1, True)
    await branches[1].get_reader().read()
    assert (source.pauses, source.paused) == (2, True)


async def test_one_cancelled_the_other_goes_on(source: ScriptedSource, branches: Branches) -> None:
    source.deliver(b"a")
    await branches[0].cancel()
    assert not source.cancelled
    source.deliver(b"b")
    source.end()
    assert await rest_of(branches[0]) == b""
    assert await rest_of(branches[1]) == b"ab"


async def test_cancelled_branch_does_not_hold_the_source(
    source: ScriptedSource, branches: Branches
) -> None:
    body = [b"x" * 65_536] * 5
    source.deliver(*body)
    source.end()
    await branches[0].cancel()
    assert await rest_of(branches[1]) == b"".join(body)


async def test_both_cancelled_cancels_the_source(
    source: ScriptedSource, branches: Branches
) -> None:
    await branches[0].cancel()
    await branches[1].cancel()
    assert source.cancelled


async def test_failure_reaches_both_behind_their_bytes(
    source: ScriptedSource, branches: Branches
) -> None:
    source.deliver(b"a")
    source.fail(ConnectionError("lost"))
    for branch in branches:
        reader = branch.get_reader()
        assert (await reader.read()).value == b"a"
        with pytest.raises(ConnectionError, match="lost"):
            await reader.read()


async def test_one_piped_the_other_read(source: ScriptedSource, branches: Branches) -> None:
    sink = RecordingSink(room_bytes=2)
    done = branches[0].pipe_to(WritableStream(sink))
    source.deliver(b"ab", b"cd", b"ef")
    source.end()
    assert await rest_of(branches[1]) == b"abcdef"
    while not done.settled:
        sink.send()
    assert sink.sent == b"abcdef"


async def test_tee_of_a_tee(source: ScriptedSource, branches: Branches) -> None:
    inner = branches[0].tee()
    source.deliver(b"a", b"b")
    source.end()
    for stream in (*inner, branches[1]):
        assert await rest_of(stream) == b"ab"
