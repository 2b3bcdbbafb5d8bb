"""Scheduled events: what the handler is given, how its end is counted, what becomes of what it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import Outcome
from emulator.errors import NO_SCHEDULED_HANDLER, HandlerError, HandlerExit
from emulator.http import Response
from emulator.runtime import Isolate, Worker
from emulator.runtime.scheduled_event import ScheduledEvent
from emulator.server.front import Front
from emulator.server.scheduled import Ran
from emulator.sockets import connect
from tests.server.serving import Recorder, worker
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within

CRON = "*/5 * * * *"


@asynccontextmanager
async def front_of(
    recorder: Recorder, limits: Limits = DEFAULT_LIMITS, **handlers: Callable[..., Any]
) -> AsyncIterator[Front]:
    """A front that serves a worker with these handlers."""
    front = Front(
        Worker(Isolate.load("w", worker(**handlers), {"NAME": "v"})), recorder, limits=limits
    )
    try:
        yield front
    finally:
        await front.shutdown(0)


async def fired(recorder: Recorder, limits: Limits = DEFAULT_LIMITS, **handlers: Any) -> Ran:
    """Fire one event at a worker with these handlers, and wait for its end."""
    async with front_of(recorder, limits, **handlers) as front:
        return await within(front.fire(ScheduledEvent(CRON, 60_000)))


async def test_the_handler_is_called_with_three() -> None:
    recorder = Recorder()
    given: list[Any] = []

    async def scheduled(*arguments: Any) -> None:
        given.extend(arguments)

    ran = await fired(recorder, scheduled=scheduled)
    event, env, ctx = given
    assert (event.cron, event.scheduled_time, env.NAME) == (CRON, 60_000, "v")
    assert callable(ctx.wait_until)
    assert ran == Ran(Outcome.OK, no_retry=False)
    (record,) = recorder.of("event_finished")
    assert (record.label, record.status, record.outcome) == (
        f'SCHEDULED "{CRON}"',
        "ok",
        Outcome.OK,
    )


async def test_a_plain_handler_that_wants_no_retry() -> None:
    def scheduled(event: Any, env: Any, ctx: Any) -> None:
        event.no_retry()

    assert await fired(Recorder(), scheduled=scheduled) == Ran(Outcome.OK, no_retry=True)


@pytest.mark.parametrize(
    ("raised", "heard"),
    [
        (ValueError("no"), ValueError),
        (SystemExit(1), HandlerExit),
        (asyncio.CancelledError(), HandlerExit),
    ],
)
async def test_a_handler_that_raises(raised: BaseException, heard: type[Exception]) -> None:
    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        raise raised

    recorder = Recorder()
    ran = await fired(recorder, scheduled=scheduled)
    assert ran.outcome is Outcome.EXCEPTION
    assert [type(error) for error in recorder.of("handler_failed")] == [heard]
    (record,) = recorder.of("event_finished")
    assert (record.status, record.outcome) == (None, Outcome.EXCEPTION)


async def test_a_worker_without_the_handler() -> None:
    recorder = Recorder()
    ran = await fired(recorder, fetch=lambda: Response("x"))
    assert ran.outcome is Outcome.EXCEPTION
    (error,) = recorder.of("handler_failed")
    assert (type(error), str(error)) == (HandlerError, NO_SCHEDULED_HANDLER)


async def test_it_is_over_when_wait_until_work_is() -> None:
    recorder = Recorder()
    steps: list[str] = []

    async def later() -> None:
        await asyncio.sleep(0)
        steps.append("work done")

    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        ctx.wait_until(later())
        steps.append("handler done")
        raise ValueError("no")

    assert (await fired(recorder, scheduled=scheduled)).outcome is Outcome.EXCEPTION
    assert steps == ["handler done", "work done"]


async def test_its_sockets_are_closed() -> None:
    def end(peer: Peer) -> bytes:
        return peer.wait_for_eof()

    async with PeerServer(end) as peers:

        async def scheduled(event: Any, env: Any, ctx: Any) -> None:
            await connect(peers.address).opened

        await fired(Recorder(), scheduled=scheduled)
        assert await within(peers.result()) == b""


async def test_a_handler_that_hangs_is_ended() -> None:
    recorder = Recorder()

    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        await asyncio.Event().wait()

    ran = await fired(recorder, Limits(hang_seconds=0.1), scheduled=scheduled)
    assert ran.outcome is Outcome.HUNG
    assert isinstance(recorder.of("handler_failed")[0], HandlerExit)


async def test_shutting_down_waits_and_then_cancels() -> None:
    recorder = Recorder()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        begun.set()
        await go_on.wait()

    async with front_of(recorder, scheduled=scheduled) as front:
        patient = front.fire(ScheduledEvent(CRON, 0))
        await within(begun.wait())
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        await within(front.shutdown(5))
        assert (await patient).outcome is Outcome.OK
    begun.clear()
    go_on.clear()
    async with front_of(recorder, scheduled=scheduled) as front:
        cut = front.fire(ScheduledEvent(CRON, 0))
        await within(begun.wait())
        await within(front.shutdown(0.05))
        assert cut.cancelled()
    assert recorder.of("event_finished")[-1].outcome is Outcome.CANCELED
