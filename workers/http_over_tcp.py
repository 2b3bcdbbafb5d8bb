"""HTTP without fetch(): one GET written and parsed by hand over TCP or TLS.

    curl http://localhost:8787/any/path?and=query

env: HTTP_SERVER = "example.com:443", HTTP_TLS = "on" or "off". The head is read and checked, then the body is passed on
as it arrives: its end is a length, the last chunk or the connection's. Source: RFC 9112.
"""

import asyncio
import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from asyncio_streams import SocketWriter, open_streams
from cloudflare.sockets import connect
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
STATUS_LINE = re.compile(r"HTTP/1\.[01] ([2-5]\d\d)(?: [^\0-\x08\x0a-\x1f]*)?")
FIELD_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0-\x08\x0a-\x1f]*?)[ \t]*")
# Between two neighbours only, and not for whoever comes after. Source: RFC 9110, section 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
PIECE_BYTES = 65_536


class MalformedError(Exception):
    """What came is no HTTP."""


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET the same path and query from the server at env.HTTP_SERVER."""
        if request.method != "GET":
            return Response("This worker sends GET only.\n", status=405, headers={"Allow": "GET"})
        url, server = urlsplit(request.url), self.env.HTTP_SERVER
        target = f"{url.path or '/'}?{url.query}".removesuffix("?")
        try:
            reader, writer = await open_streams(connect(server, secure_transport=self.env.HTTP_TLS))
        except OSError as error:
            return Response(f"{error}\n", status=502)
        head = (
            f"GET {target} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
        )
        writer.write(head.encode())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, fields = await read_head(reader)
            pieces = body(status, fields, reader)
        except TimeoutError:
            writer.close()
            return Response(f"No response within {PATIENCE_SECONDS} s.\n", status=504)
        except (OSError, MalformedError) as error:
            writer.close()
            return Response(f"The server's response can't be read: {error}\n", status=502)
        kept = [(name, value) for name, value in fields if name.lower() not in HOP_BY_HOP]
        if pieces is None:
            writer.close()
            return Response(None, status=status, headers=kept)
        return Response(closing(pieces, writer), status=status, headers=kept)


async def read_head(reader: StreamReader) -> tuple[int, list[tuple[str, str]]]:
    """Return status and header fields. Raises MalformedError."""
    lines = ["HTTP/1.1 1"]
    while lines[0].startswith("HTTP/1.1 1"):  # Interim: the response is still to come.
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        except IncompleteReadError:
            raise MalformedError("it ends within its head") from None
        except LimitOverrunError:
            raise MalformedError("its head is too long") from None
    status = STATUS_LINE.fullmatch(lines[0])
    if status is None:
        raise MalformedError(f"it begins with {lines[0][:60]!r}")
    fields = []
    for line in lines[1:]:
        field = FIELD_LINE.fullmatch(line)
        if field is None:
            raise MalformedError(f"{line[:60]!r} is no header field")
        fields.append((field[1], field[2]))
    return int(status[1]), fields


def body(
    status: int, fields: list[tuple[str, str]], reader: StreamReader
) -> AsyncIterator[bytes] | None:
    """Return the body in pieces, None where there is none. Source: RFC 9112, section 6.3."""
    encodings = [value.lower() for name, value in fields if name.lower() == "transfer-encoding"]
    lengths = {value for name, value in fields if name.lower() == "content-length"}
    if status in (204, 205, 304):
        return None
    if encodings:
        if encodings != ["chunked"] or lengths:
            raise MalformedError("nobody can tell where its body ends")
        return chunked(reader)
    if not lengths:
        return until_end(reader)
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        raise MalformedError("its Content-Length is no length")
    return counted(reader, int(length))


async def closing(pieces: AsyncIterator[bytes], writer: SocketWriter) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    finally:
        writer.close()


async def counted(reader: StreamReader, count: int) -> AsyncIterator[bytes]:
    while count:
        piece = await reader.read(min(count, PIECE_BYTES))
        if not piece:
            raise MalformedError(f"the body ends {count} bytes early")
        count -= len(piece)
        yield piece


async def chunked(reader: StreamReader) -> AsyncIterator[bytes]:
    while True:
        size = re.match(rb"([0-9a-fA-F]{1,15})[ \t;\r]", await reader.readuntil(b"\r\n"))
        if size is None:
            raise MalformedError("a chunk begins without its size")
        if not int(size[1], 16):
            return  # Trailers may follow; nobody asks for them.
        async for piece in counted(reader, int(size[1], 16)):
            yield piece
        if await reader.readexactly(2) != b"\r\n":
            raise MalformedError("a chunk is longer than its size")


async def until_end(reader: StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(PIECE_BYTES):
        yield piece
