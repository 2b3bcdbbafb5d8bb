"""tcp, the streams, held and slow on aiohttp, as one writes it: asyncio.open_connection and a StreamResponse."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bench.servers.aiohttp_bare import serve
from bench.servers.arguments import HOST, upstream_port, upstream_tls

READ_BYTES = 65_536
TLS = upstream_tls()


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    """Write the path as a line to the server behind, stream its answer back."""
    reader, writer = await asyncio.open_connection(HOST, upstream_port(), ssl=TLS)
    try:
        writer.write(f"{request.path}\r\n".encode())
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        while data := await reader.read(READ_BYTES):
            await response.write(data)
        await response.write_eof()
    finally:
        writer.close()
    return response


if __name__ == "__main__":
    serve(handle)
