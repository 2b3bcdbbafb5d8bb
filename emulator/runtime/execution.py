"""What handlers know as `ctx`.

Floor 5. Owns the two promises a handler may make about its event; the IoContext keeps them.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from emulator.context import IoContext, require_current
from emulator.errors import NO_PASS_THROUGH
from emulator.naming import camel_case_aliases


@camel_case_aliases
class ExecutionContext:
    """The running event, as its handler sees it."""

    __slots__ = ("_context",)

    def __init__(self, context: IoContext) -> None:
        self._context = context

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` go on after the response. Raises TypeError for what can't be awaited."""
        self._context.wait_until(awaitable)

    def pass_through_on_exception(self) -> None:
        """Do what production does for a site with an origin; here there is none, and a note says so."""
        self._context.observer.note(NO_PASS_THROUGH)


def wait_until(awaitable: Awaitable[Any]) -> None:
    """Let `awaitable` go on after the response of the running event. Raises GlobalScopeError outside one."""
    require_current().wait_until(awaitable)
