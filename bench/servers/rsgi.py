"""Applications in RSGI, one a load: `granian --interface rsgi bench.servers.rsgi:hello`."""

from __future__ import annotations

import json as codec
from typing import Any

from bench.servers.documents import MESSAGE


async def hello(scope: Any, protocol: Any) -> None:
    """Answer with 13 bytes."""
    protocol.response_str(200, [("content-type", "text/plain; charset=utf-8")], "Hello, World!")


async def echo(scope: Any, protocol: Any) -> None:
    """Answer with the request's body."""
    headers = [("content-type", "application/octet-stream")]
    protocol.response_bytes(200, headers, await protocol())


async def json(scope: Any, protocol: Any) -> None:
    """Answer with a small object."""
    headers = [("content-type", "application/json")]
    protocol.response_str(200, headers, codec.dumps(MESSAGE))
