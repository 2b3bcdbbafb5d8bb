"""One of the processes that serve for a session: started, listened to, seen to its end.

Floor 7. Owns the process and the session's end of the connection to it; must not know what is served, or what follows
from its end.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from emulator import errors
from emulator.dev.output import Channel
from emulator.dev.relay import Frames, JsonObject, framed, line_of, messages_of
from emulator.server import Share

# How long what a process said last may take to come after its end: what it started may keep the connection open.
LAST_WORDS_SECONDS = 0.5
# A line that is longer is written as it comes.
LINE_LIMIT_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024
_PROGRAM = "import sys; sys.path[:] = {path!r}; from emulator.dev.member import main; sys.exit(main({fileno}))"


class Standing(Enum):
    """What a slot's process is doing."""

    DOWN = "down"
    STARTING = "starting"
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Command:
    """What a process has to know to have the same settings: the command line's `files` and `overrides`."""

    files: Sequence[str]
    overrides: Mapping[str, object]


class Slot:
    """The place of one process, `number` from 1 on, that accepts from `share`.

    On the event loop `heard(slot, message)` is called for each of its messages, `written(channel, lines)` for what it
    writes.
    """

    def __init__(
        self,
        number: int,
        share: Share,
        command: Command,
        heard: Callable[[Slot, JsonObject], object],
        written: Callable[[Channel, bytes], object],
    ) -> None:
        self.number = number
        self.standing = Standing.DOWN
        self.pid = 0
        # Why its process could not begin to serve.
        self.failure: str | None = None
        # The number of the reload before which its process was started.
        self.began_at = 0
        self._share = share
        self._command = command
        self._heard = heard
        self._written = written
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._unended = dict.fromkeys(Channel, b"")

    def __repr__(self) -> str:
        return f"<Slot {self.number} {self.standing.value} pid={self.pid}>"

    async def live(self, *, telling: bool) -> int:
        """Start a process and see it to its end; return its exit code, as subprocess has it.

        One that is `telling` says what there is to say of the worker that it loads.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._start(theirs)
        ended = self._awaited()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self.standing = Standing.STARTING
        self.failure = None
        self.send(self._order(telling=telling))
        reading = asyncio.create_task(self._read(reader), name=f"process {self.number}")
        try:
            code = await ended
            await asyncio.wait([reading], timeout=LAST_WORDS_SECONDS)
        finally:
            self.kill()
            self.standing = Standing.DOWN
            reading.cancel()
            self._writer.close()
            self._write_unended()
        return code

    def send(self, message: JsonObject) -> None:
        """Tell the process something; nothing if there is none."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(framed(Channel.PARENT, line_of(message)))

    def stop(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """End the process now. May be called from any thread."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _start(self, link: socket.socket) -> None:
        program = _PROGRAM.format(path=sys.path, fileno=link.fileno())
        passed = [fileno for some in self._share.filenos() for fileno in some]
        # Ctrl-C is for this process: the new one begins deaf to it, lest it comes before that can say so.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, f"pyworker process {self.number}"],
                stdin=subprocess.DEVNULL,
                pass_fds=(link.fileno(), *dict.fromkeys(passed)),
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self.pid = self._process.pid

    def _awaited(self) -> asyncio.Future[int]:
        """Return a future for the exit code."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[int] = loop.create_future()
        process = self._process
        assert process is not None

        def settle(code: int) -> None:
            if not ended.done():
                ended.set_result(code)

        def wait() -> None:
            code = process.wait()
            with suppress(RuntimeError):  # The loop is closed.
                loop.call_soon_threadsafe(settle, code)

        threading.Thread(target=wait, name=f"pyworker-process-{self.number}", daemon=True).start()
        return ended

    def _order(self, *, telling: bool) -> JsonObject:
        return {
            "argv": sys.argv,
            "files": list(self._command.files),
            "overrides": dict(self._command.overrides),
            "listening": self._share.filenos(),
            "first": self.number == 1,
            "telling": telling,
        }

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                for channel, content in frames.feed(data):
                    if channel is not Channel.PARENT:
                        self._write(channel, content)
                        continue
                    for message in messages_of(content):
                        if message["kind"] == "ready":
                            self.standing = Standing.SERVING
                        self._heard(self, message)

    def _write(self, channel: Channel, data: bytes) -> None:
        """Pass whole lines on: those of several processes don't mix within one."""
        data = self._unended[channel] + data
        end = len(data) if len(data) > LINE_LIMIT_BYTES else data.rfind(b"\n") + 1
        self._unended[channel] = data[end:]
        if end:
            self._written(channel, data[:end])

    def _write_unended(self) -> None:
        for channel, rest in self._unended.items():
            if rest:
                self._written(channel, rest + b"\n")
                self._unended[channel] = b""


def ending_of(code: int) -> str:
    """Return the words for how a process ended, by its exit code as subprocess has it."""
    if code >= 0:
        return errors.MEMBER_EXITED.format(code=code)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return errors.MEMBER_KILLED.format(signal=name)
