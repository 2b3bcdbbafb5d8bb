"""Native sources and sinks for tests: real parts that do as the test says and remember what was done to them.

ScriptedSource and RecordingSink keep the promises of emulator/streams/native.py, and `check_source` and `check_sink`
prove it of them as of any other part: a connection, a response, a test's own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from emulator.streams import Bytes, ByteSink, ByteSource, Feeder, Promise, Receiver


async def let_loop_run(rounds: int = 5) -> None:
    """Let what is ready on the event loop run, `rounds` times."""
    for _ in range(rounds):
        await asyncio.sleep(0)


class ScriptedSource(ByteSource):
    """Delivers what the test says, when it says so; while it is paused, what it says waits.

    It begins paused, as a source does that nobody has asked.
    """

    def __init__(self) -> None:
        self.receiver: Receiver | None = None
        self.paused = True
        self.pauses = 0
        self.resumes = 0
        self.cancelled = False
        self.cancel_reason: BaseException | None = None
        self._script: deque[bytes | BaseException | None] = deque()

    def deliver(self, *chunks: bytes) -> None:
        """Deliver each of `chunks` as soon as this source is not paused."""
        self._script.extend(chunks)
        self._play()

    def deliver_late(self, data: bytes) -> None:
        """Deliver `data` although paused, as a source may whose bytes were on their way."""
        assert self.receiver is not None
        if not self.cancelled:
            self.receiver.receive(data)

    def deliver_last(self, data: bytes) -> None:
        """Deliver `data` and the end in one, to a receiver that takes it so; nothing waits to be delivered."""
        assert self.receiver is not None
        assert not self._script, "in order"
        self.receiver.receive_last(data)

    def take_end(self) -> bool:
        at_end = list(self._script) == [None]
        if at_end:
            self._script.clear()
        return at_end

    def end(self) -> None:
        """End behind what was said before."""
        self._script.append(None)
        self._play()

    def fail(self, error: BaseException) -> None:
        """Fail behind what was said before."""
        self._script.append(error)
        self._play()

    def deliver_to(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def pause(self) -> None:
        if not self.paused:
            self.pauses += 1
        self.paused = True

    def resume(self) -> None:
        if self.paused:
            self.resumes += 1
        self.paused = False
        self._play()

    def cancel(self, reason: BaseException | None) -> None:
        assert not self.cancelled, "a source is cancelled once"
        self.cancelled = True
        self.cancel_reason = reason
        self._script.clear()

    def _play(self) -> None:
        while self._script and not self.paused and self.receiver is not None:
            said = self._script.popleft()
            if said is None:
                self.receiver.end()
            elif isinstance(said, BaseException):
                self.receiver.fail(said)
            else:
                self.receiver.receive(said)


class RecordingSink(ByteSink):
    """Takes everything, remembers it, and has it sent when the test says `send()`.

    With `room_bytes` or more waiting, a write asks the feeder to hold back; None is a sink that sends at once.
    """

    def __init__(self, room_bytes: int | None = None) -> None:
        self.feeder: Feeder | None = None
        self.sent = bytearray()
        self.writes: list[bytes] = []
        self.finished = False
        self.aborted_with: BaseException | None = None
        self.lost_with: BaseException | None = None
        self.asked_to_hold = False
        self._room_bytes = room_bytes
        self._waiting = bytearray()
        self._flushes: list[Promise[None]] = []

    def feed_from(self, feeder: Feeder) -> None:
        self.feeder = feeder

    def write(self, data: Bytes) -> bool:
        assert len(data), "a write has bytes"
        assert not self.finished, "nothing is written after the end"
        assert self.aborted_with is None, "nothing is written to what was broken off"
        assert self.lost_with is None, "nothing is written to what said it is gone"
        self.writes.append(bytes(data))
        self._waiting += data
        if self._room_bytes is None:
            self.send()
            return True
        self.asked_to_hold = len(self._waiting) >= self._room_bytes or self.asked_to_hold
        return not self.asked_to_hold

    @property
    def buffered_bytes(self) -> int:
        return len(self._waiting)

    def flush(self) -> Promise[None]:
        flushed: Promise[None] = Promise()
        if self.lost_with is not None:
            flushed.reject(self.lost_with)
        elif self._waiting:
            self._flushes.append(flushed)
        else:
            flushed.resolve(None)
        return flushed

    def finish(self) -> Promise[None]:
        self.finished = True
        return self.flush()

    def abort(self, error: BaseException) -> None:
        self.aborted_with = error
        self._waiting.clear()

    def send(self) -> None:
        """Everything that waits is sent: there is room again."""
        self.sent += self._waiting
        self._waiting.clear()
        flushes, self._flushes = self._flushes, []
        for flushed in flushes:
            flushed.resolve(None)
        if self.asked_to_hold:
            self.asked_to_hold = False
            if self.feeder is not None:
                self.feeder.drained()

    def lose(self, error: BaseException) -> None:
        """The receiver is gone."""
        self.lost_with = error
        self._waiting.clear()
        flushes, self._flushes = self._flushes, []
        for flushed in flushes:
            flushed.reject(error)
        if self.feeder is not None:
            self.feeder.sink_lost(error)


class RecordingReceiver(Receiver):
    """Remembers what a source delivered; `over` settles with its end (fulfilled) or failure (rejected)."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.chunks: list[bytes] = []
        self.over: Promise[None] = Promise()

    def receive(self, data: bytes) -> None:
        assert len(data), "a delivery has bytes"
        assert not self.over.settled, "nothing comes after the end"
        self.chunks.append(data)
        self.data += data

    def end(self) -> None:
        assert not self.over.settled, "a source ends once"
        self.over.resolve(None)

    def fail(self, error: BaseException) -> None:
        assert not self.over.settled, "a source ends once"
        self.over.reject(error)


class RecordingFeeder(Feeder):
    """Remembers what a sink said."""

    def __init__(self) -> None:
        self.drains = 0
        self.losses: list[BaseException] = []

    def drained(self) -> None:
        self.drains += 1

    def sink_lost(self, error: BaseException) -> None:
        self.losses.append(error)


async def check_source(
    make: Callable[[], Awaitable[ByteSource]],
    supply: Callable[[ByteSource], Awaitable[None]],
    expected: bytes,
) -> None:
    """Prove that the sources from `make` keep ByteSource's promises.

    `supply(source)` has one deliver `expected` and its end; it may return before that is done.
    """
    receiver = RecordingReceiver()
    source = await make()
    source.deliver_to(receiver)
    source.resume()
    await supply(source)
    await asyncio.wait_for(receiver.over, 5)
    assert receiver.data == expected
    source.pause()
    source.resume()
    source.resume()
    source.cancel(None)
    await let_loop_run()
    assert receiver.data == expected

    cancelled = RecordingReceiver()
    source = await make()
    source.cancel(ValueError("not wanted"))
    source.deliver_to(cancelled)
    source.resume()
    await supply(source)
    await let_loop_run()
    assert not cancelled.data
    assert not cancelled.over.settled

    held = RecordingReceiver()
    source = await make()
    source.deliver_to(held)
    source.resume()
    source.pause()
    await supply(source)
    await let_loop_run()
    source.resume()
    await asyncio.wait_for(held.over, 5)
    assert held.data == expected


async def check_sink(
    make: Callable[[], Awaitable[ByteSink]],
    drain: Callable[[ByteSink], Awaitable[None]],
    arrived: Callable[[ByteSink], Awaitable[bytes]],
) -> None:
    """Prove that the sinks from `make` keep ByteSink's promises.

    `drain(sink)` has the other end take what was written; `arrived(sink)` gives what it has taken.
    """
    feeder = RecordingFeeder()
    sink = await make()
    sink.feed_from(feeder)
    expected = bytearray()
    held_back = False
    for number in range(64):
        chunk = bytes([number]) * 4096
        expected += chunk
        if not sink.write(chunk):
            held_back = True
            assert sink.buffered_bytes
            break
    assert feeder.drains == 0, "room is not told from within a write"
    flushed = sink.flush()
    await drain(sink)
    await asyncio.wait_for(flushed, 5)
    assert feeder.drains == (1 if held_back else 0)
    assert sink.write(memoryview(b"last")) or sink.buffered_bytes
    expected += b"last"
    finished = sink.finish()
    await drain(sink)
    await asyncio.wait_for(finished, 5)
    assert await arrived(sink) == expected
    assert not feeder.losses
