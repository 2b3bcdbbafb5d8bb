"""The server behind `tcp`: `python -m bench.upstreams.line PORT` answers a line with 64 bytes and ends."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from bench.upstreams.asked import head, is_whole
from bench.upstreams.loop import new_event_loop

ANSWER = b"x" * 62 + b"\r\n"


class Line(asyncio.Protocol):
    """One connection: a line in, the answer out, closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if is_whole(data):
            self._transport.write(head(data) + ANSWER)
            self._transport.close()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
