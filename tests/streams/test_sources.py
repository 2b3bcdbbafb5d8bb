"""Bytes at hand and iterables as native sources: asked for, held, failed, cancelled."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, current, enter
from emulator.streams import ByteSource, IterableSource, MemorySource, ReadableStream
from tests.support.native import RecordingReceiver, check_source, let_loop_run


async def nothing_to_supply(_: ByteSource) -> None:
    """The source has it all."""


async def some_async() -> AsyncIterator[bytes]:
    for chunk in (b"one", b"", b"two"):
        await asyncio.sleep(0)
        yield chunk


def some() -> Iterator[bytes]:
    yield from (b"one", b"", b"two")


MAKERS: dict[str, Callable[[], ByteSource]] = {
    "memory": lambda: MemorySource(b"onetwo"),
    "list": lambda: IterableSource([b"one", bytearray(b"t"), memoryview(b"wo")]),
    "generator": lambda: IterableSource(some()),
    "async generator": lambda: IterableSource(some_async()),
}


@pytest.mark.parametrize("kind", MAKERS)
async def test_they_keep_the_contract(kind: str) -> None:
    async def make() -> ByteSource:
        return MAKERS[kind]()

    await check_source(make, nothing_to_supply, b"onetwo")


async def received_from(source: ByteSource) -> RecordingReceiver:
    """Return what `source` delivered, with its end or failure."""
    receiver = RecordingReceiver()
    source.deliver_to(receiver)
    source.resume()
    settled = asyncio.Event()
    receiver.over.when_settled(settled.set)
    await asyncio.wait_for(settled.wait(), 5)
    return receiver


class TestMemorySource:
    async def test_no_bytes_are_an_end(self) -> None:
        assert await ReadableStream(MemorySource(b"")).get_reader().read() == (None, True)

    def test_it_ends_once(self) -> None:
        source = MemorySource(b"a")
        source.deliver_to(RecordingReceiver())
        second = RecordingReceiver()
        source.deliver_to(second)
        assert not second.over.settled

    def test_cancelled_by_its_receiver_it_does_not_end(self) -> None:
        source = MemorySource(b"a")

        class Sated(RecordingReceiver):
            def receive(self, data: bytes) -> None:
                super().receive(data)
                source.cancel(None)

        receiver = Sated()
        source.deliver_to(receiver)
        assert receiver.data == b"a"
        assert not receiver.over.settled


class TestIterableSource:
    async def test_nothing_runs_before_it_is_asked(self) -> None:
        begun: list[str] = []

        def chunks() -> Iterator[bytes]:
            begun.append("yes")
            yield b"a"

        stream = ReadableStream(IterableSource(chunks()))
        await let_loop_run()
        assert begun == []
        assert (await stream.get_reader().read()).value == b"a"

    async def test_held_while_nobody_reads(self) -> None:
        made: list[int] = []

        def chunks() -> Iterator[bytes]:
            for number in range(100):
                made.append(number)
                yield b"four"

        stream = ReadableStream(IterableSource(chunks()), high_water_mark_bytes=8)
        reader = stream.get_reader()
        await reader.read()
        await let_loop_run(50)
        assert len(made) <= 4
        count = 1
        while not (await reader.read()).done:
            count += 1
        assert count == len(made) == 100

    async def test_an_endless_generator_leaves_the_loop_alive(self) -> None:
        def endless() -> Iterator[bytes]:
            while True:
                yield b"x"

        source = IterableSource(endless())
        source.deliver_to(RecordingReceiver())
        source.resume()
        await let_loop_run(20)
        source.cancel(None)
        await let_loop_run()

    async def test_first_chunk_comes_before_the_second_is_made(self) -> None:
        more = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            await more.wait()
            yield b"second"

        reader = ReadableStream(IterableSource(chunks())).get_reader()
        assert (await reader.read()).value == b"first"
        more.set()
        assert (await reader.read()).value == b"second"

    async def test_runs_in_the_context_it_was_made_in(self) -> None:
        context = IoContext("GET /", Observer())
        seen: list[IoContext | None] = []

        def chunks() -> Iterator[bytes]:
            seen.append(current())
            yield b"a"

        with enter(context):
            source = IterableSource(chunks())
        await received_from(source)
        assert seen == [context]

    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_an_error_comes_behind_the_bytes(self, asynchronous: bool) -> None:
        error = ValueError("broken body")

        def chunks() -> Iterator[bytes]:
            yield b"a"
            raise error

        async def async_chunks() -> AsyncIterator[bytes]:
            yield b"a"
            raise error

        receiver = await received_from(IterableSource(async_chunks() if asynchronous else chunks()))
        assert receiver.data == b"a"
        assert receiver.over.error is error

    @pytest.mark.parametrize("stop", [SystemExit(3), KeyboardInterrupt()])
    async def test_what_would_stop_the_server_fails_the_body(self, stop: BaseException) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"a"
            raise stop

        receiver = await received_from(IterableSource(chunks()))
        assert receiver.data == b"a"
        assert str(receiver.over.error) == f"A body's iterator raised {stop!r}."

    async def test_sys_exit_in_an_async_generator(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            sys.exit("bye")

        receiver = await received_from(IterableSource(chunks()))
        assert str(receiver.over.error) == "A body's iterator raised SystemExit('bye')."

    @pytest.mark.parametrize(
        ("chunk", "sentence"),
        [
            (
                "text",
                "A body's chunks must be bytes, bytearray or memoryview, not str. "
                "Encode the text first: text.encode().",
            ),
            (3, "A body's chunks must be bytes, bytearray or memoryview, not int."),
        ],
    )
    async def test_what_is_not_bytes(self, chunk: object, sentence: str) -> None:
        receiver = await received_from(IterableSource([b"a", chunk]))
        assert receiver.data == b"a"
        assert isinstance(receiver.over.error, TypeError)
        assert str(receiver.over.error) == sentence

    async def test_cancelled_from_within_says_so(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            raise asyncio.CancelledError

        receiver = await received_from(IterableSource(chunks()))
        assert str(receiver.over.error) == errors.BODY_ITERATOR_CANCELLED


class TestCancel:
    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_closes_the_iterator(self, asynchronous: bool) -> None:
        closed: list[str] = []

        def chunks() -> Iterator[bytes]:
            try:
                while True:
                    yield b"a"
            finally:
                closed.append("yes")

        async def async_chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"a"
            finally:
                await asyncio.sleep(0)
                closed.append("yes")

        source = IterableSource(async_chunks() if asynchronous else chunks())
        reader = ReadableStream(source, high_water_mark_bytes=1).get_reader()
        await reader.read()
        await reader.cancel()
        await let_loop_run()
        assert closed == ["yes"]

    async def test_before_it_began_closes_what_can_be_closed(self) -> None:
        class Closeable:
            closed = False

            def __iter__(self) -> Iterator[bytes]:
                raise AssertionError("never asked")

            def close(self) -> None:
                self.closed = True

        chunks = Closeable()
        source = IterableSource(chunks)
        source.cancel(None)
        source.resume()
        await let_loop_run()
        assert chunks.closed

    async def test_while_it_waits_for_its_own_source(self) -> None:
        cancelled: list[str] = []

        async def chunks() -> AsyncIterator[bytes]:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("yes")
                raise
            yield b"never"

        source = IterableSource(chunks())
        receiver = RecordingReceiver()
        source.deliver_to(receiver)
        source.resume()
        await let_loop_run()
        source.cancel(None)
        await let_loop_run()
        assert cancelled == ["yes"]
        assert not receiver.over.settled
