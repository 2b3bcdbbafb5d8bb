"""Applications in raw ASGI, one a load: `uvicorn bench.servers.asgi:hello`."""

from __future__ import annotations

import json as codec
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.servers.documents import MESSAGE

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def hello(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer with 13 bytes."""
    await _answer(send, b"text/plain; charset=utf-8", b"Hello, World!")


async def echo(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer with the request's body."""
    parts = []
    more = True
    while more:
        event = await receive()
        parts.append(event.get("body", b""))
        more = event.get("more_body", False)
    await _answer(send, b"application/octet-stream", b"".join(parts))


async def json(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer with a small object."""
    await _answer(send, b"application/json", codec.dumps(MESSAGE).encode())


async def _answer(send: Send, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
