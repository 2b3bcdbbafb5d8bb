"""One event through a handler: what is current, what may come back, and what can't stop the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, current
from emulator.http import Request, Response
from emulator.runtime import dispatch
from emulator.runtime.base import WorkerEntrypoint
from emulator.runtime.environment import env as imported_env
from emulator.runtime.execution import ExecutionContext, wait_until
from emulator.runtime.isolate import Isolate
from tests.runtime.worker_files import write


class Notes(Observer):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def isolate_of(**functions: Any) -> Isolate:
    """Return a worker whose main module has just these functions."""
    module = ModuleType("made_up")
    for name, function in functions.items():
        setattr(module, f"on_{name}", function)
    return Isolate.load("w", module, {"NAME": "value"})


async def fetch(isolate: Isolate, context: IoContext | None = None) -> Response:
    context = context or IoContext("GET /", Observer())
    return await dispatch.fetch(isolate, Request("http://localhost/"), context)


@pytest.mark.parametrize("plain", [True, False])
async def test_a_handler_gets_what_the_event_has(plain: bool) -> None:
    context = IoContext("GET /", Observer())
    response = Response("x")

    def handle(request: Request, env: Any, ctx: Any) -> Response:
        assert request.url == "http://localhost/"
        assert env.NAME == imported_env.NAME == "value"
        assert isinstance(ctx, ExecutionContext)
        assert current() is context
        return response

    async def handle_later(request: Request, env: Any, ctx: Any) -> Response:
        await asyncio.sleep(0)
        return handle(request, env, ctx)

    assert await fetch(isolate_of(fetch=handle if plain else handle_later), context) is response
    assert current() is None
    assert repr(imported_env) == "<env outside a worker>"


async def test_a_class_handles_with_its_own_ctx_and_env() -> None:
    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            assert isinstance(self.ctx, ExecutionContext)
            return Response(self.env.NAME)

    response = await fetch(Isolate.load("w", Default, {"NAME": "mine"}))
    assert await response.text() == "mine"


async def nothing() -> None:
    return None


async def chunks() -> AsyncIterator[bytes]:
    yield b""


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: None, "returned None, not a Response. Did you forget `return`?"),
        (
            lambda: asyncio.sleep(0, nothing()),
            "returned a coroutine, not a Response. Did you forget `await`?",
        ),
        (
            lambda: Response,
            "returned the class Response, not a Response. "
            "Did you forget to call it: Response(...)?",
        ),
        (
            lambda: {"a": 1},
            "returned a dict, not a Response. To send it as JSON: Response.json(...).",
        ),
        (lambda: "text", "returned a str, not a Response. To send it as the body: Response(...)."),
        (lambda: 7, "returned an object of type int, not a Response."),
        (
            chunks,
            "returned an async generator, not a Response. A handler returns one Response; "
            "to send what it yields: Response(generator()).",
        ),
    ],
)
async def test_what_is_no_response_is_named(make: Any, sentence: str) -> None:
    with pytest.raises(errors.HandlerError) as caught:
        await fetch(isolate_of(fetch=make))
    assert str(caught.value) == f"on_fetch() {sentence}"


async def test_missing_handlers() -> None:
    with pytest.raises(errors.HandlerError) as caught:
        await fetch(isolate_of(connect=nothing))
    assert str(caught.value) == "Handler does not export a fetch() function."
    with pytest.raises(errors.HandlerError) as caught:
        await dispatch.connect(
            isolate_of(fetch=nothing), object(), IoContext("CONNECT a:1", Observer())
        )
    assert str(caught.value) == "Incoming CONNECT on a worker not supported"


async def test_connect_gets_the_socket_and_its_result_is_ignored() -> None:
    socket, context = object(), IoContext("CONNECT a:1", Observer())
    got = []

    async def handle(socket: object) -> int:
        got.append((socket, current()))
        return 3

    await dispatch.connect(isolate_of(connect=handle), socket, context)
    assert got == [(socket, context)]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("late", [True, False])
async def test_nothing_stops_the_server(error: BaseException, late: bool) -> None:
    async def handle() -> None:
        if late:
            await asyncio.sleep(0)
        raise error

    with pytest.raises(errors.HandlerExit) as caught:
        await asyncio.create_task(fetch(isolate_of(fetch=handle)))
    assert caught.value.__cause__ is error
    assert str(caught.value) == (
        f"on_fetch() raised {error!r}. Only this event failed: a worker can't stop the server."
    )


async def test_ordinary_errors_pass_unchanged() -> None:
    def handle() -> None:
        handle()

    with pytest.raises(RecursionError):
        await fetch(isolate_of(fetch=handle))
    with pytest.raises(ZeroDivisionError):
        await fetch(isolate_of(fetch=lambda: 1 / 0))


async def test_a_cancellation_of_the_workers_own_is_a_failure() -> None:
    async def handle() -> None:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        inner.cancel()
        await inner

    with pytest.raises(errors.HandlerExit) as caught:
        await asyncio.create_task(fetch(isolate_of(fetch=handle)))
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert str(caught.value) == (
        "on_fetch() raised CancelledError although nobody cancelled the event: something that it "
        "awaited was cancelled."
    )


async def test_a_cancellation_from_outside_passes() -> None:
    begun = asyncio.Event()

    async def handle() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(fetch(isolate_of(fetch=handle)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("name", ["wait_until", "waitUntil"])
async def test_wait_until_goes_on_after_the_response(name: str) -> None:
    context = IoContext("GET /", Observer())
    done = []

    async def work(label: str) -> None:
        await asyncio.sleep(0)
        done.append(label)

    def handle(request: Request, env: Any, ctx: Any) -> Response:
        getattr(ctx, name)(work("ctx"))
        wait_until(work("function"))
        return Response("x")

    await fetch(isolate_of(fetch=handle), context)
    assert done == []
    await context.finish()
    assert done == ["ctx", "function"]


async def test_pass_through_on_exception_says_what_it_can_not_do() -> None:
    observer = Notes()
    ctx: Any = ExecutionContext(IoContext("GET /", observer))
    ctx.pass_through_on_exception()
    ctx.passThroughOnException()
    assert observer.notes == 2 * [
        "pass_through_on_exception() does nothing here: there is no origin server to pass the "
        "request to."
    ]


async def test_wait_until_at_global_scope() -> None:
    work = nothing()
    with pytest.raises(errors.GlobalScopeError):
        wait_until(work)
    work.close()


async def test_a_worker_of_the_platforms_own_form(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="""
            from cloudflare.workers import Response as Same
            from workers import Response, WorkerEntrypoint, env
            assert Same is Response
            class Default(WorkerEntrypoint):
                async def fetch(self, request):
                    return Response(f"{env.NAME} {self.env.NAME}")
            """,
    )
    isolate = Isolate.load("w", main, {"NAME": "n"})
    assert await (await fetch(isolate)).text() == "n n"
    isolate.unload()
