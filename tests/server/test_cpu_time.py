"""CPU time: a handler that uses too much is stopped, wherever it does; every other request goes on."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from emulator.config.limits import Limits
from emulator.http import Request, Response
from tests.server.serving import RawResponse, Recorder, connected, serving

LIMITS = Limits(cpu_ms=100, blocked_seconds=None)


def spin() -> None:
    while True:
        pass


async def spins() -> None:
    spin()


async def loops(ctx: Any) -> Response:
    while True:
        pass


def plain(ctx: Any) -> Response:
    spin()
    return Response("never")


async def catches_exceptions(ctx: Any) -> Response:
    while True:
        try:
            for _ in range(1000):
                pass
        except Exception:
            pass


async def catches_everything(ctx: Any) -> Response:
    while True:
        try:
            for _ in range(100_000):
                pass
        except BaseException:
            pass


async def awaits_a_child(ctx: Any) -> Response:
    await asyncio.create_task(spins())
    return Response("never")


async def leaves_a_child(ctx: Any) -> Response:
    task = asyncio.create_task(spins())
    await asyncio.sleep(60)
    return Response(repr(task))


async def gathers(ctx: Any) -> Response:
    await asyncio.gather(spins(), asyncio.sleep(60))
    return Response("never")


async def takes_small_steps(ctx: Any) -> Response:
    while True:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def has_a_child_with_small_steps(ctx: Any) -> Response:
    async def steps() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    task = asyncio.create_task(steps())
    await asyncio.sleep(60)
    return Response(repr(task))


async def waits_while_background_work_spins(ctx: Any) -> Response:
    ctx.wait_until(spins())
    await asyncio.sleep(60)
    return Response("never")


HANDLERS = [
    loops,
    plain,
    catches_exceptions,
    catches_everything,
    awaits_a_child,
    leaves_a_child,
    gathers,
    takes_small_steps,
    has_a_child_with_small_steps,
    waits_while_background_work_spins,
]


def routed(handler: Callable[[Any], Any]) -> Callable[..., Any]:
    """A fetch handler: `/fine` answers, everything else is `handler`."""

    def fetch(request: Request, env: Any, ctx: Any) -> Any:
        return Response("fine") if request.url.endswith("/fine") else handler(ctx)

    return fetch


def assert_stopped(response: RawResponse) -> None:
    assert (response.status, response.reason) == (503, "Service Unavailable")
    text = response.body.decode()
    assert text.startswith("Error 1102: Worker exceeded resource limits\n\n")
    assert "ms of CPU time; its limit (limits.cpu_ms) is 100 ms." in text


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
async def test_a_handler_that_uses_too_much(handler: Callable[[Any], Any]) -> None:
    recorder = Recorder()
    async with (
        serving(routed(handler), observer=recorder, limits=LIMITS) as server,
        connected(server) as client,
        connected(server) as other,
    ):
        client.get("/")
        other.get("/fine")
        assert (await other.response()).body == b"fine"
        assert_stopped(await client.response())
        client.get("/fine")  # The same connection goes on.
        assert (await client.response()).body == b"fine"
    outcomes = [record.outcome.value for record in recorder.of("event_finished")]
    assert sorted(outcomes) == ["exceeded_cpu", "ok", "ok"]
    (failure,) = recorder.of("handler_failed")
    assert "its limit (limits.cpu_ms) is 100 ms." in str(failure)
    assert sys.gettrace() is None


async def test_the_place_is_named() -> None:
    async with (
        serving(routed(leaves_a_child), limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        text = (await client.response()).body.decode()
    assert f"It was at {__file__}:" in text
    assert "in spin." in text


async def test_a_callback_that_does_not_end() -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, event: reports.append(event))

    async def handler(ctx: Any) -> Response:
        asyncio.get_running_loop().call_soon(spin)
        await asyncio.sleep(60)
        return Response("never")

    async with serving(routed(handler), limits=LIMITS) as server, connected(server) as client:
        client.get("/")
        assert_stopped(await client.response())
    assert [type(event["exception"]).__name__ for event in reports] == ["CpuExceeded"]


async def test_a_body_that_does_not_end() -> None:
    recorder = Recorder()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        spin()

    async with (
        serving(lambda: Response(chunks()), observer=recorder, limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        assert await client.rest() == b"5\r\nfirst"
        record = await recorder.wait_for("event_finished")
    assert record.outcome.value == "exceeded_cpu"


async def test_background_work_after_the_response() -> None:
    recorder = Recorder()

    async def handler(ctx: Any) -> Response:
        async def later() -> None:
            await asyncio.sleep(0.02)
            spin()

        ctx.wait_until(later())
        return Response("done")

    async with (
        serving(routed(handler), observer=recorder, limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"done"
        failure = await recorder.wait_for("background_failed")
        client.get("/fine")
        assert (await client.response()).body == b"fine"
    assert "its limit (limits.cpu_ms) is 100 ms." in str(failure)


async def test_an_inbound_connection() -> None:
    recorder = Recorder()

    async def connect(socket: Any) -> None:
        spin()

    async with serving(connect=connect, observer=recorder, limits=LIMITS) as server:
        host, _, port = server.connect_addresses[0].rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        record = await recorder.wait_for("event_finished")
        writer.close()
    assert record.outcome.value == "exceeded_cpu"


async def test_sleep_and_others_work_do_not_count() -> None:
    async def sleeps(ctx: Any) -> Response:
        await asyncio.sleep(0.3)
        return Response("rested")

    async def works(ctx: Any) -> Response:
        for _ in range(7):
            until = time.thread_time() + 0.01
            while time.thread_time() < until:
                pass
            await asyncio.sleep(0.01)
        return Response("worked")

    def fetch(request: Request, env: Any, ctx: Any) -> Any:
        return sleeps(ctx) if request.url.endswith("/sleep") else works(ctx)

    async with (
        serving(fetch, limits=LIMITS) as server,
        connected(server) as sleeper,
        connected(server) as worker,
        connected(server) as another,
    ):
        sleeper.get("/sleep")
        worker.get("/work")
        another.get("/work")
        assert (await worker.response()).body == b"worked"
        assert (await another.response()).body == b"worked"
        assert (await sleeper.response()).body == b"rested"


async def test_the_cleaning_up_of_a_handler_is_not_waited_for() -> None:
    async def handler(ctx: Any) -> Response:
        try:
            spin()
        finally:
            await asyncio.sleep(60)
        return Response("never")

    async with serving(routed(handler), limits=LIMITS) as server, connected(server) as client:
        client.get("/")
        assert_stopped(await client.response())


async def test_the_timer_runs_while_a_limit_is_in_force() -> None:
    before = signal.getsignal(signal.SIGPROF)
    async with serving(routed(plain)):
        assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    async with serving(routed(plain), limits=LIMITS), serving(routed(plain), limits=LIMITS):
        assert signal.getitimer(signal.ITIMER_PROF)[1] > 0
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGPROF) is before


async def test_a_task_factory_of_the_surroundings() -> None:
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        made.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        async with (
            serving(routed(awaits_a_child), limits=LIMITS) as server,
            connected(server) as client,
        ):
            client.get("/")
            assert_stopped(await client.response())
        assert loop.get_task_factory() is factory
    finally:
        loop.set_task_factory(None)
    assert "spins" in made


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in Python 3.12")
async def test_eager_tasks() -> None:
    loop = asyncio.get_running_loop()

    def make(on: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        # Not asyncio.eager_task_factory: uvloop gives it an option that it does not know on 3.13.
        eager = {**options, "eager_start": True}
        return asyncio.Task(coroutine, loop=on, **eager)

    loop.set_task_factory(make)
    try:
        async with (
            serving(routed(awaits_a_child), limits=LIMITS) as server,
            connected(server) as client,
        ):
            client.get("/")
            assert_stopped(await client.response())
    finally:
        loop.set_task_factory(None)
