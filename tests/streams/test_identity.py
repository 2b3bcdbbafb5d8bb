"""IdentityTransformStream and FixedLengthStream: bytes pass unchanged, a write waits for its read, all is native."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.streams import (
    FixedLengthStream,
    IdentityTransformStream,
    NativeReadable,
    NativeWritable,
    ReadableStream,
    TransformStream,
    WritableStream,
)
from tests.streams.wpt.kit import END, chunk, flush, rejection, rest_of
from tests.support.native import RecordingSink, ScriptedSource

BROKEN = RuntimeError("broken")


class TestIdentity:
    async def test_what_is_written_is_read_unchanged_and_in_order(self) -> None:
        stream = IdentityTransformStream()
        writer = stream.writable.get_writer()
        for data in (b"a", bytearray(b"b"), memoryview(b"c")):
            writer.write(data)
        closed = writer.close()
        assert b"".join(await rest_of(stream.readable)) == b"abc"
        await closed

    async def test_a_write_waits_until_it_is_read(self) -> None:
        stream = IdentityTransformStream()
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        written = writer.write(b"a")
        await flush()
        assert not written.settled
        assert await reader.read() == chunk(b"a")
        await written

    async def test_a_write_that_a_read_waits_for_is_done_at_once(self) -> None:
        stream = IdentityTransformStream()
        reading = stream.readable.get_reader().read()
        await stream.writable.get_writer().write(b"a")
        assert await reading == chunk(b"a")

    async def test_ready_is_pending_while_a_write_waits(self) -> None:
        stream = IdentityTransformStream()
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        await writer.ready
        writer.write(b"a")
        ready = writer.ready
        await flush()
        assert not ready.settled
        await reader.read()
        await ready

    async def test_closing_waits_for_what_nobody_has_read(self) -> None:
        stream = IdentityTransformStream()
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        written, closed = writer.write(b"a"), writer.close()
        await flush()
        assert (written.settled, closed.settled) == (False, False)
        assert await reader.read() == chunk(b"a")
        assert await reader.read() == END
        await written
        await closed

    async def test_closing_without_a_write_ends_the_readable_side(self) -> None:
        stream = IdentityTransformStream()
        await stream.writable.close()
        assert await stream.readable.get_reader().read() == END

    @pytest.mark.parametrize(("value", "name"), [("text", "str"), (1, "int"), (None, "NoneType")])
    async def test_only_bytes_are_taken(self, value: Any, name: str) -> None:
        stream = IdentityTransformStream()
        error = await rejection(stream.writable.get_writer().write(value))
        assert isinstance(error, TypeError)
        assert f"takes bytes, bytearray or memoryview, not {name}." in str(error)

    async def test_an_abort_fails_the_readable_side_and_drops_what_nobody_has_read(self) -> None:
        stream = IdentityTransformStream()
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        written = writer.write(b"a")
        await writer.abort(BROKEN)
        assert await rejection(written) is BROKEN
        assert await rejection(reader.read()) is BROKEN

    async def test_a_cancel_fails_the_writable_side(self) -> None:
        stream = IdentityTransformStream()
        writer = stream.writable.get_writer()
        written = writer.write(b"a")
        await stream.readable.cancel(BROKEN)
        assert await rejection(written) is BROKEN
        assert await rejection(writer.closed) is BROKEN
        assert await rejection(writer.write(b"b")) is BROKEN

    async def test_a_cancel_without_a_reason_says_so_to_the_writer(self) -> None:
        stream = IdentityTransformStream()
        writer = stream.writable.get_writer()
        await stream.readable.cancel()
        assert str(await rejection(writer.write(b"b"))) == "This ReadableStream was cancelled."

    async def test_a_cancelled_wait_for_a_read_loses_no_byte(self) -> None:
        stream = IdentityTransformStream()
        reader = stream.readable.get_reader()

        async def wait() -> object:
            return await reader.read()

        waiting = asyncio.create_task(wait())
        await flush()
        waiting.cancel()
        await flush()
        written = stream.writable.get_writer().write(b"kept")
        assert await reader.read() == chunk(b"kept")
        await written

    async def test_both_sides_are_native_streams(self) -> None:
        stream = IdentityTransformStream()
        assert isinstance(stream.readable.core, NativeReadable)
        assert isinstance(stream.writable.core, NativeWritable)

    async def test_a_pipe_through_it_between_native_streams_is_pumped_on_both_sides(self) -> None:
        source, sink = ScriptedSource(), RecordingSink()
        incoming = ReadableStream(source)
        identity = IdentityTransformStream()
        piped = incoming.pipe_through(identity).pipe_to(WritableStream(sink))
        assert isinstance(incoming.core, NativeReadable)
        assert isinstance(identity.readable.core, NativeReadable)
        assert (incoming.core.pumping, identity.readable.core.pumping) == (True, True)
        source.deliver(b"one")
        assert sink.writes == [b"one"]  # In the same turn: no task is between the two.
        source.end()
        await piped
        assert sink.writes == [b"one"]

    async def test_a_sink_without_room_makes_the_source_before_it_wait(self) -> None:
        source, sink = ScriptedSource(), RecordingSink(room_bytes=1)
        identity = IdentityTransformStream()
        piped = ReadableStream(source).pipe_through(identity).pipe_to(WritableStream(sink))
        source.deliver(b"more than there is room for")
        waits = [source.paused]
        sink.send()
        await flush()
        waits.append(source.paused)
        assert waits == [True, False]
        source.end()
        await piped

    async def test_a_standard_stream_may_be_piped_through_it(self) -> None:
        stream = ReadableStream.from_([b"a", b"b"]).pipe_through(IdentityTransformStream())
        assert b"".join(await rest_of(stream)) == b"ab"

    async def test_it_may_be_piped_through_a_transform(self) -> None:
        identity = IdentityTransformStream()
        writer = identity.writable.get_writer()
        upper = TransformStream({"transform": lambda data, c: c.enqueue(data.upper())})
        writer.write(b"a")
        writer.close()
        assert await rest_of(identity.readable.pipe_through(upper)) == [b"A"]


class TestFixedLength:
    async def test_exactly_so_many_bytes_pass(self) -> None:
        stream = FixedLengthStream(4)
        writer = stream.writable.get_writer()
        writer.write(b"ab")
        writer.write(b"cd")
        closed = writer.close()
        assert b"".join(await rest_of(stream.readable)) == b"abcd"
        await closed

    async def test_too_many_bytes_fail_both_sides(self) -> None:
        stream = FixedLengthStream(3)
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        writer.write(b"ab")
        assert await reader.read() == chunk(b"ab")
        error = await rejection(writer.write(b"cd"))
        assert isinstance(error, TypeError)
        assert str(error) == "Attempt to write too many bytes through a FixedLengthStream."
        assert await rejection(reader.read()) is error
        assert await rejection(writer.closed) is error

    async def test_too_few_bytes_fail_both_sides(self) -> None:
        stream = FixedLengthStream(3)
        writer, reader = stream.writable.get_writer(), stream.readable.get_reader()
        writer.write(b"ab")
        assert await reader.read() == chunk(b"ab")
        error = await rejection(writer.close())
        assert isinstance(error, TypeError)
        assert str(error) == "FixedLengthStream did not see all expected bytes before close()."
        assert await rejection(reader.read()) is error

    async def test_nothing_may_be_what_is_expected(self) -> None:
        stream = FixedLengthStream(0)
        await stream.writable.close()
        assert await rest_of(stream.readable) == []

    @pytest.mark.parametrize("length", [-1, 1.5, "3", True, None])
    async def test_a_length_that_is_none_is_refused(self, length: Any) -> None:
        with pytest.raises(TypeError, match=r"takes a whole number of bytes from 0 up, not "):
            FixedLengthStream(length)

    async def test_its_readable_side_knows_how_long_it_is(self) -> None:
        assert FixedLengthStream(4).readable.core.length_bytes == 4
        assert IdentityTransformStream().readable.core.length_bytes is None

    async def test_too_many_bytes_through_a_pipe_fail_the_pipe(self) -> None:
        source = ScriptedSource()
        stream = FixedLengthStream(3)
        piped = ReadableStream(source).pipe_to(stream.writable)
        reading = stream.readable.get_reader().read()
        source.deliver(b"four")
        error = await rejection(piped)
        assert str(error) == "Attempt to write too many bytes through a FixedLengthStream."
        assert await rejection(reading) is error
