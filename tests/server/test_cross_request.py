"""One request waking another: it works here, and is told of, since it does not in production."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from emulator.http import Request, Response
from tests.server.serving import Recorder, connected, serving
from tests.support.waiting import until, within


class Shared:
    """What a careless worker keeps at module level."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.queue = asyncio.Queue[int]()
        self.lock = asyncio.Lock()
        self.future: asyncio.Future[int] | None = None
        self.waiting = asyncio.Event()

    async def wait_event(self) -> None:
        await self.event.wait()

    async def wait_queue(self) -> None:
        await self.queue.get()

    async def wait_future(self) -> None:
        self.future = asyncio.get_running_loop().create_future()
        await self.future

    def wake_event(self) -> None:
        self.event.set()

    def wake_queue(self) -> None:
        self.queue.put_nowait(1)

    def wake_future(self) -> None:
        assert self.future is not None
        self.future.set_exception(OSError("of another"))


@pytest.mark.parametrize("what", ["event", "queue", "future"])
async def test_a_request_that_another_wakes_is_told_of(what: str) -> None:
    shared = Shared()
    wait: Callable[[], Awaitable[None]] = getattr(shared, f"wait_{what}")
    wake: Callable[[], None] = getattr(shared, f"wake_{what}")
    began: list[Any] = []

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/wakes"):
            wake()
            return Response("woke")
        began.append(request)
        with suppress(OSError):
            await wait()
        return Response("woken")

    recorder = Recorder()
    async with (
        serving(fetch, observer=recorder) as server,
        connected(server) as waiter,
        connected(server) as waker,
    ):
        waiter.get("/waits")
        await until(lambda: began, "the first request")
        waker.get("/wakes")
        assert (await within(waker.response())).body == b"woke"
        assert (await within(waiter.response())).body == b"woken"
    (note,) = recorder.of("note")
    assert note.startswith("A request waited for a future, event, queue or lock until another")
    assert "test_cross_request.py:" in note


async def test_a_request_may_wake_itself() -> None:
    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        event, queue = asyncio.Event(), asyncio.Queue[int]()
        ctx.wait_until(queue.put(1))
        asyncio.get_running_loop().call_soon(event.set)
        await event.wait()
        await queue.get()
        await asyncio.to_thread(lambda: None)
        return Response("done")

    recorder = Recorder()
    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/")
        assert (await within(client.response())).body == b"done"
    assert recorder.of("note") == []
