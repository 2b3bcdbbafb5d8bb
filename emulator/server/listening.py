"""Sockets to listen on: every address a host name means, one port for all of them, the next one when it is taken.

Floor 6. Owns binding and its errors; must not know what is served.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from enum import Enum
from typing import TypeAlias, TypeVar

from emulator import errors
from emulator.errors import ListenError

BACKLOG = 1024
# Where the system spreads connections over the sockets of one port; elsewhere the newest one may get them all.
SPREADS_CONNECTIONS = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")
# A free port of one address may be taken on the host's other one.
FREE_PORT_TRIES = 10

T = TypeVar("T")
Listeners: TypeAlias = list[socket.socket]


class Sharing(Enum):
    """Whether a socket is the only one of its port, the first of several, or one of those that follow."""

    NONE = "none"
    BEGUN = "begun"
    JOINED = "joined"


def bind(host: str, port: int, tries: int = 1) -> Listeners:
    """Return listening sockets for `host` on `port`, or on the first free one of the `tries` ports from there.

    Port 0 is any free port. Raises ListenError that says what to do.
    """
    addresses = _resolve(host)
    return _first_free(lambda candidate: _bind_all(addresses, candidate), host, port, tries)


def bind_shares(host: str, port: int, tries: int, count: int) -> list[Listeners]:
    """Return for each of `count` processes what it accepts from, as `bind` does: all on one port.

    Each gets sockets of its own where the system spreads connections over them; elsewhere all share the same ones. A
    connection stays with its socket when the process that accepts from that dies, and waits for the next one to.
    """
    if not SPREADS_CONNECTIONS:
        return [bind(host, port, tries)] * count
    addresses = _resolve(host)

    def bind_each(candidate: int) -> list[Listeners]:
        # The first is bound alone: a port that somebody else shares is taken.
        shares = [_bind_all(addresses, candidate, Sharing.BEGUN)]
        try:
            port = shares[0][0].getsockname()[1]
            while len(shares) < count:
                shares.append(_bind_all(addresses, port, Sharing.JOINED))
        except BaseException:
            for listener in (listener for share in shares for listener in share):
                listener.close()
            raise
        return shares

    return _first_free(bind_each, host, port, tries)


def _first_free(bind_on: Callable[[int], T], host: str, port: int, tries: int) -> T:
    """Return what `bind_on` returns for the first port that is free."""
    last = min(port + tries, 65_536)
    for candidate in range(port, last) if port else [0] * FREE_PORT_TRIES:
        try:
            return bind_on(candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ListenError(_cannot_listen(host, candidate, error)) from error
    if tries > 1:
        raise ListenError(errors.PORTS_TAKEN.format(first=port, last=last - 1, host=host))
    raise ListenError(errors.PORT_TAKEN.format(port=port, host=host))


def host_and_port(host: str, port: int) -> str:
    """Return "host:port" as a URL has it: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolve(host: str) -> list[tuple[socket.AddressFamily, str]]:
    # Names of other alphabets need Python's tables, which take as long to load as all of ours.
    name = host.encode() if host.isascii() else host
    try:
        infos = socket.getaddrinfo(
            name or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise ListenError(errors.HOST_UNKNOWN.format(host=host, reason=error)) from error
    return list(dict.fromkeys((info[0], str(info[4][0])) for info in infos))


def _bind_all(
    addresses: list[tuple[socket.AddressFamily, str]], port: int, sharing: Sharing = Sharing.NONE
) -> Listeners:
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in addresses:
            try:
                # The one address :: is every address, IPv4 included, as it is for other servers.
                alone = len(addresses) == 1
                both = alone and address == "::"
                bound.append(_bind_one(family, address, port, sharing, both=both))
            except OSError as error:
                # localhost often means ::1 on machines that have no IPv6.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error
            else:
                port = bound[0].getsockname()[1]
        if missing is not None and not bound:
            raise missing
    except BaseException:
        for listener in bound:
            listener.close()
        raise
    return bound


def _bind_one(
    family: socket.AddressFamily, address: str, port: int, sharing: Sharing, *, both: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
        listener.setblocking(False)
        if sharing is Sharing.JOINED:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        if sharing is Sharing.BEGUN:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return errors.PORT_PRIVILEGED.format(port=port)
    if error.errno == errno.EADDRNOTAVAIL:
        return errors.HOST_NOT_LOCAL.format(host=host)
    return errors.CANNOT_LISTEN.format(host=host, port=port, reason=error.strerror or error)
