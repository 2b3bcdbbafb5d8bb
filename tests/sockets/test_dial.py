"""Opening a connection: how long it may take, and names with several addresses."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from emulator.errors import SocketError
from emulator.sockets import Network, Trust, connect
from tests.conftest import new_uvloop
from tests.support.certificates import IssuedCertificate
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Blackhole, Peer, PeerServer
from tests.support.tls_peers import TlsPeer, server_context, speaking
from tests.support.waiting import within

CANNOT_CONNECT = "^proxy request failed, cannot connect to the specified address$"
NO_TLS = "The TCP connection was open; the TLS handshake was not over when the time was up."


# Time.


@pytest.mark.parametrize("option", ["off", "on"])
async def test_a_host_that_does_not_answer_fails_in_time(option: str) -> None:
    observer = RecordingObserver()
    with Blackhole() as hole, request(network=Network(0.2), observer=observer) as owner:
        socket = connect(hole.address, secure_transport=option)
        with pytest.raises(SocketError, match=CANNOT_CONNECT) as failure:
            await within(socket.opened, 2)
        cause = failure.value.__cause__
        assert isinstance(cause, TimeoutError)
        assert str(cause) == "no answer within 0.2 s"
        assert not hasattr(cause, "__notes__")
        assert observer.failures == [("GET /", hole.address, cause)]
        assert owner.slots.free == 6


async def test_a_handshake_that_does_not_end_fails_in_time() -> None:
    def script(peer: Peer) -> bytes:
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request(network=Network(0.2)) as owner:
            socket = connect(server.address, secure_transport="on")
            with pytest.raises(SocketError, match=CANNOT_CONNECT) as failure:
                await within(socket.opened, 2)
            cause = failure.value.__cause__
            assert isinstance(cause, TimeoutError)
            assert (str(cause), cause.__notes__) == ("no answer within 0.2 s", [NO_TLS])
            assert owner.slots.free == 6
            # The connection is let go of: the peer hears the end of it.
            assert (await within(server.result()))[:1] == b"\x16"


async def test_the_time_is_for_connecting_not_for_standing_in_line() -> None:
    with Blackhole() as hole, request(network=Network(0.3)):
        # Six are being opened; the seventh has its own time when the first of them has failed.
        opening = [connect(hole.address) for _ in range(7)]
        began = asyncio.get_running_loop().time()
        results = await within(
            asyncio.gather(*(socket.opened for socket in opening), return_exceptions=True), 5
        )
        assert all(isinstance(result, SocketError) for result in results)
        assert asyncio.get_running_loop().time() - began >= 0.55


# Names with several addresses.


class Directory:
    """Answers name look-ups of an event loop: a name of ours has the addresses that it was given."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def getaddrinfo(
        self, host: str, port: int, **_: object
    ) -> list[tuple[sockets.AddressFamily, sockets.SocketKind, int, str, tuple[Any, ...]]]:
        """Return the addresses, whatever the name; an address is its own, and uvloop asks for these, too."""
        is_address = host.replace(":", "").replace(".", "").isalnum() and host[-1:].isdigit()
        return [
            (sockets.AF_INET6, sockets.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (sockets.AF_INET, sockets.SOCK_STREAM, 6, "", (address, port))
            for address in ((host,) if is_address else self.addresses)
        ]


def has_ipv6() -> bool:
    try:
        sockets.create_server(("::1", 0), family=sockets.AF_INET6).close()
    except OSError:
        return False
    return True


def run(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    directory: Directory,
    main: Coroutine[Any, Any, None],
) -> None:
    """Run `main` on a loop whose look-ups `directory` answers."""

    def resolving() -> asyncio.AbstractEventLoop:
        loop = make_loop()
        loop.getaddrinfo = directory.getaddrinfo  # type: ignore[method-assign,assignment]
        return loop

    with asyncio.Runner(loop_factory=resolving) as runner:
        runner.run(main)


@pytest.fixture(params=[asyncio.new_event_loop, new_uvloop], ids=["asyncio", "uvloop"])
def make_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    make: Callable[[], asyncio.AbstractEventLoop] = request.param
    return make


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.2", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("::1", "127.0.0.1"),
        ("::1", "127.0.0.2", "127.0.0.1"),
    ],
)
def test_a_dead_address_of_a_name_is_passed_over(
    make_loop: Callable[[], asyncio.AbstractEventLoop], addresses: tuple[str, ...]
) -> None:
    async def main() -> None:
        async with PeerServer(lambda peer: peer.send(b"here")) as server:
            with request() as owner:
                socket = connect({"hostname": "dual.example", "port": server.port})
                info = await within(socket.opened, 5)
                assert info.remote_address == f"dual.example:{server.port}"
                assert (await within(socket.readable.get_reader().read())).value == b"here"
                assert owner.traffic.sockets == 1
            assert server.connection_count == 1

    run(make_loop, Directory(*addresses), main())


def test_an_address_that_does_not_answer_is_passed_over_after_a_quarter_second(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")

    async def main() -> None:
        with Blackhole() as hole:
            listener = sockets.create_server(("::1", hole.port), family=sockets.AF_INET6)
            with listener, request():
                began = asyncio.get_running_loop().time()
                socket = connect({"hostname": "dual.example", "port": hole.port})
                await within(socket.opened, 5)
                assert 0.2 < asyncio.get_running_loop().time() - began < 2
                await within(socket.close())

    run(make_loop, Directory("127.0.0.1", "::1"), main())


def test_a_name_whose_addresses_are_all_dead_names_each(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def main() -> None:
        with (
            sockets.socket() as bound,
            request() as owner,
        ):
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            socket = connect({"hostname": "dual.example", "port": port})
            with pytest.raises(SocketError, match=CANNOT_CONNECT) as failure:
                await within(socket.opened, 5)
            assert "127.0.0.1" in str(failure.value.__cause__)
            assert "127.0.0.2" in str(failure.value.__cause__)
            assert owner.slots.free == 6

    run(make_loop, Directory("127.0.0.1", "127.0.0.2"), main())


def test_tls_checks_the_name_whichever_address_answers(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    network: Network,
    certificate: IssuedCertificate,
) -> None:
    async def main() -> None:
        def script(peer: TlsPeer) -> str | None:
            peer.start_tls()
            peer.wait_for_eof()
            return peer.server_name

        async with PeerServer(speaking(server_context(certificate), script)) as server:
            with request(network=network):
                socket = connect(
                    {"hostname": "localhost", "port": server.port}, secure_transport="on"
                )
                await within(socket.opened, 5)
                await within(socket.close())
            assert await within(server.result()) == "localhost"

    run(make_loop, Directory("127.0.0.2", "127.0.0.1"), main())


async def test_localhost_with_a_listener_on_one_family_only() -> None:
    async with PeerServer(lambda peer: peer.send(b"four")) as server:
        with request():
            socket = connect(f"localhost:{server.port}")
            assert (await within(socket.readable.get_reader().read())).value == b"four"


# Settings that a server was not started with.


def test_the_defaults() -> None:
    assert Network() == Network(30, Trust((), frozenset()))
