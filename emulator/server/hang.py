"""Handlers that wait for nothing that can happen: found within about a second, and ended as the platform does.

Floor 6. Owns when a handler counts as hung: twice in a row nothing of its request is live (no socket, timer, thread,
body or child process) and every one of its tasks waits, for the same things as before. Source: limits.md, "response
never comes".
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from emulator.context import IoContext, Outcome, is_debugged, place_of, user_frame
from emulator.errors import HUNG, HUNG_HINT, HUNG_WAITS

# Where asyncio keeps what tasks wait on.
_PRIMITIVES = frozenset({"asyncio.locks", "asyncio.queues"})

_Waits = dict[asyncio.Task[Any], object]


class HangWatch:
    """Looks at the `active` contexts twice in `hang_seconds`; `run()` it as a task."""

    def __init__(self, active: Callable[[], Iterable[IoContext]], hang_seconds: float) -> None:
        self._active = active
        self._pause_seconds = hang_seconds / 2
        self._before: weakref.WeakKeyDictionary[IoContext, _Waits] = weakref.WeakKeyDictionary()

    async def run(self) -> None:
        """Look, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._pause_seconds)
            self.look()

    def look(self) -> None:
        """Condemn whoever was stuck the last time and still is."""
        before, self._before = self._before, weakref.WeakKeyDictionary()
        if is_debugged():
            return
        for context in list(self._active()):
            if not context.handling or context.prospects.live():
                continue
            waits = context.waits()
            if waits is None:
                continue
            if before.get(context) == waits:
                context.condemn(Outcome.HUNG, f"{HUNG}\n\n{_explained(waits)}")
            else:
                self._before[context] = waits


def _explained(waits: _Waits) -> str:
    """Say what the tasks wait for, and where."""
    sentences = []
    for task, awaited in waits.items():
        frame, primitive = _waiting_frame(task.get_coro())
        place = "a place that is not known" if frame is None else place_of(frame)
        sentences.append(HUNG_WAITS.format(awaited=_named(awaited, primitive), place=place))
    return "\n".join([*sentences, HUNG_HINT])


def _waiting_frame(coroutine: Any) -> tuple[FrameType | None, object]:
    """Return the innermost frame of worker code in a chain of coroutines that await each other.

    And what of asyncio that called upon: an Event, a Queue, a Lock; None for anything else.
    """
    found = primitive = None
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and user_frame(frame) is frame:
            found, primitive = frame, None
        elif frame is not None and frame.f_globals.get("__name__") in _PRIMITIVES:
            primitive = primitive or frame.f_locals.get("self")
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return found, primitive


def _named(awaited: object, primitive: object) -> str:
    if primitive is not None:
        return f"an asyncio.{type(primitive).__name__} that nothing of this request will wake"
    if isinstance(awaited, asyncio.Task):
        return f"the task {awaited.get_name()}"
    return f"a {type(awaited).__name__.strip('_')} that nothing will settle"
