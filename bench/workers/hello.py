"""hello: the smallest answer."""

from cloudflare.workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    """Answers every request alike."""

    async def fetch(self, request: Request) -> Response:
        """Return 13 bytes."""
        return Response("Hello, World!")
