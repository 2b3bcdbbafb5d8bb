"""Starting and stopping: what is under way when the server closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.config import ConnectListener, parse_cron
from emulator.context import Observer
from emulator.errors import ListenError
from emulator.http import Request, Response
from emulator.runtime import Isolate, Worker
from emulator.server import Endpoint, RunningServer, start
from emulator.server.timetable import Clock
from emulator.sockets import Socket
from tests.server.serving import RawClient, Recorder, worker
from tests.support.ports import listening_in_a_row
from tests.support.waiting import within

GRACE_SECONDS = 0.4
# Two halves of the grace, then what a handler may take to unwind.
CLOSED_WITHIN_SECONDS = GRACE_SECONDS + 1.0


@asynccontextmanager
async def started(
    observer: Observer | None = None, **handlers: Any
) -> AsyncIterator[RunningServer]:
    served = Worker(Isolate.load("w", worker(**handlers), {}))
    listeners = [ConnectListener("tcp", 0, "127.0.0.1")] if "connect" in handlers else []
    running = await start(
        served, Endpoint("127.0.0.1", 0), connect_listeners=listeners, observer=observer
    )
    try:
        yield running
    finally:
        await running.close(0)


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[RawClient]:
    host, _, port = address.rpartition(":")
    client = RawClient(*await asyncio.open_connection(host.removeprefix("http://"), int(port)))
    try:
        yield client
    finally:
        await client.close()


async def seconds_to_close(running: RunningServer, grace_seconds: float = GRACE_SECONDS) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await within(running.close(grace_seconds))
    return loop.time() - began


async def test_idle_connections_are_closed_at_once() -> None:
    async with started(fetch=lambda: Response("x")) as running:
        async with client_of(running.url) as fresh, client_of(running.url) as kept:
            kept.get("/")
            assert (await kept.response()).body == b"x"
            assert await seconds_to_close(running, 5) < 1
            assert await kept.rest() == b""
            assert await fresh.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            async with client_of(running.url):
                pass


async def test_a_request_under_way_may_end() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fetch() -> Response:
        begun.set()
        await go_on.wait()
        return Response("whole")

    async with started(fetch=fetch) as running, client_of(running.url) as client:
        client.get("/")
        await within(begun.wait())
        closing = asyncio.ensure_future(running.close(5))
        await asyncio.sleep(0)
        go_on.set()
        assert (await client.response()).body == b"whole"
        assert await client.rest() == b""
        await within(closing)


async def test_a_handler_that_does_not_end_is_cancelled() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def fetch() -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Response("never")

    recorder = Recorder()
    async with started(recorder, fetch=fetch) as running, client_of(running.url) as client:
        client.get("/")
        await within(begun.wait())
        assert GRACE_SECONDS / 2 <= await seconds_to_close(running) < CLOSED_WITHIN_SECONDS
        assert cancelled.is_set()
        assert await client.rest() == b""
    assert recorder.of("event_finished")[0].outcome.value == "canceled"
    assert recorder.of("handler_failed") == []


async def test_without_grace_a_handler_is_cancelled_at_once() -> None:
    begun = asyncio.Event()

    async def fetch() -> Response:
        begun.set()
        await asyncio.Event().wait()
        return Response("never")

    async with started(fetch=fetch) as running, client_of(running.url) as client:
        client.get("/")
        await within(begun.wait())
        assert await seconds_to_close(running, 0) < 0.5


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_an_open_stream_is_cut_off(version: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.Event().wait()

    async with (
        started(fetch=lambda: Response(chunks())) as running,
        client_of(running.url) as client,
    ):
        client.get("/", version=version)
        await client.head()
        if version == "1.1":
            assert await client.chunk() == b"first"
        else:
            assert await within(client.reader.readexactly(5)) == b"first"
        assert await seconds_to_close(running) < CLOSED_WITHIN_SECONDS
        if version == "1.1":
            assert b"0\r\n\r\n" not in await client.rest()
        else:  # The close would pass for the body's end.
            with pytest.raises(ConnectionResetError):
                await client.rest()


@pytest.mark.parametrize("ignores", ["for a moment", "for ever"])
async def test_a_handler_that_ignores_its_cancellation(ignores: str) -> None:
    begun, ended, let_go = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def fetch() -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if ignores == "for a moment":
                asyncio.get_running_loop().call_later(0.05, let_go.set)
            while not let_go.is_set():
                with suppress(asyncio.CancelledError):
                    await let_go.wait()
        ended.set()
        return Response("too late")

    async with started(fetch=fetch) as running, client_of(running.url) as client:
        client.get("/")
        await within(begun.wait())
        assert await seconds_to_close(running) < CLOSED_WITHIN_SECONDS
        assert ended.is_set() is (ignores == "for a moment")
        let_go.set()
        await within(ended.wait())


async def test_wait_until_work_is_cut_off_too() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(work())
        return Response("out")

    async with started(fetch=fetch) as running, client_of(running.url) as client:
        client.get("/")
        assert (await client.response()).body == b"out"
        assert await seconds_to_close(running) < CLOSED_WITHIN_SECONDS
        await within(cancelled.wait())


async def test_inbound_connections_may_end_and_are_cut_off() -> None:
    begun = [asyncio.Event(), asyncio.Event()]

    async def connect(socket: Socket) -> None:
        reader = socket.readable.get_reader()
        first = await reader.read()
        assert first.value is not None
        begun[int(first.value)].set()
        second = await reader.read()
        await socket.writable.get_writer().write(second.value or b"")

    async with started(connect=connect) as running:
        (address,) = running.connect_addresses
        async with client_of(address) as quick, client_of(address) as slow:
            for number, client in enumerate((quick, slow)):
                client.send(b"%d" % number)
                await within(begun[number].wait())
            closing = asyncio.ensure_future(seconds_to_close(running))
            await asyncio.sleep(0)
            quick.send(b"answered")
            assert await quick.rest() == b"answered"
            assert await within(closing) < CLOSED_WITHIN_SECONDS
            assert await slow.rest() == b""


async def test_a_body_still_being_sent_does_not_hold_the_server() -> None:
    async with (
        started(fetch=lambda: Response("unread")) as running,
        client_of(running.url) as client,
    ):
        client.get("/", "Content-Length: 1000000", method="POST")
        assert (await client.response()).body == b"unread"
        assert await seconds_to_close(running) < CLOSED_WITHIN_SECONDS


async def test_a_new_isolate_answers_the_next_request() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> Response:
        begun.set()
        await go_on.wait()
        return Response("first")

    async with (
        started(fetch=first) as running,
        client_of(running.url) as old,
        client_of(running.url) as new,
    ):
        old.get("/")
        await within(begun.wait())
        running.front.worker.replace(
            Isolate.load("w", worker(fetch=lambda: Response("second")), {})
        )
        new.get("/")
        assert (await new.response()).body == b"second"
        go_on.set()
        assert (await old.response()).body == b"first"
        old.get("/")
        assert (await old.response()).body == b"second"


async def test_the_url_of_every_address() -> None:
    served = Worker(Isolate.load("w", worker(fetch=lambda: Response("x")), {}))
    for host, shown in (
        ("0.0.0.0", "localhost"),
        ("", "localhost"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ):
        running = await start(served, Endpoint(host, 0))
        try:
            assert running.url.startswith(f"http://{shown}:")
            async with client_of(running.url.replace("[::1]", "::1")) as client:
                client.get("/")
                assert (await client.response()).body == b"x"
        finally:
            await running.close(0)


async def test_the_next_of_the_ports() -> None:
    served = Worker(Isolate.load("w", worker(fetch=lambda: Response("x")), {}))
    with listening_in_a_row(2) as first:
        running = await start(served, Endpoint("127.0.0.1", first, 10))
        assert first + 2 <= int(running.url.rpartition(":")[2]) < first + 10
        await running.close()
        with pytest.raises(ListenError, match="are all in use"):
            await start(served, Endpoint("127.0.0.1", first, 2))


async def test_a_connect_port_that_is_taken_leaves_nothing_listening() -> None:
    served = Worker(Isolate.load("w", worker(connect=lambda socket: None), {}))
    with listening_in_a_row(1) as taken:
        listeners = [ConnectListener("tcp", taken, "127.0.0.1")]
        with pytest.raises(ListenError, match=f"Port {taken} on 127.0.0.1 is in use."):
            await start(served, Endpoint("127.0.0.1", taken + 1), connect_listeners=listeners)
        running = await start(served, Endpoint("127.0.0.1", taken + 1))
        await running.close()


async def test_crons_are_fired_at_the_worker() -> None:
    class Hasty(Clock):
        """A clock whose minutes pass at once."""

        moment = datetime(2026, 8, 14, 10, 20, 30, tzinfo=UTC)

        def now(self) -> datetime:
            return self.moment

        async def sleep(self, seconds: float) -> None:
            self.moment += timedelta(seconds=seconds)
            await asyncio.sleep(0)

    recorder = Recorder()
    times: list[int] = []

    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        times.append(event.scheduled_time)

    served = Worker(Isolate.load("w", worker(scheduled=scheduled), {}))
    running = await start(
        served,
        Endpoint("127.0.0.1", 0),
        crons=[parse_cron("*/2 * * * *")],
        clock=Hasty(),
        observer=recorder,
    )
    try:
        assert [str(cron) for cron, _ in running.coming_crons()] == ["*/2 * * * *"]
        record = await recorder.wait_for("event_finished", 2)
        assert record.label == 'SCHEDULED "*/2 * * * *"'
    finally:
        await running.close(0)
    assert times[1] - times[0] == 120_000
    fired = len(recorder.of("event_finished"))
    await asyncio.sleep(0)
    assert len(recorder.of("event_finished")) == fired
