"""What servers are told: `python -m bench.servers.NAME LOOP PORT [UPSTREAM_PORT [AUTHORITY]]`, and how they run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

HOST = "127.0.0.1"


def listening_port() -> int:
    """Return where to listen."""
    return int(sys.argv[2])


def upstream_port() -> int:
    """Return the port of the server behind this one."""
    return int(sys.argv[3])


def upstream_tls() -> ssl.SSLContext | None:
    """Return how to speak TLS to the server behind this one; None where it speaks none."""
    if len(sys.argv) < 5:
        return None
    import ssl  # A server that starts without it starts sooner.

    return ssl.create_default_context(cafile=sys.argv[4])


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run `serving` on the event loop that was asked for, until the process is ended."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if sys.argv[1] == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serving)
