"""What the aiohttp servers share: `python -m bench.servers.NAME LOOP PORT UPSTREAM_PORT`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

HOST = "127.0.0.1"


def upstream_port() -> int:
    """Return the port of the server behind this one."""
    return int(sys.argv[3])


def serve(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
    """Serve `handler` until the process is ended."""
    factory = asyncio.new_event_loop
    if sys.argv[1] == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(handler, int(sys.argv[2])))


async def _serve(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int
) -> None:
    server = await asyncio.get_running_loop().create_server(web.Server(handler), HOST, port)
    await server.serve_forever()
