"""The processes of a run: start them, wait until they accept, read their CPU time, end them."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
READY_SECONDS = 20.0
RETRY_SECONDS = 0.001
STOP_SECONDS = 5.0
HOST = "127.0.0.1"
PROC = Path("/proc/self")
# Source: ip(7): 32768 is where they begin on Linux; elsewhere it is higher.
PORTS = (10_000, 32_768)


class BenchFailure(Exception):
    """A part of the run that did not do its work: the figures would mean nothing."""


class Missing(Exception):
    """What a load needs is not on this machine; the text says how to get it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: `environ` is added to this process's variables."""

    argv: Sequence[str]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts on `port`; it and what it started are the process group `pid`."""

    name: str
    pid: int
    port: int
    log: Path

    def processor_seconds(self) -> float | None:
        """Return the CPU time of the whole group so far; None where there is no /proc."""
        if not PROC.exists():
            return None
        # Source: proc_pid_stat(5): utime and stime.
        ticks = sum(int(fields[11]) + int(fields[12]) for _, fields in self._group())
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Return the memory of the whole group that is in use now."""
        pages = 0
        for folder, _ in self._group():
            with suppress(OSError):
                # Source: proc_pid_statm(5): resident.
                pages += int(Path(folder, "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _group(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the folder in /proc of each process of the group, and what its stat says after its name."""
        for entry in os.scandir(PROC.parent):
            if not entry.name.isdigit():
                continue
            with suppress(OSError):
                # The name before ")" may hold spaces.
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.pid:
                    yield entry.path, fields

    def failure(self, what: str) -> BenchFailure:
        """Return an error that shows the end of what the server printed."""
        return BenchFailure(f"{self.name} {what}. It printed:\n{tail(self.log)}")


def module(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this tree with this Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def free_port() -> int:
    """Return a port that nobody listened on a moment ago.

    It is none of those that systems give to outgoing connections: a client that tries such a port again and again,
    before anybody listens there, is connected to itself some day.
    """
    while True:
        with socket.socket() as listener, suppress(OSError):
            port = random.randrange(*PORTS)
            listener.bind((HOST, port))
            return port


@contextmanager
def spawned(launch: Launch, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process group until the block ends, what it prints going to the file `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=REPOSITORY,
            env={**os.environ, **launch.environ},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


@contextmanager
def running(name: str, launch: Launch, port: int, log: Path) -> Iterator[Server]:
    """Run a server until the block ends; it starts when the server accepts on `port`."""
    with spawned(launch, log) as process:
        connect(process, name, port, log).close()
        yield Server(name, process.pid, port, log)


def connect(process: subprocess.Popen[bytes], name: str, port: int, log: Path) -> socket.socket:
    """Return a connection to `port` as soon as `process` accepts there. Raises BenchFailure."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(ConnectionError):
            return socket.create_connection((HOST, port), timeout=READY_SECONDS)
        if process.poll() is not None:
            break
        time.sleep(RETRY_SECONDS)
    raise BenchFailure(f"{name} does not accept on port {port}. It printed:\n{tail(log)}")


def tail(log: Path, limit: int = 2000) -> str:
    """Return the end of what was printed to the file `log`."""
    return log.read_text("utf-8", "backslashreplace")[-limit:] or "(nothing)"


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
