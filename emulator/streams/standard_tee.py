"""One standard stream for two: each branch gives every chunk, as the same object.

Floor 2. Owns the standard's ReadableStreamDefaultTee, and the choice between that and byte_tee.py's. Source: WHATWG
Streams, "ReadableStreamTee".
"""

from __future__ import annotations

from typing import Any

from emulator.streams.byte_tee import ByteTee
from emulator.streams.core import ReaderKind
from emulator.streams.default_controller import ReadableStreamDefaultController
from emulator.streams.promise import Promise
from emulator.streams.reading import CalledRead
from emulator.streams.standard_readable import StandardReadable


class StandardTee:
    """Reads `source` for both branches when either wants more."""

    def __init__(self, source: StandardReadable) -> None:
        self._source = source
        self._reading = False
        self._read_again = False
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

    def _make_branch(self, index: int) -> ReadableStreamDefaultController:
        stream = StandardReadable()

        def cancel(reason: object = None) -> Promise[None]:
            return self._cancel(index, reason)

        return ReadableStreamDefaultController(stream, self._pull, cancel, 1, lambda _: 1)

    def _pull(self, *_: object) -> Promise[None]:
        if self._reading:
            self._read_again = True
        else:
            self._reading = True
            self._source.read_with(CalledRead(self._take, self._close, self._read_failed))
        return Promise.fulfilled(None)

    def _take(self, chunk: Any) -> None:
        # In a turn of its own: a branch that fails now must see the failure before the chunk.
        Promise.fulfilled(chunk).then(self._pass_on, lambda _: None)

    def _pass_on(self, chunk: Any) -> None:
        self._read_again = False
        for index, controller in enumerate(self._controllers):
            if index not in self._reasons and controller.may_enqueue:
                controller.push(chunk)
        self._reading = False
        if self._read_again:
            self._pull()

    def _close(self) -> None:
        self._reading = False
        for index, controller in enumerate(self._controllers):
            if index not in self._reasons and controller.may_enqueue:
                controller.finish()
        if len(self._reasons) < 2:
            self._cancelled.resolve(None)

    def _read_failed(self, _: BaseException) -> None:
        self._reading = False

    def _fail(self, error: BaseException) -> None:
        for controller in self._controllers:
            controller.fail(error)
        if len(self._reasons) < 2:
            self._cancelled.resolve(None)

    def _cancel(self, index: int, reason: object) -> Promise[None]:
        self._reasons[index] = reason
        if len(self._reasons) == 2:
            self._cancelled.follow(self._source.cancel([self._reasons[0], self._reasons[1]]))
        return self._cancelled


def tee(source: StandardReadable) -> tuple[StandardReadable, StandardReadable]:
    """Return two streams that each give everything `source` has and gets. It is held from now on."""
    return (ByteTee(source) if source.is_byte_stream else StandardTee(source)).branches
