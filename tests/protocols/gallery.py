"""What the gallery's tests share: a worker of the gallery in front of a server, asked over HTTP; event streams read.

Owns where the workers are and whom they trust.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientTimeout
from aiohttp.test_utils import TestClient

from emulator import serve
from emulator.context import Observer
from emulator.sockets import Network, Trust
from tests.support.waiting import within

PATIENCE = ClientTimeout(total=None, sock_read=20)  # Streams may last; nothing may hang.
WORKERS = Path(__file__).parents[2] / "workers"

Client = TestClient[Any, Any]


@asynccontextmanager
async def worker(
    name: str,
    env: dict[str, str],
    *,
    authority: Path | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[Client]:
    """Serve workers/`name`.py with `env`, trusting the PEM file `authority`; gives a client of it."""
    network = Network(trust=Trust(() if authority is None else (authority,)))
    server = serve(WORKERS / f"{name}.py", env=env, network=network, observer=observer)
    client: Client = TestClient(server, timeout=PATIENCE)
    async with client:
        yield client


async def next_event(response: ClientResponse) -> dict[str, Any]:
    """Return the next server-sent event's data, which is JSON; its name, if any, as "event"; {} at the end."""
    event: dict[str, Any] = {}
    while line := (await within(response.content.readline())).rstrip(b"\n"):
        field, _, value = line.decode().partition(": ")
        if field == "data":
            event.update(json.loads(value))
        else:
            event[field or "comment"] = value
    return event
