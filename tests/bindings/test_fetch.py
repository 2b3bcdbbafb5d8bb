"""fetch() of another worker: what it is sent, what comes back, and what the two share."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator import errors
from emulator.config.limits import DEFAULT_LIMITS
from emulator.context import Outcome, require_current
from emulator.errors import DepthError, ServiceError, SubrequestError
from emulator.http import Headers, Request, Response
from emulator.runtime.base import WorkerEntrypoint
from emulator.runtime.environment import env as imported_env
from emulator.server.embedded import Service, serve
from emulator.sockets import connect
from emulator.streams import AbortSignal, ReadableStream
from tests.bindings.calls import CallRecorder, asked, result_of
from tests.server.serving import connected, worker
from tests.support.peers import Blackhole, PeerServer
from tests.support.waiting import until, within


async def forward(request: Request, env: Any) -> Any:
    return await env.OTHER.fetch(request)


async def test_a_request_is_passed_on_and_its_response_comes_back() -> None:
    async def other(request: Request) -> Response:
        assert request.headers["host"] == "test"
        text = f"{request.method} {request.url} {await request.text()}"
        return Response(text, status=201, headers={"X-Other": "yes"})

    answer = await asked(forward, {"OTHER": worker(fetch=other)}, body=b"hello")
    assert (answer.status, answer.text) == (201, "POST http://test/front hello")
    assert answer.recorder.tree == ["OTHER POST /front 201 Created"]


async def test_the_body_of_a_request_that_was_passed_on_is_used() -> None:
    async def fetch(request: Request, env: Any) -> Response:
        await env.OTHER.fetch(request)
        with pytest.raises(OSError, match=errors.BODY_USED):
            await request.text()
        return Response("used")

    async def other(request: Request) -> Response:
        return Response(await request.text())

    assert (await asked(fetch, {"OTHER": worker(fetch=other)}, body=b"x")).text == "used"


async def test_a_url_with_options() -> None:
    async def other(request: Request) -> Response:
        return Response.json([request.method, request.headers["x-a"], await request.text()])

    async def call(env: Any) -> Any:
        headers = Headers({"X-A": "b"})
        response = await env.OTHER.fetch("http://x/y#z", method="PUT", headers=headers, body="in")
        return response.url, await response.json()

    found = await result_of(call, {"OTHER": worker(fetch=other)})
    assert found == ("http://x/y", ["PUT", "b", "in"])


@pytest.mark.parametrize(
    ("resource", "options", "sentence"),
    [
        ("/relative", {}, "/relative"),
        ("http://x/", {"body": "b"}, errors.REQUEST_BODY_METHOD),
        ("http://x/", {"mehtod": "GET"}, "Did you mean 'method'?"),
    ],
)
async def test_what_is_no_request_is_refused(
    resource: str, options: dict[str, Any], sentence: str
) -> None:
    error = await result_of(
        lambda env: env.OTHER.fetch(resource, **options),
        {"OTHER": worker(fetch=lambda: Response())},
    )
    assert isinstance(error, TypeError)
    assert sentence in str(error)


async def test_bodies_pass_as_streams_without_waiting_for_their_end() -> None:
    first_chunk_passed = asyncio.Event()

    async def other(request: Request) -> Response:
        async def chunks() -> Any:
            yield b"one"
            await first_chunk_passed.wait()
            yield b"two"

        return Response(chunks())

    async def fetch(request: Request, env: Any) -> Response:
        response = await env.OTHER.fetch(request)
        assert isinstance(response.body, ReadableStream)
        return Response(response.body)

    services = {"OTHER": worker(fetch=other)}
    async with (
        serve(worker(fetch=fetch), services=services) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        assert await client.chunk() == b"one"
        first_chunk_passed.set()
        assert await client.chunk() == b"two"


async def test_a_large_body_there_and_back() -> None:
    async def other(request: Request) -> Response:
        return Response(request.body)

    data = bytes(range(256)) * 8192
    answer = await asked(forward, {"OTHER": worker(fetch=other)}, body=data)
    assert answer.body == data


async def test_a_response_that_the_other_worker_keeps_stays_its_own() -> None:
    kept = Response("kept", headers={"X-Kept": "1"})

    async def fetch(request: Request, env: Any) -> Any:
        response = await env.OTHER.fetch(request)
        response.headers["X-Kept"] = "2"
        return response

    answer = await asked(fetch, {"OTHER": worker(fetch=lambda: kept)})
    assert answer.text == "kept"
    assert kept.headers["x-kept"] == "1"


async def test_each_worker_has_its_own_env() -> None:
    async def other(request: Request, env: Any) -> Response:
        await asyncio.sleep(0)
        return Response(f"{env.NAME} {imported_env.NAME}")

    async def fetch(request: Request, env: Any) -> Response:
        text = await (await env.OTHER.fetch(request)).text()
        return Response(f"{text}, then {env.NAME} {imported_env.NAME}")

    services = {"OTHER": Service(worker(fetch=other), {"NAME": "theirs"})}
    answer = await asked(fetch, services, env={"NAME": "mine"})
    assert answer.text == "theirs theirs, then mine mine"


async def test_a_named_entrypoint() -> None:
    class Default(WorkerEntrypoint):
        async def fetch(self) -> Response:
            return Response("default")

    class Admin(WorkerEntrypoint):
        async def fetch(self) -> Response:
            return Response("admin")

    module = worker()
    for cls in (Default, Admin):
        cls.__module__ = module.__name__
        setattr(module, cls.__name__, cls)
    answer = await asked(forward, {"OTHER": Service(module, entrypoint="Admin")})
    assert answer.text == "admin"
    answer = await asked(forward, {"OTHER": Service(module, entrypoint="default")})
    assert answer.text == "default"
    error = await result_of(
        lambda env: env.OTHER.fetch("http://x/"), {"OTHER": Service(module, entrypoint="Admn")}
    )
    assert str(error) == (
        'The worker "OTHER" has no entrypoint Admn; it has Admin, Default. Did you mean "Admin"?'
    )


async def test_what_the_other_worker_raises_is_an_oserror_with_its_message() -> None:
    async def other() -> Response:
        raise KeyError("their mistake")

    error = await result_of(
        lambda env: env.OTHER.fetch("http://x/"), {"OTHER": worker(fetch=other)}
    )
    assert isinstance(error, ServiceError)
    assert isinstance(error, OSError)
    assert str(error) == "'their mistake'"
    assert isinstance(error.__cause__, KeyError)


async def test_a_failure_is_told_where_it_was_and_with_the_request() -> None:
    async def last() -> Response:
        raise ValueError("their mistake")

    answer = await asked(
        forward, {"OTHER": worker(fetch=forward_to("LAST")), "LAST": worker(fetch=last)}
    )
    assert answer.status == 500
    (failed,) = answer.recorder.of("handler_failed")
    assert isinstance(failed.__cause__, ValueError)
    told = [(depth, record.failure) for depth, record in answer.recorder.of("call_finished")]
    line = last.__code__.co_firstlineno + 1
    assert told == [(1, None), (2, f"ValueError: their mistake (test_fetch.py:{line})")]


def forward_to(binding: str) -> Any:
    async def fetch(request: Request, env: Any) -> Any:
        return await getattr(env, binding).fetch(request)

    return fetch


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_what_would_stop_the_server_is_the_callers_error(error: BaseException) -> None:
    async def other() -> Response:
        raise error

    found = await result_of(
        lambda env: env.OTHER.fetch("http://x/"), {"OTHER": worker(fetch=other)}
    )
    assert isinstance(found, ServiceError)
    assert "on_fetch()" in str(found)


async def test_what_is_no_response() -> None:
    found = await result_of(
        lambda env: env.OTHER.fetch("http://x/"), {"OTHER": worker(fetch=lambda: None)}
    )
    assert "returned None, not a Response. Did you forget `return`?" in str(found)


async def test_a_worker_without_fetch() -> None:
    found = await result_of(
        lambda env: env.OTHER.fetch("http://x/"), {"OTHER": worker(connect=lambda socket: None)}
    )
    assert str(found) == errors.NO_FETCH_HANDLER


async def test_calls_make_a_tree_also_when_they_overlap() -> None:
    async def branch(request: Request, env: Any) -> Any:
        await asyncio.sleep(0)
        return await env.LEAF.fetch(request)

    async def leaf(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response("leaf")

    async def fetch(request: Request, env: Any) -> Response:
        await asyncio.gather(*[env.BRANCH.fetch(f"http://x/{number}?q") for number in range(2)])
        return Response("done")

    answer = await asked(fetch, {"BRANCH": worker(fetch=branch), "LEAF": worker(fetch=leaf)})
    assert answer.recorder.tree == [
        "BRANCH GET /0?q 200 OK",
        "  LEAF GET /0?q 200 OK",
        "BRANCH GET /1?q 200 OK",
        "  LEAF GET /1?q 200 OK",
    ]
    assert next(name for name, _ in answer.recorder.heard) == "event_finished"


async def test_wait_until_work_of_the_other_worker_is_the_requests() -> None:
    released = asyncio.Event()

    async def other(request: Request, env: Any, ctx: Any) -> Response:
        async def work() -> None:
            await released.wait()
            await env.LAST.fetch("http://x/late")

        ctx.wait_until(work())
        return Response("early")

    recorder = CallRecorder()
    services = {"OTHER": worker(fetch=other), "LAST": worker(fetch=lambda: Response("last"))}
    async with serve(worker(fetch=forward), services=services, observer=recorder) as server:
        async with connected(server) as client:
            client.get("/")
            assert (await client.response()).body == b"early"
        await recorder.wait_for("call_finished")
        assert recorder.tree == ["OTHER GET / 200 OK"]
        released.set()
        await recorder.wait_for("call_finished", 2)
        assert recorder.tree[1] == "  LAST GET /late 200 OK"


async def test_the_budget_of_subrequests_is_shared() -> None:
    async def other(request: Request, env: Any) -> Response:
        for _ in range(10):
            await env.LAST.fetch("http://x/")
        return Response("too far")

    answer = await asked(
        forward,
        {"OTHER": worker(fetch=other), "LAST": worker(fetch=lambda: Response("ok"))},
        limits=DEFAULT_LIMITS._replace(subrequests=4),
    )
    assert answer.status == 500
    assert len(answer.recorder.of("call_finished")) == 4
    assert answer.recorder.of("event_finished")[0].outcome is Outcome.EXCEEDED_SUBREQUESTS
    (failed,) = answer.recorder.of("handler_failed")
    assert isinstance(failed.__cause__, SubrequestError)


async def test_both_workers_stand_in_one_line_for_connections() -> None:
    async def first(request: Request, env: Any) -> Any:
        holder = connect(hole.address)
        answer = asyncio.ensure_future(env.OTHER.fetch("http://x/"))
        slots = require_current().slots
        await until(lambda: slots.waiting == 1, "the other worker's connection to wait")
        await asyncio.wait([answer], timeout=0.05)  # Shorter waits are not told of.
        await holder.close()
        return await answer

    async def other(request: Request) -> Response:
        await connect(peers.address).opened
        return Response("opened")

    async with PeerServer(lambda peer: None) as peers:
        with Blackhole() as hole:
            limits = DEFAULT_LIMITS._replace(connections=1)
            answer = await asked(first, {"OTHER": worker(fetch=other)}, limits=limits)
            assert answer.text == "opened"
            waits = answer.recorder.of("connection_waited")
            (holders,) = [holders for address, _, holders in waits if address == peers.address]
            assert [holder.partition(" ")[0] for holder in holders] == [hole.address]


async def test_a_chain_of_32_workers_is_the_longest() -> None:
    async def again(request: Request, env: Any) -> Any:
        left = int(request.url.rpartition("/")[2])
        return await env.AGAIN.fetch(f"http://x/{left - 1}") if left else Response("end")

    async def fetch(request: Request, env: Any) -> Any:
        shortest = await env.AGAIN.fetch("http://x/30")
        assert await shortest.text() == "end"
        return await env.AGAIN.fetch("http://x/31")

    answer = await asked(fetch, {"AGAIN": worker(fetch=again)})
    (failed,) = answer.recorder.of("handler_failed")
    assert str(failed) == errors.DEPTH_EXCEEDED
    assert isinstance(failed.__cause__, DepthError)
    assert max(depth for depth, _ in answer.recorder.of("call_finished")) == 31


async def test_a_handler_that_hangs_in_the_other_worker_is_found() -> None:
    async def other() -> Response:
        await asyncio.Event().wait()
        return Response("never")

    answer = await within(asked(forward, {"OTHER": worker(fetch=other)}))
    assert answer.recorder.of("event_finished")[0].outcome is Outcome.HUNG
    assert answer.recorder.tree == ["OTHER GET /front canceled"]


async def test_cpu_time_is_the_requests() -> None:
    async def other() -> Response:
        while True:
            pass

    async def fetch(request: Request, env: Any) -> Any:
        try:
            return await env.OTHER.fetch(request)
        except Exception:
            return Response("caught")

    answer = await within(
        asked(fetch, {"OTHER": worker(fetch=other)}, limits=DEFAULT_LIMITS._replace(cpu_ms=50))
    )
    assert answer.status == 503
    assert answer.recorder.of("event_finished")[0].outcome is Outcome.EXCEEDED_CPU


async def test_a_client_that_goes_cancels_the_other_workers_handler() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def other() -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response("never")

    recorder = CallRecorder()
    services = {"OTHER": worker(fetch=other)}
    async with serve(worker(fetch=forward), services=services, observer=recorder) as server:
        async with connected(server) as client:
            client.get("/")
            await within(begun.wait())
        await within(cancelled.wait())
        await recorder.wait_for("call_finished")
    assert recorder.tree == ["OTHER GET / canceled"]


async def test_a_service_can_be_called_in_a_request_only() -> None:
    kept: list[Any] = []

    async def fetch(request: Request, env: Any) -> Response:
        kept.append(env.OTHER)
        return Response("ok")

    await asked(fetch, {"OTHER": worker(fetch=lambda: Response("x"))})
    with pytest.raises(RuntimeError, match="Disallowed operation called within global scope"):
        await kept[0].fetch("http://x/")
    assert repr(kept[0]) == "<Fetcher OTHER to OTHER>"


async def test_a_service_can_not_be_called_in_a_thread() -> None:
    async def call(env: Any) -> Any:
        return await asyncio.to_thread(lambda: asyncio.run(env.OTHER.fetch("http://x/")))

    error = await result_of(call, {"OTHER": worker(fetch=lambda: Response("x"))})
    assert "works in the handler's own thread" in str(error)


async def test_an_aborted_signal() -> None:
    error = await result_of(
        lambda env: env.OTHER.fetch("http://x/", signal=AbortSignal.abort()),
        {"OTHER": worker(fetch=lambda: Response("x"))},
    )
    assert type(error).__name__ == "AbortError"
