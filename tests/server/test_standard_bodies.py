"""Bodies made of standard streams: a worker's own source, a TransformStream in the middle, iterables."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator import errors
from emulator.context import IoContext, current
from emulator.errors import AbortError
from emulator.http import Request, Response
from emulator.streams import (
    CompressionStream,
    Promise,
    ReadableStream,
    TextEncoderStream,
    TransformStream,
    WritableStream,
)
from tests.server.serving import Recorder, connected, serving
from tests.support.native import let_loop_run
from tests.support.waiting import until

PIECE = b"x" * 65_536
PIECES = 64


async def body_of(fetch: Any, payload: bytes = b"") -> bytes:
    """Return the body that a worker with this handler answers with."""
    async with serving(fetch) as server, connected(server) as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(payload) + payload
        )
        return bytes((await client.response()).body)


async def test_a_source_that_pushes() -> None:
    def start(controller: Any) -> None:
        for each in (b"one ", bytearray(b"two "), memoryview(b"three")):
            controller.enqueue(each)
        controller.close()

    assert await body_of(lambda: Response(ReadableStream({"start": start}))) == b"one two three"


async def test_a_source_that_is_pulled_as_the_client_takes() -> None:
    """Its pull runs inside its request, whoever made room."""
    homes: set[IoContext | None] = set()
    pulls = 0

    def pull(controller: Any) -> None:
        nonlocal pulls
        pulls += 1
        homes.add(current())
        controller.enqueue(PIECE)
        if pulls == PIECES:
            controller.close()

    async with (
        serving(lambda: Response(ReadableStream({"pull": pull}))) as server,
        connected(server) as client,
    ):
        client.get("/")
        await client.head()
        received = b""
        while data := await client.chunk():
            received += data
    assert received == PIECE * PIECES
    assert pulls == PIECES
    assert len(homes) == 1
    assert homes != {None}


async def test_a_client_that_does_not_read_holds_the_source() -> None:
    pulls = 0

    async def pull(controller: Any) -> None:
        nonlocal pulls
        pulls += 1
        await asyncio.sleep(0)
        controller.enqueue(PIECE * 16)

    async with (
        serving(lambda: Response(ReadableStream({"pull": pull}))) as server,
        connected(server) as client,
    ):
        client.get("/")
        seen = -1
        while seen != pulls:
            seen = pulls
            await let_loop_run(2_000)
        assert 0 < pulls < 100


async def test_a_byte_source() -> None:
    def pull(controller: Any) -> None:
        controller.enqueue(b"bytes")
        controller.close()

    source = {"type": "bytes", "pull": pull}
    assert await body_of(lambda: Response(ReadableStream(source))) == b"bytes"


async def test_iterables() -> None:
    async def numbers() -> AsyncIterator[bytes]:
        for each in range(3):
            await asyncio.sleep(0)
            yield b"%d " % each

    assert await body_of(lambda: Response(ReadableStream.from_(numbers()))) == b"0 1 2 "
    assert await body_of(lambda: Response(ReadableStream.from_([b"a", b"b"]))) == b"ab"


async def test_a_transform_in_the_middle_of_a_requests_body() -> None:
    def shout(chunk: bytes, controller: Any) -> None:
        controller.enqueue(bytes(chunk).upper())

    async def fetch(request: Request) -> Response:
        assert request.body is not None
        return Response(request.body.pipe_through(TransformStream({"transform": shout})))

    assert await body_of(fetch, b"hello " * 10_000) == b"HELLO " * 10_000


async def test_text_through_an_encoder_and_compression() -> None:
    def fetch() -> Response:
        text = ReadableStream.from_(["häl", "lo ", "😀"]).pipe_through(TextEncoderStream())
        return Response(text.pipe_through(CompressionStream("gzip")))

    assert zlib.decompress(await body_of(fetch), 31).decode() == "hällo 😀"


async def test_one_branch_of_a_tee() -> None:
    async def fetch(request: Request) -> Response:
        first, second = ReadableStream.from_([b"a", b"b"]).tee()
        return Response(b"%s, " % await Response(first).bytes() + await Response(second).bytes())

    assert await body_of(fetch) == b"ab, ab"


async def test_a_body_written_while_it_is_sent() -> None:
    async def fetch(request: Request, env: Any, ctx: Any) -> Response:
        pair = TransformStream()

        async def write() -> None:
            writer = pair.writable.get_writer()
            for each in (b"a", b"b", b"c"):
                await writer.write(each)
            await writer.close()

        ctx.wait_until(write())
        return Response(pair.readable)

    assert await body_of(fetch) == b"abc"


async def test_a_requests_body_piped_into_a_sink_of_the_workers_own() -> None:
    async def fetch(request: Request) -> Response:
        pieces: list[bytes] = []
        assert request.body is not None
        await request.body.pipe_to(WritableStream({"write": lambda chunk: pieces.append(chunk)}))
        return Response(b"".join(map(bytes, pieces))[::-1])

    assert await body_of(fetch, b"drawer") == b"reward"


async def test_an_error_mid_stream_cuts_the_response() -> None:
    error = ValueError("the source broke")
    recorder = Recorder()
    going: Promise[None] = Promise()

    async def pull(controller: Any) -> None:
        if going.settled:
            raise error
        controller.enqueue(b"begun")
        await going

    async with (
        serving(lambda: Response(ReadableStream({"pull": pull})), observer=recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.head()).status == 200
        assert await client.chunk() == b"begun"
        going.resolve(None)
        assert await recorder.wait_for("body_failed") is error
        assert await client.rest() == b""  # No last chunk: the client can tell.


@pytest.mark.parametrize(
    ("chunk", "kind", "hint"), [("text", "str", errors.ENCODE_HINT), (12, "int", "")]
)
async def test_a_chunk_that_is_not_bytes(chunk: object, kind: str, hint: str) -> None:
    recorder = Recorder()
    cancelled: list[object] = []
    source = {"start": lambda controller: controller.enqueue(chunk), "cancel": cancelled.append}
    async with (
        serving(lambda: Response(ReadableStream(source)), observer=recorder) as server,
        connected(server) as client,
    ):
        client.get("/")
        error = await recorder.wait_for("body_failed")
        assert type(error) is TypeError
        assert str(error) == errors.SOURCE_CHUNK_NOT_BYTES.format(type=kind, hint=hint)
        await client.rest()
    assert cancelled == [error]


async def test_a_client_that_goes_cancels_the_source() -> None:
    cancelled: list[object] = []
    source = {
        "pull": lambda controller: controller.enqueue(PIECE),
        "cancel": cancelled.append,
    }
    async with serving(lambda: Response(ReadableStream(source))) as server:
        async with connected(server) as client:
            client.get("/")
            await client.head()
        await until(lambda: bool(cancelled), "the source to be cancelled")
    assert len(cancelled) == 1


async def test_a_stream_left_unfinished_is_cancelled_when_its_request_is_over() -> None:
    reasons: list[object] = []
    recorder = Recorder()

    async def fetch() -> Response:
        left = ReadableStream.from_([b"a", b"b"])
        await left.get_reader().read()
        ReadableStream({"cancel": reasons.append})
        return Response("done")

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/")
        assert (await client.response()).body == b"done"
        await recorder.wait_for("event_finished")
    assert [type(reason) for reason in reasons] == [AbortError]
    assert str(reasons[0]) == errors.REQUEST_OVER


async def test_another_requests_stream_as_a_body() -> None:
    kept: list[ReadableStream] = []
    recorder = Recorder()

    def fetch() -> Response:
        kept.append(ReadableStream.from_([b"a"]))
        return Response(kept[0])

    async with serving(fetch, observer=recorder) as server, connected(server) as client:
        client.get("/")
        assert (await client.response()).body == b"a"
        client.get("/")
        assert (await client.response()).status == 500
        error = await recorder.wait_for("handler_failed")
        assert str(error).startswith("Cannot perform I/O on behalf of a different request.")
