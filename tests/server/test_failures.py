"""Handlers that fail: the client hears 500, the observer hears why, the server lives on."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from emulator import errors
from emulator.errors import HandlerError, HandlerExit, OwnershipError
from emulator.http import Request, Response
from emulator.server.embedded import serve
from tests.server.serving import Recorder, connected, serving, worker
from tests.support.waiting import within

Client = Any


async def exits() -> Response:
    sys.exit(3)


def interrupts() -> Response:
    raise KeyboardInterrupt


async def recurses() -> Response:
    return await recurses()


async def cancels() -> Response:
    raise asyncio.CancelledError


async def awaits_something_cancelled() -> Response:
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task
    return Response("never")


async def generator_exit() -> Response:
    raise GeneratorExit


def raises() -> Response:
    raise ValueError("what the worker said")


def returns(value: Any) -> Any:
    return lambda: value


async def forgets() -> Any:
    async def answer() -> Response:
        return Response("never")

    return answer()


FAILURES: dict[str, tuple[Any, type[Exception], str]] = {
    "an exception": (raises, ValueError, "what the worker said"),
    "sys.exit()": (exits, HandlerExit, "raised SystemExit(3). Only this event failed"),
    "KeyboardInterrupt": (
        interrupts,
        HandlerExit,
        "raised KeyboardInterrupt(). Only this event failed",
    ),
    "RecursionError": (recurses, RecursionError, "maximum recursion depth exceeded"),
    "CancelledError": (cancels, HandlerExit, "raised CancelledError although nobody cancelled"),
    "a cancelled task": (
        awaits_something_cancelled,
        HandlerExit,
        "although nobody cancelled the event",
    ),
    "GeneratorExit": (
        generator_exit,
        HandlerExit,
        "raised GeneratorExit(). Only this event failed",
    ),
    "None": (
        returns(None),
        HandlerError,
        "returned None, not a Response. Did you forget `return`?",
    ),
    "a str": (
        returns("x"),
        HandlerError,
        "returned a str, not a Response. To send it as the body: Response(...).",
    ),
    "a dict": (returns({}), HandlerError, "returned a dict, not a Response. To send it as JSON"),
    "the class": (returns(Response), HandlerError, "returned the class Response, not a Response."),
    "no await": (
        forgets,
        HandlerError,
        "returned a coroutine, not a Response. Did you forget `await`?",
    ),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_handler_that_fails(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    handler, expected, sentence = FAILURES[kind]
    recorder = Recorder()

    def fetch(request: Request) -> Any:
        return Response("fine") if request.url.endswith("/fine") else handler()

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        for _ in range(2):
            client.get("/")
            response = await client.response()
            assert (response.status, response.reason) == (500, "Internal Server Error")
            assert response["content-type"] == "text/plain;charset=UTF-8"
            text = response.body.decode()
            assert text.startswith("Error 1101: Worker threw exception\n\n")
            assert sentence in text
            client.get("/", method="HEAD")
            assert (await client.response(to="HEAD")).status == 500
        client.get("/fine")  # The same connection goes on.
        assert (await client.response()).body == b"fine"
        async with connected(server) as other:
            other.get("/fine")
            assert (await other.response()).body == b"fine"
    failures = recorder.of("handler_failed")
    assert [type(error) for error in failures] == [expected] * 4
    assert all(sentence in str(error) for error in failures)
    records = recorder.of("event_finished")
    assert [record.outcome.value for record in records[:4]] == ["exception"] * 4
    assert caplog.records == []


async def test_a_missing_handler() -> None:
    recorder = Recorder()
    async with (
        serving(connect=lambda socket: None, observer=recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert errors.NO_FETCH_HANDLER in (await client.response()).body.decode()


async def test_the_text_shows_the_workers_frames(aiohttp_client: Client, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(
        textwrap.dedent(
            """\
            def deeper():
                return {}["missing"]

            async def on_fetch(request, env, ctx):
                return deeper()
            """
        )
    )
    client = await aiohttp_client(serve(script))
    async with client.get("/") as response:
        text = await response.text()
    assert response.status == 500
    assert 'failing.py", line 5, in on_fetch' in text
    assert 'failing.py", line 2, in deeper' in text
    assert "KeyError: 'missing'" in text
    assert "dispatch.py" not in text


# Bodies that fail.


@pytest.mark.parametrize("error", [ValueError("half-way"), SystemExit(1), KeyboardInterrupt()])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_generator_that_raises_half_way(error: BaseException, version: str) -> None:
    recorder = Recorder()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        raise error

    async with serving(lambda: Response(chunks()), observer=recorder) as server:
        async with connected(server) as client:
            client.get("/", version=version)
            head = await client.head()
            if version == "1.1":
                assert head["transfer-encoding"] == "chunked"
                assert await client.rest() == b"5\r\nfirst"  # And no last chunk.
            else:
                with pytest.raises(ConnectionResetError):
                    await client.rest()
        failure = await recorder.wait_for("body_failed")
        assert repr(error) in repr(failure)
        record = await recorder.wait_for("event_finished")
        assert (record.outcome.value, record.status) == ("exception", "200 OK")


@pytest.mark.parametrize("chunk", ["text", 12, None])
async def test_a_chunk_that_is_not_bytes(chunk: Any) -> None:
    recorder = Recorder()

    async def chunks() -> AsyncIterator[Any]:
        yield chunk

    async with serving(lambda: Response(chunks()), observer=recorder) as server:
        async with connected(server) as client:
            client.get("/")
            await client.head()
            assert await client.rest() == b""
        error = await recorder.wait_for("body_failed")
        assert str(error).startswith("A body's chunks must be bytes, bytearray or memoryview, not ")


# What belongs to another request.


async def test_another_requests_stream_is_refused() -> None:
    recorder = Recorder()
    kept: list[Response] = []
    held = asyncio.Event()
    release = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"mine"

    async def fetch(request: Request) -> Response:
        if request.url.endswith("/keep"):
            kept.append(Response(chunks()))
            held.set()
            await release.wait()
            return Response("kept")
        return kept[0]

    async with serving(fetch, observer=recorder) as server, connected(server) as keeper:
        keeper.get("/keep")
        await within(held.wait())
        async with connected(server) as client:
            client.get("/use")
            response = await client.response()
        release.set()
        assert (await keeper.response()).body == b"kept"
        assert response.status == 500
        (error,) = recorder.of("handler_failed")
        assert isinstance(error, OwnershipError)
        assert str(error).startswith(errors.CROSS_REQUEST.format(io_type="ReadableStreamSource"))
        line = chunks.__code__.co_firstlineno + 5
        assert str(error).endswith(f"It was made at {__file__}:{line}.")


async def test_a_stream_of_a_request_that_is_over_is_refused() -> None:
    kept: list[Any] = []

    async def fetch(request: Request) -> Response:
        if not kept:
            kept.append(request.body)
            return Response("kept")
        return Response(kept[0])

    async with serving(fetch) as server, connected(server) as client:
        client.get("/", "Content-Length: 3", method="POST")
        client.send(b"abc")
        assert (await client.response()).body == b"kept"
        client.get("/")
        response = await client.response()
        assert response.status == 500
        assert "Cannot perform I/O on behalf of a different request." in response.body.decode()


async def test_a_response_at_hand_is_every_requests() -> None:
    """Bytes are no I/O object; the body can be sent once, as the standard has it."""
    shared = Response(None, headers={"X-Mine": "1"})

    async with serving(lambda: shared) as server, connected(server) as client:
        for _ in range(2):
            client.get("/")
            assert (await client.response())["x-mine"] == "1"


async def test_two_workers_with_modules_of_one_name(tmp_path: Path, aiohttp_client: Client) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "helper.py").write_text(f"NAME = {name!r}\nCOUNT = []\n")
        (folder / "worker.py").write_text(
            textwrap.dedent(
                """\
                import helper
                from workers import Response

                async def on_fetch(request, env, ctx):
                    import helper as again
                    again.COUNT.append(1)
                    return Response(f"{helper.NAME} {env.PLACE} {len(helper.COUNT)}")
                """
            )
        )
    one = await aiohttp_client(serve(tmp_path / "one" / "worker.py", env={"PLACE": "here"}))
    two = await aiohttp_client(serve(tmp_path / "two" / "worker.py", env={"PLACE": "there"}))
    again = await aiohttp_client(serve(tmp_path / "one" / "worker.py", env={"PLACE": "again"}))
    for count in (1, 2):
        for client, expected in ((one, "one here"), (two, "two there"), (again, "one again")):
            async with client.get("/") as response:
                assert await response.text() == f"{expected} {count}"


async def test_wait_until_goes_on_after_the_response(aiohttp_client: Client) -> None:
    recorder = Recorder()
    go_on = asyncio.Event()
    done = asyncio.Event()

    async def afterwards() -> None:
        await go_on.wait()
        done.set()
        raise RuntimeError("too late")

    def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(afterwards())
        return Response("out")

    client = await aiohttp_client(serve(worker(fetch=fetch), observer=recorder))
    async with client.get("/") as response:
        assert await response.text() == "out"
    go_on.set()
    await within(done.wait())
    assert str(await recorder.wait_for("background_failed")) == "too late"
