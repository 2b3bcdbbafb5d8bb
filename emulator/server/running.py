"""A server that runs: HTTP and inbound TCP for one worker, from the first accepted connection to the last byte.

Floor 6. Owns starting and stopping in order. Must not know the command line or the terminal.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emulator.config import ConnectListener, Cron
from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import Observer
from emulator.errors import HTTP_ON_HTTPS
from emulator.runtime import Worker
from emulator.server.front import Front
from emulator.server.inbound import InboundListener
from emulator.server.limits import Refusal
from emulator.server.listening import BACKLOG, bind, host_and_port
from emulator.server.timetable import Clock, Timetable
from emulator.server.unix_socket import UnixSocket
from emulator.sockets import DEFAULT_NETWORK, Network
from emulator.sockets.tls import Identity

GRACE_SECONDS = 1.0
# A client that has not shaken hands by then never will.
HANDSHAKE_SECONDS = 10.0
_TO_PLAIN_HTTP = Refusal(400, "Bad Request", HTTP_ON_HTTPS)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where HTTP is listened for: `host` and the first free one of `port_tries` ports from `port` (0: any).

    With a `unix_socket` it is that path instead. With an `identity` what is spoken is HTTPS.
    """

    host: str = "localhost"
    port: int = 8787
    port_tries: int = 1
    unix_socket: Path | None = None
    identity: Identity | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """What `bind` takes."""
        return (self.host, self.port, self.port_tries)


DEFAULT_ENDPOINT = Endpoint()


class RunningServer:
    """What `start` returns: `url` accepts requests until `close()`."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.url = ""
        self._timetable: Timetable | None = None
        self._servers: list[asyncio.Server] = []
        self._inbound: list[InboundListener] = []
        self._left_behind = ExitStack()

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop accepting, let events under way end within `grace_seconds`, then cut off what is left."""
        if self._timetable is not None:
            self._timetable.stop()
        self._left_behind.close()
        for server in self._servers:
            server.close()
        self.front.pre_shutdown()
        await asyncio.gather(
            self.front.shutdown(grace_seconds),
            *(listener.close(grace_seconds) for listener in self._inbound),
        )

    def coming_crons(self) -> list[tuple[Cron, datetime]]:
        """Return each cron that is going to fire with its next minute, the nearest first."""
        return [] if self._timetable is None else self._timetable.coming()

    async def listen(self, endpoint: Endpoint) -> None:
        """Accept requests at `endpoint` from now on. Raises ListenError, and ConfigError for an identity of no use."""
        identity = endpoint.identity
        tls = None if identity is None else identity.server_context(_TO_PLAIN_HTTP.encode())
        loop = asyncio.get_running_loop()
        serve: Callable[..., Awaitable[asyncio.Server]]
        if endpoint.unix_socket is not None:
            made = UnixSocket(endpoint.unix_socket)
            self._left_behind.callback(made.remove)
            self.url = f"unix:{made.path}"
            serve, sockets = loop.create_unix_server, [made.listener]
        else:
            serve, sockets = loop.create_server, bind(*endpoint.place)
            self.url = _url(endpoint, sockets[0])
            self.front.listens_at(*(listening.getsockname()[:2] for listening in sockets))
        try:
            for listening in sockets:
                self._servers.append(
                    await serve(
                        self.front,
                        sock=listening,
                        backlog=BACKLOG,
                        ssl=tls,
                        ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
                    )
                )
        except BaseException:
            for listening in sockets:
                listening.close()
            raise

    async def listen_for_connections(self, entry: ConnectListener) -> None:
        """Hand connections to `entry` to the worker's connect() handler. Raises ListenError."""
        listener = InboundListener(self.front, entry)
        await listener.start()
        self._inbound.append(listener)

    @property
    def connect_addresses(self) -> list[str]:
        """The "host:port" of each of the connect() handler's listeners."""
        return [listener.address for listener in self._inbound]

    async def listen_instead(self, entries: Sequence[ConnectListener]) -> None:
        """Have just `entries` as the connect() handler's listeners. Raises ListenError for one that can't be had.

        Those that stay go on listening; connections under way to those that go have GRACE_SECONDS to end.
        """
        going = [each for each in self._inbound if each.entry not in entries]
        self._inbound = [each for each in self._inbound if each.entry in entries]
        await asyncio.gather(*(listener.close(GRACE_SECONDS) for listener in going))
        kept = [listener.entry for listener in self._inbound]
        for entry in entries:
            if entry not in kept:
                await self.listen_for_connections(entry)

    def schedule(self, crons: Sequence[Cron], clock: Clock | None = None) -> None:
        """Fire each of `crons` when it is due, and no others from now on."""
        if self._timetable is not None:
            self._timetable.stop()
        self._timetable = None
        if crons:
            self._timetable = Timetable(crons, self.front.fire, clock or Clock())
            self._timetable.start()


async def start(
    worker: Worker,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    *,
    connect_listeners: Sequence[ConnectListener] = (),
    crons: Sequence[Cron] = (),
    clock: Clock | None = None,
    observer: Observer | None = None,
    network: Network = DEFAULT_NETWORK,
    limits: Limits = DEFAULT_LIMITS,
) -> RunningServer:
    """Serve `worker` at `endpoint` and at each of `connect_listeners`, and fire each of `crons` when it is due.

    `network` says how connect() makes its connections, `clock` when crons are due. Raises ListenError when a port or
    path can't be had, ConfigError for a file of certificates that can't be used.
    """
    network.trust.load()
    scheme = "http" if endpoint.identity is None else "https"
    front = Front(
        worker, observer or Observer(), network, limits, host=endpoint.host, scheme=scheme
    )
    running = RunningServer(front)
    try:
        for entry in connect_listeners:
            await running.listen_for_connections(entry)
        await running.listen(endpoint)
        running.schedule(crons, clock)
    except BaseException:
        await running.close(0)
        raise
    return running


def _url(endpoint: Endpoint, listening: socket.socket) -> str:
    host = endpoint.host
    if not host or host in ("0.0.0.0", "::"):
        host = "localhost"
    scheme = "http" if endpoint.identity is None else "https"
    return f"{scheme}://{host_and_port(host, listening.getsockname()[1])}"
