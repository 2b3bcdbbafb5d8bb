"""stream-tls: as round_trip.py, over TLS."""

from typing import Any
from urllib.parse import urlsplit

from cloudflare.sockets import connect
from cloudflare.workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    """Passes the request's path on to env.UPSTREAM, and its answer back."""

    env: Any

    async def fetch(self, request: Request) -> Response:
        """Return what env.UPSTREAM says; the runtime moves the bytes."""
        socket = connect(self.env.UPSTREAM, secure_transport="on")
        writer = socket.writable.get_writer()
        await writer.write(f"{urlsplit(request.url).path}\r\n".encode())
        return Response(socket.readable, headers={"Content-Type": "application/octet-stream"})
