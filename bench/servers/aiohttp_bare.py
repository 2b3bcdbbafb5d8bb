"""What the aiohttp servers share: `python -m bench.servers.NAME LOOP PORT UPSTREAM_PORT [AUTHORITY]`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bench.servers.arguments import HOST, listening_port, run


def serve(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
    """Serve `handler` until the process is ended."""
    run(_serve(handler))


async def _serve(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(web.Server(handler), HOST, listening_port(), backlog=4096)
    await server.serve_forever()
