"""I/O objects belong to the request that made them: the check, and where the object was made.

Floor 2. Owns the rule and its wording of place; the object says what type of I/O it is. Source: connect.md,
"Where it may be called".
"""

from __future__ import annotations

import sys
import threading
from types import CodeType

from emulator.context.frames import user_frame
from emulator.context.io_context import IoContext, current
from emulator.errors import OwnershipError


class Owned:
    """Base of objects that only their own request may use; checks cost one comparison.

    `owner` is None for objects made outside any request (the runtime's own, and tests of parts): free to all.
    """

    __slots__ = ("_made_code", "_made_line", "_owner")

    io_type = "Object"

    def __init__(self) -> None:
        self._owner: IoContext | None = current()
        self._made_code: CodeType | None = None
        self._made_line: int | None = None
        if self._owner is not None:
            frame = user_frame(sys._getframe(1))
            if frame is not None:
                self._made_code, self._made_line = frame.f_code, frame.f_lineno

    def made_with(self, other: Owned) -> None:
        """Belong to the request that `other` belongs to, as a part of it: made by the same statement."""
        self._owner = other._owner
        self._made_code, self._made_line = other._made_code, other._made_line

    @property
    def made_at(self) -> str:
        """`file:line` of the worker's statement that made this object."""
        if self._made_code is None:
            return "the runtime"
        return f"{self._made_code.co_filename}:{self._made_line}"

    def check_owner(self) -> None:
        """Raise OwnershipError unless the running code belongs to this object's request, and runs in its thread."""
        owner = self._owner
        if owner is None or owner.usable_here():
            return
        thread = None if owner.in_its_thread else threading.current_thread().name
        raise OwnershipError(self.io_type, self.made_at, thread)
