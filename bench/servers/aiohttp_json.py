"""json on aiohttp: a small object, serialized for every request."""

from __future__ import annotations

from aiohttp import web

from bench.servers.aiohttp_bare import serve
from bench.servers.documents import MESSAGE


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    """Answer every request alike."""
    return web.json_response(MESSAGE)


if __name__ == "__main__":
    serve(handle)
