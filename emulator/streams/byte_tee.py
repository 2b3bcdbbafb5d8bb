"""One standard stream of bytes for two: a branch's own view is filled by the source, the other branch gets a copy.

Floor 2. Owns the standard's ReadableByteStreamTee. Source: WHATWG Streams, "ReadableByteStreamTee".
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from emulator.streams.byte_controller import ReadableByteStreamController
from emulator.streams.core import ReaderKind
from emulator.streams.promise import Promise
from emulator.streams.reading import ReadRequest
from emulator.streams.standard_readable import StandardReadable


class ByteTee:
    """Reads `source` for both branches when either wants more, into that one's view if it has one."""

    def __init__(self, source: StandardReadable) -> None:
        self.source = source
        self._reading = False
        self._again: set[int] = set()
        self._reasons: dict[int, object] = {}
        self._cancelled: Promise[None] = Promise()
        source.acquire(ReaderKind.DEFAULT)
        self._controllers = [self._make_branch(0), self._make_branch(1)]
        for controller in self._controllers:
            controller.started(Promise.fulfilled(None))
        source.closed.then(lambda _: None, self._fail)

    @property
    def branches(self) -> tuple[StandardReadable, StandardReadable]:
        """The two streams."""
        first, second = self._controllers
        return first.stream, second.stream

    def _make_branch(self, index: int) -> ReadableByteStreamController:
        def pull(_: object = None) -> Promise[None]:
            return self._pull(index)

        def cancel(reason: object = None) -> Promise[None]:
            return self._cancel(index, reason)

        stream = StandardReadable(is_byte_stream=True)
        return ReadableByteStreamController(stream, pull, cancel, 0, None)

    def _pull(self, index: int) -> Promise[None]:
        if self._reading:
            self._again.add(index)
            return Promise.fulfilled(None)
        self._reading = True
        request = self._controllers[index].byob_request
        view = None if request is None else request.view
        if view is None:
            self._hold(ReaderKind.DEFAULT)
            self.source.read_with(_Read(self, None))
        else:
            self._hold(ReaderKind.BYOB)
            self.source.read_into_with(view, 1, _Read(self, index))
        return Promise.fulfilled(None)

    def _hold(self, kind: ReaderKind) -> None:
        if self.source.reader_kind is not kind:
            self.source.release()
            self.source.acquire(kind)

    def take(self, chunk: bytes | memoryview, into: int | None) -> None:
        """A read gave `chunk`, which is in the view of branch `into` already if there is one."""
        # In a turn of its own: a branch that fails now must see the failure before the chunk.
        Promise.fulfilled(chunk).then(lambda chunk: self._pass_on(chunk, into), lambda _: None)

    def _pass_on(self, chunk: bytes | memoryview, into: int | None) -> None:
        self._again.clear()
        for index in self._open(into):
            if index != into:
                self._controllers[index].push(bytes(chunk))
            elif self._controllers[index].has_waiting_view:
                self._controllers[index].respond(len(chunk))
        self._reading = False
        if self._again:
            self._pull(min(self._again))

    def end(self, into: int | None, *, view_given_back: bool) -> None:
        """The source is at its end; `view_given_back` if a view was to be filled, and was not."""
        self._reading = False
        for index in self._open(into):
            # TypeError: inside an element of a waiting view, and that branch has failed with it.
            with suppress(TypeError):
                self._controllers[index].finish()
        if into is None or view_given_back:
            for controller in self._controllers:
                if controller.has_waiting_view:
                    controller.respond(0)
        if len(self._reasons) < 2:
            self._cancelled.resolve(None)

    def stop_reading(self) -> None:
        """The read failed: how the source failed is told elsewhere."""
        self._reading = False

    def _open(self, first: int | None) -> list[int]:
        """The branches that still take something, that whose view is filled first."""
        return [
            index
            for index in ((1, 0) if first == 1 else (0, 1))
            if index not in self._reasons and self._controllers[index].may_enqueue
        ]

    def _fail(self, error: BaseException) -> None:
        for controller in self._controllers:
            controller.fail(error)
        if len(self._reasons) < 2:
            self._cancelled.resolve(None)

    def _cancel(self, index: int, reason: object) -> Promise[None]:
        self._reasons[index] = reason
        if len(self._reasons) == 2:
            self._cancelled.follow(self.source.cancel([self._reasons[0], self._reasons[1]]))
        return self._cancelled


class _Read(ReadRequest):
    """A read of `tee`'s, into the view of branch `into` if that is not None."""

    __slots__ = ("_into", "_tee")

    def __init__(self, tee: ByteTee, into: int | None) -> None:
        self._tee = tee
        self._into = into

    def take(self, chunk: Any) -> None:
        self._tee.take(chunk, self._into)

    def close(self, chunk: Any = None) -> None:
        self._tee.end(self._into, view_given_back=chunk is not None)

    def fail(self, error: BaseException) -> None:
        self._tee.stop_reading()
