"""Whether a peer that sent its FIN still holds its end."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from emulator.server.presence import is_present

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@contextmanager
def pair(kind: str, folder: Path) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection's server's side and client's side."""
    with ExitStack() as stack:
        if kind == "unix":
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(folder / "a.sock"))
            listener.listen()
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(folder / "a.sock"))
        else:
            family = socket.AF_INET if kind == "127.0.0.1" else socket.AF_INET6
            both = kind == "127.0.0.1 of ::"
            listener = socket.create_server(
                ("::" if both else kind, 0),
                family=family,
                dualstack_ipv6=both,
            )
            stack.enter_context(listener)
            address = ("127.0.0.1" if both else kind, listener.getsockname()[1])
            client = stack.enter_context(socket.create_connection(address))
        server = stack.enter_context(listener.accept()[0])
        yield server, client


@pytest.mark.parametrize("kind", ["127.0.0.1", "::1", "127.0.0.1 of ::", "unix"])
def test_an_end_of_sending_is_not_an_end_of_everything(kind: str, tmp_path: Path) -> None:
    with pair(kind, tmp_path) as (server, client):
        assert is_present(server)
        client.shutdown(socket.SHUT_WR)
        assert server.recv(1) == b""
        assert is_present(server)
        client.close()
        assert not is_present(server)


@pytest.mark.parametrize("kind", ["127.0.0.1", "unix"])
def test_a_peer_that_closes_at_once(kind: str, tmp_path: Path) -> None:
    with pair(kind, tmp_path) as (server, client):
        client.close()
        assert server.recv(1) == b""
        assert not is_present(server)


def test_what_is_no_connection() -> None:
    with socket.socket() as unconnected:
        assert not is_present(unconnected)
