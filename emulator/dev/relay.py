"""Between the process of a session and those that serve for it: one connection each, with all they say in order.

Floor 7. Owns the frames on that connection, and the faces of a serving process: what these show goes to the session's
process, which alone writes to the terminal. Must not know how processes are started or what is served.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from emulator.config import Config, LogFormat
from emulator.dev.face import Face, Importance, Message
from emulator.dev.json_log import JsonLog
from emulator.dev.output import Channel, Output
from emulator.dev.terminal import Terminal, descriptor_of

# A frame's channel, as its place in Channel, and the length of what follows.
_HEAD = struct.Struct("!BI")
_CHANNELS = tuple(Channel)
# What the session's process says itself, once for all.
_SAID_ELSEWHERE = frozenset(("port_taken", "accepting_connections"))

JsonObject = dict[str, Any]


def framed(channel: Channel, data: bytes) -> bytes:
    """Return `data` as a frame."""
    return _HEAD.pack(_CHANNELS.index(channel), len(data)) + data


def line_of(message: JsonObject) -> bytes:
    """Return `message` as what a frame of Channel.PARENT holds, maybe beside others."""
    return f"{json.dumps(message, default=repr)}\n".encode()


def messages_of(data: bytes) -> Iterator[JsonObject]:
    """Yield the messages in a frame of Channel.PARENT."""
    for line in data.splitlines():
        yield json.loads(line)


class Frames:
    """Takes frames out of a stream of bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Channel, bytes]]:
        """Yield each frame that is whole by now."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _HEAD.size:
            channel, length = _HEAD.unpack_from(self._buffer, start)
            end = start + _HEAD.size + length
            if len(self._buffer) < end:
                break
            yield _CHANNELS[channel], bytes(self._buffer[start + _HEAD.size : end])
            start = end
        del self._buffer[:start]


class RelayedOutput(Output):
    """An Output in front of `link`, a blocking socket. What it says of the terminal is true of the one at its end."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        super().__init__(descriptor_of(sys.stdout), descriptor_of(sys.stderr))

    def tell(self, message: JsonObject) -> None:
        """Send a message, after all that was written before."""
        self.write(Channel.PARENT, line_of(message))

    def show_status(self, status: Callable[[int], str] | None) -> None:
        """The session's process has a status of its own."""

    def _write_bytes(self, channel: Channel, data: bytes) -> None:
        try:
            self._link.sendall(framed(channel, data))
        except OSError:
            return  # The session's process is gone, and this one is about to be.


class RelayedFace(Face):
    """A serving process's voice, over a RelayedOutput. While it is not `telling`, another one says the same.

    What it has `withheld` is for the session's process to tell, when all serving processes got that far.
    """

    telling = True

    def attach(self, output: RelayedOutput) -> None:
        """Send messages through `output`."""
        self._link = output
        self.withheld: list[JsonObject] = []

    def answer(self, message: JsonObject) -> None:
        """Send the session's process a message that is not to be shown."""
        self._link.tell(message)

    @abstractmethod
    def relay(self, message: Message) -> None:
        """Send `message` on."""

    def tell(self, message: Message) -> None:
        """Show `message` where the session is, if it is this process that should."""
        if message.kind == "reloaded":
            self.withheld.append(told(message))
        elif self.telling and message.kind not in _SAID_ELSEWHERE:
            self.relay(message)

    def ready(self, url: str) -> None:
        """This process accepts requests."""
        self._link.tell({"kind": "ready"})
        self.telling = True

    def introduce(self, config: Config, keys: str = "") -> None:
        """The session's process does."""


class RelayedTerminal(RelayedFace, Terminal):
    """Lines for a person. What is said again and again is counted by the session's process."""

    def relay(self, message: Message) -> None:
        if message.group is None:
            Terminal.tell(self, message)
        else:
            self._link.tell({"kind": "said", "message": told(message)})


class RelayedJsonLog(RelayedFace, JsonLog):
    """Objects for a program."""

    def relay(self, message: Message) -> None:
        JsonLog.tell(self, message)


def relayed_face(config: Config, link: socket.socket) -> RelayedTerminal | RelayedJsonLog:
    """Return the voice of a process that serves `config`, at the end of `link`."""
    output = RelayedOutput(link)
    face: RelayedTerminal | RelayedJsonLog
    if config.log_format is LogFormat.JSON:
        face = RelayedJsonLog(output, config.log_level)
    else:
        face = RelayedTerminal.for_process(level=config.log_level, output=output)
    face.attach(output)
    return face


def told(message: Message) -> JsonObject:
    """Return `message`, without its error, as what JSON can hold; `heard` makes it one again."""
    group = None if message.group is None else repr(message.group)
    return {
        "kind": message.kind,
        "importance": int(message.importance),
        "text": message.text,
        "label": message.label,
        "group": group,
        "fields": dict(message.fields),
    }


def heard(values: JsonObject) -> Message:
    """Return what was `told`."""
    return Message(**{**values, "importance": Importance(values["importance"])})
