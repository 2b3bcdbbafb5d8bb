"""connect() of another worker: two sockets, one connection, no network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulator import errors
from emulator.errors import SocketError
from emulator.http import Request, Response
from emulator.server.embedded import serve
from emulator.sockets import Socket
from tests.bindings.calls import CallRecorder, asked, result_of
from tests.server.serving import connected, worker
from tests.support.waiting import within


def talking(connect: Callable[..., Any]) -> dict[str, Any]:
    """The services that a caller is bound to."""
    return {"PEER": worker(connect=connect)}


async def echo(socket: Socket) -> None:
    await socket.readable.pipe_to(socket.writable)


async def all_of(socket: Socket) -> bytes:
    return b"".join([bytes(chunk) async for chunk in socket.readable])


async def test_what_each_side_is_told() -> None:
    told: list[Any] = []

    async def peer(socket: Socket) -> None:
        told.append(await socket.opened)

    async def call(env: Any) -> Any:
        socket = env.PEER.connect("db.internal:5432")
        info = await socket.opened
        await socket.closed
        return info

    info = await result_of(call, talking(peer))
    assert info.remote_address == "db.internal:5432"
    assert [each.local_address for each in told] == ["db.internal:5432"]


async def test_bytes_there_and_back_and_an_end_each_way() -> None:
    data = bytes(range(256)) * 4096

    async def call(env: Any) -> Any:
        socket = env.PEER.connect({"hostname": "x", "port": 1})
        writer = socket.writable.get_writer()
        reading = asyncio.create_task(all_of(socket))
        await writer.write(data)
        await writer.close()
        return await reading

    assert await result_of(call, talking(echo)) == data


async def test_the_handler_may_answer_after_the_callers_end() -> None:
    async def peer(socket: Socket) -> None:
        sent = await all_of(socket)
        await socket.writable.get_writer().write(sent.upper())

    async def call(env: Any) -> Any:
        socket = env.PEER.connect("x:1", allow_half_open=True)
        writer = socket.writable.get_writer()
        await writer.write(b"abc")
        await writer.close()
        return await all_of(socket)

    assert await result_of(call, talking(peer)) == b"ABC"


async def test_a_connections_bytes_are_a_response() -> None:
    async def peer(socket: Socket) -> None:
        writer = socket.writable.get_writer()
        for number in range(100):
            await writer.write(b"%d " % number * 1000)

    async def fetch(request: Request, env: Any) -> Response:
        return Response(env.PEER.connect("x:1").readable)

    answer = await asked(fetch, talking(peer))
    assert answer.body == b"".join(b"%d " % number * 1000 for number in range(100))
    assert answer.recorder.tree == ["PEER CONNECT x:1 ok"]


async def test_a_reader_that_waits_holds_the_writer_back() -> None:
    written = 0

    async def peer(socket: Socket) -> None:
        nonlocal written
        writer = socket.writable.get_writer()
        for _ in range(64):
            await writer.ready
            await writer.write(bytes(65_536))
            written += 1

    async def call(env: Any) -> Any:
        socket = env.PEER.connect("x:1")
        await socket.opened
        for _ in range(50):
            await asyncio.sleep(0)
        before = written
        return before, len(await all_of(socket))

    before, received = await result_of(call, talking(peer))
    assert before < 16
    assert received == 64 * 65_536


async def test_a_handler_that_fails_breaks_the_connection() -> None:
    async def peer(socket: Socket) -> None:
        raise ValueError("their mistake")

    async def fetch(request: Request, env: Any) -> Response:
        socket = env.PEER.connect("x:1")
        with pytest.raises(SocketError, match=errors.CONNECTION_LOST):
            await all_of(socket)
        with pytest.raises(SocketError, match=errors.CONNECTION_LOST):
            await socket.closed
        return Response("broken")

    answer = await asked(fetch, talking(peer))
    assert answer.text == "broken"
    assert [str(error) for error in answer.recorder.of("handler_failed")] == ["their mistake"]


async def test_a_worker_without_the_handler() -> None:
    async def call(env: Any) -> Any:
        await env.PEER.connect("x:1").opened

    error = await result_of(call, {"PEER": worker(fetch=lambda: Response("x"))})
    assert isinstance(error, SocketError)
    assert str(error.__cause__) == errors.CONNECT_NOT_SUPPORTED


@pytest.mark.parametrize("value", ["on", "starttls"])
async def test_there_is_no_tls(value: str) -> None:
    async def call(env: Any) -> Any:
        return env.PEER.connect("x:1", secureTransport=value)

    error = await result_of(call, talking(echo))
    assert isinstance(error, TypeError)
    assert str(error) == errors.SERVICE_TLS.format(value=value)

    async def upgrade(env: Any) -> Any:
        return env.PEER.connect("x:1").start_tls()

    assert isinstance(await result_of(upgrade, talking(echo)), TypeError)


async def test_addresses_are_checked() -> None:
    async def call(env: Any) -> Any:
        return env.PEER.connect("no port")

    assert isinstance(await result_of(call, talking(echo)), TypeError)


async def test_closing_before_it_is_open() -> None:
    called: list[Socket] = []

    async def call(env: Any) -> Any:
        socket = env.PEER.connect("x:1")
        await socket.close()
        await socket.opened

    error = await result_of(call, talking(called.append))
    assert str(error) == errors.CLOSED_WHILE_CONNECTING
    assert called == []


async def test_both_sides_waiting_for_the_other_is_a_hang() -> None:
    async def peer(socket: Socket) -> None:
        await all_of(socket)

    async def fetch(request: Request, env: Any) -> Response:
        await all_of(env.PEER.connect("x:1"))
        return Response("never")

    answer = await within(asked(fetch, talking(peer)))
    assert answer.status == 500
    assert answer.recorder.of("event_finished")[0].outcome.value == "hung"


async def test_a_client_that_goes_ends_both_sides() -> None:
    ended = asyncio.Event()
    begun = asyncio.Event()

    async def peer(socket: Socket) -> None:
        begun.set()
        try:
            await all_of(socket)
        finally:
            ended.set()

    async def fetch(request: Request, env: Any) -> Response:
        socket = env.PEER.connect("x:1")
        await all_of(socket)
        return Response("never")

    recorder = CallRecorder()
    async with serve(worker(fetch=fetch), services=talking(peer), observer=recorder) as server:
        async with connected(server) as client:
            client.get("/")
            await within(begun.wait())
        await within(ended.wait())
        await recorder.wait_for("event_finished")


async def test_work_after_the_handler_keeps_the_connection() -> None:
    async def peer(socket: Socket, env: Any, ctx: Any) -> None:
        async def work() -> None:
            writer = socket.writable.get_writer()
            await asyncio.sleep(0)
            await writer.write(b"later")

        ctx.wait_until(work())

    async def call(env: Any) -> Any:
        return await all_of(env.PEER.connect("x:1"))

    assert await result_of(call, talking(peer)) == b"later"
