"""One read that fills a reader's own view ("bring your own buffer") from a native stream.

Floor 2. Owns the read's promise and what it is answered with; must not know the stream.
"""

from __future__ import annotations

from emulator.errors import VIEW_CUT
from emulator.streams.core import ReaderKind, ReadResult
from emulator.streams.promise import Promise
from emulator.streams.pull_into import PullInto


class FillingRead:
    """A read that fills a reader's own view; it waits for `minimum` elements of it."""

    __slots__ = ("_into", "promise")

    def __init__(self, view: bytearray | memoryview, minimum: int) -> None:
        self.promise: Promise[ReadResult] = Promise()
        self._into = PullInto(view, minimum, ReaderKind.BYOB)

    @property
    def enough(self) -> bool:
        """True once the read can be answered."""
        return self._into.enough

    @property
    def full(self) -> bool:
        """True while there is no room."""
        return self._into.filled == self._into.size

    def take(self, data: bytes | memoryview) -> bytes | memoryview:
        """Copy what fits of `data` and return what does not."""
        return self._into.put(data)

    def take_back(self) -> bytes:
        """Return what was copied, which the read will not answer with."""
        return self._into.taken()

    def answer(self) -> bytes:
        """Answer with the whole elements there are, done when there are none; return the bytes behind them.

        Bytes that are not even one element can't be given into this view: the read is rejected with TypeError.
        """
        cut = self._into.cut_remainder()
        if cut and not self._into.filled:
            self.promise.reject(TypeError(VIEW_CUT))
        else:
            self.promise.resolve(ReadResult(self._into.result(), not self._into.filled))
        return cut
