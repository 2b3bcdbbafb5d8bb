"""What one request may spend and how large it may be, through HTTP: subrequests, wait_until's time, the body."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from typing import Any

import pytest

from emulator.config.limits import MIB, Limits
from emulator.context import Outcome, require_current
from emulator.errors import SubrequestError
from emulator.http import Request, Response
from emulator.sockets import connect
from tests.server.serving import Recorder, connected, serving
from tests.support.peers import Blackhole, PeerServer
from tests.support.waiting import within

TOO_MANY = "Too many subrequests by single Worker invocation."


@pytest.mark.parametrize("wrapped", ["bare", "a cause", "a group"])
async def test_too_many_subrequests(wrapped: str) -> None:
    recorder = Recorder()

    async def spend() -> None:
        for _ in range(3):
            await connect(peers.address).opened

    async def fetch(request: Request) -> Response:
        if wrapped == "bare":
            await spend()
        elif wrapped == "a cause":
            try:
                await spend()
            except SubrequestError as error:
                raise ValueError("a library's own words") from error
        async with asyncio.TaskGroup() as group:
            group.create_task(spend())
        return Response("not reached")

    async with (
        PeerServer() as peers,
        serving(fetch, observer=recorder, limits=Limits(subrequests=2)) as server,
        connected(server) as client,
    ):
        client.get("/")
        response = await client.response()
        assert response.status == 500
        assert TOO_MANY in response.body.decode()
        record = await recorder.wait_for("event_finished")
        assert record.outcome is Outcome.EXCEEDED_SUBREQUESTS
        assert record.traffic.sockets == 2


async def test_each_request_has_its_own_budget_and_may_live_with_less() -> None:
    recorder = Recorder()

    async def fetch(request: Request) -> Response:
        await connect(peers.address).opened
        try:
            connect(peers.address)
        except SubrequestError as error:
            return Response(str(error))
        return Response("no error")

    async with (
        PeerServer() as peers,
        serving(fetch, observer=recorder, limits=Limits(subrequests=1)) as server,
        connected(server) as client,
    ):
        for _ in range(2):
            client.get("/")
            assert (await client.response()).body.decode() == TOO_MANY
        await recorder.wait_for("event_finished", 2)
        assert {record.outcome for record in recorder.of("event_finished")} == {Outcome.OK}


async def test_the_order_of_the_checks() -> None:
    """Arguments, (global scope: test_connect.py), ownership, subrequests, slots."""
    said: list[str] = []

    def attempt(address: str) -> None:
        try:
            connect(address)
            said.append("connected")
        except Exception as error:
            said.append(str(error))

    async def fetch(request: Request) -> Response:
        kept.append(copy_context())
        attempt(hole.address)
        attempt(hole.address)  # The budget is spent, so there is no waiting for a slot.
        attempt("no port")  # Arguments come before the budget.
        assert require_current().slots.waiting == 0
        return Response("done")

    kept: list[Context] = []
    recorder = Recorder()
    limits = Limits(connections=1, subrequests=1)
    with Blackhole() as hole:
        async with (
            serving(fetch, limits=limits, observer=recorder) as server,
            connected(server) as client,
        ):
            client.get("/")
            response = await client.response()
            assert response.body == b"done", response.body.decode()
            await recorder.wait_for("event_finished")
            kept[0].run(attempt, "no port")  # Arguments come before ownership,
            kept[0].run(attempt, hole.address)  # which comes before the budget.
    unparsed = "Specified address could not be parsed."
    assert said[:4] == ["connected", TOO_MANY, unparsed, unparsed]
    assert said[4].startswith("Cannot perform I/O on behalf of a different request.")


async def test_wait_until_work_is_cancelled_in_time_and_named() -> None:
    recorder = Recorder()

    async def slow_report() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(slow_report())
        return Response("sent")

    cancelled = asyncio.Event()
    async with (
        serving(fetch, observer=recorder, limits=Limits(wait_until_seconds=0.05)) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"sent"
        error = await recorder.wait_for("background_failed")
        assert str(error) == (
            f"wait_until() work {slow_report.__qualname__} was still running 0.05 s after the response "
            "and was cancelled, as production does."
        )
        await within(cancelled.wait())


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_a_body_over_the_limit_is_refused_and_one_under_it_is_not(framing: str) -> None:
    async def fetch(request: Request) -> Response:
        return Response(str(len(await request.bytes())))

    def request_of(size: int) -> bytes:
        head = "POST / HTTP/1.1\r\nHost: test\r\n"
        if framing == "length":
            return f"{head}Content-Length: {size}\r\n\r\n".encode() + b"x" * size
        chunk = f"{size:x}\r\n".encode() + b"x" * size + b"\r\n0\r\n\r\n"
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk

    async with serving(fetch, limits=Limits(body_bytes=MIB)) as server:
        async with connected(server) as client:
            client.send(request_of(MIB))
            assert (await client.response()).body == str(MIB).encode()
        async with connected(server) as client:
            client.send(request_of(MIB + 1))
            response = await client.response()
            assert (response.status, response.reason) == (413, "Payload Too Large")
            assert response.body.decode() == (
                "The request's body is larger than 1 MB, the limit (limits.body_mb).\n"
            )
