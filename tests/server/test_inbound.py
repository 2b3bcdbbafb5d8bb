"""Inbound TCP: what a connect() handler is given, and what becomes of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket as raw_sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulator import errors
from emulator.config import ConnectListener
from emulator.errors import HandlerError, HandlerExit
from emulator.http import Response
from emulator.server.embedded import WorkerServer, serve
from emulator.sockets import Socket
from tests.server.serving import RawClient, Recorder, connected, serving, worker
from tests.support.waiting import within


@asynccontextmanager
async def dialled(server: WorkerServer, number: int = 0) -> AsyncIterator[RawClient]:
    """A connection to the worker's connect() handler."""
    host, _, port = server.connect_addresses[number].rpartition(":")
    client = RawClient(*await asyncio.open_connection(host.strip("[]"), int(port)))
    try:
        yield client
    finally:
        await client.close()


async def echo(socket: Socket) -> None:
    await socket.readable.pipe_to(socket.writable)


async def test_an_echo() -> None:
    recorder = Recorder()
    async with serving(connect=echo, observer=recorder) as server:
        async with dialled(server) as client:
            client.send(b"x" * 1_000_000)
            assert await within(client.reader.readexactly(1_000_000)) == b"x" * 1_000_000
            client.writer.write_eof()
            assert await client.rest() == b""
        record = await recorder.wait_for("event_finished")
        assert record.label == f"CONNECT {server.connect_addresses[0]}"
        assert (record.outcome.value, record.status) == ("ok", None)
        traffic = record.traffic
        assert (traffic.sockets, traffic.bytes_sent, traffic.bytes_received) == (1, 10**6, 10**6)


async def test_what_the_handler_is_told() -> None:
    told: list[Any] = []

    async def handle(socket: Socket, env: Any, ctx: Any) -> None:
        told.append(await socket.opened)
        told.append(env.NAME)

    async with serving(connect=handle, env={"NAME": "value"}) as server:
        async with dialled(server) as client:
            assert await client.rest() == b""
            host, port = client.writer.get_extra_info("sockname")
        assert told[0].local_address == server.connect_addresses[0]
        assert told[0].remote_address == f"{host}:{port}"
        assert told[1] == "value"


async def test_ipv6_addresses_are_in_brackets() -> None:
    async def handle(socket: Socket) -> None:
        info = await socket.opened
        await socket.writable.get_writer().write(
            f"{info.remote_address} {info.local_address}".encode()
        )

    listener = ConnectListener("tcp", 0, "::1")
    async with serve(worker(connect=handle), connect=[listener]) as server:
        (address,) = server.connect_addresses
        assert address.startswith("[::1]:")
        async with dialled(server) as client:
            port = client.writer.get_extra_info("sockname")[1]
            assert (await client.rest()).decode() == f"[::1]:{port} {address}"


async def test_a_handler_that_returns_closes_the_connection_behind_what_it_wrote() -> None:
    async def handle(socket: Socket) -> None:
        await socket.writable.get_writer().write(b"hello" * 100_000)

    async with serving(connect=handle) as server, dialled(server) as client:
        client.send(b"never read")
        assert await client.rest() == b"hello" * 100_000


@pytest.mark.parametrize(
    ("raised", "heard"),
    [
        (ValueError("no"), ValueError),
        (SystemExit(1), HandlerExit),
        (asyncio.CancelledError(), HandlerExit),
    ],
)
async def test_a_handler_that_raises_resets_the_connection(
    raised: BaseException, heard: type[Exception]
) -> None:
    async def handle(socket: Socket) -> None:
        reader = socket.readable.get_reader()
        await reader.read()
        raise raised

    recorder = Recorder()
    async with serving(connect=handle, observer=recorder) as server:
        for count in (1, 2):
            async with dialled(server) as client:
                client.send(b"x")
                with pytest.raises(ConnectionResetError):
                    await client.rest()
            assert type(await recorder.wait_for("handler_failed", count)) is heard
            assert (await recorder.wait_for("event_finished", count)).outcome.value == "exception"


async def test_a_worker_without_the_handler_refuses() -> None:
    recorder = Recorder()
    module = worker(fetch=lambda: Response("x"))
    async with serve(module, connect=1, observer=recorder) as server:
        async with dialled(server) as client:
            with pytest.raises(ConnectionResetError):
                await client.rest()
        error = await recorder.wait_for("handler_failed")
        assert (type(error), str(error)) == (HandlerError, errors.CONNECT_NOT_SUPPORTED)


async def test_wait_until_keeps_the_connection() -> None:
    async def serve_lines(socket: Socket) -> None:
        reader = socket.readable.get_reader()
        writer = socket.writable.get_writer()
        while not (result := await reader.read()).done:
            assert result.value is not None
            await writer.write(result.value.upper())

    def handle(socket: Socket, env: Any, ctx: Any) -> None:
        ctx.wait_until(serve_lines(socket))

    recorder = Recorder()
    async with serving(connect=handle, observer=recorder) as server, dialled(server) as client:
        await recorder.wait_for("event_finished")
        for word in (b"one", b"two"):
            client.send(word)
            assert await within(client.reader.readexactly(3)) == word.upper()
        client.writer.write_eof()
        assert await client.rest() == b""
    assert recorder.of("background_failed") == []


async def test_a_client_that_has_ended_its_side_still_hears_the_answer() -> None:
    """A client's request may be all that it sends: its FIN first, the answer after."""

    async def handle(socket: Socket) -> None:
        pieces = [piece async for piece in socket.readable]
        await socket.writable.get_writer().write(b"".join(pieces).upper())

    recorder = Recorder()
    async with serving(connect=handle, observer=recorder) as server, dialled(server) as client:
        client.send(b"all")
        client.writer.write_eof()
        assert await client.rest() == b"ALL"
    assert recorder.of("handler_failed") == []


async def test_a_client_that_resets_ends_the_handler_s_reads() -> None:
    heard: list[str] = []
    reading = asyncio.Event()

    async def handle(socket: Socket) -> None:
        reader = socket.readable.get_reader()
        await reader.read()
        reading.set()
        try:
            await reader.read()
        except ConnectionError as error:
            heard.append(str(error))

    recorder = Recorder()
    async with serving(connect=handle, observer=recorder) as server:
        async with dialled(server) as client:
            client.send(b"x")
            await within(reading.wait())
            linger = b"\x01\0\0\0\0\0\0\0"
            raw = client.writer.get_extra_info("socket")
            raw.setsockopt(raw_sockets.SOL_SOCKET, raw_sockets.SO_LINGER, linger)
            client.writer.transport.abort()
        await recorder.wait_for("event_finished")
    assert heard == [errors.CONNECTION_LOST]


async def test_fetch_and_connect_of_one_worker() -> None:
    count = [0]

    async def handle(socket: Socket) -> None:
        count[0] += 1
        await socket.writable.get_writer().write(b"%d" % count[0])

    async with serving(lambda: Response(str(count[0])), connect=handle) as server:
        for number in (b"1", b"2"):
            async with dialled(server) as client:
                assert await client.rest() == number
        async with connected(server) as http:
            http.get("/")
            assert (await http.response()).body == b"2"


async def test_every_address_of_a_host_is_listened_on() -> None:
    async with serve(
        worker(connect=echo), connect=[ConnectListener("tcp", 0, "localhost")]
    ) as server:
        (address,) = server.connect_addresses
        port = int(address.rpartition(":")[2])
        infos = raw_sockets.getaddrinfo("localhost", port, type=raw_sockets.SOCK_STREAM)
        for info in infos:
            reader, writer = await asyncio.open_connection(str(info[4][0]), port)
            writer.write(b"hello")
            assert await within(reader.readexactly(5)) == b"hello"
            writer.close()
            await writer.wait_closed()


async def test_an_ipv6_listener_has_an_address_that_connect_takes() -> None:
    listeners = [ConnectListener("tcp", 0, "::1"), ConnectListener("tcp", 0, "127.0.0.1")]
    async with serve(worker(connect=echo), connect=listeners) as server:
        assert server.connect_addresses[0].startswith("[::1]:")
        for number in (0, 1):
            async with dialled(server, number) as client:
                client.send(b"hi")
                assert await within(client.reader.readexactly(2)) == b"hi"


async def test_closing_the_server_closes_the_connections() -> None:
    cancelled = []

    async def handle(socket: Socket) -> None:
        try:
            await socket.readable.get_reader().read()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(connect=handle))
        client = await stack.enter_async_context(dialled(server))
        client.send(b"")
        began = asyncio.get_running_loop().time()
        await server.close()
        assert asyncio.get_running_loop().time() - began < 2.5
        assert await client.rest() == b""
        with pytest.raises(OSError):
            async with dialled(server):
                pass
    assert cancelled == [1]
