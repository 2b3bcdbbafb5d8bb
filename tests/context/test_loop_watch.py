"""The event loop as a server leaves it: a request knows what it starts there, and nobody else notices."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from emulator.context import IoContext, Observer, enter, unwatch, watch
from tests.support.waiting import until


@pytest.fixture
async def loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """A watched loop."""
    running = asyncio.get_running_loop()
    watch(running)
    yield running
    unwatch(running)


@pytest.fixture
def context() -> IoContext:
    return IoContext("GET /", Observer())


async def test_a_loop_gets_its_methods_back_from_the_last_server() -> None:
    running = asyncio.get_running_loop()
    before = set(vars(running)) if hasattr(running, "__dict__") else set()
    watch(running)
    watch(running)
    replaced = set(vars(running)) - before
    assert {"create_task", "call_at", "call_later", "run_in_executor"} <= replaced
    unwatch(running)
    assert replaced <= set(vars(running))
    unwatch(running)
    assert not replaced & set(vars(running))
    unwatch(running)  # Once too often does nothing.


async def test_outsiders_are_not_adopted(loop: asyncio.AbstractEventLoop) -> None:
    async def answer() -> int:
        return 42

    assert await asyncio.create_task(answer(), name="outsider") == 42
    assert await asyncio.to_thread(lambda: 43) == 43
    timer = loop.call_later(60, print)
    timer.cancel()


async def test_a_task_ends_with_its_request(
    loop: asyncio.AbstractEventLoop, context: IoContext
) -> None:
    with enter(context):
        task = asyncio.create_task(asyncio.Event().wait(), name="mine")
    await asyncio.sleep(0)
    assert task.get_name() == "mine"
    context.end()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_timers_and_threads_are_prospects_while_they_last(
    loop: asyncio.AbstractEventLoop, context: IoContext
) -> None:
    assert not context.prospects.live()
    with enter(context):
        timer = loop.call_later(60, print)
    assert context.prospects.live()
    timer.cancel()
    assert not context.prospects.live()
    gate = threading.Event()
    with enter(context):
        working = loop.run_in_executor(None, gate.wait, 10)
    assert context.prospects.live()
    gate.set()
    assert await working
    await until(lambda: not context.prospects.live(), "the thread to be idle")


async def test_a_server_of_a_request_is_closed_with_it(
    loop: asyncio.AbstractEventLoop, context: IoContext
) -> None:
    with enter(context):
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    assert context.prospects.live()
    context.end()
    assert not server.is_serving()


async def test_who_waits_for_what(loop: asyncio.AbstractEventLoop, context: IoContext) -> None:
    with enter(context):
        task = asyncio.create_task(asyncio.Event().wait())
    assert context.prospects.waits() is None  # It can run.
    await asyncio.sleep(0)
    waits = context.prospects.waits()
    assert waits is not None
    assert list(waits) == [task]
    context.end()
    await asyncio.wait([task])
    assert context.prospects.waits() == {}
