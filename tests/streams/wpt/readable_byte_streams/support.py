"""What the tests of byte streams share: streams made in one line, and views told apart by what they show."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

from emulator.streams import Promise, ReadableByteStreamController, ReadableStream, ReadResult

Controller = ReadableByteStreamController


class Kept:
    """A byte stream with its controller, and how often its source was pulled."""

    def __init__(
        self,
        pull: Callable[[Controller, int], Any] | None = None,
        *,
        start: Callable[[Controller], Any] | None = None,
        cancel: Callable[[object], Any] | None = None,
        auto_allocate: int | None = None,
        high_water_mark: float = 0,
    ) -> None:
        self.controller: Controller
        self.pulls = 0

        def begin(controller: Controller) -> Any:
            self.controller = controller
            return None if start is None else start(controller)

        def pulled(controller: Controller) -> Any:
            self.pulls += 1
            return None if pull is None else pull(controller, self.pulls)

        source: dict[str, Any] = {"type": "bytes", "start": begin, "pull": pulled}
        if cancel is not None:
            source["cancel"] = cancel
        if auto_allocate is not None:
            source["auto_allocate_chunk_size"] = auto_allocate
        self.stream = ReadableStream(source, {"high_water_mark": high_water_mark})

    def reader(self) -> Any:
        """Take a reader."""
        return self.stream.get_reader()

    def byob_reader(self) -> Any:
        """Take a reader that brings its own views."""
        return self.stream.get_reader(mode="byob")


def never(*_: object) -> Any:
    """A method of a source that the test does not expect to be called."""
    raise AssertionError("not to be called")


def view(controller: Controller) -> memoryview:
    """Return the view that waits to be filled."""
    request = controller.byob_request
    assert request is not None
    assert request.view is not None
    return request.view


def respond(controller: Controller, data: bytes) -> None:
    """Write `data` into the view that waits, and say so."""
    request = controller.byob_request
    assert request is not None
    assert request.view is not None
    request.view[: len(data)] = data
    request.respond(len(data))


def shorts(*values: int) -> array.array[int]:
    """Return a view of 2-byte elements."""
    return array.array("H", values)


def got(result: ReadResult) -> tuple[bytes | None, bool]:
    """Return what a read gave: its bytes and whether it is done."""
    value = None if result.value is None else bytes(result.value)
    return value, result.done


async def read(promise: Promise[ReadResult]) -> tuple[bytes | None, bool]:
    """Await a read and return what it gave."""
    return got(await promise)


def is_released(view: memoryview) -> bool:
    """True when nothing can be read from or written to `view` any more: Python's word for a detached buffer."""
    try:
        view[:0]
    except ValueError:
        return True
    return False
