"""A conversation with an MQTT 3.1.1 broker: connect, publish, subscribe, receive. mqtt.py uses it: copy both.

A packet is its kind with flags, a length in one to four bytes of seven bits each, and a body (section 2.2).
"""

import asyncio
import struct
from collections import deque
from enum import IntEnum
from typing import NamedTuple

from asyncio_streams import SocketWriter

PACKET_LIMIT_BYTES = 1_000_000
PACKET_ID = b"\0\1"  # One exchange at a time needs no more.
REFUSALS = {
    1: "unacceptable protocol version",
    2: "client identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
}


class Packet(IntEnum):
    """Kinds of packets, with the flags that a kind always has."""

    CONNECT = 0x10
    CONNACK = 0x20
    PUBLISH = 0x30
    PUBACK = 0x40
    SUBSCRIBE = 0x82
    SUBACK = 0x90
    PINGREQ = 0xC0
    PINGRESP = 0xD0
    DISCONNECT = 0xE0


class Message(NamedTuple):
    """What was published. One of QoS 1 is to be acknowledged by its `packet_id`, which QoS 0 has not."""

    topic: str
    payload: bytes
    retained: bool
    packet_id: bytes


class MqttError(Exception):
    """The broker refused something, or broke the protocol."""


class MqttSession:
    """One connection to a broker, which is to hear of this side at least every `keep_alive_seconds`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: SocketWriter, keep_alive_seconds: int
    ) -> None:
        self._reader, self._writer = reader, writer
        self._keep_alive_seconds = keep_alive_seconds
        self._early: deque[Message] = deque()

    async def connect(self, client_id: str, user: str | None, password: str | None) -> None:
        """Begin a clean session. Raises MqttError when the broker says no."""
        flags = 0x02 | 0x80 * (user is not None) | 0x40 * (password is not None)
        head = text_of("MQTT") + struct.pack("!BBH", 4, flags, self._keep_alive_seconds)
        texts = [text_of(text) for text in (client_id, user, password) if text is not None]
        self._send(Packet.CONNECT, head + b"".join(texts))
        if (code := (await self._expect(Packet.CONNACK))[1]) != 0:
            raise MqttError(f"CONNECT: {REFUSALS.get(code, f'refused, code {code}')}")

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """Send a message; with QoS 1 wait until the broker has it."""
        body = text_of(topic) + PACKET_ID * qos + payload
        self._send(Packet.PUBLISH | qos << 1 | retain, body)
        if qos and await self._expect(Packet.PUBACK) != PACKET_ID:
            raise MqttError("PUBACK: for a message that was not sent")

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        """Ask for messages. Raises MqttError when the broker says no."""
        self._send(Packet.SUBSCRIBE, PACKET_ID + text_of(topic_filter) + bytes([qos]))
        if (await self._expect(Packet.SUBACK))[2:] not in (b"\0", b"\1"):
            raise MqttError("SUBSCRIBE: refused")

    async def receive(self) -> Message:
        """Return the next message."""
        while not self._early:
            await self._receive_packet()
        return self._early.popleft()

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that `message` has arrived."""
        if message.packet_id:
            self._send(Packet.PUBACK, message.packet_id)

    async def keep_alive(self, gone: asyncio.Event) -> None:
        """Tell the broker now and then that this side is alive; leave when `gone` is set."""
        while not gone.is_set():
            try:
                async with asyncio.timeout(self._keep_alive_seconds / 2):
                    await gone.wait()
            except TimeoutError:
                self._send(Packet.PINGREQ)
        self.leave()

    def leave(self) -> None:
        self._send(Packet.DISCONNECT)
        self._writer.close()

    def _send(self, kind: int, body: bytes = b"") -> None:
        length, rest = bytearray(), len(body)
        while rest > 0x7F:
            length.append(rest & 0x7F | 0x80)
            rest >>= 7
        self._writer.write(bytes([kind, *length, rest]) + body)

    async def _expect(self, expected: Packet) -> bytes:
        """Return the body of the next packet, which is of this kind; messages that come before it are kept."""
        while (packet := await self._receive_packet()) is None:
            pass
        kind, body = packet
        if kind != expected or len(body) < 2:
            raise MqttError(
                f"{expected.name} expected, but the broker sent {kind:#x} {body[:40]!r}"
            )
        return body

    async def _receive_packet(self) -> tuple[int, bytes] | None:
        """Return the next packet's kind and body; None for one that is done with: a message, a PINGRESP."""
        kind, length, shift = (await self._reader.readexactly(1))[0], 0x80, -7
        size = 0
        while length > 0x7F and shift < 21:
            length, shift = (await self._reader.readexactly(1))[0], shift + 7
            size |= (length & 0x7F) << shift
        if length > 0x7F or size > PACKET_LIMIT_BYTES:
            raise MqttError(f"The broker sent a packet of more than {PACKET_LIMIT_BYTES} bytes")
        body = await self._reader.readexactly(size)
        if kind & 0xF0 == Packet.PUBLISH:
            self._early.append(message_of(kind & 0x0F, body))
            return None
        return None if kind == Packet.PINGRESP else (kind, body)


def text_of(text: str) -> bytes:
    """Return a text as MQTT has it: its length in two bytes, then UTF-8."""
    return struct.pack("!H", len(text.encode())) + text.encode()


def message_of(flags: int, body: bytes) -> Message:
    """Return the message of a PUBLISH packet. Raises MqttError."""
    qos = flags >> 1 & 3
    topic_end = 2 + int.from_bytes(body[:2])
    payload_start = topic_end + 2 * bool(qos)
    try:
        topic = body[2:topic_end].decode()
    except UnicodeDecodeError:
        raise MqttError(f"PUBLISH: its topic is no UTF-8: {body[:40]!r}") from None
    if qos > 1 or len(body) < payload_start:
        raise MqttError(f"PUBLISH: QoS {qos}, {len(body)} bytes")
    return Message(topic, body[payload_start:], bool(flags & 1), body[topic_end:payload_start])
