"""Redis over HTTP: commands as one pipeline, channels as server-sent events. It takes Redis 6 or later.

    curl http://localhost:8787/ -d '[["SET", "greeting", "hello"], ["GET", "greeting"], ["INCR", "greeting"]]'
    ["OK", "hello", {"error": "ERR value is not an integer or out of range"}]
    curl -N 'http://localhost:8787/?channel=news&channel=sport'
    data: {"channel": "news", "message": "hello"}

Variables: REDIS ("host:port"), REDIS_PASSWORD if any, REDIS_USER if it isn't "default", REDIS_TLS="off" for a server
without TLS. Whoever reaches this worker may do what that user may. What is not UTF-8 comes as {"base64": "..."}.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

from asyncio_streams import SocketWriter, open_streams
from cloudflare.sockets import connect
from resp import ProtocolError, Push, Refusal, encoded, read_answer, read_value, shown
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
EVENT_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
# They change whether there is one answer to each command, or who is asking.
NOT_IN_A_PIPELINE = {"AUTH", "CLIENT", "HELLO", "MONITOR", "PSYNC", "QUIT", "RESET", "SYNC"}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """POST a JSON list of commands: their answers. GET ?channel=NAME: what is published there, as it comes."""
        channels = parse_qs(urlsplit(request.url).query).get("channel", [])
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if channels:
                    return Response(await self.subscribe(channels), headers=EVENT_STREAM)
                answers = await self.run(commands_in(await request.text()))
                body = json.dumps(answers, default=shown)
                return Response(body, headers={"Content-Type": "application/json"})
        except ValueError as error:
            return Response(
                f"POST a JSON list of commands, or GET ?channel=NAME. {error}\n", status=400
            )
        except Refusal as error:
            return Response.json({"error": str(error)}, status=400)
        except TimeoutError:
            return Response(f"No answer within {PATIENCE_SECONDS} seconds.\n", status=504)
        except asyncio.IncompleteReadError:
            reason = "The server closed the connection in the middle of the conversation."
        except (ProtocolError, OSError) as error:
            reason = str(error)
        return Response(f"{reason}\n", status=502)

    async def run(self, commands: list[list[str]]) -> list[object]:
        """Send all commands at once and return their answers, in order."""
        reader, writer = await self.open()
        try:
            writer.writelines(encoded(command) for command in commands)
            return [await read_answer(reader) for _ in commands]
        finally:
            writer.close()

    async def subscribe(self, channels: list[str]) -> AsyncIterator[bytes]:
        """Return the events of `channels`, once the server has them all; closing them closes the connection."""
        reader, writer = await self.open()
        try:
            writer.write(encoded(["SUBSCRIBE", *channels]))
            for _ in channels:
                if isinstance(confirmed := await read_value(reader), Refusal):
                    raise confirmed
        except BaseException:
            writer.close()
            raise
        return events(reader, writer)

    async def open(self) -> tuple[asyncio.StreamReader, SocketWriter]:
        """Connect, change to RESP3 and log in."""
        tls = getattr(self.env, "REDIS_TLS", "on") != "off"
        socket = connect(self.env.REDIS, secure_transport="on" if tls else "off")
        reader, writer = await open_streams(socket)
        hello = ["HELLO", "3"]
        if password := getattr(self.env, "REDIS_PASSWORD", ""):
            hello += ["AUTH", getattr(self.env, "REDIS_USER", "default"), password]
        try:
            writer.write(encoded(hello))
            if isinstance(refusal := await read_answer(reader), Refusal):
                code = str(refusal).partition(" ")[0]  # An old server would repeat the password.
                raise ProtocolError(f"The server refused the login: {code}.")
        except BaseException:
            writer.close()
            raise
        return reader, writer


async def events(reader: asyncio.StreamReader, writer: SocketWriter) -> AsyncIterator[bytes]:
    """Give each published message as an event, until the client or the server goes."""
    try:
        while True:
            pushed = await read_value(reader)
            if isinstance(pushed, Push) and pushed[0] == b"message":
                event = {"channel": pushed[1], "message": pushed[2]}
                yield f"data: {json.dumps(event, default=shown)}\n\n".encode()
    except (asyncio.IncompleteReadError, ProtocolError, OSError):
        yield b'event: lost\ndata: {"error": "The connection to the server is lost."}\n\n'
    finally:
        writer.close()


def commands_in(text: str) -> list[list[str]]:
    """Return the commands of a request. Raises ValueError that says what is wrong with them."""
    commands = json.loads(text)
    if not isinstance(commands, list) or not commands:
        raise ValueError('For example [["GET", "key"]].')
    for command in commands:
        if not isinstance(command, list) or not command:
            raise ValueError(f"{json.dumps(command)} is not a list of words.")
        if any(
            isinstance(word, bool) or not isinstance(word, str | int | float) for word in command
        ):
            raise ValueError(f"{json.dumps(command)} has words that are neither text nor numbers.")
        name = str(command[0]).upper()
        if name in NOT_IN_A_PIPELINE or name.endswith("SUBSCRIBE"):
            raise ValueError(f"{name} does not go into a pipeline.")
    return commands
