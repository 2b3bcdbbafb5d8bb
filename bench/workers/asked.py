"""The worker that the soaked one calls: by a request, and by a method."""

import asyncio

from cloudflare.sockets import connect
from cloudflare.workers import Request, Response, WorkerEntrypoint

HOST = "127.0.0.1"


class Default(WorkerEntrypoint):
    """Asks a peer, as the soaked worker does itself."""

    async def fetch(self, request: Request) -> Response:
        """Return what the peer in the request's path sends, as it comes."""
        port = request.url.split("/")[-2]
        socket = connect(f"{HOST}:{port}")
        await socket.writable.get_writer().write(b"hello")
        return Response(socket.readable)

    async def ask(self, address: str) -> bytes:
        """Return the first that the peer at `address` sends."""
        socket = connect(address)
        await socket.writable.get_writer().write(b"hello")
        async with asyncio.timeout(1):
            result = await socket.readable.get_reader().read()
        return result.value or b""
