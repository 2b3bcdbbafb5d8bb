"""Files as sources and sinks: order, back-pressure, loss, and an end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.dev.files import FileSink, FileSource, OutputLostError
from emulator.errors import SocketError
from emulator.server.framing import FramingError, Length, UntilClose
from emulator.streams import HIGH_WATER_MARK_BYTES, Feeder, NativeReadable
from tests.support.waiting import until, within


class Listener(Feeder):
    """Counts what a sink says."""

    def __init__(self) -> None:
        self.drains = 0
        self.lost: BaseException | None = None

    def drained(self) -> None:
        self.drains += 1

    def sink_lost(self, error: BaseException) -> None:
        self.lost = error


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):  # Closed by the test.
            os.close(end)


async def drained_of(descriptor: int, count: int) -> bytes:
    """Read `count` bytes as they come."""
    os.set_blocking(descriptor, False)
    data = bytearray()

    def read() -> bool:
        try:
            data.extend(os.read(descriptor, count - len(data)))
        except BlockingIOError:
            return False
        return len(data) == count

    await until(read, f"{count} bytes")
    return bytes(data)


async def test_a_sink_writes_in_order_head_first(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out", b"head ", UntilClose())
    assert not sink.begun
    sink.write(b"one ")
    sink.write(memoryview(b"two"))
    await within(sink.finish())
    assert sink.buffered_bytes == 0
    sink.close()
    assert (tmp_path / "out").read_bytes() == b"head one two"


async def test_an_empty_body_still_makes_the_file(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "out", b"", Length(0))
    await within(sink.finish())
    sink.close()
    assert (tmp_path / "out").read_bytes() == b""


async def test_a_full_pipe_holds_the_feeder_back_until_it_is_read(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink, listener = FileSink(writer, b"", UntilClose()), Listener()
    sink.feed_from(listener)
    sent = 0
    while sink.write(bytes(10_000)):
        sent += 10_000
        assert sent < 10 * HIGH_WATER_MARK_BYTES
    sent += 10_000
    assert sink.buffered_bytes > HIGH_WATER_MARK_BYTES
    assert listener.drains == 0
    assert len(await drained_of(reader, sent)) == sent
    await within(sink.flush())
    assert listener.drains == 1
    sink.close()


async def test_a_reader_that_goes_is_a_loss(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    sink, listener = FileSink(writer, b"", UntilClose()), Listener()
    sink.feed_from(listener)
    sink.write(b"x")
    with pytest.raises(OutputLostError):
        await within(sink.finish())
    assert isinstance(listener.lost, OutputLostError)
    assert isinstance(listener.lost.__cause__, BrokenPipeError)
    assert sink.write(b"y"), "a write after the loss asks nobody to wait"


async def test_a_file_that_cannot_be_opened_is_a_loss(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "no" / "out", b"", UntilClose())
    with pytest.raises(OutputLostError, match="No such file or directory"):
        await within(sink.flush())


async def test_a_body_of_another_length_is_refused(tmp_path: Path) -> None:
    sink, listener = FileSink(tmp_path / "long", b"", Length(1)), Listener()
    sink.feed_from(listener)
    sink.write(b"xx")
    assert isinstance(listener.lost, FramingError)
    sink.close()
    sink = FileSink(tmp_path / "short", b"", Length(2))
    sink.write(b"x")
    with pytest.raises(FramingError):
        await within(sink.finish())
    sink.close()


async def test_a_source_delivers_a_file_to_its_end(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "in").write_bytes(data)
    source = FileSource(tmp_path / "in", len(data), 300_000, "too large")
    assert source.length_bytes == len(data)
    stream, got = NativeReadable(source), bytearray()
    assert not source.may_deliver()
    while not (result := await within(stream.read())).done:
        got += result.value
    assert bytes(got) == data
    assert not source.may_deliver()


async def test_a_source_reads_no_further_than_it_is_read(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    source = FileSource(reader, None, 1_000_000, "too large")
    stream = NativeReadable(source, 0)
    os.write(writer, b"one")
    assert (await within(stream.read())).value == b"one"
    os.write(writer, b"two")
    assert source.may_deliver()
    assert (await within(stream.read())).value == b"two"
    os.close(writer)
    assert (await within(stream.read())).done


async def test_more_than_the_limit_fails(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(11))
    stream = NativeReadable(FileSource(tmp_path / "in", None, 10, "too large"))
    with pytest.raises(SocketError, match="too large"):
        await within(stream.read())


async def test_a_file_that_is_gone_fails(tmp_path: Path) -> None:
    stream = NativeReadable(FileSource(tmp_path / "in", None, 10, ""))
    with pytest.raises(SocketError, match="No such file or directory"):
        await within(stream.read())


async def test_a_source_that_is_cancelled_delivers_nothing(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    source = FileSource(reader, None, 10, "")
    stream = NativeReadable(source)
    pending = stream.read()
    await within(stream.cancel())
    os.write(writer, b"late")
    assert (await within(pending)).done
    assert not source.may_deliver()
