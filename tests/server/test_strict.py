"""Addresses that production refuses, through HTTP: refused in strict mode, noted otherwise, and the worker's own."""

from __future__ import annotations

import asyncio
import socket as library
from collections.abc import Awaitable, Callable

import pytest

from emulator.http import Request, Response
from emulator.sockets import Network, Policy, connect
from tests.server.serving import Recorder, connected, serving
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within

REFUSED = "proxy request failed, cannot connect to the specified address"
Dial = Callable[[str, int], Awaitable[object]]


def greet(peer: Peer) -> None:
    peer.send(b"hello")


async def tried(address: str, policy: Policy | None, observer: Recorder | None = None) -> str:
    """Connect to `address` in a handler; return what `opened` says, and the reason behind it."""

    async def fetch(request: Request) -> Response:
        try:
            await within(connect(address).opened)
        except ConnectionError as error:
            return Response(f"{error} | {error.__cause__}")
        return Response("opened")

    async with (
        serving(fetch, network=Network(policy=policy), observer=observer) as server,
        connected(server) as client,
    ):
        client.get("/")
        return (await client.response()).body.decode()


def allowing(address: str) -> str:
    """The last words of a refusal."""
    return f'To allow it here all the same: [strict] allow = ["{address}"]'


PRIVATE = "strict mode: production refuses private and local addresses ({ip}). "


@pytest.mark.parametrize(
    ("address", "sentence", "reason"),
    [
        (
            "mail.example.com:25",
            "Connections to port 25 are prohibited",
            "strict mode: production prohibits port 25. ",
        ),
        (
            "127.0.0.1:25",
            "Connections to port 25 are prohibited",
            "strict mode: production prohibits port 25. ",
        ),
        ("localhost:5432", REFUSED, PRIVATE.format(ip="127.0.0.1")),
        ("db.localhost:5432", REFUSED, PRIVATE.format(ip="127.0.0.1")),
        ("127.0.0.1:5432", REFUSED, PRIVATE.format(ip="127.0.0.1")),
        ("10.0.0.1:5432", REFUSED, PRIVATE.format(ip="10.0.0.1")),
        ("192.168.1.1:5432", REFUSED, PRIVATE.format(ip="192.168.1.1")),
        ("169.254.169.254:8080", REFUSED, PRIVATE.format(ip="169.254.169.254")),
        ("[::1]:5432", REFUSED, PRIVATE.format(ip="::1")),
        (
            "104.16.132.229:8443",
            REFUSED,
            "strict mode: production refuses addresses of Cloudflare's own network. ",
        ),
        (
            "[2606:4700::1]:8443",
            REFUSED,
            "strict mode: production refuses addresses of Cloudflare's own network. ",
        ),
    ],
)
async def test_strict_mode_refuses_in_productions_words(
    address: str, sentence: str, reason: str
) -> None:
    recorder = Recorder()
    said = await tried(address, Policy(), recorder)
    assert said == f"{sentence} | {reason}{allowing(address)}"
    (told,) = recorder.of("connection_failed")
    assert str(told) == reason + allowing(address)
    assert recorder.of("note") == []


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "104.17.0.1", "::ffff:104.17.0.1"])
async def test_a_name_is_judged_by_what_it_resolves_to(ip: str) -> None:
    """The names come from a table in the place of a name server's."""
    family = library.AF_INET6 if ":" in ip else library.AF_INET

    async def look_up(*_: object, **__: object) -> list[object]:
        return [(family, library.SOCK_STREAM, 6, "", (ip, 5432))]

    async def fetch(request: Request) -> Response:
        with pytest.raises(ConnectionError, match=REFUSED) as refused:
            await within(connect("db.example.com:5432").opened)
        return Response(str(refused.value.__cause__))

    async with (
        serving(fetch, network=Network(policy=Policy())) as server,
        connected(server) as client,
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
            client.get("/")
            said = (await client.response()).body.decode()
    assert said.startswith("strict mode: production refuses ")
    assert said.endswith(allowing("db.example.com:5432"))


@pytest.mark.parametrize("spelt", ["{host}:{port}", "localhost:{port}", "LOCALHOST:{port}"])
async def test_what_is_allowed_works(spelt: str) -> None:
    async with PeerServer(greet) as peers:
        address = spelt.format(host="127.0.0.1", port=peers.port)
        assert await tried(address, Policy(frozenset({address.lower()}))) == "opened"
        assert await tried("127.0.0.1:1", Policy(frozenset({address.lower()}))) != "opened"


async def test_without_strict_mode_it_works_with_a_note() -> None:
    recorder = Recorder()
    async with PeerServer(greet) as peers:
        assert await tried(peers.address, None, recorder) == "opened"
        assert recorder.of("note") == [
            f"connect() to {peers.address}: production refuses addresses on this machine and in private "
            "networks. Deployed, this worker needs a public address (or a tunnel to this one)."
        ]


@pytest.mark.parametrize("listener", ["HTTP", "TCP"])
async def test_the_workers_own_listener(listener: str) -> None:
    async def fetch(request: Request) -> Response:
        address = request.headers["Connect-To"]
        with pytest.raises(ConnectionError) as refused:
            await within(connect(address).opened)
        return Response(f"{refused.value} | {refused.value.__cause__}")

    async def connected_to(socket: object) -> None:
        raise AssertionError("the worker reached itself")

    async with (
        serving(fetch, connect=connected_to, network=Network(policy=Policy())) as server,
        connected(server) as client,
    ):
        http = f"127.0.0.1:{server.port}"
        address = http if listener == "HTTP" else server.connect_addresses[0]
        client.get("/", f"Connect-To: {address}")
        assert (await client.response()).body.decode() == (
            "TCP Loop detected | strict mode: this worker listens there itself. "
            + allowing(address)
        )


async def asyncios(host: str, port: int) -> None:
    """Connect as asyncio's drivers do."""
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


async def synchronous(host: str, port: int) -> None:
    """Connect as synchronous drivers do, in a thread."""
    raw = await asyncio.to_thread(library.create_connection, (host, port))
    raw.close()


async def at_hand(host: str, port: int) -> None:
    """Connect a socket first and make a transport of it, as aiohttp does."""
    loop = asyncio.get_running_loop()
    raw = library.socket()
    raw.setblocking(False)
    await loop.sock_connect(raw, (host, port))
    try:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=raw)
    finally:
        raw.close()
    transport.close()


@pytest.mark.parametrize("dial", [asyncios, synchronous, at_hand])
async def test_pythons_own_sockets_are_refused_or_noted_too(dial: Dial) -> None:
    async def fetch(request: Request) -> Response:
        try:
            await within(dial("127.0.0.1", peers.port))
        except OSError as error:
            return Response(str(error))
        return Response("opened")

    async def said(policy: Policy | None) -> str:
        async with (
            serving(fetch, network=Network(policy=policy), observer=recorder) as server,
            connected(server) as client,
        ):
            client.get("/")
            return (await client.response()).body.decode()

    recorder = Recorder()
    async with PeerServer() as peers:
        address = f"127.0.0.1:{peers.port}"
        assert await said(Policy()) == PRIVATE.format(ip="127.0.0.1") + allowing(address)
        if (
            dial is not at_hand
        ):  # Its transport's close is under way when the socket object is closed.
            assert await said(Policy(frozenset({address}))) == "opened"
            assert recorder.of("note") == []
            assert await said(None) == "opened"
            (note,) = recorder.of("note")
            assert note.startswith(f"connect() to {address}: production refuses addresses on this ")


async def test_an_expected_server_name_is_refused() -> None:
    async def fetch(request: Request) -> Response:
        socket = connect(peers.address, secure_transport="starttls")
        await within(socket.opened)
        with pytest.raises(TypeError) as refused:
            socket.start_tls(expected_server_hostname="other.example")
        return Response(str(refused.value))

    async with PeerServer() as peers:
        network = Network(policy=Policy(frozenset({peers.address})))
        async with serving(fetch, network=network) as server, connected(server) as client:
            client.get("/")
            assert (await client.response()).body.decode() == (
                "The expectedServerHostname option is not currently supported in startTls."
            )
