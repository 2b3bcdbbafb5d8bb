"""Handlers that would never answer: ended within about a second; those that only look like it are left alone."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from emulator.config.limits import Limits
from emulator.http import Request, Response
from tests.server.serving import Recorder, connected, serving
from tests.support.waiting import within

# Two looks in this time; what is not to be condemned takes several times as long.
LIMITS = Limits(hang_seconds=0.1, blocked_seconds=None)
LONGER_SECONDS = 0.4


async def waits_for_an_event(ctx: Any) -> None:
    await asyncio.Event().wait()


async def waits_for_a_queue(ctx: Any) -> None:
    await asyncio.Queue[int]().get()


async def waits_for_a_child_that_waits(ctx: Any) -> None:
    await asyncio.create_task(asyncio.Event().wait())


async def waits_for_background_work_that_waits(ctx: Any) -> None:
    event = asyncio.Event()
    ctx.wait_until(event.wait())
    await event.wait()


async def waits_after_a_timer(ctx: Any) -> None:
    await asyncio.sleep(0.01)
    await asyncio.Event().wait()


async def waits_after_work_in_a_thread(ctx: Any) -> None:
    await asyncio.to_thread(lambda: None)
    await asyncio.Event().wait()


async def waits_after_a_process(ctx: Any) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    await asyncio.Event().wait()


async def waits_in_spite_of_cancellation(ctx: Any) -> None:
    for _ in range(2):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


HUNG_HANDLERS = [
    waits_for_an_event,
    waits_for_a_queue,
    waits_for_a_child_that_waits,
    waits_for_background_work_that_waits,
    waits_after_a_timer,
    waits_after_work_in_a_thread,
    waits_after_a_process,
    waits_in_spite_of_cancellation,
]


def answering(handler: Callable[[Any], Any]) -> Callable[..., Any]:
    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        if not request.url.endswith("/fine"):
            await handler(ctx)
        return Response("fine")

    return fetch


@pytest.mark.parametrize("handler", HUNG_HANDLERS, ids=lambda handler: handler.__name__)
async def test_a_handler_that_hangs(handler: Callable[[Any], Any]) -> None:
    recorder = Recorder()
    async with (
        serving(answering(handler), observer=recorder, limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        response = await client.response()
        assert response.status == 500
        text = response.body.decode()
        assert text.startswith(
            "The Workers runtime canceled this request because it detected that your Worker's code had hung and would "
            "never generate a response. Refer to: "
            "https://developers.cloudflare.com/workers/observability/errors/\n\nIt waits on "
        )
        assert f"at {__file__}:" in text
        assert f"in {handler.__name__}" in text
        assert "What another request does later, such as setting an event, does not count" in text
        client.get("/fine")
        assert (await client.response()).body == b"fine"
    outcomes = [record.outcome.value for record in recorder.of("event_finished")]
    assert outcomes == ["hung", "ok"]
    assert "had hung" in str(recorder.of("handler_failed")[0])


async def test_within_about_a_second() -> None:
    loop = asyncio.get_running_loop()
    async with serving(answering(waits_for_an_event)) as server, connected(server) as client:
        began = loop.time()
        client.get("/")
        assert (await client.response()).status == 500
        assert loop.time() - began < 1.5


async def test_another_request_does_not_count() -> None:
    event = asyncio.Event()

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/sets"):
            await asyncio.sleep(LONGER_SECONDS)
            event.set()
        await event.wait()
        return Response("done")

    async with (
        serving(fetch, limits=LIMITS) as server,
        connected(server) as waiter,
        connected(server) as setter,
    ):
        setter.get("/sets")
        waiter.get("/waits")
        body = (await waiter.response()).body
        assert b"had hung" in body
        assert b"It waits on an asyncio.Event that nothing of this request will wake" in body
        assert (await setter.response()).body == b"done"


# What only looks like it.


async def sleeps(ctx: Any) -> None:
    await asyncio.sleep(LONGER_SECONDS)


async def has_a_timeout(ctx: Any) -> None:
    try:
        async with asyncio.timeout(LONGER_SECONDS):
            await asyncio.Event().wait()
    except TimeoutError:
        pass


async def calls_later(ctx: Any) -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(LONGER_SECONDS, event.set)
    await event.wait()


async def works_in_a_thread(ctx: Any) -> None:
    done = threading.Event()
    await asyncio.to_thread(done.wait, LONGER_SECONDS)


async def works_in_an_executor(ctx: Any) -> None:
    done = threading.Event()
    await asyncio.get_running_loop().run_in_executor(None, done.wait, LONGER_SECONDS)


async def has_a_thread(ctx: Any) -> None:
    loop, event, pause = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def work() -> None:
        pause.wait(LONGER_SECONDS)
        loop.call_soon_threadsafe(event.set)

    thread = threading.Thread(target=work)
    thread.start()
    await event.wait()
    thread.join()


async def has_a_thread_of_a_thread(ctx: Any) -> None:
    loop, event, pause = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    inner: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def work() -> None:
        pause.wait(LONGER_SECONDS)
        loop.call_soon_threadsafe(event.set)

    def begin() -> None:
        thread = threading.Thread(target=work)
        inner.put(thread)
        thread.start()

    outer = threading.Thread(target=begin)
    outer.start()
    outer.join()
    await event.wait()
    inner.get().join()


async def runs_a_process(ctx: Any) -> None:
    code = f"import time; time.sleep({LONGER_SECONDS}); print('done')"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.strip() == b"done"


async def watches_a_pipe(ctx: Any) -> None:
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    reading, writing = os.pipe()
    loop.add_reader(reading, event.set)
    with Outside(lambda: os.write(writing, b"x")):
        await event.wait()
    loop.remove_reader(reading)
    os.close(reading)
    os.close(writing)


async def waits_for_a_signal(ctx: Any) -> None:
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, event.set)
    with Outside(lambda: os.kill(os.getpid(), signal.SIGUSR1)):
        await event.wait()
    loop.remove_signal_handler(signal.SIGUSR1)


async def reads_a_pipe(ctx: Any) -> None:
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    with os.fdopen(reading, "rb") as file:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        with Outside(lambda: os.write(writing, b"x")):
            assert await reader.read(1) == b"x"
        transport.close()
    os.close(writing)


async def reads_a_socket(ctx: Any) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, Outside(lambda: theirs.send(b"x")):
        assert await asyncio.get_running_loop().sock_recv(ours, 1) == b"x"


async def is_a_server(ctx: Any) -> None:
    event = asyncio.Event()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        event.set()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    with Outside(lambda: socket.create_connection(address).close()):
        await event.wait()
    server.close()


async def hears_a_datagram(ctx: Any) -> None:
    event = asyncio.Event()

    class Hears(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            event.set()

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Hears, ("127.0.0.1", 0)
    )
    address = transport.get_extra_info("sockname")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender, Outside(lambda: sender.sendto(b"x", address)):
        await event.wait()
    transport.close()


async def is_fed_by_background_work(ctx: Any) -> None:
    items: asyncio.Queue[int] = asyncio.Queue()

    async def feed() -> None:
        await asyncio.sleep(LONGER_SECONDS)
        items.put_nowait(1)

    ctx.wait_until(feed())
    await items.get()


async def is_woken_by_a_task_of_its_own(ctx: Any) -> None:
    event = asyncio.Event()

    async def wake() -> None:
        await asyncio.sleep(LONGER_SECONDS)
        event.set()

    task = asyncio.create_task(wake())
    await event.wait()
    await task


async def has_a_task_that_runs(ctx: Any) -> None:
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    until = loop.time() + LONGER_SECONDS

    async def run() -> None:
        while loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0)
        event.set()

    task = asyncio.create_task(run())
    await event.wait()
    await task


class Outside:
    """Something that happens LONGER_SECONDS from now, in a thread that no request started."""

    def __init__(self, happen: Callable[[], object]) -> None:
        _outside.put(happen)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


_outside: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()


@pytest.fixture
def outside() -> Any:
    pause = threading.Event()

    def run() -> None:
        while (happen := _outside.get()) is not None:
            pause.wait(LONGER_SECONDS)
            happen()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    _outside.put(None)
    thread.join()


BUSY_HANDLERS = [
    sleeps,
    has_a_timeout,
    calls_later,
    works_in_a_thread,
    works_in_an_executor,
    has_a_thread,
    has_a_thread_of_a_thread,
    runs_a_process,
    watches_a_pipe,
    waits_for_a_signal,
    reads_a_pipe,
    reads_a_socket,
    is_a_server,
    hears_a_datagram,
    is_fed_by_background_work,
    is_woken_by_a_task_of_its_own,
    has_a_task_that_runs,
]


@pytest.mark.parametrize("handler", BUSY_HANDLERS, ids=lambda handler: handler.__name__)
async def test_no_false_alarm(handler: Callable[[Any], Any], outside: None) -> None:
    async with (
        serving(answering(handler), limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        response = await client.response()
        assert (response.status, response.body) == (200, b"fine")


async def test_a_body_that_comes_slowly() -> None:
    async def fetch(request: Request) -> Response:
        return Response(await request.text())

    async with serving(fetch, limits=LIMITS) as server, connected(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(LONGER_SECONDS)
        client.send(b"b")
        assert (await client.response()).body == b"ab"


async def test_an_inbound_connection_may_wait() -> None:
    recorder = Recorder()
    begun, event = asyncio.Event(), asyncio.Event()

    async def connect(socket: Any) -> None:
        begun.set()
        await event.wait()

    async with serving(connect=connect, observer=recorder, limits=LIMITS) as server:
        host, _, port = server.connect_addresses[0].rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        await within(begun.wait())
        await asyncio.sleep(LONGER_SECONDS)
        assert recorder.of("event_finished") == []
        event.set()
        record = await recorder.wait_for("event_finished")
        writer.close()
    assert record.outcome.value == "ok"


async def test_a_debugger_stops_the_clock() -> None:
    event = asyncio.Event()

    async def fetch(request: Request) -> Response:
        await event.wait()
        return Response("after the debugger")

    def trace(*arguments: Any) -> None:
        return None

    async with serving(fetch, limits=LIMITS) as server, connected(server) as client:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            client.get("/")
            await asyncio.sleep(LONGER_SECONDS)
            event.set()
            assert (await client.response()).body == b"after the debugger"
        finally:
            sys.settrace(before)
