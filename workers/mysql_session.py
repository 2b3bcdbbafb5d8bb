"""MySQL's client/server protocol for mysql.py: packets, handshake v10 with its TLS switch, logins, text results.

A sibling module: deploy it beside the worker. Accounts may use caching_sha2_password or mysql_native_password.
"""

import asyncio
import base64
from hashlib import sha1, sha256

from asyncio_streams import SocketWriter

PIECE_LIMIT_BYTES = 0xFFFFFF
WITH_DATABASE, TLS = 0x8, 0x800
# Long passwords and flags, protocol 4.1, transactions, secure connection, authentication plugins.
CAPABILITIES = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x80000
UTF8MB4, BINARY = 45, 63
OK, MORE, EOF, ERROR = 0x00, 0x01, 0xFE, 0xFF
FAST_SUCCESS, FULL_LOGIN = b"\x03", b"\x04"
INTEGERS, FLOATS, BIT, STRINGS = {1, 2, 3, 8, 9, 13}, {4, 5}, 16, {15, *range(249, 256)}


class ProtocolError(Exception):
    """What came is not MySQL's protocol, or not the part of it that is spoken here."""


class ServerError(Exception):
    """The server's ERR packet: a code, an SQLSTATE and a sentence."""

    def __init__(self, packet: bytes) -> None:
        self.code = int.from_bytes(packet[1:3], "little")
        marked = packet[3:4] == b"#"  # The greeting's refusals have no state.
        self.state = packet[4:9].decode("ascii", "replace") if marked else "HY000"
        super().__init__(packet[9 if marked else 3 :].decode("utf-8", "replace"))


class LoginError(ServerError):
    """The server does not want this connection or account."""


class StatementError(ServerError):
    """The server refuses a statement."""


def native_proof(password: bytes, nonce: bytes) -> bytes:
    once = sha1(password).digest()
    return exclusive_or(once, sha1(nonce + sha1(once).digest()).digest()) if password else b""


def sha2_proof(password: bytes, nonce: bytes) -> bytes:
    once = sha256(password).digest()
    twice = sha256(once).digest()
    return exclusive_or(once, sha256(twice + nonce).digest()) if password else b""


def exclusive_or(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


PROOFS = {b"mysql_native_password": native_proof, b"caching_sha2_password": sha2_proof}


class Session:
    """One connection: packets that are counted, a login, statements."""

    def __init__(self, reader: asyncio.StreamReader, writer: SocketWriter) -> None:
        self.reader, self.writer = reader, writer
        self.sequence = 0
        self.logged_in = False

    async def receive(self) -> bytes:
        """Return the next packet, joined if it was too long for one piece. Raises the server's refusal."""
        packet, length = b"", PIECE_LIMIT_BYTES
        while length == PIECE_LIMIT_BYTES:
            header = await self.reader.readexactly(4)
            if header[3] != self.sequence:
                raise ProtocolError(f"Expected a MySQL packet, got {header!r}.")
            self.sequence = (self.sequence + 1) % 256
            length = int.from_bytes(header[:3], "little")
            packet += await self.reader.readexactly(length)
        if packet[:1] == bytes([ERROR]):
            raise StatementError(packet) if self.logged_in else LoginError(packet)
        if not packet:
            raise ProtocolError("The server sent an empty packet.")
        return packet

    def send(self, packet: bytes) -> None:
        """Send a packet; one that fills its last piece is ended by an empty piece."""
        for start in range(0, len(packet) + 1, PIECE_LIMIT_BYTES):
            piece = packet[start : start + PIECE_LIMIT_BYTES]
            self.writer.write(len(piece).to_bytes(3, "little") + bytes([self.sequence]) + piece)
            self.sequence = (self.sequence + 1) % 256

    async def log_in(self, user: str, password: str, database: str, *, tls: bool) -> None:
        """Answer the greeting, over TLS if it is wanted, and prove that the password is known."""
        greeting = await self.receive()
        if greeting[0] != 10:
            raise ProtocolError(f"The server greets with protocol {greeting[0]}, not 10.")
        at = greeting.find(0, 1) + 5  # Behind the server's version and the connection's number.
        if len(greeting) < at + 28:
            raise ProtocolError("The server's greeting is cut short.")
        offered = int.from_bytes(greeting[at + 9 : at + 11], "little")
        plugin_at = at + 27 + max(13, greeting[at + 16] - 8)
        nonce = (greeting[at : at + 8] + greeting[at + 27 : plugin_at])[:20]
        plugin = greeting[plugin_at:].partition(b"\0")[0]

        wanted = CAPABILITIES | (TLS if tls else 0) | (WITH_DATABASE if database else 0)
        head = wanted.to_bytes(4, "little") + bytes(4) + bytes([UTF8MB4]) + bytes(23)
        if tls:
            if not offered & TLS:
                raise ProtocolError("The server offers no TLS. MYSQL_TLS=off goes on without it.")
            self.send(head)
            await self.writer.start_tls()
        if plugin not in PROOFS:  # It is the server's default: it names the account's next.
            plugin = b"mysql_native_password"
        secret = password.encode()
        proof = PROOFS[plugin](secret, nonce)
        login = head + user.encode() + b"\0" + bytes([len(proof)]) + proof
        self.send(login + (database.encode() + b"\0" if database else b"") + plugin + b"\0")

        while (packet := await self.receive())[0] != OK:
            if packet[0] == EOF:
                plugin, _, nonce = packet[1:].partition(b"\0")
                if plugin not in PROOFS:
                    name = plugin.decode("ascii", "replace")
                    raise ProtocolError(f"The account uses {name}, which is not spoken here.")
                self.send(PROOFS[plugin](secret, nonce[:20]))
            elif packet[0] == MORE and packet[1:] == FULL_LOGIN:
                if not tls:
                    raise ProtocolError("The server wants the password itself: that takes TLS.")
                self.send(secret + b"\0")
            elif packet[0] != MORE or packet[1:] != FAST_SUCCESS:
                raise ProtocolError(f"The server answers the login with {packet[:4]!r}.")
        self.logged_in = True

    async def query(self, statement: bytes) -> dict[str, object]:
        """Run one statement and return its rows, or what it changed."""
        self.sequence = 0
        self.send(b"\x03" + statement)
        packet = await self.receive()
        if packet[0] == OK:
            numbers = Fields(packet[1:])
            return {"affected_rows": numbers.integer(), "last_insert_id": numbers.integer()}
        columns = [Column(await self.receive()) for _ in range(Fields(packet).integer() or 0)]
        await self.receive()  # EOF: the rows begin.
        rows = []
        while (packet := await self.receive())[0] != EOF or len(packet) > 8:
            values = Fields(packet)
            rows.append([column.value(values.string()) for column in columns])
        return {"columns": [column.name for column in columns], "rows": rows}

    def close(self) -> None:
        """Say goodbye, lest the server counts a lost connection, and close."""
        if self.logged_in:
            self.sequence = 0
            self.send(b"\x01")
        self.writer.close()


class Fields:
    """Length-encoded integers and strings of a packet, one after another."""

    def __init__(self, packet: bytes) -> None:
        self.packet, self.at = packet, 0

    def take(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.packet):
            raise ProtocolError("The server sent a packet that is cut short.")
        return self.packet[self.at - count : self.at]

    def integer(self) -> int | None:
        first = self.take(1)[0]
        if first == 0xFB:  # NULL
            return None
        if first < 0xFB:
            return first
        return int.from_bytes(self.take({0xFC: 2, 0xFD: 3}.get(first, 8)), "little")

    def string(self) -> bytes | None:
        length = self.integer()
        return None if length is None else self.take(length)


class Column:
    """A column's name, and how its values are written in JSON."""

    def __init__(self, packet: bytes) -> None:
        fields = Fields(packet)
        *_, name, _ = (fields.string() or b"" for _ in range(6))
        self.name = name.decode("utf-8", "replace")
        described = fields.take(12)
        self.binary = int.from_bytes(described[1:3], "little") == BINARY
        self.kind = described[7]

    def value(self, raw: bytes | None) -> object:
        if raw is None:
            return None
        if self.kind in INTEGERS:
            return int(raw)
        if self.kind in FLOATS:
            return float(raw)
        if self.kind == BIT:
            return int.from_bytes(raw, "big")
        if self.binary and self.kind in STRINGS:
            return base64.b64encode(raw).decode()
        return raw.decode("utf-8", "replace")
