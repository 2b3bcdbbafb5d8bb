"""Listening for several processes at once: one of them holds every socket, each of the others accepts from its share.

Floor 6. Owns who accepts from what; must not know processes. What is held goes on listening whatever becomes of those
that accept: a connection that came before one died waits for the one that takes its place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from emulator.config import ConnectListener
from emulator.server.endpoint import Endpoint, url_of
from emulator.server.listening import Listeners, bind_shares, host_and_port
from emulator.server.unix_socket import UnixSocket


class Share(NamedTuple):
    """What one of several processes accepts from: sockets for HTTP, and for each [[connect]] entry."""

    http: Listeners
    connect: list[Listeners]

    def filenos(self) -> list[list[int]]:
        """Return the file descriptors, those for HTTP first."""
        return [[each.fileno() for each in some] for some in (self.http, *self.connect)]


class Holding:
    """Holds sockets for `count` processes, from now on to `close()`. Raises ListenError for what can't be had.

    `url` is what a client asks, `connect_addresses` the "host:port" of each of `entries`.
    """

    def __init__(self, endpoint: Endpoint, entries: Sequence[ConnectListener], count: int) -> None:
        self.url = ""
        self.connect_addresses: list[str] = []
        self._closing = contextlib.ExitStack()
        with contextlib.ExitStack() as failed:
            failed.callback(self.close)
            connect = [self._listen_for_connections(entry, count) for entry in entries]
            http = self._listen(endpoint, count)
            failed.pop_all()
        self.shares = [
            Share(http[number], [listeners[number] for listeners in connect])
            for number in range(count)
        ]

    def close(self) -> None:
        """Listen no more, here; harmless when called twice."""
        self._closing.close()

    def _listen(self, endpoint: Endpoint, count: int) -> list[Listeners]:
        if endpoint.unix_socket is None:
            shares = self._held(bind_shares(*endpoint.place, count))
            self.url = url_of(endpoint, shares[0][0])
            return shares
        made = UnixSocket(endpoint.unix_socket)
        self.url = f"unix:{made.path}"
        shares = self._held([[made.listener]] * count)
        self._closing.callback(made.remove)
        return shares

    def _listen_for_connections(self, entry: ConnectListener, count: int) -> list[Listeners]:
        shares = self._held(bind_shares(entry.address, entry.port, 1, count))
        self.connect_addresses.append(host_and_port(entry.address, shares[0][0].getsockname()[1]))
        return shares

    def _held(self, shares: list[Listeners]) -> list[Listeners]:
        for listener in (listener for share in shares for listener in share):
            self._closing.callback(listener.close)
        return shares
