"""A server that runs: HTTP and inbound TCP for one worker, from the first accepted connection to the last byte.

Floor 6. Owns starting and stopping in order. Must not know the command line or the terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import datetime

from emulator.config import ConnectListener, Cron
from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import Observer
from emulator.errors import HTTP_ON_HTTPS
from emulator.runtime import Worker
from emulator.server.endpoint import DEFAULT_ENDPOINT, Endpoint, url_of
from emulator.server.front import Front
from emulator.server.inbound import InboundListener
from emulator.server.limits import Refusal
from emulator.server.listening import BACKLOG, Listeners, bind
from emulator.server.shares import Share
from emulator.server.timetable import Clock, Timetable
from emulator.server.unix_socket import UnixSocket
from emulator.sockets import DEFAULT_NETWORK, Network

GRACE_SECONDS = 1.0
# A client that has not shaken hands by then never will.
HANDSHAKE_SECONDS = 10.0
_TO_PLAIN_HTTP = Refusal(400, "Bad Request", HTTP_ON_HTTPS)


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

    async def listen(self, endpoint: Endpoint, share: Share | None = None) -> None:
        """Accept requests at `endpoint` from now on. Raises ListenError, and ConfigError for an identity of no use.

        With a `share` that listens there already.
        """
        identity = endpoint.identity
        tls = None if identity is None else identity.server_context(_TO_PLAIN_HTTP.encode())
        loop = asyncio.get_running_loop()
        serve: Callable[..., Awaitable[asyncio.Server]]
        if endpoint.unix_socket is not None:
            self.url = f"unix:{endpoint.unix_socket}"
            serve = loop.create_unix_server
            if share is not None:
                sockets = share.http
            else:
                made = UnixSocket(endpoint.unix_socket)
                self._left_behind.callback(made.remove)
                sockets = [made.listener]
        else:
            serve = loop.create_server
            sockets = bind(*endpoint.place) if share is None else share.http
            self.url = url_of(endpoint, sockets[0])
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

    async def listen_for_connections(
        self, entry: ConnectListener, sockets: Listeners | None = None
    ) -> None:
        """Hand connections to `entry` to the worker's connect() handler. Raises ListenError.

        `sockets` listen there already.
        """
        listener = InboundListener(self.front, entry)
        await listener.start(sockets)
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
    share: Share | None = None,
    crons: Sequence[Cron] = (),
    clock: Clock | None = None,
    observer: Observer | None = None,
    network: Network = DEFAULT_NETWORK,
    limits: Limits = DEFAULT_LIMITS,
) -> RunningServer:
    """Serve `worker` at `endpoint` and at each of `connect_listeners`, and fire each of `crons` when it is due.

    With a `share` it accepts from the sockets of that. `network` says how connect() makes its connections, `clock` when
    crons are due. Raises ListenError when a port or
    path can't be had, ConfigError for a file of certificates that can't be used.
    """
    network.trust.load()
    scheme = "http" if endpoint.identity is None else "https"
    front = Front(
        worker, observer or Observer(), network, limits, host=endpoint.host, scheme=scheme
    )
    running = RunningServer(front)
    try:
        for number, entry in enumerate(connect_listeners):
            sockets = None if share is None else share.connect[number]
            await running.listen_for_connections(entry, sockets)
        await running.listen(endpoint, share)
        running.schedule(crons, clock)
    except BaseException:
        await running.close(0)
        raise
    return running
