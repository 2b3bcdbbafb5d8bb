"""stream, with every chunk passing through the worker's own loop."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from cloudflare.sockets import Socket, connect
from cloudflare.workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    """Passes the request's path on to env.UPSTREAM, and its answer back."""

    env: Any

    async def fetch(self, request: Request) -> Response:
        """Return what env.UPSTREAM says, read and yielded chunk by chunk."""
        socket = connect(self.env.UPSTREAM)
        writer = socket.writable.get_writer()
        await writer.write(f"{urlsplit(request.url).path}\r\n".encode())
        return Response(_chunks(socket), headers={"Content-Type": "application/octet-stream"})


async def _chunks(socket: Socket) -> AsyncIterator[bytes]:
    reader = socket.readable.get_reader()
    while True:
        value, done = await reader.read()
        if done or value is None:
            return
        yield value
