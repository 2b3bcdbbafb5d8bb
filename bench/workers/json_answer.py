"""json: a small object, serialized for every request."""

from cloudflare.workers import Request, Response, WorkerEntrypoint

MESSAGE = {"message": "Hello, World!", "numbers": [1, 2, 3], "nested": {"yes": True}}


class Default(WorkerEntrypoint):
    """Answers every request alike."""

    async def fetch(self, request: Request) -> Response:
        """Return about 80 bytes of JSON."""
        return Response.json(MESSAGE)
