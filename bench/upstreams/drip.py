"""The server behind `held`: `python -m bench.upstreams.drip PORT` sends 64 bytes, then one a second without end."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from bench.upstreams.asked import head, is_whole
from bench.upstreams.loop import new_event_loop

FIRST = b"x" * 64
INTERVAL_SECONDS = 1.0


class Drip(asyncio.Protocol):
    """One connection: a line in, a stream out."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if is_whole(data):
            self._transport.write(head(data) + FIRST)
            self._loop.call_later(INTERVAL_SECONDS, self._drip)

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b".")
            self._loop.call_later(INTERVAL_SECONDS, self._drip)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Drip, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
