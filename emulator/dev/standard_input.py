"""Standard input for worker code that reads it: input(), pdb.set_trace().

Floor 7. Owns lending the terminal for as long as a read takes. Must not know what keys do.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from emulator.context import limits_paused
from emulator.dev.keyboard import Keyboard


class BorrowedInput(io.TextIOBase):
    """sys.stdin over `original`, a TTY whose keys `keyboard` reads; limits pause while somebody types."""

    def __init__(self, original: TextIO, keyboard: Keyboard) -> None:
        super().__init__()
        self._original = original
        self._keyboard = keyboard

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        with self._borrowed():
            return self._original.read(-1 if size is None else size)

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        with self._borrowed():
            return self._original.readline(size)

    # No fileno(): input() would read from the descriptor itself, without a word to the keyboard.

    @contextmanager
    def _borrowed(self) -> Iterator[None]:
        with limits_paused(), self._keyboard.lent():
            yield


@contextmanager
def borrowed_input(keyboard: Keyboard) -> Iterator[None]:
    """A block in which sys.stdin, if it is a TTY, borrows its keys from `keyboard`."""
    original = sys.stdin
    if original is None or not original.isatty():
        yield
        return
    sys.stdin = BorrowedInput(original, keyboard)
    try:
        yield
    finally:
        sys.stdin = original
