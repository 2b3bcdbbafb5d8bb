"""What the ported suite shares: streams that record what is asked of them, and ways to let the loop run.

The names are those of the suite's own resources (recording-streams, test-utils), in Python's spelling. Events are one
flat list, as there: ["pull", "cancel", reason], ["write", chunk, "close", "abort", reason].
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from emulator.streams import (
    Promise,
    ReadableStream,
    ReadResult,
    WritableStream,
    WritableStreamDefaultController,
)
from tests.support.native import let_loop_run

# More turns of the loop than any chain of reactions in these tests is long.
QUIET_AFTER_TURNS = 40

Methods = Mapping[str, Callable[..., Any]]

END = ReadResult(None, True)


async def flush() -> None:
    """Let the loop run until nothing is left that was ready to run."""
    await let_loop_run(QUIET_AFTER_TURNS)


async def turn() -> None:
    """Let what is ready now run, and not what that makes ready: the suite's `Promise.resolve().then(...)`."""
    await let_loop_run(1)


def chunk(value: object) -> ReadResult:
    """Return what a read gives that found `value`."""
    return ReadResult(value, False)


async def rejection(promise: Awaitable[object]) -> BaseException:
    """Return what `promise` is rejected with; the test fails if it is fulfilled."""
    with pytest.raises(Exception) as caught:
        await promise
    return caught.value


async def rejects_with_type_error(promise: Awaitable[object]) -> None:
    """The test fails unless `promise` is rejected with a TypeError."""
    with pytest.raises(TypeError):
        await promise


async def all_of(*promises: Awaitable[Any]) -> list[Any]:
    """Return what `promises` are fulfilled with: the suite's `Promise.all`."""
    return list(await asyncio.gather(*promises))


def told(log: list[str], name: str, promise: Promise[Any]) -> None:
    """Have `name` added to `log` when `promise` is fulfilled, and `name` with "rejected" when it is rejected."""
    promise.then(lambda _: log.append(name), lambda _: log.append(f"{name} rejected"))


async def rest_of(stream: ReadableStream) -> list[Any]:
    """Read `stream` to its end through a reader and return the chunks."""
    reader = stream.get_reader()
    chunks = []
    while not (result := await reader.read()).done:
        chunks.append(result.value)
    return chunks


class RecordingReadable(ReadableStream):
    """A readable stream that keeps its controller and records what is asked of its source in `events`."""

    def __init__(self, extras: Mapping[str, Any], strategy: object) -> None:
        self.events: list[Any] = []
        self.controller: Any = None
        super().__init__({**extras, **self._methods(extras)}, strategy)

    @property
    def events_without_pulls(self) -> list[Any]:
        """What is asked of the source, without pulls."""
        return [event for event in self.events if event != "pull"]

    def _methods(self, extras: Mapping[str, Any]) -> Methods:
        def start(controller: Any) -> Any:
            self.controller = controller
            return extras["start"](controller) if "start" in extras else None

        def pull(controller: Any) -> Any:
            self.events.append("pull")
            return extras["pull"](controller) if "pull" in extras else None

        def cancel(reason: object) -> Any:
            self.events += ["cancel", reason]
            return extras["cancel"](reason) if "cancel" in extras else None

        return {"start": start, "pull": pull, "cancel": cancel}


class RecordingWritable(WritableStream):
    """A writable stream that keeps its controller and records what is asked of its sink in `events`."""

    def __init__(self, extras: Methods, strategy: object) -> None:
        self.events: list[Any] = []
        self.controller: Any = None
        super().__init__(self._methods(extras), strategy)

    def _methods(self, extras: Methods) -> Methods:
        def start(controller: WritableStreamDefaultController) -> Any:
            self.controller = controller
            return extras["start"](controller) if "start" in extras else None

        def write(value: object, controller: WritableStreamDefaultController) -> Any:
            self.events += ["write", value]
            return extras["write"](value, controller) if "write" in extras else None

        def close() -> Any:
            self.events.append("close")
            return extras["close"]() if "close" in extras else None

        def abort(reason: object) -> Any:
            self.events += ["abort", reason]
            return extras["abort"](reason) if "abort" in extras else None

        return {"start": start, "write": write, "close": close, "abort": abort}


def recording_readable_stream(
    extras: Mapping[str, Any] | None = None, strategy: object = None
) -> RecordingReadable:
    """Return a stream that records, whose source also does what `extras` (start, pull, cancel, type) say."""
    return RecordingReadable(extras or {}, strategy)


def recording_writable_stream(
    extras: Methods | None = None, strategy: object = None
) -> RecordingWritable:
    """Return a stream that records, whose sink also does what `extras` (start, write, close, abort) say."""
    return RecordingWritable(extras or {}, strategy)


def controlled(
    extras: Mapping[str, Any] | None = None, strategy: object = None
) -> tuple[ReadableStream, Any]:
    """Return a readable stream and its controller, whose source has what `extras` say and nothing more."""
    given: list[Any] = []
    return ReadableStream({**(extras or {}), "start": given.append}, strategy), given[0]
