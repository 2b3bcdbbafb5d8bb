"""The server behind `tcp`: `python -m bench.upstreams.line PORT` answers a line with 64 bytes and ends."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

ANSWER = b"x" * 62 + b"\r\n"


class Line(asyncio.Protocol):
    """One connection: a line in, the answer out, closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\n"):
            self._transport.write(ANSWER)
            self._transport.close()


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
