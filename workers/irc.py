"""Chat: say something in an IRC channel, or listen to one as server-sent events until you go.

    # env: IRC = "irc.example.com:6697", IRC_TLS = "on" (the default) or "off", IRC_NICK, IRC_PASSWORD if it wants one
    curl -N http://localhost:8787/python                 # listen to #python
    curl http://localhost:8787/python -d 'Good morning'  # say something there, a line at a time

The protocol is RFC 2812. A nick that is in use gets a number at its end.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from asyncio_streams import SocketWriter, open_streams
from cloudflare.sockets import connect
from workers import Request, Response, WorkerEntrypoint

PATIENCE_SECONDS = 30
NICKS_LIMIT = 5
LINES_LIMIT, LINE_LIMIT_BYTES = 20, 400  # A message has 512 bytes, of which the server needs some.
CHANNEL = re.compile(r"[^\x00-\x20\x7f,:]{1,49}")
SHOWN = {"PRIVMSG", "NOTICE", "JOIN", "PART", "KICK", "TOPIC", "QUIT"}
CLOSED_TO_US = {
    "403",
    "404",
    "471",
    "473",
    "474",
    "475",
    "476",
}  # No such channel, full, invited only, banned, ...


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET /CHANNEL: listen to it. POST /CHANNEL: say there what the body has."""
        name, said = unquote(urlsplit(request.url).path[1:]), (await request.text()).splitlines()
        said = [line for line in said if line.strip()]
        if not CHANNEL.fullmatch(name):
            return Response("A channel has 1 to 49 characters, no space, comma or colon.\n", 400)
        if request.method not in ("GET", "POST") or (request.method == "POST") != bool(said):
            return Response("GET to listen, POST what to say.\n", 405)
        if len(said) > LINES_LIMIT or not all(map(sayable, said)):
            return Response(
                f"{LINES_LIMIT} lines of {LINE_LIMIT_BYTES} bytes at most, no NUL.\n", 400
            )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as visit:
                transport = getattr(self.env, "IRC_TLS", "on")
                irc = Irc(*await open_streams(connect(self.env.IRC, secure_transport=transport)))
                visit.callback(irc.leave)
                await irc.register(self.env.IRC_NICK, getattr(self.env, "IRC_PASSWORD", None))
                await irc.join(f"#{name}")
                if said:
                    await irc.say(f"#{name}", said)
                    return Response(f"Said in #{name} as {irc.nick}.\n")
                visit.pop_all()  # It goes on.
        except IrcError as error:
            return Response(f"{error}\n", 403 if str(error)[:3] in CLOSED_TO_US else 502)
        except (EOFError, ValueError):  # ValueError is the StreamReader's: the line is too long.
            return Response("The IRC server broke off in the middle of a line.\n", 502)
        except OSError as error:
            return Response(f"{str(error) or 'No answer in time.'}\n", 502)
        gone = asyncio.Event()
        self.ctx.wait_until(irc.leave_after(gone))
        return Response(irc.events(f"#{name}", gone), headers={"Content-Type": "text/event-stream"})


class IrcError(Exception):
    """The server refused something: the number and the words it did it with."""


class Message(NamedTuple):
    """What the server sent: the nick it is from (or a server's name), a command or number, and parameters."""

    sender: str
    command: str
    parameters: list[str]


class Irc:
    """One visit to a server, as `nick`."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self._reader, self._writer = reader, writer
        self.nick = ""

    async def register(self, nick: str, password: str | None) -> None:
        if password is not None:
            self._send(f"PASS {password}")
        self._send(f"NICK {nick}")
        self._send(f"USER {nick} 0 * :{nick}")
        for number in range(NICKS_LIMIT):
            answer = await self._expect("001", "433")
            if answer.command == "001":
                self.nick = answer.parameters[0] if answer.parameters else nick
                return
            self._send(f"NICK {nick[:8]}{number}")
        raise IrcError(f"433 {nick} is in use, and so are its likes")

    async def join(self, channel: str) -> None:
        self._send(f"JOIN {channel}")
        await self._expect("366")  # The end of who is there.

    async def say(self, channel: str, lines: list[str]) -> None:
        for line in lines:
            self._send(f"PRIVMSG {channel} :{line}")
        self._send("PING :said")  # A refusal comes before the answer to this.
        await self._expect("PONG")

    async def events(self, channel: str, gone: asyncio.Event) -> AsyncIterator[bytes]:
        """Give what happens in `channel` as server-sent events; `gone` is set when nobody listens any more."""
        try:
            yield f": listening as {self.nick}\n\n".encode()
            while True:
                sender, command, parameters = await self._receive()
                text = " ".join(word for word in parameters if word.lower() != channel.lower())
                if command in SHOWN and (command == "QUIT" or text != " ".join(parameters)):
                    data = json.dumps({"from": sender, "text": text})
                    yield f"event: {command.lower()}\ndata: {data}\n\n".encode()
        finally:
            gone.set()

    async def leave_after(self, gone: asyncio.Event) -> None:
        await gone.wait()
        self.leave()

    def leave(self) -> None:
        self._send("QUIT :Bye")
        self._writer.close()

    def _send(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    async def _expect(self, *commands: str) -> Message:
        """Return the next message that is one of `commands`. Raises IrcError for an error; 422 is none."""
        while (message := await self._receive()).command not in commands:
            if "400" <= message.command <= "599" and message.command != "422":
                raise IrcError(f"{message.command} {' '.join(message.parameters[1:])}")
        return message

    async def _receive(self) -> Message:
        """Return the next message that is no PING: that is answered."""
        while (line := await self._reader.readline()).endswith(b"\n"):
            head, colon, last = line.decode("utf-8", "replace").rstrip("\r\n").partition(" :")
            words = head.split()
            sender = words.pop(0)[1:].split("!")[0] if head.startswith(":") else ""
            command, *parameters = [*words, *([last] if colon else [])] or [""]
            if command == "ERROR":
                raise IrcError(f"ERROR {' '.join(parameters)}")
            if command != "PING":
                return Message(sender, command.upper(), parameters)
            self._send(f"PONG :{' '.join(parameters)}")
        raise EOFError


def sayable(line: str) -> bool:
    return len(line.encode()) <= LINE_LIMIT_BYTES and "\0" not in line
