"""One view that a stream of bytes is to fill, and how full it is.

Floor 2. Owns the standard's pull-into descriptor. A view is anything writable with a buffer; it is filled in place:
Python has no transfer that would detach it. Source: WHATWG Streams, "pull-into descriptor".
"""

from __future__ import annotations

from typing import Any

from emulator.errors import VIEW_NOT_WRITABLE, VIEW_READ_ONLY
from emulator.streams.core import ReaderKind


class PullInto:
    """`view` is filled up to `filled` bytes; a read is answered from `minimum` bytes on, in whole elements."""

    __slots__ = ("_bytes", "_view", "element_size", "filled", "minimum", "reader_kind")

    def __init__(self, view: Any, minimum: int, reader_kind: ReaderKind) -> None:
        self._view = as_view(view)
        self._bytes = self._view.cast("B")
        self.element_size = self._view.itemsize
        self.minimum = minimum * self.element_size
        self.filled = 0
        self.reader_kind = reader_kind

    @property
    def size(self) -> int:
        """The view's size in bytes."""
        return len(self._bytes)

    @property
    def room(self) -> memoryview:
        """The part that is not filled."""
        return self._bytes[self.filled :]

    @property
    def enough(self) -> bool:
        """True once a read can be answered."""
        return self.filled >= self.minimum

    def result(self) -> memoryview:
        """Return the filled part, in the elements that the reader's view had."""
        filled = self._bytes[: self.filled - self.filled % self.element_size]
        element: Any = self._view.format
        return filled if element == "B" else filled.cast(element)

    def taken(self) -> bytes:
        """Return a copy of the filled bytes."""
        return bytes(self._bytes[: self.filled])

    def cut_remainder(self) -> bytes:
        """Return, and give up, the bytes behind the last whole element."""
        remainder = self.filled % self.element_size
        cut = bytes(self._bytes[self.filled - remainder : self.filled])
        self.filled -= remainder
        return cut


def as_view(view: Any) -> memoryview:
    """Return `view` as a memoryview that can be written to. Raises TypeError for what can't be filled."""
    try:
        seen = memoryview(view)
    except TypeError:
        raise TypeError(VIEW_NOT_WRITABLE.format(type=type(view).__name__)) from None
    if seen.readonly:
        raise TypeError(VIEW_READ_ONLY.format(type=type(view).__name__))
    return seen
