"""hello on aiohttp; also the minimal script that start-up is compared with."""

from __future__ import annotations

from aiohttp import web

from bench.servers.aiohttp_bare import serve


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    """Answer every request alike."""
    return web.Response(text="Hello, World!")


if __name__ == "__main__":
    serve(handle)
