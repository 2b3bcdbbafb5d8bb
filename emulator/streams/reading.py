"""Reads that wait for a chunk of a standard stream.

Floor 2. Owns the standard's read request and read-into request, whoever made them. Source: WHATWG Streams, "Read
requests".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from emulator.streams.core import END_OF_STREAM, ReadResult
from emulator.streams.promise import Promise


class ReadRequest(ABC):
    """Somebody who waits for one chunk; one of the three methods is called, once."""

    __slots__ = ()

    @property
    def abandoned(self) -> bool:
        """True while nobody would see the chunk."""
        return False

    @abstractmethod
    def take(self, chunk: Any) -> None:
        """Here is a chunk."""

    @abstractmethod
    def close(self, chunk: Any = None) -> None:
        """The stream ended; a read into a view gets it back, empty, as `chunk`."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """The stream failed."""


class PromisedRead(ReadRequest):
    """A reader's read(): settles `promise`."""

    __slots__ = ("promise",)

    def __init__(self) -> None:
        self.promise: Promise[ReadResult] = Promise()

    @property
    def abandoned(self) -> bool:
        return self.promise.abandoned

    def take(self, chunk: Any) -> None:
        self.promise.resolve(ReadResult(chunk, False))

    def close(self, chunk: Any = None) -> None:
        self.promise.resolve(END_OF_STREAM if chunk is None else ReadResult(chunk, True))

    def fail(self, error: BaseException) -> None:
        self.promise.reject(error)


class CalledRead(ReadRequest):
    """A read of the runtime's own: calls one of three functions."""

    __slots__ = ("_close", "_fail", "_take")

    def __init__(
        self,
        take: Callable[[Any], None],
        close: Callable[[], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._take = take
        self._close = close
        self._fail = fail

    def take(self, chunk: Any) -> None:
        self._take(chunk)

    def close(self, chunk: Any = None) -> None:
        self._close()

    def fail(self, error: BaseException) -> None:
        self._fail(error)
