"""processes: an answer that takes about a millisecond of Python."""

import json

from cloudflare.workers import Request, Response, WorkerEntrypoint

ORDER = {"id": 12, "name": "Ada Lovelace", "tags": ["a", "b"], "price": 9.75, "in_stock": True}
ORDERS = json.dumps([ORDER] * 20)
TIMES = 100


class Default(WorkerEntrypoint):
    """Answers every request alike."""

    async def fetch(self, request: Request) -> Response:
        """Return what so many orders cost."""
        total = 0.0
        for _ in range(TIMES):
            total += sum(order["price"] for order in json.loads(ORDERS))
        return Response(f"{total:.2f}")
