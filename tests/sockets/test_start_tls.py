"""start_tls(): its checks in the platform's order, the hand-over, and everything that can go wrong in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from emulator.errors import SocketError
from emulator.sockets import Network, Socket, SocketInfo, SocketState, accept, connect
from emulator.streams import PromiseState
from tests.support.certificates import Authority, IssuedCertificate
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Blackhole, PeerServer, refusing_port
from tests.support.tls_peers import TlsPeer, refused, server_context, speaking
from tests.support.waiting import until, within

ON_TLS = "Cannot startTls on a TLS socket."
CLOSED = "The connection was closed before startTls could be started."
NOT_ASKED_FOR = (
    "The `secureTransport` socket option must be set to 'starttls' for startTls to be used."
)
TWICE = "startTls has already been called on this socket, or the socket was transferred over RPC."
LOST = "The connection was closed before startTls completed."
CANNOT_CONNECT = "proxy request failed, cannot connect to the specified address"
RELEASED = "This ReadableStream reader has been released."


def postgres(peer: TlsPeer) -> bytes:
    """Answer an SSLRequest with the lone S, then echo over TLS; returns what was said in the clear."""
    said = peer.read_exactly(8)
    peer.send(b"S")
    peer.start_tls()
    while data := peer.read():
        peer.send(data)
    peer.close_notify()
    return said


def local(server: PeerServer) -> str:
    return f"localhost:{server.port}"


async def ask_for_tls(server: PeerServer) -> Socket:
    """Connect and have PostgreSQL's answer read: the moment to upgrade."""
    socket = connect(local(server), secure_transport="starttls")
    socket.writable.get_writer().write(b"\0\0\0\x08\x04\xd2\x16\x2f")
    reader = socket.readable.get_reader()
    assert await within(reader.read()) == (b"S", False)
    return socket


# Checks, in this order.


async def failed(socket: Socket) -> None:
    with pytest.raises(SocketError):
        await within(socket.closed)


async def closed(socket: Socket) -> None:
    await within(socket.close())


async def ended_by_the_peer(socket: Socket) -> None:
    reader = socket.readable.get_reader()
    while not (await within(reader.read())).done:
        pass


async def upgraded(socket: Socket) -> None:
    await within(socket.opened)
    await within(socket.start_tls().close())


async def untouched(socket: Socket) -> None:
    await within(socket.opened)


@pytest.mark.parametrize(
    ("option", "before", "sentence"),
    [
        # The first that holds is said: a row for each, and for each pair that can meet.
        ("on", untouched, ON_TLS),
        ("on", closed, ON_TLS),
        ("off", closed, CLOSED),
        ("off", ended_by_the_peer, CLOSED),
        ("starttls", closed, CLOSED),
        ("starttls", ended_by_the_peer, CLOSED),
        ("off", untouched, NOT_ASKED_FOR),
        ("starttls", upgraded, TWICE),
    ],
)
async def test_the_checks_in_their_order(
    certificate: IssuedCertificate,
    network: Network,
    option: str,
    before: Callable[[Socket], Awaitable[None]],
    sentence: str,
) -> None:
    def script(peer: TlsPeer) -> None:
        if before is ended_by_the_peer:
            peer.half_close()
        peer.read() if option == "off" or before is not untouched else peer.start_tls()
        peer.stall()

    if option == "on":
        script = _secure_and_stall

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport=option, allow_half_open=True)
            await before(socket)
            with pytest.raises(TypeError) as refusal:
                socket.start_tls()
            assert str(refusal.value) == sentence


def _secure_and_stall(peer: TlsPeer) -> None:
    peer.start_tls()
    peer.stall()


@pytest.mark.parametrize(("option", "sentence"), [("on", ON_TLS), ("starttls", CLOSED)])
async def test_a_connection_that_failed_cannot_be_upgraded(option: str, sentence: str) -> None:
    with refusing_port() as refusing, request():
        socket = connect(f"127.0.0.1:{refusing.getsockname()[1]}", secure_transport=option)
        await failed(socket)
        with pytest.raises(TypeError) as refusal:
            socket.start_tls()
        assert str(refusal.value) == sentence


async def test_an_inbound_connection_was_not_made_for_it() -> None:
    with request() as context:
        socket = accept(context, SocketInfo(local_address="localhost:1"))
        with pytest.raises(TypeError) as refusal:
            socket.startTls()  # type: ignore[attr-defined]
        assert str(refusal.value) == NOT_ASKED_FOR


async def test_options_that_are_none_come_first(certificate: IssuedCertificate) -> None:
    with refusing_port() as refusing, request():
        socket = connect(f"127.0.0.1:{refusing.getsockname()[1]}")
        with pytest.raises(TypeError, match="options must be a mapping or None, not str"):
            socket.start_tls("localhost")  # type: ignore[arg-type]


# The hand-over.


async def test_the_lone_s_and_everything_in_order(
    certificate: IssuedCertificate, network: Network
) -> None:
    async with PeerServer(speaking(server_context(certificate), postgres)) as server:
        with request(network=network) as owner:
            socket = await ask_for_tls(server)
            seen: list[tuple[bool, SocketState]] = []
            socket.closed.when_settled(lambda: seen.append((socket.upgraded, socket.state)))
            assert (socket.upgraded, socket.state) == (False, SocketState.OPEN)
            secure = socket.start_tls()
            assert socket.upgraded
            assert secure is not socket
            assert (secure.upgraded, secure.secure_transport) == (False, "on")
            assert socket.secure_transport == "starttls"
            assert (secure.state, socket.state) == (SocketState.CONNECTING, SocketState.UPGRADED)
            # Early writes go after the handshake.
            writer, reader = secure.writable.get_writer(), secure.readable.get_reader()
            writer.write(b"early ")
            writer.write(b"writes")
            await within(socket.closed)
            assert seen == [(True, SocketState.UPGRADED)]
            info = await within(secure.opened)
            assert info == await within(socket.opened)
            data = b""
            while len(data) < 12:
                value, _ = await within(reader.read())
                data += value or b""
            assert data == b"early writes"
            await within(writer.close())
            assert await within(reader.read()) == (None, True)
            await within(secure.closed)
            assert secure.state is SocketState.CLOSED
            assert owner.traffic.sockets == 1
        assert await within(server.result()) == b"\0\0\0\x08\x04\xd2\x16\x2f"


async def test_awaiting_it_gives_the_new_socket(
    certificate: IssuedCertificate, network: Network
) -> None:
    async with PeerServer(speaking(server_context(certificate), postgres)) as server:
        with request(network=network):
            secure = await (await ask_for_tls(server)).start_tls()
            assert isinstance(secure, Socket)
            assert await within(secure) is secure
            await within(secure.opened)
            await within(secure.close())


async def test_before_it_is_open_nothing_is_said_in_the_clear(
    certificate: IssuedCertificate, network: Network
) -> None:
    def script(peer: TlsPeer) -> bytes:
        peer.start_tls()
        return peer.wait_for_eof()

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network) as owner:
            socket = connect(local(server), secure_transport="starttls")
            secure = socket.start_tls()
            assert (socket.state, secure.state) == (SocketState.UPGRADED, SocketState.CONNECTING)
            secure.writable.get_writer().write(b"secret")
            await within(socket.opened)
            await within(socket.closed)
            await within(secure.opened)
            assert owner.traffic.sockets == 1
            await within(secure.close())
        assert await within(server.result()) == b"secret"


async def test_what_the_old_socket_was_given_is_sent_in_the_clear_first(
    certificate: IssuedCertificate, network: Network
) -> None:
    proceed = threading.Event()
    size = 40_000_000  # More than kernels hold.

    def script(peer: TlsPeer) -> bytes:
        proceed.wait(10)
        left = size
        while left:
            left -= len(peer.read(min(left, 65_536)))
        peer.start_tls()
        return peer.wait_for_eof()

    async with PeerServer(
        speaking(server_context(certificate), script), buffer_bytes=65_536
    ) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="starttls")
            await within(socket.opened)
            old = socket.writable.get_writer()
            written = old.write(b"." * size)
            secure = socket.start_tls()
            new = secure.writable.get_writer()
            new.write(b"secret")
            assert not socket.closed.settled
            assert written.state is PromiseState.PENDING
            proceed.set()
            await within(written)
            await within(socket.closed)
            await within(new.close())
        assert await within(server.result()) == b"secret"


async def test_the_old_streams_stop_working(
    certificate: IssuedCertificate, network: Network
) -> None:
    async with PeerServer(speaking(server_context(certificate), postgres)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="starttls")
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            writer.write(b"\0\0\0\x08\x04\xd2\x16\x2f")
            await within(reader.read())
            pending = reader.read()
            secure = socket.start_tls()
            for promise in (pending, reader.read(), reader.closed, reader.cancel()):
                with pytest.raises(TypeError, match=rf"^{RELEASED}$"):
                    await within(promise)
            for promise in (writer.write(b"x"), writer.closed, writer.close(), writer.ready):
                with pytest.raises(
                    TypeError, match=r"^This WritableStream writer has been released\.$"
                ):
                    await within(promise)
            with pytest.raises(
                TypeError, match=r"^This ReadableStream belongs to an object that is closing"
            ):
                socket.readable.get_reader()
            with pytest.raises(
                TypeError, match=r"^This WritableStream belongs to an object that is closing"
            ):
                socket.writable.get_writer()
            reader.release_lock()
            writer.release_lock()
            await within(socket.close())  # Its connection is another's.
            await within(secure.opened)
            echo = secure.readable.get_reader()
            secure.writable.get_writer().write(b"fine")
            assert await within(echo.read()) == (b"fine", False)


async def test_piped_streams_are_an_error_and_not_a_hang(
    certificate: IssuedCertificate, network: Network
) -> None:
    def script(peer: TlsPeer) -> None:
        peer.stall()

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="starttls")
            other = connect(local(server), secure_transport="starttls")
            await within(asyncio.gather(socket.opened, other.opened))
            socket.readable.pipe_to(other.writable)
            with pytest.raises(
                TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"
            ):
                socket.start_tls()
            with pytest.raises(
                TypeError, match=r"^This WritableStream is currently locked to a writer\.$"
            ):
                other.start_tls()
            assert (socket.state, other.state) == (SocketState.OPEN, SocketState.OPEN)
            assert not socket.upgraded


async def test_a_teed_stream_is_an_error(certificate: IssuedCertificate, network: Network) -> None:
    async with PeerServer(
        speaking(server_context(certificate), lambda peer: peer.stall())
    ) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="starttls")
            socket.readable.tee()
            with pytest.raises(
                TypeError, match=r"^This ReadableStream is currently locked to a reader\.$"
            ):
                socket.start_tls()


async def test_bytes_that_nobody_read_are_said(
    certificate: IssuedCertificate, network: Network
) -> None:
    observer = RecordingObserver()

    def script(peer: TlsPeer) -> bytes:
        peer.send(b"220 ready\r\ninjected")
        return peer.wait_for_eof()

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network, observer=observer) as owner:
            socket = connect(local(server), secure_transport="starttls")
            await until(lambda: owner.traffic.bytes_received == 19, "the bytes")
            secure = socket.start_tls()
            early = secure.writable.get_writer().write(b"secret")
            with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$") as failure:
                await within(secure.opened)
            cause = failure.value.__cause__
            assert str(cause) == (
                r"19 bytes arrived before startTls and were not read: b'220 ready\r\ninjected'. In the clear "
                "anybody could have sent them: read the server's answer before upgrading"
            )
            assert observer.failures == [("GET /", local(server), cause)]
            with pytest.raises(SocketError):
                await within(early)
            await within(socket.closed)
        assert await within(server.result()) == b""


@pytest.mark.parametrize("name", ["db.example", "db.example."])
async def test_another_name_is_checked_and_noted(
    authority: Authority, network: Network, name: str
) -> None:
    observer = RecordingObserver()
    names: list[str | None] = []

    def script(peer: TlsPeer) -> None:
        peer.start_tls()
        names.append(peer.server_name)
        peer.wait_for_eof()

    issued = authority.issue("db.example")
    async with PeerServer(speaking(server_context(issued), script)) as server:
        with request(network=network, observer=observer):
            socket = connect(local(server), secure_transport="starttls")
            secure = socket.start_tls({"expectedServerHostname": name})
            await within(secure.opened)
            await within(secure.close())
        await within(server.result())
    assert names == ["db.example"]
    assert observer.notes[-1] == (
        "The expectedServerHostname option is not currently supported in startTls. "
        "It works here; production refuses it."
    )


# What goes wrong.


def close_at_once(peer: TlsPeer) -> None:
    peer.read_exactly(8)
    peer.send(b"S")


def close_after_hello(peer: TlsPeer) -> None:
    close_at_once(peer)
    peer.hello()


def reset_after_hello(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.reset()


def close_within_its_answer(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.raw.sendall(b"\x16\x03\x03\x10\x00")


def say_no_in_words_and_close(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.raw.sendall(b"no")


def answer_in_words(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.raw.sendall(b"454 TLS not available\r\n")
    peer.stall()


def answer_garbage(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.raw.sendall(b"\x16\x03\x03\x00\x04\x63\x00\x00\x00")
    peer.stall()


def stall(peer: TlsPeer) -> None:
    close_after_hello(peer)
    peer.stall()


@pytest.mark.parametrize(
    ("script", "sentence", "cause"),
    [
        (close_at_once, LOST, None),
        (close_after_hello, LOST, "without answering the TLS handshake"),
        (reset_after_hello, LOST, "Connection reset by peer"),
        (close_within_its_answer, LOST, "closed the connection during the TLS handshake"),
        (say_no_in_words_and_close, LOST, "the peer does not speak TLS here: it answered b'no'."),
        (answer_in_words, CANNOT_CONNECT, r"it answered b'454 TLS not available\r\n'"),
        (answer_garbage, CANNOT_CONNECT, "UNEXPECTED_MESSAGE"),
        (stall, CANNOT_CONNECT, "no answer within 0.3 s"),
    ],
)
async def test_an_upgrade_that_fails_says_why(
    certificate: IssuedCertificate,
    network: Network,
    script: Callable[[TlsPeer], None],
    sentence: str,
    cause: str | None,
) -> None:
    observer = RecordingObserver()
    settings = Network(0.3 if script is stall else 10, network.trust)
    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=settings, observer=observer):
            socket = await ask_for_tls(server)
            secure = socket.start_tls()
            reader, writer = secure.readable.get_reader(), secure.writable.get_writer()
            early = writer.write(b"early")
            with pytest.raises(SocketError) as failure:
                await within(secure.opened)
            assert str(failure.value) == sentence
            reason = failure.value.__cause__
            assert cause is None or cause in str(reason)
            if script is stall:
                assert reason is not None
                assert reason.__notes__ == [
                    "The TCP connection was open; the TLS handshake was not over when the time was up."
                ]
            with pytest.raises(SocketError) as end:
                await within(secure.closed)
            assert end.value is failure.value
            assert [found[2] for found in observer.failures] == [reason]
            assert await within(reader.read()) == (None, True)
            with pytest.raises(SocketError):
                await within(early)
            await within(secure.close())
            # The old socket was handed over all the same.
            assert socket.upgraded
            await within(socket.closed)


async def test_a_refused_certificate_fails_the_upgrade(certificate: IssuedCertificate) -> None:
    def script(peer: TlsPeer) -> str:
        close_at_once(peer)
        return refused(peer)

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request():
            secure = (await ask_for_tls(server)).start_tls()
            with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$") as failure:
                await within(secure.opened)
            assert failure.value.__cause__ is not None
            assert failure.value.__cause__.__notes__ == [
                "The certificate of localhost is refused: its issuer is not trusted (issuer: O=Test authority, "
                f"{_unit(failure.value.__cause__)}). To trust it: --tls-ca FILE, its issuer's PEM file. "
                "To check nothing: --tls-insecure localhost"
            ]
        assert await within(server.result()) == "TLSV1_ALERT_UNKNOWN_CA"


def _unit(error: BaseException) -> str:
    note: str = error.__notes__[0]
    return note.split("O=Test authority, ")[1].split(")")[0]


async def test_a_connection_refused_before_the_upgrade_fails_both_sockets() -> None:
    observer = RecordingObserver()
    with refusing_port() as refusing, request(observer=observer):
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        socket = connect(address, secure_transport="starttls")
        secure = socket.start_tls()
        for promise in (socket.opened, socket.closed, secure.opened, secure.closed):
            with pytest.raises(SocketError, match=f"^{CANNOT_CONNECT}$") as failure:
                await within(promise)
            assert isinstance(failure.value.__cause__, ConnectionRefusedError)
        assert [found[1] for found in observer.failures] == [address]
        await within(socket.close())


async def test_closing_the_new_socket_while_the_old_one_connects_ends_both() -> None:
    with Blackhole() as hole, request() as owner:
        socket = connect(hole.address, secure_transport="starttls")
        secure = socket.start_tls()
        await asyncio.sleep(0)
        assert owner.slots.free == 5
        await within(secure.close())
        await asyncio.sleep(0)
        assert owner.slots.free == 6
        for promise in (socket.opened, secure.opened):
            with pytest.raises(SocketError, match="closed before the connection was opened"):
                await within(promise)
        await within(secure.closed)
        await within(socket.closed)


async def test_the_requests_end_ends_an_upgrade(
    certificate: IssuedCertificate, network: Network
) -> None:
    def script(peer: TlsPeer) -> bytes:
        close_after_hello(peer)
        return peer.wait_for_eof()

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network):
            secure = (await ask_for_tls(server)).start_tls()
        assert secure.state is SocketState.CLOSED
        assert await within(server.result()) == b""


async def test_another_request_may_not(certificate: IssuedCertificate, network: Network) -> None:
    async with PeerServer(
        speaking(server_context(certificate), lambda peer: peer.stall())
    ) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="starttls")
            with (
                request("GET /other"),
                pytest.raises(RuntimeError, match="on behalf of a different request"),
            ):
                socket.start_tls()
