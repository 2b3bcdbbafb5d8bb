"""tee: two branches of bytes, each with its own views."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream, ReadResult
from tests.streams.wpt.kit import (
    RecordingReadable,
    flush,
    recording_readable_stream,
    rejection,
    rest_of,
)
from tests.streams.wpt.readable_byte_streams.support import (
    Controller,
    Kept,
    read,
    respond,
    view,
)

Read = Promise[ReadResult]
ERROR = LookupError("boo!")


def recording(**extras: Any) -> RecordingReadable:
    """Return a byte stream that records."""
    return recording_readable_stream({"type": "bytes", **extras})


def byob_readers(stream: ReadableStream) -> tuple[Any, Any]:
    """Tee `stream`; return a reader of each branch that brings its own views."""
    first, second = stream.tee()
    return first.get_reader(mode="byob"), second.get_reader(mode="byob")


def two_chunks_and_the_end(controller: Controller) -> None:
    """Start a source."""
    controller.enqueue(b"\1")
    controller.enqueue(b"\2")
    controller.close()


async def test_returns_two_readable_streams() -> None:
    branches = Kept().stream.tee()
    assert [type(branch) for branch in branches] == [ReadableStream] * 2


async def test_tee_on_a_locked_byte_stream_does_not_crash() -> None:
    """crashtests/tee-locked-stream."""
    kept = Kept()
    kept.reader()
    with pytest.raises(TypeError, match="currently locked to a reader"):
        kept.stream.tee()


async def test_read_one_branch_to_the_end_without_affecting_the_other() -> None:
    reader1, reader2 = byob_readers(Kept(start=two_chunks_and_the_end).stream)
    results = [await read(reader1.read(bytearray(1))) for _ in range(3)]
    assert results == [(b"\1", False), (b"\2", False), (b"", True)]
    assert not reader2.closed.settled
    assert await read(reader2.read(bytearray(1))) == (b"\1", False)
    assert not reader2.closed.settled
    await reader1.closed


async def test_chunks_should_be_cloned_for_each_branch() -> None:
    enqueued = bytearray(b"\1")

    def pull(controller: Controller, count: int) -> None:
        if count == 1:
            controller.enqueue(enqueued)
            enqueued[0] = 9

    first, second = (branch.get_reader() for branch in Kept(pull).stream.tee())
    values = list(await asyncio.gather(first.read(), second.read()))
    assert values == [(b"\1", False)] * 2
    assert {type(result.value) for result in values} == {bytes}  # Nobody can write into these.


async def test_chunks_for_byob_requests_from_branch_1_should_be_cloned_to_branch_2() -> None:
    def pull(controller: Controller, count: int) -> None:
        if count == 1:
            respond(controller, b"\1")

    branch1, branch2 = Kept(pull).stream.tee()
    mine = bytearray(b"***")
    result = await branch1.get_reader(mode="byob").read(memoryview(mine)[:1])
    assert bytes(result.value) == b"\1"
    assert mine == b"\1**"
    mine[0] = 9
    assert await read(branch2.get_reader().read()) == (b"\1", False)


async def test_errors_in_the_source_should_propagate_to_both_branches() -> None:
    def start(controller: Controller) -> None:
        controller.enqueue(b"\1")
        controller.enqueue(b"\2")

    def pull(_: object, __: int) -> None:
        raise ERROR

    reader1, reader2 = byob_readers(Kept(pull, start=start).stream)
    assert await read(reader1.read(bytearray(1))) == (b"\1", False)
    assert await read(reader1.read(bytearray(1))) == (b"\2", False)
    assert await rejection(reader1.read(bytearray(1))) is ERROR
    assert await rejection(reader2.read(bytearray(1))) is ERROR
    assert await rejection(reader1.closed) is ERROR
    assert await rejection(reader2.closed) is ERROR


@pytest.mark.parametrize("index", [0, 1])
async def test_canceling_one_branch_should_not_impact_the_other(index: int) -> None:
    """Canceling branch1; canceling branch2: two cases."""
    branches = Kept(start=two_chunks_and_the_end).stream.tee()
    branches[index].cancel()
    assert await rest_of(branches[index]) == []
    assert await rest_of(branches[1 - index]) == [b"\1", b"\2"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_canceling_both_branches_should_aggregate_the_cancel_reasons(
    order: tuple[int, int],
) -> None:
    """In order; in reverse order: two cases."""
    reasons: list[object] = []
    branches = Kept(cancel=reasons.append).stream.tee()
    given = [RuntimeError("wanted men"), RuntimeError("twelve systems")]
    cancelled = [branches[index].cancel(given[index]) for index in order]
    await asyncio.gather(*cancelled)
    assert reasons == [given]


async def test_failing_to_cancel_the_original_should_reject_on_branches() -> None:
    def cancel(_: object) -> None:
        raise ERROR

    cancelled = [branch.cancel() for branch in Kept(cancel=cancel).stream.tee()]
    for each in cancelled:
        assert await rejection(each) is ERROR


async def test_erroring_a_teed_stream_should_properly_handle_canceled_branches() -> None:
    kept = Kept()
    branch1, branch2 = kept.stream.tee()
    cancelled = branch1.cancel()
    kept.controller.error(ERROR)
    assert await rejection(branch2.get_reader().closed) is ERROR
    await cancelled


async def test_closing_the_original_should_close_the_branches() -> None:
    kept = Kept()
    reader1, reader2 = byob_readers(kept.stream)
    kept.controller.close()
    assert (await reader1.read(bytearray(1))).done
    await asyncio.gather(reader1.closed, reader2.closed)


async def test_erroring_the_original_should_immediately_error_the_branches() -> None:
    kept = Kept()
    reader1, reader2 = byob_readers(kept.stream)
    kept.controller.error(ERROR)
    assert await rejection(reader1.closed) is ERROR
    assert await rejection(reader2.closed) is ERROR


async def test_erroring_the_original_should_error_pending_reads_from_default_reader() -> None:
    kept = Kept()
    reads = [branch.get_reader().read() for branch in kept.stream.tee()]
    kept.controller.error(ERROR)
    for each in reads:
        assert await rejection(each) is ERROR


async def test_erroring_the_original_should_error_pending_reads_from_byob_reader() -> None:
    kept = Kept()
    reads = [reader.read(bytearray(1)) for reader in byob_readers(kept.stream)]
    kept.controller.error(ERROR)
    for each in reads:
        assert await rejection(each) is ERROR


async def test_canceling_one_should_finish_when_the_other_reads_until_end_of_stream() -> None:
    kept = Kept()
    reader1, reader2 = byob_readers(kept.stream)
    cancelled = reader2.cancel()
    kept.controller.enqueue(b"\1")
    assert await read(reader1.read(bytearray(1))) == (b"\1", False)
    kept.controller.close()
    assert (await reader1.read(bytearray(1))).done
    await asyncio.gather(reader1.closed, cancelled)


async def test_canceling_one_should_finish_when_original_stream_errors() -> None:
    kept = Kept()
    reader1, reader2 = byob_readers(kept.stream)
    cancelled = reader2.cancel()
    kept.controller.error(ERROR)
    assert await rejection(reader1.read(bytearray(1))) is ERROR
    await cancelled


async def test_should_not_pull_any_chunks_if_no_branches_are_reading() -> None:
    stream = recording()
    stream.tee()
    await flush()
    assert stream.events == []


async def test_should_only_pull_enough_to_fill_the_emptiest_queue() -> None:
    stream = recording(pull=lambda controller: controller.enqueue(b"\1"))
    reader1, reader2 = byob_readers(stream)
    await asyncio.gather(reader1.read(bytearray(1)), reader2.read(bytearray(1)))
    await flush()
    assert stream.events == ["pull"]


async def test_should_not_pull_when_original_is_already_errored() -> None:
    stream = recording()
    stream.controller.error(ERROR)
    reader1, reader2 = byob_readers(stream)
    await flush()
    assert stream.events == []
    assert await rejection(reader1.closed) is ERROR
    assert await rejection(reader2.closed) is ERROR


@pytest.mark.parametrize("reading", [(0,), (1,), (0, 1)])
async def test_stops_pulling_when_original_stream_errors_while_reading(
    reading: tuple[int, ...],
) -> None:
    """While branch 1, branch 2, both branches are reading: three cases."""
    stream = recording()
    readers = byob_readers(stream)
    await flush()
    assert stream.events == []
    reads = [readers[index].read(bytearray(1)) for index in reading]
    await flush()
    assert stream.events == ["pull"]
    stream.controller.error(ERROR)
    for each in [*reads, readers[0].closed, readers[1].closed]:
        assert await rejection(each) is ERROR
    await flush()
    assert stream.events == ["pull"]


async def test_canceling_both_branches_in_sequence_with_delay() -> None:
    reader1, reader2 = byob_readers(recording())
    read1, read2 = reader1.read(bytearray(b"\x11")), reader2.read(bytearray(b"\x22"))
    cancel1 = reader1.cancel()
    await flush()
    cancel2 = reader2.cancel()
    assert await read(read1) == (None, True)
    assert await read(read2) == (None, True)
    await asyncio.gather(cancel1, cancel2)


async def test_failing_to_cancel_when_canceling_both_branches_in_sequence_with_delay() -> None:
    def cancel(_: object) -> None:
        raise ERROR

    reader1, reader2 = byob_readers(Kept(cancel=cancel).stream)
    read1, read2 = reader1.read(bytearray(b"\x11")), reader2.read(bytearray(b"\x22"))
    cancel1 = reader1.cancel()
    await flush()
    cancel2 = reader2.cancel()
    assert await read(read1) == (None, True)
    assert await read(read2) == (None, True)
    assert await rejection(cancel1) is ERROR
    assert await rejection(cancel2) is ERROR


async def both_reading() -> tuple[RecordingReadable, list[Any], list[Read]]:
    """Return a teed stream whose both branches read, branch1 into the view that the source is shown."""
    stream = recording()
    readers = list(byob_readers(stream))
    reads = [readers[0].read(bytearray(b"\x11"))]
    await flush()
    reads.append(readers[1].read(bytearray(b"\x22")))
    await flush()
    assert bytes(view(stream.controller)) == b"\x11"
    return stream, readers, reads


@pytest.mark.parametrize("first", [0, 1])
async def test_read_from_both_cancel_one_cancel_the_other(first: int) -> None:
    """Cancel branch1, cancel branch2; cancel branch2, cancel branch1: two cases."""
    stream, readers, reads = await both_reading()
    cancel1 = readers[first].cancel()
    assert await read(reads[first]) == (None, True)
    await flush()
    assert bytes(view(stream.controller)) == b"\x11"
    cancel2 = readers[1 - first].cancel()
    await flush()
    assert stream.events[1] == "cancel"
    assert stream.controller.byob_request is None
    assert await read(reads[1 - first]) == (None, True)
    await asyncio.gather(cancel1, cancel2)


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_read_from_both_cancel_one_respond_to_the_other(cancelled: int) -> None:
    """Cancel branch2, enqueue to branch1; cancel branch1, respond to branch2: two cases."""
    stream, readers, reads = await both_reading()
    readers[cancelled].cancel()
    assert await read(reads[cancelled]) == (None, True)
    await flush()
    assert bytes(view(stream.controller)) == b"\x11"
    respond(stream.controller, b"\x33")
    assert await read(reads[1 - cancelled]) == (b"\x33", False)


@pytest.mark.parametrize("byob_first", [True, False])
async def test_pull_with_one_kind_of_reader_then_pull_with_the_other(byob_first: bool) -> None:
    """BYOB reader, then default reader; default reader, then BYOB reader: two cases."""
    shown = []

    def pull(controller: Controller, count: int) -> None:
        shown.append(controller.byob_request is not None)
        controller.enqueue(bytes([count]))

    kept = Kept(pull)
    branch1, _ = kept.stream.tee()
    for count, byob in enumerate([byob_first, not byob_first], 1):
        reader = branch1.get_reader(mode="byob" if byob else None)
        pending = reader.read(bytearray(1)) if byob else reader.read()
        assert await read(pending) == (bytes([count]), False)
        assert kept.pulls == count
        reader.release_lock()
    assert shown == [byob_first, not byob_first]


async def test_read_from_branch2_then_read_from_branch1() -> None:
    stream = recording()
    reader1, reader2 = byob_readers(stream)
    await flush()
    read2, read1 = reader2.read(bytearray(b"\x22")), reader1.read(bytearray(b"\x11"))
    await flush()
    assert bytes(view(stream.controller)) == b"\x22"
    respond(stream.controller, b"\1")
    assert await read(read1) == (b"\1", False)
    assert await read(read2) == (b"\1", False)


@pytest.mark.parametrize("default", [0, 1])
async def test_read_from_one_with_default_reader_then_close_while_the_other_has_pending_byob_read(
    default: int,
) -> None:
    """branch1 with the default reader; branch2 with the default reader: two cases."""
    stream = recording()
    branches = stream.tee()
    reader = branches[default].get_reader()
    byob_reader = branches[1 - default].get_reader(mode="byob")
    await flush()
    pending, byob_pending = reader.read(), byob_reader.read(bytearray(b"\x22"))
    await flush()
    assert stream.controller.byob_request is None
    stream.controller.close()
    assert await read(pending) == (None, True)
    assert await read(byob_pending) == (b"", True)


async def test_close_when_both_branches_have_pending_byob_reads() -> None:
    stream = recording()
    reader1, reader2 = byob_readers(stream)
    await flush()
    read1, read2 = reader1.read(bytearray(b"\x11")), reader2.read(bytearray(b"\x22"))
    await flush()
    request = stream.controller.byob_request
    assert bytes(view(stream.controller)) == b"\x11"
    stream.controller.close()
    request.respond(0)
    assert await read(read1) == (b"", True)
    assert await read(read2) == (b"", True)


async def test_enqueue_and_close_while_both_branches_are_pulling() -> None:
    stream = recording()
    readers = [branch.get_reader() for branch in stream.tee()]
    reads = [[reader.read(), reader.read()] for reader in readers]
    await flush()
    stream.controller.enqueue(b"\x11")
    stream.controller.close()
    for first, second in reads:
        assert await read(first) == (b"\x11", False)
        assert await read(second) == (None, True)


async def test_respond_and_close_while_both_branches_are_pulling() -> None:
    stream = recording()
    reads = [
        [reader.read(bytearray(1)), reader.read(bytearray(1))] for reader in byob_readers(stream)
    ]
    await flush()
    respond(stream.controller, b"\x11")
    stream.controller.close()
    for first, second in reads:
        assert await read(first) == (b"\x11", False)
        assert await read(second) == (b"", True)


async def test_reading_an_array_with_a_byte_offset_should_clone_correctly() -> None:
    def pull(controller: Controller, count: int) -> None:
        if count == 1:
            controller.enqueue(memoryview(bytearray(b"\1\2\3"))[2:])

    reads = [branch.get_reader().read() for branch in Kept(pull).stream.tee()]
    assert [await read(each) for each in reads] == [(b"\3", False)] * 2
