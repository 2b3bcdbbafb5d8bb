"""Real processes in tests: start one, wait until it is ready, read what it prints, leave nothing behind.

Owns the process and its whole group. A wait that takes too long fails with everything printed so
far.

    async with running([sys.executable, "server.py"], ready=r"listening on (\\d+)") as process:
        port = int(process.match[1])
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import TypeVar

TIMEOUT_SECONDS = 20.0
RETRY_SECONDS = 0.02
ENDING_SECONDS = 2.0
REPOSITORY = Path(__file__).parents[2]

T = TypeVar("T")


class ProcessFailure(AssertionError):
    """A process that did not do what was waited for; the message ends with its output."""


class RunningProcess:
    """A process with its output, line by line, standard output and error together in `lines`."""

    def __init__(self, argv: Sequence[str], process: Process) -> None:
        self.argv = argv
        self.lines: list[str] = []
        self.stdout_lines: list[str] = []
        self.stderr_lines: list[str] = []
        self.match: re.Match[str] | None = None
        self._process = process
        self._news = asyncio.Condition()
        self._ended_streams = 0
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.stdout_lines)),
            asyncio.create_task(self._read(process.stderr, self.stderr_lines)),
        ]

    @property
    def pid(self) -> int:
        """The process's id; it leads a group of its own."""
        return self._process.pid

    @property
    def url(self) -> str:
        """What `pyworker dev` says it is ready on. Raises ProcessFailure when it has not said so."""
        for line in self.lines:
            if line.startswith("Ready on "):
                return line.removeprefix("Ready on ")
        raise self.failure("has not said what it is ready on")

    @property
    def port(self) -> int:
        """The port of `url`."""
        return int(self.url.rsplit(":", 1)[1])

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    def failure(self, reason: str) -> ProcessFailure:
        """An error that shows the command and its output."""
        shown = self.output or "(nothing)"
        return ProcessFailure(f"{' '.join(self.argv)} {reason}. It printed:\n{shown}")

    async def line(
        self, pattern: str, *, after: int = 0, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> re.Match[str]:
        """Wait for a line that `pattern` is found in, from line number `after` on; return the match."""
        matcher = re.compile(pattern)
        checked = after
        try:
            async with asyncio.timeout(timeout_seconds), self._news:
                while True:
                    for text in self.lines[checked:]:
                        if found := matcher.search(text):
                            return found
                    checked = max(checked, len(self.lines))
                    if self._ended_streams == 2:
                        break
                    await self._news.wait()
        except TimeoutError:
            reason = f"printed no line like {pattern!r} within {timeout_seconds:g} s"
            raise self.failure(reason) from None
        raise self.failure(f"ended without a line like {pattern!r}")

    async def accepts(
        self, port: int, host: str = "127.0.0.1", *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Wait until the process accepts on `port`. Fails when it ends first."""
        ended = asyncio.create_task(self._process.wait())
        try:
            async with asyncio.timeout(timeout_seconds):
                while not ended.done():
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection(host, port)
                        writer.close()
                        await writer.wait_closed()
                        return
                    # Nothing tells when another program begins to listen: ask again, unless it ends.
                    await asyncio.wait([ended], timeout=RETRY_SECONDS)
        except TimeoutError:
            reason = f"did not accept on port {port} within {timeout_seconds:g} s"
            raise self.failure(reason) from None
        finally:
            ended.cancel()
        raise self.failure(f"ended before it accepted on port {port}")

    def send_signal(self, number: int) -> None:
        """Signal the process itself, not its group."""
        self._process.send_signal(number)

    async def wait(self, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
        """Wait for the process to end and its output to be read; return the exit code."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._process.wait()
                await asyncio.gather(*self._readers)
        except TimeoutError:
            raise self.failure(f"did not end within {timeout_seconds:g} s") from None
        assert self._process.returncode is not None
        return self._process.returncode

    async def kill(self) -> None:
        """End the process and everything it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        # What it started ends a moment later, and has its output until then.
        await asyncio.wait(self._readers, timeout=ENDING_SECONDS)
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, stream: asyncio.StreamReader, into: list[str]) -> None:
        try:
            while data := await stream.readline():
                text = data.decode("utf-8", "backslashreplace").rstrip("\r\n")
                async with self._news:
                    into.append(text)
                    self.lines.append(text)
                    self._news.notify_all()
        finally:
            self._ended_streams += 1
            async with self._news:
                self._news.notify_all()


@asynccontextmanager
async def running(
    argv: Sequence[str],
    *,
    ready: str | int | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> AsyncIterator[RunningProcess]:
    """Run `argv` until the block ends.

    `ready` is a pattern that a line of its output matches (the match is `process.match`), a port of
    this machine that it accepts on, or None. `environ` is added to this process's variables. Raises
    ProcessFailure with the output when it does not become ready in time.
    """
    process = RunningProcess(
        argv,
        await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        ),
    )
    try:
        if isinstance(ready, str):
            process.match = await process.line(ready, timeout_seconds=timeout_seconds)
        elif ready is not None:
            await process.accepts(ready, timeout_seconds=timeout_seconds)
        yield process
    finally:
        await process.kill()


@contextmanager
def beside(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Hold `context`, such as `running(...)`, on a loop of its own, in a thread: for fixtures that outlive a test's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="beside the tests")
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def pyworker(
    *arguments: str,
    ready: str | int | None = r"^Ready on ",
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> AbstractAsyncContextManager[RunningProcess]:
    """Run this tree's `pyworker` with `arguments`, as `running` does."""
    argv = [sys.executable, "-m", "emulator", *arguments]
    variables = {"PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", **(environ or {})}
    return running(argv, ready=ready, cwd=cwd, environ=variables)
