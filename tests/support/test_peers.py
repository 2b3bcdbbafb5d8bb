"""The peer kit itself, against the standard library's sockets: a script that goes wrong is always heard of."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from tests.support.peers import Blackhole, Peer, PeerFailure, PeerServer, Script, refusing_port


@contextmanager
def talking_to(script: Script) -> Iterator[socket.socket]:
    with (
        PeerServer(script) as server,
        socket.create_connection((server.host, server.port), timeout=5) as client,
    ):
        yield client


def test_bytes_that_were_not_expected_fail_the_test() -> None:
    with (
        pytest.raises(PeerFailure, match="expected b'hello', got b'goodb'"),
        talking_to(lambda peer: peer.expect(b"hello")) as client,
    ):
        client.sendall(b"goodbye")


def test_an_early_end_fails_the_test() -> None:
    with (
        pytest.raises(PeerFailure, match="expected b'hello', got 2 bytes b'he' and the end"),
        talking_to(lambda peer: peer.expect(b"hello")) as client,
    ):
        client.sendall(b"he")


def test_a_clean_end_is_no_reset_and_a_reset_no_clean_end() -> None:
    with pytest.raises(PeerFailure, match="waited for a reset"), talking_to(Peer.wait_for_reset):
        pass
    with (
        pytest.raises(PeerFailure, match="waited for a clean end"),
        talking_to(Peer.wait_for_eof) as client,
    ):
        Peer(client, threading.Event()).reset()


def test_the_tests_own_failure_comes_first_and_the_scripts_is_noted() -> None:
    with (
        pytest.raises(ZeroDivisionError) as failed,
        PeerServer(lambda peer: peer.expect(b"hello")) as server,
        socket.create_connection((server.host, server.port)),
    ):
        raise ZeroDivisionError
    assert failed.value.__notes__[0].startswith("Its peer failed too: ")


def test_stall_ends_with_the_server_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with talking_to(Peer.stall):
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_trickle_sends_pieces_that_arrive_apart() -> None:
    with talking_to(lambda peer: peer.trickle(b"abc", pause_seconds=0.05)) as client:
        assert [client.recv(100) for _ in range(4)] == [b"a", b"b", b"c", b""]


def test_flood_stops_where_nobody_reads() -> None:
    amounts: SimpleQueue[int] = SimpleQueue()
    with talking_to(lambda peer: amounts.put(peer.flood(10**9, still_seconds=0.1))) as client:
        select.select([client], [], [])
        amount = amounts.get(timeout=10)
    assert 0 < amount < 50_000_000


def test_a_slow_reader_reads_at_its_rate() -> None:
    took: list[float] = []

    def script(peer: Peer) -> None:
        began = time.monotonic()
        assert peer.read_slowly(100_000) == 20_000
        took.append(time.monotonic() - began)

    with talking_to(script) as client:
        client.sendall(b"." * 20_000)
    assert 0.15 < took[0] < 5


def test_lines_and_exact_counts_keep_what_they_did_not_take() -> None:
    def script(peer: Peer) -> None:
        assert peer.read_line() == b"one\r\n"
        assert peer.read_exactly(2) == b"tw"
        peer.half_close()
        assert peer.wait_for_eof() == b"o"

    with talking_to(script) as client:
        client.sendall(b"one\r\ntwo")
        assert client.recv(1) == b""


def test_a_blackhole_answers_no_attempt() -> None:
    with Blackhole() as hole, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", hole.port), timeout=0.3)


def test_a_refusing_port_refuses() -> None:
    with refusing_port() as bound, pytest.raises(ConnectionRefusedError):
        socket.create_connection(bound.getsockname())
