"""A session with PostgreSQL over connect(): TLS, log-in by SCRAM-SHA-256, one statement after another.

    session = await Session.open(connect(env.POSTGRES, secure_transport="starttls"), user, password, database)
    async for row in session.run("select $1::int + 1 as n", ["41"]):
        ...  # {"n": 42}
    session.close()

Copy it beside your worker, with asyncio_streams.py and scram.py. Source: PostgreSQL's frontend/backend protocol 3.0.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable

from asyncio_streams import SocketWriter, open_streams
from cloudflare.sockets import Socket
from scram import ScramClient, ScramState

PATIENCE_SECONDS = 30
SSL_REQUEST = struct.pack("!II", 8, 80877103)
PROTOCOL = struct.pack("!I", 196608)
# Values come as text. Those of these types (pg_type.oid) are JSON's own; the others stay text.
FROM_TEXT: dict[int, Callable[[str], object]] = {16: "t".__eq__, 114: json.loads, 3802: json.loads}
FROM_TEXT.update(dict.fromkeys((20, 21, 23, 26), int))


class StatementError(Exception):
    """The server refuses a statement: the message is "SQLSTATE: why"."""


class LoginError(ConnectionError):
    """The server refuses to log in; `told` is what it says, which names the user."""

    def __init__(self, told: str) -> None:
        super().__init__(f"The database refuses to log this worker in ({told[:5]}).")
        self.told = told


class Session:
    """A connection that is logged in: made by `Session.open`."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, socket: Socket, user: str, password: str, database: str) -> Session:
        """Log in over `socket`. Raises OSError; LoginError when it is the server that refuses."""
        reader, writer = await open_streams(socket)
        session = cls(reader, writer)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                writer.write(SSL_REQUEST)
                if await session._take(1) != b"S":
                    raise ConnectionError("The database does not speak TLS.")
                await writer.start_tls()
                await session._log_in(user, password, database)
        except TimeoutError:
            session.close()
            told = f"The database does not let anybody in within {PATIENCE_SECONDS} s."
            raise ConnectionError(told) from None
        except BaseException:
            session.close()
            raise
        return session

    async def run(self, statement: str, values: list[str]) -> AsyncIterator[dict[str, object]]:
        """Yield its rows as they come; {"done": "INSERT 0 1"} for a statement that has none.

        `values` are those of $1, $2, ... as text. Raises StatementError.
        """
        encoded = [value.encode() for value in values]
        parameters = b"".join(struct.pack("!I", len(value)) + value for value in encoded)
        self._send(b"P", b"\0" + statement.encode() + b"\0\0\0")  # Parse
        self._send(b"B", b"\0\0\0\0" + struct.pack("!H", len(values)) + parameters + b"\0\0")
        self._send(b"D", b"P\0")  # Describe what was bound
        self._send(b"E", b"\0\0\0\0\0")  # Execute
        self._send(b"S", b"")  # Sync
        columns: list[tuple[str, int]] = []
        while True:
            kind, body = await self._receive()
            if kind == b"D":
                yield _row(columns, body)
            elif kind == b"T":
                columns = _columns(body)
            elif kind == b"C" and not columns:
                yield {"done": body.rstrip(b"\0").decode()}
            elif kind == b"E":
                raise StatementError(_told(body))
            elif kind in b"GHW":
                raise StatementError("0A000: COPY is not spoken here. Use SELECT or INSERT.")
            elif kind == b"Z":  # ReadyForQuery
                return

    def close(self) -> None:
        """Say good-bye and close."""
        self._send(b"X", b"")
        self._writer.close()

    async def _log_in(self, user: str, password: str, database: str) -> None:
        settings = ("user", user, "database", database, "client_encoding", "UTF8", "")
        self._send(b"", PROTOCOL + "\0".join(settings).encode() + b"\0")
        scram = ScramClient("", password)
        while True:
            kind, body = await self._receive()
            if kind == b"E":
                raise LoginError(_told(body))
            if kind == b"Z":
                return
            if kind != b"R":
                continue  # What the server tells of itself.
            (step,) = struct.unpack_from("!I", body)
            if step == 10 and b"SCRAM-SHA-256" in body[4:].split(b"\0"):
                length = struct.pack("!I", len(scram.first))
                self._send(b"p", b"SCRAM-SHA-256\0" + length + scram.first)
            elif step == 11:
                self._send(b"p", scram.final(body[4:]))
            elif step == 12:
                scram.verify(body[4:])
            elif step != 0 or scram.state is not ScramState.VERIFIED:
                raise ConnectionError("The database does not log in by SCRAM-SHA-256.")

    def _send(self, kind: bytes, body: bytes) -> None:
        self._writer.write(kind + struct.pack("!I", len(body) + 4) + body)

    async def _receive(self) -> tuple[bytes, bytes]:
        kind, size = struct.unpack("!cI", await self._take(5))
        return kind, await self._take(size - 4)

    async def _take(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError:
            raise ConnectionError("The database closed the connection.") from None


def _told(body: bytes) -> str:
    fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in body.split(b"\0")}
    return f"{fields[b'C']}: {fields[b'M']}"


def _columns(body: bytes) -> list[tuple[str, int]]:
    """Return name and type of each column. Raises StatementError when two have one name: a dict would lose one."""
    columns: list[tuple[str, int]] = []
    at = 2
    while at < len(body):
        end = body.index(b"\0", at)
        (kind,) = struct.unpack_from("!I", body, end + 7)
        columns.append((body[at:end].decode(), kind))
        at = end + 19
    names = [name for name, _ in columns]
    for name in names:
        if names.count(name) > 1:
            raise StatementError(f"42701: two columns are called {name}: rename one with AS")
    return columns


def _row(columns: list[tuple[str, int]], body: bytes) -> dict[str, object]:
    row: dict[str, object] = {}
    at = 2
    for name, kind in columns:
        (size,) = struct.unpack_from("!i", body, at)  # -1 is NULL.
        at += 4
        value = body[at : at + size].decode() if size >= 0 else None
        row[name] = None if value is None else FROM_TEXT.get(kind, str)(value)
        at += max(size, 0)
    return row
