"""Which sockets a host and port mean, and what is said when they can't be had."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator.errors import ListenError
from emulator.server import listening
from emulator.server.listening import bind
from tests.support.ports import listening_in_a_row


@contextmanager
def bound(host: str, port: int, tries: int = 1) -> Iterator[list[tuple[str, int]]]:
    """Bind; the block gets each socket's address."""
    sockets = bind(host, port, tries)
    try:
        yield [listener.getsockname()[:2] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()


def test_any_free_port() -> None:
    with bound("127.0.0.1", 0) as addresses:
        ((host, port),) = addresses
        assert host == "127.0.0.1"
        assert port > 0
        socket.create_connection((host, port)).close()


def test_localhost_is_every_address_of_it_on_one_port() -> None:
    expected = {info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    for _ in range(20):
        with bound("localhost", 0) as addresses:
            assert {host for host, _ in addresses} == expected
            assert len({port for _, port in addresses}) == 1


def test_no_host_is_every_address() -> None:
    with bound("", 0) as addresses:
        assert "0.0.0.0" in {host for host, _ in addresses}


def test_ipv6() -> None:
    with bound("::1", 0) as addresses:
        ((host, port),) = addresses
        assert host == "::1"
        socket.create_connection((host, port)).close()


def test_the_next_free_port() -> None:
    with listening_in_a_row(2) as first, bound("127.0.0.1", first, 10) as addresses:
        assert first + 2 <= addresses[0][1] < first + 10


def test_a_port_taken_on_one_address_of_the_host_is_taken() -> None:
    with listening_in_a_row(1) as first, bound("localhost", first, 10) as addresses:
        assert {port for _, port in addresses}.isdisjoint({first})


def test_all_ports_taken() -> None:
    with listening_in_a_row(3) as first:
        with pytest.raises(ListenError) as failure:
            bind("127.0.0.1", first, 3)
        assert str(failure.value) == (
            f"Ports {first} to {first + 2} on 127.0.0.1 are all in use. "
            "Stop what listens there, or choose another: --port N."
        )


def test_the_port_taken() -> None:
    with listening_in_a_row(1) as first:
        with pytest.raises(ListenError) as failure:
            bind("127.0.0.1", first)
        assert str(failure.value) == (
            f"Port {first} on 127.0.0.1 is in use. Stop what listens there, or choose another port."
        )


def test_the_last_port_is_the_end() -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # Somebody else has it: as good.
            taken.bind(("127.0.0.1", 65_535))
            taken.listen()
        with pytest.raises(
            ListenError, match=r"^Ports 65535 to 65535 on 127\.0\.0\.1 are all in use"
        ):
            bind("127.0.0.1", 65_535, 10)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.1.1.1", "a" * 300, "::g"])
def test_a_host_that_is_none(host: str) -> None:
    with pytest.raises(ListenError) as failure:
        bind(host, 0)
    assert str(failure.value).startswith(f"{host!r} is not an address of this machine (")
    assert str(failure.value).endswith("Use an IP address or localhost: --ip 127.0.0.1.")


def test_a_host_that_is_another_machine() -> None:
    with pytest.raises(ListenError) as failure:
        bind("192.0.2.1", 0)
    assert str(failure.value) == (
        "192.0.2.1 is not an address of this machine. Use one that is, or localhost: --ip 127.0.0.1."
    )


@pytest.mark.parametrize("order", [1, -1])
def test_an_address_that_this_machine_lacks_is_left_out(order: int) -> None:
    """localhost is often ::1 as well where there is no IPv6; whichever comes first, the other one serves."""
    addresses = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "127.0.0.1")][::order]
    (listener,) = listening._bind_all(addresses, 0)
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_no_address_at_all() -> None:
    with pytest.raises(OSError) as failure:
        listening._bind_all([(socket.AF_INET, "192.0.2.1")], 0)
    assert failure.value.errno == errno.EADDRNOTAVAIL
