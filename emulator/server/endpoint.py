"""Where HTTP is listened for, as a value.

Floor 6. Owns what there is to say of it, and its URL; must not listen.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

from emulator.server.listening import host_and_port
from emulator.sockets.tls import Identity


class Endpoint(NamedTuple):
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


def url_of(endpoint: Endpoint, listening: socket.socket) -> str:
    """Return where `listening` is reached by HTTP, as a client has to write it."""
    host = endpoint.host
    if not host or host in ("0.0.0.0", "::"):
        host = "localhost"
    scheme = "http" if endpoint.identity is None else "https"
    return f"{scheme}://{host_and_port(host, listening.getsockname()[1])}"
