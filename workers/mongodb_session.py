"""MongoDB's wire protocol for mongodb.py: commands as OP_MSG, logins by SCRAM-SHA-256; deploy it beside the worker.

With asyncio_streams.py, bson_codec.py and scram.py. Source: MongoDB's wire protocol, for MongoDB 4.4 or later.
"""

import asyncio
import base64
import struct

from asyncio_streams import SocketWriter
from bson_codec import BsonError, Document, decode, encode
from scram import ScramClient

HEADER = struct.Struct(
    "<iiiiIB"
)  # Length, request, response to, operation, flags, kind of section.
OP_MSG = 2013
MESSAGE_LIMIT_BYTES = 48_000_000


class ProtocolError(Exception):
    """What came is not MongoDB's protocol."""


class CommandError(Exception):
    """The server refuses a command: a code, its name and a sentence."""

    def __init__(self, answer: Document) -> None:
        super().__init__(str(answer.get("errmsg", "no reason given")))
        self.code, self.name = answer.get("code", 0), answer.get("codeName", "")


class Session:
    """One connection: commands and their answers, one at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self.reader, self.writer = reader, writer
        self.request = 0

    async def run(self, database: str, command: Document) -> Document:
        """Run one command and return its answer. Raises CommandError for the server's no."""
        body = encode(command | {"$db": database})
        self.request += 1
        self.writer.write(
            HEADER.pack(HEADER.size + len(body), self.request, 0, OP_MSG, 0, 0) + body
        )
        head = await self.reader.readexactly(HEADER.size)
        length, _, response_to, operation, flags, section = HEADER.unpack(head)
        expected = (self.request, OP_MSG, 0, 0)
        if (response_to, operation, flags, section) != expected or length > MESSAGE_LIMIT_BYTES:
            raise ProtocolError(f"Expected an answer from MongoDB, got {head[:16]!r}.")
        try:
            answer = decode(await self.reader.readexactly(length - HEADER.size))
        except BsonError as error:
            raise ProtocolError(str(error)) from None
        if answer.get("ok") != 1:
            raise CommandError(answer)
        return answer

    async def log_in(self, user: str, password: str, source: str) -> None:
        """Prove that the password of `user`, who is kept in the database `source`, is known."""
        scram = ScramClient(user, password)
        start = {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": binary(scram.first)}
        answer = await self.run(source, start | {"options": {"skipEmptyExchange": True}})
        proof = scram.final(payload(answer))
        answer = await self.continue_login(source, answer, proof)
        scram.verify(payload(answer))
        if not answer.get("done"):
            await self.continue_login(source, answer, b"")

    async def continue_login(self, source: str, answer: Document, message: bytes) -> Document:
        conversation = answer.get("conversationId")
        command = {"saslContinue": 1, "conversationId": conversation, "payload": binary(message)}
        return await self.run(source, command)


def binary(data: bytes) -> Document:
    return {"$binary": {"base64": base64.b64encode(data).decode(), "subType": "00"}}


def payload(answer: Document) -> bytes:
    try:
        return base64.b64decode(answer["payload"]["$binary"]["base64"])
    except (LookupError, TypeError):
        raise ProtocolError("The server's answer to the login makes no sense.") from None
