"""One view that a stream of bytes is to fill, and how full it is.

Floor 2. Owns the standard's pull-into descriptor and what a view may be. Source: WHATWG Streams, "pull-into
descriptor".

Where JavaScript transfers a view's buffer, Python fills it in place: what a read gives is a memoryview of the reader's
own memory. From `read(view)` until that read is answered the memory is the stream's, and must not be touched; a
bytearray can't change its length meanwhile, nor while what the read gave is held. A wait that is cancelled leaves the
read, and with it the view, where they are: the next read takes its place, `release_lock()` ends it. The view that a
BYOB request shows its source is released (a memoryview's `release()`) as soon as the request is answered.
"""

from __future__ import annotations

from typing import Any

from emulator.errors import VIEW_NOT_FLAT, VIEW_NOT_WRITABLE, VIEW_READ_ONLY
from emulator.streams.core import ReaderKind


class PullInto:
    """`view` is filled up to `filled` bytes; a read is answered from `minimum` elements on, in whole elements."""

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

    def put(self, data: bytes | memoryview) -> bytes | memoryview:
        """Copy what fits of `data` and return what does not, without a copy."""
        count = min(len(data), self.size - self.filled)
        seen = memoryview(data)
        self._bytes[self.filled : self.filled + count] = seen[:count]
        self.filled += count
        return seen[count:] if count < len(data) else b""

    def result(self) -> memoryview:
        """Return the filled part, in the elements that the reader's view had."""
        return self._view[: self.filled // self.element_size]

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
    """Return `view` as a writable memoryview of one dimension. Raises TypeError for what can't be filled."""
    kind = type(view).__name__
    try:
        seen = memoryview(view)
    except TypeError:
        raise TypeError(VIEW_NOT_WRITABLE.format(type=kind)) from None
    if seen.readonly:
        raise TypeError(VIEW_READ_ONLY.format(type=kind))
    if not seen.nbytes:
        return seen
    try:
        flat = seen.cast("B")
        return seen if seen.ndim == 1 else _in_elements(flat, seen.format)
    except (TypeError, ValueError):
        raise TypeError(VIEW_NOT_FLAT.format(type=kind, format=seen.format)) from None


def _in_elements(flat: memoryview, element: Any) -> memoryview:
    return flat.cast(element)
