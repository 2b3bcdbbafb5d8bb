"""Sockets to listen on: every address a host name means, one port for all of them, the next one when it is taken.

Floor 6. Owns binding and its errors; must not know what is served.
"""

from __future__ import annotations

import errno
import os
import socket

from emulator import errors
from emulator.errors import ListenError

BACKLOG = 1024
# A free port of one address may be taken on the host's other one.
FREE_PORT_TRIES = 10


def bind(host: str, port: int, tries: int = 1) -> list[socket.socket]:
    """Return listening sockets for `host` on `port`, or on the first free one of the `tries` ports from there.

    Port 0 is any free port. Raises ListenError that says what to do.
    """
    addresses = _resolve(host)
    last = min(port + tries, 65_536)
    for candidate in range(port, last) if port else [0] * FREE_PORT_TRIES:
        try:
            return _bind_all(addresses, candidate)
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
    try:
        infos = socket.getaddrinfo(
            host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise ListenError(errors.HOST_UNKNOWN.format(host=host, reason=error)) from error
    return list(dict.fromkeys((info[0], str(info[4][0])) for info in infos))


def _bind_all(addresses: list[tuple[socket.AddressFamily, str]], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in addresses:
            try:
                # The one address :: is every address, IPv4 included, as it is for other servers.
                alone = len(addresses) == 1
                bound.append(_bind_one(family, address, port, both=alone and address == "::"))
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
    family: socket.AddressFamily, address: str, port: int, *, both: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
        listener.setblocking(False)
        listener.bind((address, port))
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
