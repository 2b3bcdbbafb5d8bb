"""echo on aiohttp: the whole body read, and sent back."""

from __future__ import annotations

from aiohttp import web

from bench.servers.aiohttp_bare import serve


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with the request's body."""
    return web.Response(body=await request.read())


if __name__ == "__main__":
    serve(handle)
