"""Queuing strategies: how large a chunk is, and how much may be queued.

Floor 2. Owns the two standard strategies, the checks of a worker's own, and the queue that adds sizes up. Source:
WHATWG Streams, "Queuing strategies" and "Queue-with-sizes".
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

from emulator.errors import CHUNK_SIZE_INVALID, HIGH_WATER_MARK_INVALID, RangeError
from emulator.naming import camel_case_aliases
from emulator.streams.underlying import member, method, takes

SizeAlgorithm = Callable[[Any], float]


@camel_case_aliases
class CountQueuingStrategy:
    """Counts chunks: `CountQueuingStrategy(high_water_mark=5)`, or with a mapping as on the platform."""

    def __init__(self, init: Any = None, *, high_water_mark: float | None = None) -> None:
        self._high_water_mark = _required(init, high_water_mark, type(self).__name__)

    @property
    def high_water_mark(self) -> float:
        """How much may be queued before there is back-pressure."""
        return self._high_water_mark

    @staticmethod
    def size(chunk: object = None) -> float:
        """Return a chunk's size: always 1."""
        return 1


@camel_case_aliases
class ByteLengthQueuingStrategy:
    """Adds up bytes: `ByteLengthQueuingStrategy(high_water_mark=65536)`, or with a mapping as on the platform."""

    def __init__(self, init: Any = None, *, high_water_mark: float | None = None) -> None:
        self._high_water_mark = _required(init, high_water_mark, type(self).__name__)

    @property
    def high_water_mark(self) -> float:
        """How many bytes may be queued before there is back-pressure."""
        return self._high_water_mark

    @staticmethod
    def size(chunk: Any) -> float:
        """Return a chunk's size: its bytes. Raises TypeError for one that is not bytes-like."""
        return memoryview(chunk).nbytes


def _required(init: Any, high_water_mark: float | None, name: str) -> float:
    value = high_water_mark if init is None else member(init, "high_water_mark")
    if value is None:
        raise TypeError(f"{name} needs a high_water_mark.")
    return _number(value)


def _number(value: Any) -> float:
    """Return `value` as a number, NaN for what is none, as Web IDL's unrestricted double has it."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def high_water_mark_of(strategy: object, default: float) -> float:
    """Return `strategy`'s high-water mark. Raises RangeError for NaN and negative ones."""
    value = member(strategy, "high_water_mark")
    if value is None:
        return default
    mark = _number(value)
    if math.isnan(mark) or mark < 0:
        raise RangeError(HIGH_WATER_MARK_INVALID.format(value=value))
    return mark


def size_algorithm_of(strategy: object) -> SizeAlgorithm:
    """Return `strategy`'s size function; without one every chunk counts 1."""
    size = method(strategy, "size")
    if size is None:
        return CountQueuingStrategy.size
    return size if takes(size, 1) else lambda _: size()


class SizedQueue:
    """A queue of chunks that knows how large they are together."""

    __slots__ = ("_chunks", "total")

    def __init__(self) -> None:
        self._chunks: deque[tuple[Any, float]] = deque()
        self.total = 0.0

    def __len__(self) -> int:
        return len(self._chunks)

    def push(self, chunk: Any, size: Any) -> None:
        """Add `chunk`. Raises RangeError for a size that is not a finite number from 0 up."""
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 <= size < math.inf:
            raise RangeError(CHUNK_SIZE_INVALID.format(size=size))
        self._chunks.append((chunk, size))
        self.total += size

    def shift(self) -> Any:
        """Take the oldest chunk."""
        chunk, size = self._chunks.popleft()
        self.total = max(0.0, self.total - size)  # Rounding may take it below.
        return chunk

    def unshift(self, chunk: Any, size: float) -> None:
        """Put back a chunk that was taken."""
        self._chunks.appendleft((chunk, size))
        self.total += size

    def peek(self) -> Any:
        """Return the oldest chunk."""
        return self._chunks[0][0]

    def clear(self) -> None:
        """Forget everything."""
        self._chunks.clear()
        self.total = 0.0
