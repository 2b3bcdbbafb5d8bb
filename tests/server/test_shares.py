"""Sockets that one process holds and others accept from."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from emulator.config import ConnectListener
from emulator.errors import ListenError
from emulator.server import Endpoint, Holding, Share
from emulator.server.listening import SPREADS_CONNECTIONS, bind

HERE = Endpoint("127.0.0.1", 0)


def accepted(share: Share) -> int:
    """How many connections wait in `share`."""
    count = 0
    for listener in share.http:
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                break
            connection.close()
            count += 1
    return count


def port_of(share: Share) -> int:
    return int(share.http[0].getsockname()[1])


@pytest.mark.skipif(not SPREADS_CONNECTIONS, reason="this system does not spread connections")
def test_connections_spread_over_the_shares() -> None:
    holding = Holding(HERE, (), 2)
    try:
        clients = [
            socket.create_connection(("127.0.0.1", port_of(holding.shares[0]))) for _ in range(64)
        ]
        counts = [accepted(share) for share in holding.shares]
        assert sum(counts) == 64
        # By chance alone one in 10^19 runs has them all on one side.
        assert min(counts) > 0
        for client in clients:
            client.close()
    finally:
        holding.close()


def test_a_shared_port_is_taken_for_everybody_else() -> None:
    holding = Holding(HERE, (), 2)
    try:
        port = port_of(holding.shares[0])
        with pytest.raises(ListenError, match=str(port)):
            Holding(Endpoint("127.0.0.1", port), (), 2)
        with pytest.raises(ListenError, match=str(port)):
            bind("127.0.0.1", port)
    finally:
        holding.close()
    for listener in bind("127.0.0.1", port):
        listener.close()


def test_a_port_in_use_leaves_nothing_held() -> None:
    taken = bind("127.0.0.1", 0)
    port = taken[0].getsockname()[1]
    free = bind("127.0.0.1", 0)
    free_port = free[0].getsockname()[1]
    free[0].close()
    entries = (ConnectListener("tcp", free_port, "127.0.0.1"),)
    with pytest.raises(ListenError):
        Holding(Endpoint("127.0.0.1", port), entries, 2)
    taken[0].close()
    for listener in bind("127.0.0.1", free_port):
        listener.close()


def test_every_share_has_each_connect_entry() -> None:
    entries = (ConnectListener("tcp", 0, "127.0.0.1"), ConnectListener("tcp", 0, "localhost"))
    holding = Holding(HERE, entries, 3)
    try:
        assert [len(share.connect) for share in holding.shares] == [2, 2, 2]
        assert holding.connect_addresses == [
            f"{entry.address}:{listeners[0].getsockname()[1]}"
            for entry, listeners in zip(entries, holding.shares[2].connect, strict=True)
        ]
    finally:
        holding.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets")
def test_a_unix_socket_is_one_for_all_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "here.sock"
    holding = Holding(Endpoint(unix_socket=path), (), 2)
    assert holding.shares[0].filenos() == holding.shares[1].filenos()
    holding.close()
    assert not path.exists()
