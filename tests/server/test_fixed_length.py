"""A Response of a FixedLengthStream: sent with that Content-Length, or broken off if the bytes are not so many."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from emulator.http import Request, Response
from emulator.server.embedded import serve
from emulator.streams import FixedLengthStream, Promise
from tests.server.serving import worker

Client = Any  # pytest-aiohttp's client, which its own type hides behind a protocol of fixtures.


def writing(length: int, *chunks: bytes) -> tuple[Response, list[Promise[None]]]:
    """Return a Response of a stream of `length` bytes that `chunks` and the end are written to, and those promises."""
    stream = FixedLengthStream(length)
    writer = stream.writable.get_writer()
    writes = [writer.write(chunk) for chunk in chunks]
    return Response(stream.readable), [*writes, writer.close()]


async def test_a_response_of_it_has_that_content_length(aiohttp_client: Client) -> None:
    client = await aiohttp_client(serve(worker(fetch=lambda: writing(6, b"abc", b"def")[0])))
    for _ in range(2):  # On one connection.
        async with client.get("/") as response:
            assert response.headers["Content-Length"] == "6"
            assert "Transfer-Encoding" not in response.headers
            assert await response.read() == b"abcdef"


async def test_a_head_request_is_answered_with_it_too(aiohttp_client: Client) -> None:
    client = await aiohttp_client(
        serve(worker(fetch=lambda: Response(FixedLengthStream(6).readable)))
    )
    async with client.head("/") as response:
        assert response.headers["Content-Length"] == "6"


async def test_what_the_worker_says_of_the_length_does_not_count(aiohttp_client: Client) -> None:
    def fetch() -> Response:
        stream = FixedLengthStream(3)
        writer = stream.writable.get_writer()
        writer.write(b"abc")
        writer.close()
        return Response(stream.readable, headers={"Content-Length": "7"})

    client = await aiohttp_client(serve(worker(fetch=fetch)))
    async with client.get("/") as response:
        assert response.headers["Content-Length"] == "3"
        assert await response.read() == b"abc"


@pytest.mark.parametrize("chunks", [(b"abc",), (b"abc", b"defg")], ids=["too few", "too many"])
async def test_another_number_of_bytes_breaks_the_response_off(
    aiohttp_client: Client, chunks: tuple[bytes, ...]
) -> None:
    begin = asyncio.Event()
    failures: list[TypeError] = []

    async def write(stream: FixedLengthStream) -> None:
        await begin.wait()
        writer = stream.writable.get_writer()
        try:
            for chunk in chunks:
                await writer.write(chunk)
            await writer.close()
        except TypeError as error:
            failures.append(error)

    def fetch(request: Request, env: object, ctx: Any) -> Response:
        stream = FixedLengthStream(6)
        ctx.wait_until(write(stream))
        return Response(stream.readable)

    client = await aiohttp_client(serve(worker(fetch=fetch)))
    async with client.get("/") as response:
        assert response.headers["Content-Length"] == "6"
        begin.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert ["FixedLengthStream" in str(error) for error in failures] == [True]


async def test_what_is_wrong_before_the_head_is_out_is_answered_with_an_error(
    aiohttp_client: Client,
) -> None:
    client = await aiohttp_client(serve(worker(fetch=lambda: writing(6, b"abc")[0])))
    async with client.get("/") as response:
        assert response.status == 500
        assert "did not see all expected bytes before close()" in await response.text()
