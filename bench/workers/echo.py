"""echo: the whole body read, and sent back."""

from cloudflare.workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    """Answers with what it was sent."""

    async def fetch(self, request: Request) -> Response:
        """Return the request's body."""
        return Response(await request.bytes())
