"""Requests that come alone, in a row or with an Upgrade: each is a task of its own, on one connection."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from emulator import errors
from emulator.config.limits import Limits
from emulator.http import Request, Response
from tests.server.serving import RawClient, Recorder, connected, serving
from tests.support.waiting import within

mark: ContextVar[str] = ContextVar("mark", default="none")


async def marked(request: Request) -> Response:
    seen = mark.get()
    mark.set(request.url.rpartition("/")[2])
    return Response(seen)


async def answers(client: RawClient, count: int) -> list[bytes]:
    return [(await client.response()).body for _ in range(count)]


async def test_what_a_request_sets_ends_with_it() -> None:
    async with serving(marked) as server, connected(server) as client:
        for path in ("/1", "/2"):
            client.get(path)
            assert await answers(client, 1) == [b"none"]
        client.send(b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await answers(client, 2) == [b"none"] * 2
        client.get("/5")
        assert await answers(client, 1) == [b"none"]


async def test_the_first_step_is_a_tasks() -> None:
    async def fetch(request: Request) -> Response:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            pass
        async with asyncio.TaskGroup() as group:
            made = group.create_task(asyncio.sleep(0, "made"))
        return Response(f"{made.result()} {asyncio.current_task() is task}")

    async with serving(fetch) as server, connected(server) as client:
        client.get()
        assert await answers(client, 1) == [b"made True"]


async def test_a_request_that_comes_while_one_is_under_way() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/slow"):
            begun.set()
            await go_on.wait()
        return Response(request.url.rpartition("/")[2])

    async with serving(fetch) as server, connected(server) as client:
        client.get("/slow")
        await within(begun.wait())
        client.get("/next")
        client.get("/last")
        go_on.set()
        assert await answers(client, 3) == [b"slow", b"next", b"last"]
        client.get("/alone")
        assert await answers(client, 1) == [b"alone"]


async def test_an_upgrade_that_is_not_taken_up() -> None:
    async with serving(marked) as server, connected(server) as client:
        client.get("/1", "Connection: Upgrade", "Upgrade: something")
        assert await answers(client, 1) == [b"none"]
        client.get("/2")
        assert await answers(client, 1) == [b"none"]


async def test_nonsense_behind_a_request() -> None:
    async with serving(marked) as server, connected(server) as client:
        client.get("/1")
        assert await answers(client, 1) == [b"none"]
        client.send(b"NONSENSE\r\n\r\n")
        assert (await client.response()).status == 400
        assert await client.rest() == b""


async def test_the_server_ends_with_a_request_under_way_and_idle_connections() -> None:
    observer, begun = Recorder(), asyncio.Event()

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/slow"):
            begun.set()
            await asyncio.Event().wait()
        return Response("done")

    async with (
        serving(fetch, observer=observer, limits=Limits(hang_seconds=None)) as server,
        connected(server) as idle,
        connected(server) as busy,
    ):
        idle.get()
        await answers(idle, 1)
        busy.get("/slow")
        await within(begun.wait())
    record = observer.of("event_finished")[-1]
    assert record.label == "GET /slow"
    assert record.status is None


@pytest.mark.parametrize("head", ["Content-Length: 0", "Transfer-Encoding: chunked"])
async def test_an_empty_body_is_read_once(head: str) -> None:
    async def fetch(request: Request) -> Response:
        first = await request.bytes()
        try:
            await request.bytes()
        except OSError as error:
            return Response(f"{first!r} {error}")
        return Response(f"{first!r}")

    async with serving(fetch) as server, connected(server) as client:
        client.get("/", head, method="POST")
        if "chunked" in head:
            client.send(b"0\r\n\r\n")
            assert await answers(client, 1) == [f"b'' {errors.BODY_USED}".encode()]
        else:
            assert await answers(client, 1) == [b"b''"]


@pytest.mark.parametrize("pieces", [[b"whole"], [b"wh", b"ole"]])
async def test_a_body_that_was_read_is_used(pieces: list[bytes]) -> None:
    arrived = asyncio.Event()

    async def fetch(request: Request) -> Response:
        arrived.set()
        text = await request.text()
        stream = request.body
        assert stream is not None
        return Response(f"{text} {request.body_used} {stream.locked}")

    async with serving(fetch) as server, connected(server) as client:
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n" + pieces[0])
            await within(arrived.wait())
            for piece in pieces[1:]:
                client.send(piece)
            assert await answers(client, 1) == [b"whole True True"]


async def test_who_gives_up_waiting_for_a_body_keeps_the_connection() -> None:
    async def fetch(request: Request) -> Response:
        try:
            return Response(await asyncio.wait_for(request.bytes(), 0.01))
        except TimeoutError:
            return Response("too slow")

    async with serving(fetch) as server, connected(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nwh")
        assert await answers(client, 1) == [b"too slow"]
        client.send(b"ole")
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nwhole")
        assert await answers(client, 1) == [b"whole"]


class Wire(asyncio.Transport):
    """A client's connection whose bytes come when the test says so, however soon."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._answered = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self._answered.set()

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nobody is there."""

    def get_write_buffer_size(self) -> int:
        return 0

    async def answer(self) -> bytes:
        """Wait for the first write."""
        await within(self._answered.wait())
        return self.written


async def whose(request: Request) -> Response:
    task = asyncio.current_task()
    assert task is not None
    name = getattr(task.get_coro(), "__qualname__", "nobody's")
    return Response(f"{name} {await request.text()}")


async def test_what_a_new_client_sends_at_once_is_served_in_order() -> None:
    async with serving(whose) as server:
        assert server.handler is not None
        connection, wire = server.handler(), Wire()
        connection.connection_made(wire)
        connection.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab")
        connection.data_received(b"cd")
        await asyncio.sleep(0)
        connection.data_received(b"ef")
        assert (await wire.answer()).endswith(b"\r\n\r\nHttpConnection._serve abcdef")
        connection.connection_lost(None)


async def test_a_new_client_that_is_gone_at_once_asks_nothing() -> None:
    asked: list[Request] = []

    async def fetch(request: Request) -> Response:
        asked.append(request)
        return Response("never")

    recorder = Recorder()
    async with serving(fetch, observer=recorder) as server:
        assert server.handler is not None
        connection, wire = server.handler(), Wire()
        connection.connection_made(wire)
        connection.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.connection_lost(None)
        async with connected(
            server
        ) as client:  # Whoever comes next is served, by then with all turns taken.
            client.get()
            assert await answers(client, 1) == [b"never"]
        assert len(asked) == 1
