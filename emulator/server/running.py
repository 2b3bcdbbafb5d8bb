"""A server that runs: HTTP and inbound TCP for one worker, from the first accepted connection to the last byte.

Floor 6. Owns starting and stopping in order. Must not know the command line or the terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from emulator.config import ConnectListener
from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import Observer
from emulator.runtime import Isolate
from emulator.server.front import Front
from emulator.server.inbound import InboundListener
from emulator.server.listening import BACKLOG, bind
from emulator.sockets import DEFAULT_NETWORK, Network

GRACE_SECONDS = 1.0


class RunningServer:
    """What `start` returns: `url` accepts requests until `close()`."""

    def __init__(
        self,
        front: Front,
        url: str,
        servers: Sequence[asyncio.Server],
        inbound: Sequence[InboundListener],
    ) -> None:
        self.front = front
        self.url = url
        self.connect_addresses = [listener.address for listener in inbound]
        self._servers = servers
        self._inbound = inbound

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop accepting, let requests under way end within `grace_seconds`, then cut off what is left."""
        for server in self._servers:
            server.close()
        self.front.pre_shutdown()
        await asyncio.gather(
            self.front.shutdown(grace_seconds),
            *(listener.close(grace_seconds) for listener in self._inbound),
        )


async def start(
    isolate: Isolate,
    *,
    host: str = "localhost",
    port: int = 8787,
    port_tries: int = 1,
    connect_listeners: Sequence[ConnectListener] = (),
    observer: Observer | None = None,
    network: Network = DEFAULT_NETWORK,
    limits: Limits = DEFAULT_LIMITS,
) -> RunningServer:
    """Serve `isolate` on `host` and the first free one of `port_tries` ports from `port` (0: any).

    `network` says how connect() makes its connections. Raises ListenError when a port can't be had, ConfigError for
    a file of certificates that can't be used.
    """
    network.trust.load()
    sockets = bind(host, port, port_tries)
    front = Front(isolate, observer or Observer(), network, limits)
    url = f"http://{_in_url(host)}:{sockets[0].getsockname()[1]}"
    inbound: list[InboundListener] = []
    servers: list[asyncio.Server] = []
    running = RunningServer(front, url, servers, inbound)
    try:
        for entry in connect_listeners:
            listener = InboundListener(front, entry)
            await listener.start()
            inbound.append(listener)
            running.connect_addresses.append(listener.address)
        loop = asyncio.get_running_loop()
        front.listens_at(*(listening.getsockname()[:2] for listening in sockets))
        for listening in sockets:
            servers.append(await loop.create_server(front, sock=listening, backlog=BACKLOG))
    except BaseException:
        for listening in sockets:
            listening.close()
        await running.close(0)
        raise
    return running


def _in_url(host: str) -> str:
    if not host or host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host
