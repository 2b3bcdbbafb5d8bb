"""A conversation with an IRC server (RFC 2812): register, join, say, listen. irc.py uses it: copy both."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import NamedTuple

from asyncio_streams import SocketWriter

NICKS_LIMIT = 5
SHOWN = {"PRIVMSG", "NOTICE", "JOIN", "PART", "KICK", "TOPIC", "QUIT"}


class IrcError(Exception):
    """The server refused something: the number and the words it did it with."""


class Message(NamedTuple):
    """What the server sent: the nick it is from (or a server's name), a command or number, and parameters."""

    sender: str
    command: str
    parameters: list[str]


class IrcSession:
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
