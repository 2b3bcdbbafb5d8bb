"""FTP over HTTP: files come through as they arrive, folders as the server lists them.

    curl http://localhost:8787/                  # what is in the login folder
    curl http://localhost:8787/pub/              # what is in another: a slash at its end
    curl -O http://localhost:8787/pub/file.iso

env: FTP = "localhost:21", FTP_USER ("anonymous"), FTP_PASSWORD (a secret; FTP sends it in the clear). Two sockets at
once: commands and replies on one, the file on the other. Source: RFC 959, and RFC 2428 for EPSV.
"""

import asyncio
import contextlib
import re
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from asyncio_streams import SocketWriter, open_streams
from cloudflare.sockets import Socket, connect
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
REPLY_LIMIT_LINES = 100


class FtpError(Exception):
    """The server said no to `step`, which never tells what was sent: it may be a password."""

    def __init__(self, step: str, code: int, text: str) -> None:
        super().__init__(f"{step}: {code} {text}")
        self.status = 404 if code == 550 else 503 if 400 <= code < 500 else 502


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /path: the file; GET /path/: the folder."""
        path = unquote_to_bytes(urlsplit(request.url).path[1:])
        if any(byte < 0x20 or byte in b"\x7f\xff" for byte in path):
            return Response("A path is one line without control characters.\n", status=400)
        begun: asyncio.Future[tuple[Socket, dict[str, str]]] = asyncio.Future()
        # It hears how the transfer went even if the client leaves: that ends what the handler has begun, not this.
        self.ctx.wait_until(transfer(self.env, path, begun))
        try:
            data, headers = await begun
        except FtpError as error:
            return Response(f"The FTP server refuses {error}\n", status=error.status)
        except (EOFError, ValueError):  # StreamReader: a line that does not end.
            return Response("The FTP server broke off in the middle of a reply.\n", status=502)
        except TimeoutError:
            return Response(f"No answer within {PATIENCE_SECONDS} s.\n", status=504)
        except OSError as error:
            return Response(f"{error}\n", status=502)
        return Response(data.readable, headers=headers)


async def transfer(
    env: Any, path: bytes, begun: "asyncio.Future[tuple[Socket, dict[str, str]]]"
) -> None:
    """Have the server send what is at `path`: say in `begun` where it comes, and see it through."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            session, data, headers = await begin(env, path)
    except Exception as error:
        if not begun.cancelled():
            begun.set_exception(error)
        return
    if begun.cancelled():  # The client left before there was anything to give it.
        session.close()
        return
    begun.set_result((data, headers))
    await session.finish(data)


async def begin(env: Any, path: bytes) -> tuple["Session", Socket, dict[str, str]]:
    """Have the server send what is at `path`; return where it comes, and the headers it comes with."""
    session = Session(*await open_streams(connect(env.FTP)))
    try:
        await session.log_in(env.FTP_USER, env.FTP_PASSWORD)
        # Whatever host the server names: it may not send us elsewhere.
        host = env.FTP.rpartition(":")[0]
        if path.endswith(b"/") or not path:
            if path:
                await session.ask("CWD", path[:-1] or b"/", 250)
            data, headers = await session.open_data(host), {"Content-Type": "text/plain"}
            await session.ask("LIST", b"", 125, 150)
        else:
            headers = {"Content-Type": "application/octet-stream"}
            with contextlib.suppress(FtpError):  # A server may not know SIZE, or not tell.
                headers["Content-Length"] = str(int((await session.ask("SIZE", path, 213))[1]))
            data = await session.open_data(host)
            await session.ask("RETR", path, 125, 150)
    except BaseException:
        session.close()
        raise
    return session, data, headers


class Session:
    """The control connection: one command after another, a reply to each."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, command: str, argument: bytes, *expected: int) -> tuple[int, str]:
        """Send a command, unless it is empty; return the reply. Raises FtpError when that is not as expected."""
        if command:
            self.writer.write(b" ".join(filter(None, (command.encode(), argument))) + b"\r\n")
        lines: list[str] = []
        while not lines or not re.match(rf"{lines[0][:3]}( |$)", lines[-1]):
            line = await self.reader.readline()
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if not line.endswith(b"\n") or not re.match("[1-5][0-9]{2}", lines[0]):
                raise EOFError
            if len(lines) > REPLY_LIMIT_LINES:
                raise EOFError
        code, text = int(lines[0][:3]), lines[-1][4:]
        if code not in expected:
            raise FtpError(command or "the session", code, text)
        return code, text

    async def log_in(self, user: str, password: str) -> None:
        await self.ask("", b"", 220)
        code, _ = await self.ask("USER", user.encode(), 230, 331)
        if code == 331:
            await self.ask("PASS", password.encode(), 202, 230)
        await self.ask("TYPE", b"I", 200)

    async def open_data(self, host: str) -> Socket:
        """Return an open socket for what the next command sends."""
        try:
            _, text = await self.ask("EPSV", b"", 229)
            found = re.search(r"\(\|\|\|(\d{1,5})\|\)", text)
            port = int(found[1]) if found else None
        except FtpError:
            _, text = await self.ask("PASV", b"", 227)
            found = re.search(r"\d+,\d+,\d+,\d+,(\d{1,3}),(\d{1,3})", text)
            port = int(found[1]) * 256 + int(found[2]) if found else None
        if port is None:
            raise ConnectionError("The FTP server names no port for its data.")
        data = connect(f"{host}:{port}")
        await data.opened
        # Data comes one way. With our side ended, the connection ends when reading does, early or not.
        data.writable.close()
        return data

    async def finish(self, data: Socket) -> None:
        """Hear how the transfer on `data` went, once it is over."""
        try:
            with contextlib.suppress(OSError):
                await data.closed
            await self.ask("", b"", 226, 250)
        except (FtpError, EOFError, OSError) as error:
            print(f"FTP: the transfer did not end well. {error}")
        self.close()

    def close(self) -> None:
        self.writer.write(b"QUIT\r\n")
        self.writer.close()
