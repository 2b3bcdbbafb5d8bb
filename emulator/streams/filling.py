"""One read that fills a reader's own view ("bring your own buffer") from a native stream.

Floor 2. Owns the view and how much of it is filled; must not know the stream.
"""

from __future__ import annotations

from emulator.streams.core import ReadResult
from emulator.streams.promise import Promise


class FillingRead:
    """A read that fills a reader's own view; `minimum` is how many bytes it waits for."""

    __slots__ = ("_minimum", "_view", "filled", "promise")

    def __init__(self, view: bytearray | memoryview, minimum: int) -> None:
        self.promise: Promise[ReadResult] = Promise()
        self.filled = 0
        self._view = memoryview(view).cast("B")
        self._minimum = minimum

    @property
    def enough(self) -> bool:
        """True once the read can be answered."""
        return self.filled >= self._minimum

    def take(self, data: bytes) -> bytes | None:
        """Copy what fits of `data` and return what does not; None when there is no room at all."""
        room = len(self._view) - self.filled
        if not room:
            return None
        count = min(room, len(data))
        self._view[self.filled : self.filled + count] = data[:count]
        self.filled += count
        return data[count:]

    def take_back(self) -> bytes:
        """Return what was copied, which the read will not answer with."""
        return bytes(self._view[: self.filled])

    def settle(self, *, done: bool) -> None:
        """Answer the read with the part of the view that was filled."""
        self.promise.resolve(ReadResult(self._view[: self.filled], done))
