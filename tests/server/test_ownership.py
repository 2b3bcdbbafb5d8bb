"""I/O objects belong to one request: each operation, from another request, from one that is over, from a thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from emulator.config.limits import Limits
from emulator.errors import OwnershipError
from emulator.http import Request, Response
from emulator.sockets import connect
from emulator.streams import ReadableStream, TransformStream, WritableStream
from tests.server.serving import connected, serving
from tests.support.peers import PeerServer
from tests.support.waiting import within

Objects = dict[str, Any]
Operation = Callable[[Objects], object]

OPERATIONS: dict[str, Operation] = {
    "socket.opened": lambda of: of["socket"].opened,
    "socket.closed": lambda of: of["socket"].closed,
    "socket.close()": lambda of: of["socket"].close(),
    "socket.start_tls()": lambda of: of["socket"].start_tls(),
    "readable.get_reader()": lambda of: of["other"].readable.get_reader(),
    "readable.cancel()": lambda of: of["other"].readable.cancel(),
    "readable.tee()": lambda of: of["other"].readable.tee(),
    "readable.pipe_to()": lambda of: of["other"].readable.pipe_to(of["sink_stream"]),
    "writable.get_writer()": lambda of: of["other"].writable.get_writer(),
    "writable.close()": lambda of: of["other"].writable.close(),
    "writable.abort()": lambda of: of["other"].writable.abort(),
    "reader.read()": lambda of: of["reader"].read(),
    "reader.cancel()": lambda of: of["reader"].cancel(),
    "reader.release_lock()": lambda of: of["reader"].release_lock(),
    "writer.write()": lambda of: of["writer"].write(b"x"),
    "writer.close()": lambda of: of["writer"].close(),
    "writer.abort()": lambda of: of["writer"].abort(),
    "request.text()": lambda of: of["request"].text(),
    "request.body": lambda of: of["request"].body.get_reader(),
    "request.clone()": lambda of: of["request"].clone(),
    "response.text()": lambda of: of["response"].text(),
    "response.clone()": lambda of: of["response"].clone(),
    "Response(its stream)": lambda of: Response(of["response"].body),
    "readable controller": lambda of: of["source"].enqueue(b"x"),
    "writable controller": lambda of: of["sink"].error(ValueError()),
    "transform controller": lambda of: of["transformer"].enqueue(b"x"),
}
MESSAGE = re.compile(
    r"Cannot perform I/O on behalf of a different request\. I/O objects \(such as streams, "
    r"request/response bodies, and others\) created in the context of one request handler cannot be "
    r"accessed from a different request's handler\. This is a limitation of Cloudflare Workers which "
    r"allows us to improve overall performance\. \(I/O type: \w+\) It was made at "
    r"(?P<place>\S+\.py:\d+|the server, for POST \S+)\."
    r"(?P<thread> It was used in the thread \S+; it works in the handler's own\. Give a thread plain data\.)?"
)


async def objects_of(request: Request, address: str) -> Objects:
    """Return one of each kind of I/O object, made by the running request."""
    made: Objects = {"request": request}
    made["socket"], made["other"] = connect(address, secure_transport="starttls"), connect(address)
    made["reader"] = made["socket"].readable.get_reader()
    made["writer"] = made["socket"].writable.get_writer()
    made["stream"] = ReadableStream({"start": lambda c: made.update(source=c)})
    made["sink_stream"] = WritableStream({"start": lambda c: made.update(sink=c)})
    made["transform"] = TransformStream({"start": lambda c: made.update(transformer=c)})
    made["response"] = Response(connect(address).readable)
    await made["socket"].opened
    await made["other"].opened
    return made


async def outcome_of(operation: Operation, objects: Objects) -> BaseException | None:
    """Do it; return what it raises, at once or when it is awaited."""
    try:
        result = operation(objects)
        if isinstance(result, Awaitable):
            await within(result, 2)
    except BaseException as error:
        return error
    return None


def check(error: BaseException | None, *, in_thread: bool = False) -> None:
    """It is the platform's message, with where the object was made, and the thread if that was the matter."""
    assert isinstance(error, OwnershipError), repr(error)
    match = MESSAGE.fullmatch(str(error))
    assert match is not None, str(error)
    assert bool(match["thread"]) == in_thread


@pytest.fixture(params=list(OPERATIONS))
def operation(request: pytest.FixtureRequest) -> Operation:
    """Each of them in turn."""
    return OPERATIONS[request.param]


async def test_another_request_may_not(operation: Operation) -> None:
    kept: list[Objects] = []
    release = asyncio.Event()
    held = asyncio.Event()

    async def fetch(request: Request) -> Response:
        if request.method == "POST":
            kept.append(await objects_of(request, peers.address))
            held.set()
            await release.wait()
            return Response("kept")
        failures.append(await outcome_of(operation, kept[0]))
        return Response("tried")

    failures: list[BaseException | None] = []
    async with (
        PeerServer() as peers,
        serving(fetch) as server,
        connected(server) as keeper,
        connected(server) as other,
    ):
        keeper.get("/", "Content-Length: 3", method="POST")
        await within(held.wait())
        other.get("/")
        assert (await other.response()).body == b"tried"
        release.set()
        keeper.send(b"abc")
        assert (await keeper.response()).body == b"kept"
    check(failures[0])


async def test_a_background_task_may_not_when_its_request_is_over(operation: Operation) -> None:
    failures: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def work(objects: Objects) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await failures.put(attempted(operation, objects))

    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        ctx.wait_until(work(await objects_of(request, peers.address)))
        return Response("over")

    limits = Limits(wait_until_seconds=0.02)
    async with (
        PeerServer() as peers,
        serving(fetch, limits=limits) as server,
        connected(server) as client,
    ):
        client.get("/", "Content-Length: 3", method="POST")
        client.send(b"abc")
        assert (await client.response()).body == b"over"
        check(await within(failures.get()))


def attempted(operation: Operation, objects: Objects) -> BaseException | None:
    """Do it up to the first await; return what that raises."""
    try:
        result = operation(objects)
        if asyncio.iscoroutine(result):
            result.send(None)
    except BaseException as error:
        return error
    return getattr(result, "error", None)


async def test_a_thread_may_not(operation: Operation) -> None:
    failures: list[BaseException | None] = []

    async def fetch(request: Request) -> Response:
        objects = await objects_of(request, peers.address)
        failures.append(await asyncio.to_thread(attempted, operation, objects))
        return Response("tried")

    async with PeerServer() as peers, serving(fetch) as server, connected(server) as client:
        client.get("/", "Content-Length: 3", method="POST")
        client.send(b"abc")
        assert (await client.response()).body == b"tried"
    check(failures[0], in_thread=True)


async def test_a_thread_may_not_connect() -> None:
    async def fetch(request: Request) -> Response:
        with pytest.raises(RuntimeError) as caught:
            await asyncio.to_thread(connect, "db.example:5432")
        return Response(str(caught.value))

    async with serving(fetch) as server, connected(server) as client:
        client.get("/")
        assert re.fullmatch(
            r"connect\(\) works in the handler's own thread, this is \S+\. Give a thread plain data\.",
            (await client.response()).body.decode(),
        )


async def test_the_request_itself_may_from_any_of_its_tasks() -> None:
    async def fetch(request: Request) -> Response:
        objects = await objects_of(request, peers.address)
        error = await asyncio.create_task(outcome_of(OPERATIONS["writer.write()"], objects))
        return Response(repr(error))

    async with PeerServer() as peers, serving(fetch) as server, connected(server) as client:
        client.get("/")
        assert (await client.response()).body == b"None"
