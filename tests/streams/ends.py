"""The ends of a pipe for tests: sources and sinks, native and standard, that do as the test says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from emulator.streams import Promise, ReadableStream, WritableStream
from tests.streams.wpt.kit import flush
from tests.support.native import RecordingSink, ScriptedSource

# How many bytes a sink takes before it makes its source wait.
ROOM = 8


class Source(ABC):
    """A source that does as the test says, behind `stream`."""

    stream: ReadableStream

    @abstractmethod
    def give(self, chunk: bytes) -> None:
        """Have `chunk` read next."""

    @abstractmethod
    def end(self) -> None:
        """End behind that."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """Fail behind that."""

    @property
    @abstractmethod
    def cancelled_with(self) -> object:
        """Why the rest was not wanted; None while it is."""


class Native(Source):
    def __init__(self) -> None:
        self.script = ScriptedSource()
        self.stream = ReadableStream(self.script, high_water_mark_bytes=ROOM)

    def give(self, chunk: bytes) -> None:
        self.script.deliver(chunk)

    def end(self) -> None:
        self.script.end()

    def fail(self, error: BaseException) -> None:
        self.script.fail(error)

    @property
    def cancelled_with(self) -> object:
        return self.script.cancel_reason


class Standard(Source):
    def __init__(self) -> None:
        self._controllers: list[Any] = []
        self._reasons: list[object] = []
        self.stream = ReadableStream(
            {"start": self._controllers.append, "cancel": self._reasons.append}
        )

    def give(self, chunk: bytes) -> None:
        self._controllers[0].enqueue(chunk)

    def end(self) -> None:
        self._controllers[0].close()

    def fail(self, error: BaseException) -> None:
        self._controllers[0].error(error)

    @property
    def cancelled_with(self) -> object:
        return self._reasons[0] if self._reasons else None


class Sink(ABC):
    """A sink that takes `ROOM` bytes, and more when the test has it drain, behind `stream`."""

    stream: WritableStream
    finished: bool
    aborted_with: BaseException | None

    @property
    @abstractmethod
    def taken(self) -> bytes:
        """What the sink was given."""

    @abstractmethod
    async def drain(self) -> None:
        """Be done with what was given."""

    @abstractmethod
    def lose(self, error: BaseException) -> None:
        """Take nothing any more."""


class NativeSink(Sink):
    def __init__(self) -> None:
        self.sink = RecordingSink(ROOM)
        self.stream = WritableStream(self.sink, high_water_mark_bytes=ROOM)

    @property
    def taken(self) -> bytes:
        return b"".join(self.sink.writes)

    @property
    def finished(self) -> bool:  # type: ignore[override]
        return self.sink.finished

    @property
    def aborted_with(self) -> BaseException | None:  # type: ignore[override]
        return self.sink.aborted_with

    async def drain(self) -> None:
        while self.sink.buffered_bytes:
            self.sink.send()
            await flush()

    def lose(self, error: BaseException) -> None:
        self.sink.lose(error)


class StandardSink(Sink):
    def __init__(self) -> None:
        self.finished = False
        self.aborted_with = None
        self._chunks: list[bytes] = []
        self._controllers: list[Any] = []
        self._writing: Promise[None] | None = None
        strategy = {"high_water_mark": ROOM, "size": len}
        self.stream = WritableStream(
            {
                "start": self._controllers.append,
                "write": self._write,
                "close": self._close,
                "abort": self._abort,
            },
            strategy,
        )

    @property
    def taken(self) -> bytes:
        return b"".join(self._chunks)

    async def drain(self) -> None:
        await flush()
        while self._writing is not None:
            writing, self._writing = self._writing, None
            writing.resolve(None)
            await flush()

    def lose(self, error: BaseException) -> None:
        self._controllers[0].error(error)
        if self._writing is not None:
            self._writing.resolve(None)

    def _write(self, chunk: bytes) -> Promise[None]:
        self._chunks.append(bytes(chunk))
        self._writing = Promise()
        return self._writing

    def _close(self) -> None:
        self.finished = True

    def _abort(self, reason: BaseException) -> None:
        self.aborted_with = reason
