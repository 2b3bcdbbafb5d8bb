"""What a service binding leads to: another worker, as far as its callers know it.

Floor 4. Owns the interface; the runtime has what implements it. Must not know generations, modules or handlers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from emulator.context import IoContext
from emulator.http import Request, Response
from emulator.sockets import Socket


class Service(Protocol):
    """One entrypoint of a worker. Each call runs its code as part of the caller's event, `context`, which is current.

    What the worker raises is raised, unchanged; DepthError and the like are the caller's to see to. A worker that is
    not there raises ServiceError.
    """

    @property
    def name(self) -> str:
        """What the worker is called in what the user reads."""

    async def fetch(self, request: Request, context: IoContext) -> Response:
        """Return its response to `request`."""

    async def call(self, method: str, arguments: Sequence[Any], context: IoContext) -> Any:
        """Return what its `method` does with `arguments`, which are copies; the result is one too."""

    async def connect(self, accept: Callable[[], Awaitable[Socket]], context: IoContext) -> None:
        """Run its connect handler with what `accept()` gives, once it is known that there is one."""

    def bound(self, function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return `function` as others may call it: it runs with the env that is current now."""
