"""TLS with a server that others wrote: OpenSSL's own, and what its operator can do to a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulator.errors import SocketError
from emulator.sockets import Network, connect
from tests.support.certificates import IssuedCertificate
from tests.support.contexts import RecordingObserver, request
from tests.support.waiting import until, within


class Server:
    """`openssl s_server` with its console: a line typed there is sent, a letter alone may be an order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.printed = b""
        self.port = 0

    async def start(self) -> None:
        """Wait until it accepts."""
        assert self._process.stdout is not None
        while not self.printed.startswith(b"ACCEPT "):
            self.printed = await within(self._process.stdout.readline())
        self.port = int(self.printed.rsplit(b":", 1)[1])

    async def type(self, text: bytes) -> None:
        """Type `text` on its console."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        await within(self._process.stdin.drain())

    async def prints(self, text: bytes) -> None:
        """Wait until it has printed `text`, after what was waited for before."""
        assert self._process.stdout is not None
        while text not in self.printed:
            more = await within(self._process.stdout.read(4096))
            assert more, f"it ended after {self.printed!r}"
            self.printed += more
        self.printed = self.printed.split(text, 1)[1]


@asynccontextmanager
async def openssl(certificate: IssuedCertificate, *options: str) -> AsyncIterator[Server]:
    """Run `openssl s_server` on a free port."""
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1"),
        *("-cert", str(certificate.certificate), "-key", str(certificate.key), *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        server = Server(process)
        await server.start()
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_lines_each_way_and_a_clean_end(
    certificate: IssuedCertificate, network: Network, version: str
) -> None:
    async with openssl(certificate, version, "-rev") as server:
        with request(network=network):
            socket = connect(f"localhost:{server.port}", secure_transport="on")
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            for line in (b"one", b"two"):
                writer.write(line + b"\n")
                assert await within(reader.read()) == (line[::-1] + b"\n", False)
            writer.write(b"CLOSE\n")
            assert await within(reader.read()) == (None, True)
            await within(socket.closed)


@pytest.mark.parametrize("order", [b"k\n", b"K\n"])
async def test_a_key_update_survives(
    certificate: IssuedCertificate, network: Network, order: bytes
) -> None:
    async with openssl(certificate, "-tls1_3") as server:
        with request(network=network):
            socket = connect(f"localhost:{server.port}", secure_transport="on")
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            writer.write(b"before\n")
            await server.prints(b"before")
            for number in range(3):
                await server.type(order)
                # It takes what is typed at once for one order: this line is printed when it has read that.
                writer.write(b"go on\n")
                await server.prints(b"go on")
                await server.type(b"line %d\n" % number)
                assert (await within(reader.read())).value == b"line %d\n" % number
                writer.write(b"answer %d\n" % number)
                await server.prints(b"answer %d" % number)


async def test_a_renegotiation_is_declined_as_production_does(
    certificate: IssuedCertificate, network: Network
) -> None:
    async with openssl(certificate, "-tls1_2") as server:
        with request(network=network):
            socket = connect(f"localhost:{server.port}", secure_transport="on")
            reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
            writer.write(b"before\n")
            await server.prints(b"before")
            await server.type(b"R\n")
            with pytest.raises(SocketError, match=r"^Network connection lost\.$"):
                await within(reader.read())


async def test_plaintext_to_its_port_is_noted(
    certificate: IssuedCertificate, network: Network
) -> None:
    observer = RecordingObserver()
    async with openssl(certificate) as server:
        with request(network=network, observer=observer):
            address = f"localhost:{server.port}"
            socket = connect(address)
            socket.writable.get_writer().write(b"hello\r\n")
            await until(
                lambda: any(
                    "If it expects TLS" in note or "it expects TLS" in note
                    for note in observer.notes
                ),
                "the note",
            )


async def test_an_old_protocol_is_refused_with_its_name(
    certificate: IssuedCertificate, network: Network
) -> None:
    async with openssl(certificate, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as server:
        with request(network=network):
            socket = connect(f"localhost:{server.port}", secure_transport="on")
            with pytest.raises(SocketError) as failure:
                await within(socket.opened)
            assert "PROTOCOL" in str(failure.value.__cause__)
