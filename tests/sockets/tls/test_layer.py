"""TLS over real connections, TLS 1.2 and 1.3: opening, both directions, both ends, and what breaks."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import threading

import pytest

from emulator.errors import SocketError
from emulator.sockets import Network, Socket, SocketState, connect
from emulator.streams import NativeReadable, PromiseState
from tests.support.certificates import Authority, IssuedCertificate
from tests.support.contexts import RecordingObserver, request
from tests.support.peers import Peer, PeerServer
from tests.support.tls_peers import TlsPeer, server_context, speaking, speaking_tls
from tests.support.waiting import until, within

LOST = r"^Network connection lost\.$"
CANNOT_CONNECT = "^proxy request failed, cannot connect to the specified address$"
KERNEL_BYTES = 30_000_000


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, certificate: IssuedCertificate) -> ssl.SSLContext:
    """A server's settings, for each version."""
    return server_context(certificate, request.param)


def echo(peer: Peer) -> None:
    while data := peer.read():
        peer.send(data)
    if isinstance(peer, TlsPeer):
        peer.close_notify()


async def read_all(socket: Socket) -> bytes:
    data = b""
    async for chunk in socket.readable:
        data += chunk
    return data


def buffered_bytes(socket: Socket) -> int:
    core = socket.readable.core
    assert isinstance(core, NativeReadable)
    return core.buffered_bytes


def local(server: PeerServer) -> str:
    return f"localhost:{server.port}"


# Opening.


async def test_opened_waits_for_the_handshake_and_what_was_written_before_comes_after_it(
    context: ssl.SSLContext, network: Network
) -> None:
    proceed = threading.Event()

    def script(peer: TlsPeer) -> bytes:
        proceed.wait(10)
        peer.start_tls()
        return peer.read_exactly(9)

    async with PeerServer(speaking(context, script)) as server:
        with request(network=network) as owner:
            socket = connect(local(server), secure_transport="on")
            writer = socket.writable.get_writer()
            for part in (b"one ", bytearray(b"two "), memoryview(b"3")):
                writer.write(part)
            await until(lambda: owner.traffic.sockets, "TCP")
            await until(lambda: owner.traffic.bytes_sent, "ClientHello")
            assert not socket.opened.settled
            assert writer.desired_size == 65_536 - 9
            proceed.set()
            info = await within(socket.opened)
            assert (info.remote_address, info.local_address) == (local(server), None)
            assert (socket.secure_transport, socket.state) == ("on", SocketState.OPEN)
            assert await within(server.result()) == b"one two 3"


async def test_the_server_sees_the_name_and_no_alpn(
    context: ssl.SSLContext, network: Network
) -> None:
    context.set_alpn_protocols(["h2", "http/1.1"])

    def script(peer: TlsPeer) -> tuple[str | None, str | None, str | None]:
        peer.start_tls()
        peer.read()
        return peer.server_name, peer.tls.selected_alpn_protocol(), peer.tls.version()

    async with PeerServer(speaking(context, script)) as server:
        with request(network=network):
            for name in ("localhost", "LOCALHOST", "127.0.0.1"):
                socket = connect({"hostname": name, "port": server.port}, secureTransport="on")
                await within(socket.opened)
                await within(socket.close())
        seen = [await within(server.result()) for _ in range(3)]
    version = seen[0][2]
    assert version == f"TLSv{context.minimum_version.name[-3:].replace('_', '.')}"
    # RFC 6066 allows names only: an address of the certificate is checked, and not sent.
    assert seen == [
        ("localhost", None, version),
        ("LOCALHOST", None, version),
        (None, None, version),
    ]


async def test_an_ipv6_literal_is_checked_against_the_certificates_addresses(
    authority: Authority, network: Network
) -> None:
    issued = server_context(authority.issue("::1"))
    try:
        server = PeerServer(speaking_tls(issued, echo), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with server:
        with request(network=network):
            socket = connect(server.address, secure_transport="on")
            await within(socket.opened)
            await within(socket.close())


@pytest.mark.parametrize("name", ["", ".example", f"{'a' * 64}.example"])
async def test_a_name_that_no_certificate_can_have_fails_on_connecting(
    context: ssl.SSLContext, network: Network, name: str
) -> None:
    with request(network=network):
        socket = connect({"hostname": name, "port": 1}, secure_transport="on")
        with pytest.raises(SocketError, match=CANNOT_CONNECT):
            await within(socket.opened)


# Both directions.


async def test_fifty_megabytes_each_way_at_once(context: ssl.SSLContext, network: Network) -> None:
    block = bytes(range(256)) * 1024
    count = 200

    async with PeerServer(speaking_tls(context, echo)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            sent, received = hashlib.sha256(), hashlib.sha256()

            async def write() -> None:
                writer = socket.writable.get_writer()
                for number in range(count):
                    data = number.to_bytes(4, "big") + block
                    sent.update(data)
                    await writer.ready
                    writer.write(data)
                await writer.close()

            async def read() -> int:
                size = 0
                async for chunk in socket.readable:
                    received.update(chunk)
                    size += len(chunk)
                return size

            _, size = await within(asyncio.gather(write(), read()), 60)
            await within(socket.closed)
    assert size == count * (len(block) + 4) > 50_000_000
    assert received.digest() == sent.digest()


async def test_one_write_of_many_megabytes_arrives(
    context: ssl.SSLContext, network: Network
) -> None:
    data = bytes(range(251)) * 40_000

    def script(peer: TlsPeer) -> bytes:
        return hashlib.sha256(peer.wait_for_eof()).digest()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            writer = connect(local(server), secure_transport="on").writable.get_writer()
            writer.write(data)
            await within(writer.close(), 30)
            assert await within(server.result()) == hashlib.sha256(data).digest()


async def test_a_peer_that_does_not_read_makes_the_writer_wait(
    context: ssl.SSLContext, network: Network
) -> None:
    proceed = threading.Event()

    def script(peer: TlsPeer) -> int:
        proceed.wait(20)
        return len(peer.wait_for_eof())

    async with PeerServer(speaking_tls(context, script), buffer_bytes=65_536) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            await within(socket.opened)
            writer = socket.writable.get_writer()
            written = 0
            while writer.ready.settled:
                writer.write(b"." * 65_536)
                written += 65_536
                assert written < KERNEL_BYTES
                await asyncio.sleep(0)
            assert writer.desired_size is not None
            assert writer.desired_size <= 0
            last = writer.write(b"!")
            assert last.state is PromiseState.PENDING
            proceed.set()
            await within(writer.ready)
            await within(last)
            await within(writer.close())
            assert await within(server.result()) == written + 1


async def test_a_peer_that_sends_without_end_is_held_back_while_nobody_reads(
    context: ssl.SSLContext, network: Network
) -> None:
    def script(peer: TlsPeer) -> int:
        peer.raw.settimeout(0.5)
        sent = 0
        try:
            while sent < 2 * KERNEL_BYTES:
                peer.send(b"." * 65_536)
                sent += 65_536
        except AssertionError:
            pass
        return sent

    async with PeerServer(speaking_tls(context, script), buffer_bytes=65_536) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            sent = await within(server.result(), 20)
            assert 0 < sent < KERNEL_BYTES
            # What one pass of decryption may deliver beyond the mark, twice over.
            assert buffered_bytes(socket) < 65_536 + 2 * 262_144
            # The script ended without close_notify.
            with pytest.raises(SocketError, match=LOST):
                await within(read_all(socket))


async def test_a_reading_side_cancelled_before_the_handshake_takes_nothing(
    context: ssl.SSLContext, network: Network
) -> None:
    async with PeerServer(speaking_tls(context, echo)) as server:
        with request(network=network) as owner:
            socket = connect(local(server), secure_transport="on", allow_half_open=True)
            await within(socket.readable.cancel())
            await within(socket.opened)
            writer = socket.writable.get_writer()
            for _ in range(10):
                await within(writer.write(b"." * 10_000))
            await within(writer.close())
            await within(socket.closed)
            assert owner.traffic.bytes_received < 10_000


# Both ends.


async def test_the_peer_ends_first_and_goes_on_reading(
    context: ssl.SSLContext, network: Network
) -> None:
    def script(peer: TlsPeer) -> bytes:
        peer.send(b"bye")
        peer.close_notify()
        return peer.wait_for_eof()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on", allow_half_open=True)
            assert await within(read_all(socket)) == b"bye"
            assert socket.state is SocketState.READ_ENDED
            writer = socket.writable.get_writer()
            await within(writer.write(b"still "))
            await within(writer.write(b"there"))
            await within(writer.close())
            await within(socket.closed)
        assert await within(server.result()) == b"still there"


async def test_without_half_open_the_peers_end_ends_both(
    context: ssl.SSLContext, network: Network
) -> None:
    def script(peer: TlsPeer) -> bytes:
        peer.send(b"bye")
        peer.close_notify()
        return peer.wait_for_eof()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            writer = socket.writable.get_writer()
            await within(writer.write(b"queued"))
            assert await within(read_all(socket)) == b"bye"
            await within(socket.closed)
            assert socket.state is SocketState.CLOSED
        assert await within(server.result()) == b"queued"


async def test_we_end_first_and_go_on_reading(context: ssl.SSLContext, network: Network) -> None:
    def script(peer: TlsPeer) -> bytes:
        question = peer.wait_for_eof()
        for part in (b"a ", b"long ", b"answer"):
            peer.send(part)
        peer.close_notify()
        return question

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            writer = socket.writable.get_writer()
            writer.write(b"question")
            await within(writer.close())
            assert socket.state is SocketState.WRITE_ENDED
            assert await within(read_all(socket)) == b"a long answer"
            await within(socket.closed)
        assert await within(server.result()) == b"question"


async def test_bytes_after_the_peers_close_notify_are_dropped(
    context: ssl.SSLContext, network: Network
) -> None:
    sent = threading.Event()

    def script(peer: TlsPeer) -> None:
        peer.close_notify()
        peer.raw.sendall(b"x" * 1_000_000)
        sent.set()
        peer.stall()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on", allow_half_open=True)
            assert await within(read_all(socket)) == b""
            await asyncio.to_thread(sent.wait, 10)
            assert buffered_bytes(socket) == 0
            assert socket.state is SocketState.READ_ENDED


@pytest.mark.parametrize("half_open", [False, True])
@pytest.mark.parametrize("how", ["half_close", "close"])
async def test_an_end_without_close_notify_is_a_loss_after_what_was_delivered(
    context: ssl.SSLContext, network: Network, how: str, half_open: bool
) -> None:
    def script(peer: TlsPeer) -> None:
        peer.send(b"not all of it")
        getattr(peer, how)()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on", allow_half_open=half_open)
            reader = socket.readable.get_reader()
            assert await within(reader.read()) == (b"not all of it", False)
            with pytest.raises(SocketError, match=LOST) as failed:
                await within(reader.read())
            assert str(failed.value.__cause__) == (
                "the peer closed the connection without ending TLS (no close_notify)"
            )
            with pytest.raises(SocketError, match=LOST):
                await within(socket.closed)
            with pytest.raises(SocketError, match=LOST):
                await within(socket.writable.get_writer().write(b"x"))


async def test_a_reset_is_a_loss(context: ssl.SSLContext, network: Network) -> None:
    async with PeerServer(speaking_tls(context, lambda peer: peer.reset())) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            with pytest.raises(SocketError):
                await within(socket.closed)


async def test_a_broken_record_is_a_loss_with_openssls_word(
    context: ssl.SSLContext, network: Network
) -> None:
    def script(peer: TlsPeer) -> None:
        peer.send(b"good")
        peer.raw.sendall(b"\x17\x03\x03\x00\x20" + b"?" * 32)
        peer.stall()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            reader = connect(local(server), secure_transport="on").readable.get_reader()
            assert await within(reader.read()) == (b"good", False)
            with pytest.raises(SocketError, match=LOST) as failed:
                await within(reader.read())
            assert "DECRYPTION_FAILED_OR_BAD_RECORD_MAC" in str(failed.value.__cause__)


async def test_close_sends_what_was_written_and_close_notify(
    context: ssl.SSLContext, network: Network
) -> None:
    async with PeerServer(speaking_tls(context, lambda peer: peer.wait_for_eof())) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            writer = socket.writable.get_writer()
            await within(socket.opened)
            for _ in range(50):
                writer.write(b"." * 20_000)
            await within(socket.close())
            await within(socket.closed)
        assert len(await within(server.result())) == 1_000_000


async def test_close_before_the_handshake_is_over_sends_what_was_written(
    context: ssl.SSLContext, network: Network
) -> None:
    async with PeerServer(speaking_tls(context, lambda peer: peer.wait_for_eof())) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            socket.writable.get_writer().write(b"all of it")
            await within(socket.close())
        assert await within(server.result()) == b"all of it"


async def test_abort_lets_the_peer_tell(context: ssl.SSLContext, network: Network) -> None:
    def script(peer: TlsPeer) -> bytes:
        peer.send(b"!")
        return peer.wait_for_reset()

    async with PeerServer(speaking_tls(context, script)) as server:
        with request(network=network):
            socket = connect(local(server), secure_transport="on")
            assert await within(socket.readable.get_reader().read()) == (b"!", False)
            await within(socket.writable.get_writer().abort())
            await within(server.result())


# What breaks a handshake.


def answer_garbage(peer: TlsPeer) -> None:
    peer.hello()
    peer.raw.sendall(b"\x16\x03\x03\x00\x04\x63\x00\x00\x00")
    peer.stall()


def close_after_hello(peer: TlsPeer) -> None:
    peer.hello()


def reset_after_hello(peer: TlsPeer) -> None:
    peer.hello()
    peer.reset()


def cut_its_answer(peer: TlsPeer) -> None:
    peer.hello()
    peer.raw.sendall(b"\x16\x03\x03\x10\x00")


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (answer_garbage, "UNEXPECTED_MESSAGE"),
        (
            close_after_hello,
            "the peer closed the connection without answering the TLS handshake: "
            "does it speak TLS on this port?",
        ),
        (reset_after_hello, "Connection reset by peer"),
        (cut_its_answer, "the peer closed the connection during the TLS handshake"),
    ],
)
async def test_a_broken_handshake_fails_the_connection_with_its_cause(
    certificate: IssuedCertificate, network: Network, script: object, cause: str
) -> None:
    assert callable(script)
    observer = RecordingObserver()
    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network, observer=observer):
            socket = connect(local(server), secure_transport="on")
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            early = writer.write(b"early")
            with pytest.raises(SocketError, match=CANNOT_CONNECT) as failed:
                await within(socket.opened)
            assert cause in str(failed.value.__cause__)
            with pytest.raises(SocketError) as closed:
                await within(socket.closed)
            assert closed.value is failed.value
            assert observer.failures == [("GET /", local(server), failed.value.__cause__)]
            # After a failure: read() answers done, write() rejects with the connection's error, close() resolves.
            assert await within(reader.read()) == (None, True)
            for written in (early, writer.write(b"late")):
                with pytest.raises(SocketError) as lost:
                    await within(written)
                assert lost.value is failed.value
            await within(socket.close())


async def test_closing_while_shaking_hands_gives_the_slot_back_and_hangs_up(
    certificate: IssuedCertificate, network: Network
) -> None:
    def script(peer: TlsPeer) -> bytes:
        peer.hello()
        return peer.wait_for_eof()

    async with PeerServer(speaking(server_context(certificate), script)) as server:
        with request(network=network) as owner:
            socket = connect(local(server), secure_transport="on")
            await until(lambda: owner.traffic.bytes_sent, "ClientHello")
            assert owner.slots.free == 5
            closing = socket.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert owner.slots.free == 6
            await within(closing)
            with pytest.raises(SocketError, match="closed before the connection was opened"):
                await within(socket.opened)
            await within(socket.closed)
            assert await within(server.result()) == b""


async def test_a_slot_is_held_until_the_handshake_is_over(
    context: ssl.SSLContext, network: Network
) -> None:
    proceed = threading.Event()

    def script(peer: TlsPeer) -> None:
        proceed.wait(10)
        peer.start_tls()
        peer.wait_for_eof()

    async with PeerServer(speaking(context, script)) as server:
        with request(network=network) as owner:
            socket = connect(local(server), secure_transport="on")
            await until(lambda: owner.traffic.bytes_sent, "ClientHello")
            assert owner.slots.free == 5
            proceed.set()
            await within(socket.opened)
            await asyncio.sleep(0)
            assert owner.slots.free == 6
            await within(socket.close())
