"""The adapter: asyncio's streams and protocols over a Socket, against real peers; whose the connection stays."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

import asyncio_streams
from asyncio_streams import SocketTransport, open_streams, open_transport
from emulator import serve
from emulator.errors import SocketError
from emulator.sockets import Network, Trust, connect
from tests.support.certificates import Authority, IssuedCertificate
from tests.support.contexts import request
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.waiting import until, within

# What kernels may hold between two sockets of this machine, with room to spare.
KERNEL_BYTES = 30_000_000


def echo(peer: Peer) -> None:
    while data := peer.read():
        peer.send(data)


def upgraded(peer: Peer, certificate: IssuedCertificate) -> ssl.SSLSocket:
    """Answer as TLS from now on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context.wrap_socket(peer.raw, server_side=True)


# Streams.


async def test_readexactly_readline_and_readuntil_take_no_byte_too_many() -> None:
    def script(peer: Peer) -> None:
        peer.trickle(b"S\x00\x00\x00\x02okone\r\ntwo;three", piece_bytes=4)

    async with PeerServer(script) as server:
        with request():
            reader, writer = await open_streams(connect(server.address))
            assert await within(reader.readexactly(1)) == b"S"
            assert await within(reader.readexactly(4)) == b"\x00\x00\x00\x02"
            assert await within(reader.readexactly(2)) == b"ok"
            assert await within(reader.readline()) == b"one\r\n"
            assert await within(reader.readuntil(b";")) == b"two;"
            assert await within(reader.read()) == b"three"
            assert reader.at_eof()
            writer.close()
            await within(writer.wait_closed())


async def test_an_end_too_early_is_an_incomplete_read() -> None:
    async with PeerServer(lambda peer: peer.send(b"abc")) as server:
        with request():
            reader, _ = await open_streams(connect(server.address))
            with pytest.raises(asyncio.IncompleteReadError, match="3 bytes read") as caught:
                await within(reader.readexactly(5))
    assert caught.value.partial == b"abc"


async def test_a_line_over_the_limit_is_refused() -> None:
    async with PeerServer(lambda peer: peer.send(b"x" * 5000 + b"\n")) as server:
        with request():
            reader, _ = await open_streams(connect(server.address), limit=1000)
            with pytest.raises(asyncio.LimitOverrunError):
                await within(reader.readuntil(b"\n"))


async def test_a_connection_that_fails_raises_what_opened_raises() -> None:
    with refusing_port() as refusing, request():
        socket = connect(f"127.0.0.1:{refusing.getsockname()[1]}")
        with pytest.raises(SocketError, match="cannot connect to the specified address"):
            await within(open_streams(socket))
        with pytest.raises(SocketError, match="cannot connect to the specified address"):
            await within(open_transport(socket, asyncio.Protocol))


async def test_write_eof_ends_one_side_only() -> None:
    def script(peer: Peer) -> None:
        peer.send(b"got " + peer.wait_for_eof())

    async with PeerServer(script) as server:
        with request():
            reader, writer = await open_streams(connect(server.address, allow_half_open=True))
            assert writer.can_write_eof()
            writer.writelines([b"all ", b"of it"])
            writer.write_eof()
            assert await within(reader.read()) == b"got all of it"


async def test_the_peers_end_leaves_a_half_open_socket_writable() -> None:
    def script(peer: Peer) -> bytes:
        peer.half_close()
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            reader, writer = await open_streams(connect(server.address, allow_half_open=True))
            assert await within(reader.read()) == b""
            assert not writer.is_closing()
            writer.write(b"still here")
            writer.close()
            await within(writer.wait_closed())
        assert await server.result() == b"still here"


async def test_the_peers_end_closes_a_socket_that_may_not_be_half_open() -> None:
    def script(peer: Peer) -> None:
        peer.half_close()
        peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            reader, writer = await open_streams(connect(server.address))
            assert await within(reader.read()) == b""
            await within(writer.wait_closed())
            assert writer.is_closing()


async def test_close_sends_what_was_written() -> None:
    async with PeerServer(lambda peer: peer.wait_for_eof()) as server:
        with request():
            _, writer = await open_streams(connect(server.address))
            writer.write(b"x" * 1_000_000)
            writer.close()
            writer.close()
            assert writer.is_closing()
            writer.write(b"too late")
            await within(writer.wait_closed())
        assert await server.result() == b"x" * 1_000_000


async def test_abort_breaks_off() -> None:
    async with PeerServer(lambda peer: peer.wait_for_reset()) as server:
        with request():
            reader, writer = await open_streams(connect(server.address))
            writer.transport.abort()
            await within(writer.wait_closed())
            assert await within(reader.read()) == b""
        await server.result()


async def test_a_reset_reaches_reader_and_drain() -> None:
    async with PeerServer() as server:
        with request():
            reader, writer = await open_streams(connect(server.address))
            peer = await server.accepted()
            pending = asyncio.ensure_future(reader.readexactly(1))
            await asyncio.to_thread(peer.reset)
            with pytest.raises(SocketError, match=r"^Network connection lost\.$"):
                await within(pending)
            writer.write(b"x")
            with pytest.raises(OSError, match="lost"):
                await within(writer.drain())
            with pytest.raises(SocketError, match=r"^Network connection lost\.$"):
                await within(writer.wait_closed())


async def test_a_reset_wakes_a_drain_while_nobody_reads() -> None:
    async with PeerServer(buffer_bytes=4096) as server:
        with request():
            _, writer = await open_streams(connect(server.address))
            peer = await server.accepted()
            await asyncio.to_thread(
                peer.flood, KERNEL_BYTES
            )  # More than the reader's limit: it is paused.
            writer.write(b"x" * KERNEL_BYTES)
            draining = asyncio.ensure_future(writer.drain())
            await asyncio.to_thread(peer.reset)
            with pytest.raises(OSError, match="lost"):
                await within(draining)


async def test_drain_waits_for_a_slow_peer() -> None:
    async with PeerServer() as server:
        with request():
            _, writer = await open_streams(connect(server.address))
            peer = await server.accepted()
            await within(writer.drain())
            transport = writer.transport
            assert transport.get_write_buffer_size() == 0
            writer.write(b"x" * KERNEL_BYTES)
            low, high = transport.get_write_buffer_limits()
            assert low == 0
            assert transport.get_write_buffer_size() >= high
            draining = asyncio.ensure_future(writer.drain())
            done, _ = await asyncio.wait([draining], timeout=0.2)
            assert not done
            read = asyncio.ensure_future(asyncio.to_thread(peer.wait_for_eof))
            await within(draining)
            writer.close()
            assert await within(read) == b"x" * KERNEL_BYTES


async def test_a_reader_that_waits_holds_the_peer_back() -> None:
    async with PeerServer(buffer_bytes=4096) as server:
        with request():
            reader, _ = await open_streams(connect(server.address))
            peer = await server.accepted()
            sent = await asyncio.to_thread(peer.flood, 4 * KERNEL_BYTES)
            assert sent < 4 * KERNEL_BYTES
            peer.half_close()
            count = 0
            while data := await within(reader.read(65_536)):
                count += len(data)
            assert count == sent


# TLS.


async def test_start_tls_goes_on_with_the_same_reader_and_writer(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("127.0.0.1")

    def script(peer: Peer) -> None:
        peer.expect(b"STARTTLS\r\n")
        peer.send(b"go\r\n")
        with upgraded(peer, certificate) as secure:
            assert secure.recv(100) == b"secret\n"
            secure.sendall(b"well kept\n")
            assert secure.recv(100) == b""
            secure.unwrap()

    async with PeerServer(script) as server:
        network = Network(trust=Trust((authority.certificate,)))
        with request(network=network):
            socket = connect(server.address, secure_transport="starttls")
            reader, writer = await open_streams(socket)
            writer.write(b"STARTTLS\r\n")
            assert await within(reader.readline()) == b"go\r\n"
            await within(writer.start_tls())
            assert socket.upgraded
            writer.write(b"secret\n")
            assert await within(reader.readline()) == b"well kept\n"
            assert not writer.is_closing()
            writer.close()
            await within(writer.wait_closed())


async def test_a_refused_certificate_fails_start_tls_and_the_streams(tmp_path: Path) -> None:
    certificate = Authority(tmp_path).issue("127.0.0.1")

    def script(peer: Peer) -> None:
        with pytest.raises(ssl.SSLError):
            upgraded(peer, certificate)

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address, secure_transport="starttls")
            reader, writer = await open_streams(socket)
            with pytest.raises(SocketError, match="cannot connect") as caught:
                await within(writer.start_tls())
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
            with pytest.raises(SocketError, match="cannot connect"):
                await within(reader.read())
            assert writer.is_closing()


async def test_bytes_that_came_before_tls_are_refused() -> None:
    def script(peer: Peer) -> None:
        peer.send(b"go\r\ninjected")
        peer.wait_for_reset()

    async with PeerServer(script) as server:
        with request():
            socket = connect(server.address, secure_transport="starttls")
            reader, writer = await open_streams(socket)
            assert await within(reader.readline()) == b"go\r\n"
            with pytest.raises(ConnectionError, match=r"^8 bytes came before TLS: b'injected'$"):
                await within(writer.start_tls())
            assert not socket.upgraded


async def test_start_tls_of_a_socket_that_was_not_meant_for_it_changes_nothing() -> None:
    async with PeerServer(echo) as server:
        with request():
            reader, writer = await open_streams(connect(server.address))
            with pytest.raises(TypeError, match="must be set to 'starttls'"):
                await within(writer.start_tls())
            writer.write(b"in the clear\n")
            assert await within(reader.readline()) == b"in the clear\n"


async def test_start_tls_that_is_cancelled_closes() -> None:
    def script(peer: Peer) -> None:
        peer.send(b".")
        peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            reader, writer = await open_streams(
                connect(server.address, secure_transport="starttls")
            )
            await within(reader.readexactly(1))
            with pytest.raises(TimeoutError):
                await within(writer.start_tls(), 0.1)
            assert writer.is_closing()
            assert await within(reader.read()) == b""


# Protocols.


class Recorder(asyncio.Protocol):
    """Keeps what a transport tells, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.over: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool | None:
        self.told.append("eof")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.over.set_result(exc)


async def test_a_protocol_is_told_in_order() -> None:
    async with PeerServer(lambda peer: peer.send(b"hello")) as server:
        with request():
            transport, protocol = await open_transport(connect(server.address), Recorder)
            assert isinstance(transport, SocketTransport)
            assert transport.get_protocol() is protocol
            assert transport.get_extra_info("peername", "unknown") == "unknown"
            assert await within(protocol.over) is None
    assert protocol.told == ["made", b"hello", "eof", "lost"]


async def test_after_close_a_protocol_is_told_of_the_loss_only() -> None:
    async with PeerServer(echo) as server:
        with request():
            transport, protocol = await open_transport(connect(server.address), Recorder)
            transport.write(b"x")
            transport.close()
            assert await within(protocol.over) is None
    assert protocol.told == ["made", "lost"]


async def test_paused_reading_delivers_nothing_until_it_is_resumed() -> None:
    async with PeerServer() as server:
        with request():
            transport, protocol = await open_transport(connect(server.address), Recorder)
            transport.pause_reading()
            assert not transport.is_reading()
            peer = await server.accepted()
            await asyncio.to_thread(peer.send, b"hello")
            transport.write(b"ping")
            await asyncio.to_thread(peer.expect, b"ping")
            while protocol.told == ["made"]:  # One chunk may have been on its way to the reader.
                transport.resume_reading()
                await until(lambda: len(protocol.told) > 1, "what was held back")
            assert protocol.told == ["made", b"hello"]


async def test_a_protocol_that_fails_loses_its_connection_and_is_told_why() -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            raise ValueError(f"what is {data!r}?")

    def script(peer: Peer) -> None:
        peer.send(b"hello")
        peer.wait_for_reset()

    async with PeerServer(script) as server:
        with request():
            _, protocol = await open_transport(connect(server.address), Failing)
            error = await within(protocol.over)
    assert isinstance(error, ValueError)
    assert str(error) == "what is b'hello'?"


async def test_a_buffered_protocol_gets_its_bytes_in_its_own_buffers() -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.received = b""
            self.over = asyncio.Event()
            self._buffer = bytearray(3)

        def get_buffer(self, sizehint: int) -> bytearray:
            return self._buffer

        def buffer_updated(self, nbytes: int) -> None:
            self.received += self._buffer[:nbytes]

        def connection_lost(self, exc: Exception | None) -> None:
            self.over.set()

    async with PeerServer(lambda peer: peer.send(b"hello")) as server:
        with request():
            _, protocol = await open_transport(connect(server.address), Buffered)
            await within(protocol.over.wait())
    assert protocol.received == b"hello"


async def test_the_protocol_may_be_exchanged() -> None:
    async with PeerServer(echo) as server:
        with request():
            transport, first = await open_transport(connect(server.address), Recorder)
            second = Recorder()
            transport.set_protocol(second)
            transport.write(b"hello")
            await until(lambda: second.told, "the echo")
            transport.close()
            await within(second.over)
    assert first.told == ["made"]
    assert second.told == [b"hello", "lost"]


# Whose the connection is.


async def test_the_requests_end_closes_the_connection_and_tells_the_protocol() -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"hello")
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            transport, protocol = await open_transport(connect(server.address), Recorder)
            await until(lambda: b"hello" in protocol.told, "the peer's greeting")
            transport.write(b"last words")
        transport.close()
        transport.abort()
        assert await server.result() == b"last words"
        assert await within(protocol.over) is None
        assert transport.is_closing()


async def test_the_requests_end_leaves_no_task_of_a_paused_transport() -> None:
    before = asyncio.all_tasks()

    def script(peer: Peer) -> None:
        peer.send(b"more than nothing")
        peer.wait_for_eof()

    async with PeerServer(script) as server:
        with request():
            transport, protocol = await open_transport(connect(server.address), Recorder)
            transport.pause_reading()
        await within(protocol.over)
        await until(lambda: asyncio.all_tasks() <= before, "the transport's tasks")


WORKER = """
from asyncio_streams import open_streams
from cloudflare.sockets import connect
from workers import Response

kept = []

async def fetch(request, env):
    if request.url.endswith("/again"):
        try:
            kept[0].write(b"mine?")
        except Exception as error:
            return Response(str(error))
    reader, writer = await open_streams(connect(env.PEER))
    kept.append(writer)
    writer.write(b"hello")
    if request.url.endswith("/stream"):
        return Response(lines(reader))
    return Response(await reader.readexactly(5))

async def lines(reader):
    while line := await reader.readline():
        yield line
"""


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """A worker with the adapter beside it, as it would be deployed."""
    source = Path(asyncio_streams.__file__).read_text()
    (tmp_path / "asyncio_streams.py").write_text(source)
    (tmp_path / "worker.py").write_text(WORKER)
    return tmp_path / "worker.py"


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await within(response.text())


async def test_a_worker_need_not_close(worker: Path) -> None:
    def script(peer: Peer) -> bytes:
        peer.send(b"world")
        return peer.wait_for_eof()

    async with (
        PeerServer(script) as peer,
        serve(worker, env={"PEER": peer.address}) as server,
    ):
        assert await get(server.url) == "world"
        assert await peer.result() == b"hello"


async def test_a_body_may_be_read_when_the_writer_is_forgotten(worker: Path) -> None:
    forgetful = worker.with_name("forgetful.py")
    await asyncio.to_thread(forgetful.write_text, WORKER.replace("kept.append(writer)", ""))

    def script(peer: Peer) -> None:
        peer.expect(b"hello")
        peer.trickle(b"one\ntwo\n")

    async with (
        PeerServer(script) as peer,
        serve(forgetful, env={"PEER": peer.address}) as server,
    ):
        assert await get(f"{server.url}/stream") == "one\ntwo\n"


async def test_another_request_may_not_use_it(worker: Path) -> None:
    def script(peer: Peer) -> None:
        peer.expect(b"hello")
        peer.send(b"one\n")
        assert peer.wait_for_eof() == b""

    async with (
        PeerServer(script) as peer,
        serve(worker, env={"PEER": peer.address}) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/stream") as response,
    ):
        assert await within(response.content.readline()) == b"one\n"
        told = await get(f"{server.url}/again")
        assert told.startswith("Cannot perform I/O on behalf of a different request.")
        response.close()
        await peer.result()
