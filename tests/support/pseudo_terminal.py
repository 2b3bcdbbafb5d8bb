"""A process in a terminal of its own: type, and wait for what it says.

Owns the pseudo-terminal and the process, which is the leader of the session in it, as a shell's job would be.

    async with in_terminal("dev", "worker.py", cwd=folder) as terminal:
        await terminal.says("Ready on")
        terminal.type("x")
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import struct
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.process import REPOSITORY, TIMEOUT_SECONDS

ERASE_LINE = "\r\x1b[K"
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class PseudoTerminal:
    """The end of the terminal that a person would sit at."""

    def __init__(self, leader: int, process: Process) -> None:
        self._leader = leader
        self._process = process
        self._data = b""
        self._checked = 0
        self._news = asyncio.Event()
        os.set_blocking(leader, False)
        asyncio.get_running_loop().add_reader(leader, self._read)

    @property
    def raw(self) -> str:
        """Everything that was written, escape codes included."""
        return self._data.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """Everything that was written, without escape codes; what took a line's place is on a line of its own."""
        return _STEERING.sub("", self.raw.replace(ERASE_LINE, "\n"))

    @property
    def port(self) -> int:
        """The port that it is ready on."""
        found = re.search(r"Ready on http://[^:]+:(\d+)", self.text)
        assert found, self.text
        return int(found[1])

    @property
    def process(self) -> Process:
        """The process in the terminal."""
        return self._process

    @property
    def keeps_lines(self) -> bool:
        """True while the terminal gives whole lines and echoes them, as a shell expects it."""
        flags = termios.tcgetattr(self._leader)[3]
        return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait for text that `pattern` is found in, after what was waited for before."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while True:
                    self._news.clear()
                    if found := re.compile(pattern, re.MULTILINE).search(self.text, self._checked):
                        self._checked = found.end()
                        return found
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never said {pattern!r}, but:\n{self.text}") from None

    def type(self, text: str) -> None:
        """Press keys; \\x03 is Ctrl-C, \\x1a Ctrl-Z."""
        os.write(self._leader, text.encode())

    def resize(self, columns: int, rows: int = 40) -> None:
        """Make the window `columns` wide."""
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def ends(self) -> int:
        """Wait for the process to end; return its exit code."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self._process.wait()

    def _read(self) -> None:
        with suppress(BlockingIOError, OSError):
            if data := os.read(self._leader, 65536):
                self._data += data
                self._news.set()
                return
        asyncio.get_running_loop().remove_reader(self._leader)  # The process is gone.


@asynccontextmanager
async def in_terminal(
    *arguments: str,
    cwd: Path,
    shell: str | None = None,
    environ: Mapping[str, str] | None = None,
    columns: int = 100,
) -> AsyncIterator[PseudoTerminal]:
    """Run this tree's `pyworker` with `arguments` in a terminal until the block ends.

    With `shell`, a script for sh with job control, "$@" in it is that command.
    """
    argv = [sys.executable, "-m", "emulator", *arguments]
    if shell is not None:
        argv = ["sh", "-mc", shell, "sh", *argv]
    leader, follower = os.openpty()
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", **(environ or {})}
    variables.pop("NO_COLOR", None) if "NO_COLOR" not in (environ or {}) else None
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=cwd,
        env=variables,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    terminal = PseudoTerminal(leader, process)
    terminal.resize(columns)
    try:
        yield terminal
    finally:
        asyncio.get_running_loop().remove_reader(leader)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        os.close(leader)
        os.close(follower)
