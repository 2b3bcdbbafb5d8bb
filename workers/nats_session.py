"""The client protocol of NATS for nats.py: lines of words, and messages whose lines say how long they are.

A sibling module: deploy it beside the worker.
"""

import asyncio
import json
import secrets
from typing import NamedTuple

from asyncio_streams import SocketWriter

NO_LISTENER = b"NATS/1.0 503"


class ProtocolError(Exception):
    """What came is not NATS, or is the server's word that something is wrong."""


class Forbidden(Exception):
    """The server does not let this user publish there, or listen there."""


class Message(NamedTuple):
    """What somebody published; `headers` is empty unless there are any."""

    subject: str
    headers: bytes
    content: bytes


class Session:
    """One connection: a login, subscriptions, messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self.reader, self.writer = reader, writer
        self.message_limit_bytes = 0
        self.early: list[Message] = []

    async def log_in(self, login: dict[str, str], *, clear: bool) -> None:
        """Answer the server's INFO, over TLS if it wants it or offers it; `clear` allows a login without."""
        line = await self.read_line()
        verb, _, text = line.partition(b" ")
        if verb.upper() != b"INFO":
            raise ProtocolError(f"Expected a NATS server's INFO, got {line[:20]!r}.")
        try:
            info = json.loads(text)
            self.message_limit_bytes = int(info["max_payload"])
        except (ValueError, TypeError, LookupError):
            raise ProtocolError("The server's INFO makes no sense.") from None
        tls = bool(info.get("tls_required") or info.get("tls_available"))
        if tls:
            await self.writer.start_tls()
        elif login and not clear:
            raise ProtocolError(
                "The server offers no TLS. NATS_TLS=off sends the login without it."
            )
        headers = bool(info.get("headers"))
        options = {"verbose": False, "pedantic": False, "tls_required": tls, "lang": "python"}
        options |= {"version": "1", "headers": headers, "no_responders": headers} | login
        self.send(f"CONNECT {json.dumps(options)}")
        await self.flush()

    def send(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")

    def subscribe(self, subject: str) -> None:
        self.send(f"SUB {subject} 1")

    def publish(self, subject: str, content: bytes, reply_to: str = "") -> None:
        self.send(f"PUB {subject} {reply_to} {len(content)}")
        self.writer.write(content + b"\r\n")

    async def request(self, subject: str, content: bytes) -> bytes | None:
        """Publish a message and return the first reply, or None if nobody listens."""
        inbox = f"_INBOX.{secrets.token_hex(11)}"
        self.subscribe(inbox)
        self.publish(subject, content, inbox)
        reply = await self.receive()
        return None if reply.headers.startswith(NO_LISTENER) else reply.content

    async def flush(self) -> None:
        """Wait until the server has taken what was sent. Raises Forbidden and ProtocolError if it won't."""
        self.send("PING")
        while (message := await self.read()) is not None:
            self.early.append(message)

    async def receive(self) -> Message:
        """Return the next message."""
        if self.early:
            return self.early.pop(0)
        while (message := await self.read()) is None:
            pass
        return message

    async def read(self) -> Message | None:
        """Return the next message, or None for the answer to a PING of ours."""
        while True:
            line = await self.read_line()
            verb, _, rest = line.partition(b" ")
            match verb.upper():
                case b"MSG" | b"HMSG" as kind:
                    return await self.read_message(rest, has_headers=kind == b"HMSG")
                case b"PONG":
                    return None
                case b"PING":
                    self.send("PONG")
                case b"-ERR":
                    said = rest.decode("utf-8", "replace").strip("'")
                    if said.startswith("Permissions Violation"):
                        raise Forbidden(f"{said}.")
                    raise ProtocolError(f"The server says: {said}.")
                case b"INFO" | b"+OK":
                    pass
                case _:
                    raise ProtocolError(f"Expected a message from NATS, got {line[:20]!r}.")

    async def read_message(self, line: bytes, *, has_headers: bool) -> Message:
        """Read what follows the line: subject, our number, where to reply if anywhere, lengths."""
        words = line.decode("utf-8", "replace").split()
        try:
            subject, total = words[0], int(words[-1])
            head = int(words[-2]) if has_headers else 0
            content = await self.reader.readexactly(total + 2)
        except (LookupError, ValueError):
            raise ProtocolError(f"Expected a message from NATS, got {line[:20]!r}.") from None
        return Message(subject, content[:head], content[head:total])

    async def read_line(self) -> bytes:
        try:
            return (await self.reader.readuntil(b"\r\n"))[:-2]
        except asyncio.LimitOverrunError:
            raise ProtocolError("The server sent a line without an end.") from None
