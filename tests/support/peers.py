"""Peers to talk to: real TCP servers in threads of their own, so that a blocked event loop can't hide a bug.

Owns their threads, connections and the loud failure of a script that did not go as written. Every port is free
(port 0), every wait is bounded. A script is a plain function of one connection; what it returns is its result:

    def script(peer: Peer) -> bytes:
        peer.expect(b"hello\\r\\n")
        peer.send(b"world")
        peer.half_close()
        return peer.wait_for_eof()

    async with PeerServer(script) as server:
        ... connect to server.address ...
        assert await server.result() == b""

Without a script the test holds the other end itself: `peer = await server.accepted()`, then
`await asyncio.to_thread(peer.expect, b"hello")`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

TIMEOUT_SECONDS = 10.0
STILL_SECONDS = 0.3
CHUNK_BYTES = 65_536

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class PeerFailure(AssertionError):
    """A peer's script did not go as written."""


class Peer:
    """The peer's end of one connection. Every method blocks, for `timeout_seconds` at most."""

    def __init__(
        self,
        raw: socket.socket,
        stopping: threading.Event,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._raw = raw
        self._stopping = stopping
        self._timeout_seconds = timeout_seconds
        self._unread = b""
        raw.settimeout(timeout_seconds)

    @property
    def raw(self) -> socket.socket:
        """The socket itself, for what has no method here."""
        return self._raw

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._raw.sendall(data)
        except TimeoutError:
            raise PeerFailure(f"the other side did not take {len(data)} bytes in time") from None

    def trickle(self, data: bytes, *, pause_seconds: float = 0.01, piece_bytes: int = 1) -> None:
        """Send `data` in pieces that arrive apart."""
        self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), piece_bytes):
            self.send(data[start : start + piece_bytes])
            time.sleep(pause_seconds)

    def flood(self, limit_bytes: int, *, still_seconds: float = STILL_SECONDS) -> int:
        """Send until `limit_bytes` are sent or nothing more is taken for `still_seconds`; return how many were."""
        block = b"." * CHUNK_BYTES
        sent = 0
        while sent < limit_bytes:
            _, writable, _ = select.select([], [self._raw], [], still_seconds)
            if not writable:
                break
            sent += self._raw.send(
                block[: min(len(block), limit_bytes - sent)], socket.MSG_DONTWAIT
            )
        return sent

    def read(self, limit_bytes: int = CHUNK_BYTES) -> bytes:
        """Read what has come, b"" at the end; waits for the first byte."""
        if self._unread:
            data, self._unread = self._unread[:limit_bytes], self._unread[limit_bytes:]
            return data
        return self._raw.recv(limit_bytes)

    def read_exactly(self, count: int) -> bytes:
        """Read `count` bytes."""
        read = b""
        while len(read) < count:
            read += self._more(f"{count} bytes", read, count - len(read))
        return read

    def read_line(self) -> bytes:
        """Read up to and with the next newline."""
        read = b""
        while b"\n" not in read:
            read += self._more("a line", read)
        line, newline, self._unread = read.partition(b"\n")
        return line + newline

    def read_slowly(self, bytes_per_second: int) -> int:
        """Read to the end at a steady rate; return how many bytes there were."""
        began, count = time.monotonic(), 0
        while data := self.read(min(CHUNK_BYTES, max(bytes_per_second // 20, 1))):
            count += len(data)
            behind = count / bytes_per_second - (time.monotonic() - began)
            if behind > 0:
                time.sleep(behind)
        return count

    def expect(self, data: bytes) -> None:
        """Read as many bytes as `data` has: they must be `data`."""
        read = b""
        while len(read) < len(data):
            read += self._more(repr(data), read, len(data) - len(read))
            if not data.startswith(read):
                raise PeerFailure(f"expected {data!r}, got {read!r}")

    def wait_for_eof(self) -> bytes:
        """Read to the other side's FIN; return what came before it. A reset is a failure."""
        read = []
        try:
            while data := self.read():
                read.append(data)
        except TimeoutError:
            raise PeerFailure(f"waited for the end, got {_shown(b''.join(read))}") from None
        except ConnectionError as error:
            raise PeerFailure(f"waited for a clean end, got {error!r}") from None
        return b"".join(read)

    def wait_for_reset(self) -> bytes:
        """Read until the other side resets; return what came before. A clean end is a failure."""
        read = []
        try:
            while data := self.read():
                read.append(data)
        except ConnectionResetError:
            return b"".join(read)
        except TimeoutError:
            raise PeerFailure(f"waited for a reset, got {_shown(b''.join(read))}") from None
        raise PeerFailure(f"waited for a reset, got a clean end after {_shown(b''.join(read))}")

    def half_close(self) -> None:
        """Send FIN; reading goes on."""
        self._raw.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Send RST (SO_LINGER 0) and let go."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._raw.close()

    def close(self) -> None:
        """Send FIN and let go; bytes that were not read turn it into a reset, as TCP has it."""
        self._raw.close()

    def stall(self) -> None:
        """Do nothing until the server stops: no read, no write, no end."""
        self._stopping.wait()

    def _more(self, awaited: str, read: bytes, limit_bytes: int = CHUNK_BYTES) -> bytes:
        try:
            data = self.read(limit_bytes)
        except TimeoutError:
            raise PeerFailure(f"waited for {awaited}, got {_shown(read)}") from None
        if not data:
            raise PeerFailure(f"expected {awaited}, got {_shown(read)} and the end")
        return data


Script = Callable[[Peer], Any]


class PeerServer:
    """Listens on a free port of `host` and runs `script` for each connection, in a thread of its own.

    A context manager in both forms; `async with` lets the loop go on while the scripts come to their end. Leaving
    it stops every thread and raises PeerFailure when a script failed or still waited for something.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        host: str = "127.0.0.1",
        buffer_bytes: int | None = None,
    ) -> None:
        self._script = script
        self._stopping = threading.Event()
        self._accepted: queue.Queue[Peer] = queue.Queue()
        self._results: queue.Queue[Future[Any]] = queue.Queue()
        self._scripts: list[tuple[threading.Thread, Future[Any]]] = []
        self._connections: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self._listener.setblocking(False)
        self._wakened, self._waker = socket.socketpair()
        if buffer_bytes is not None:  # Accepted sockets inherit it.
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._listener.setsockopt(socket.SOL_SOCKET, option, buffer_bytes)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=f"peer server {self.port}")

    @property
    def address(self) -> str:
        """ "host:port", as connect() takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def connection_count(self) -> int:
        """How many connections were accepted so far."""
        return len(self._connections)

    async def accepted(self) -> Peer:
        """The next connection, for a server without a script."""
        return await asyncio.to_thread(self._accepted.get, timeout=TIMEOUT_SECONDS)

    async def result(self) -> Any:
        """What the next script that was begun returns. Raises what it raised."""
        future = await asyncio.to_thread(self._results.get, timeout=TIMEOUT_SECONDS)
        return await asyncio.wait_for(asyncio.wrap_future(future), 2 * TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        failures = self._stop(hurry=error is not None)
        if error is not None:
            for failure in failures:
                error.add_note(f"Its peer failed too: {failure}")
        elif failures:
            raise failures[0]

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, traceback)

    def _accept(self) -> None:
        stopping = False
        while not stopping:
            readable, _, _ = select.select([self._listener, self._wakened], [], [])
            stopping = self._wakened in readable
            with contextlib.suppress(BlockingIOError):
                while True:  # A connection that came before the stop has its script run, too.
                    self._take(self._listener.accept()[0])

    def _take(self, raw: socket.socket) -> None:
        peer = Peer(raw, self._stopping)
        self._connections.append(raw)
        if self._script is None:
            self._accepted.put(peer)
        else:
            self._begin(self._script, peer)

    def _begin(self, script: Script, peer: Peer) -> None:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(script(peer))
            except BaseException as error:
                future.set_exception(error)
            finally:
                peer.raw.close()

        thread = threading.Thread(target=run, name=f"peer of {self.port}")
        self._scripts.append((thread, future))
        self._results.put(future)
        thread.start()

    def _stop(self, *, hurry: bool) -> list[BaseException]:
        self._waker.close()
        self._acceptor.join(TIMEOUT_SECONDS)
        self._wakened.close()
        self._listener.close()
        self._stopping.set()
        failures: list[BaseException] = []
        for thread, future in self._scripts:
            thread.join(0 if hurry else TIMEOUT_SECONDS)
            if thread.is_alive():
                failures.append(PeerFailure("the script was still waiting when the test ended"))
            elif (error := future.exception()) is not None:
                failures.append(error)
        for raw in self._connections:
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
            raw.close()
        for thread, _ in self._scripts:
            thread.join(TIMEOUT_SECONDS)
        return failures


class Blackhole:
    """An address of this machine where a connection attempt gets no answer: its listen backlog is full."""

    def __init__(self) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._fillers: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    @property
    def address(self) -> str:
        """ "host:port", as connect() takes it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        answered = True
        while answered:
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._fillers.append(filler)
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            _, writable, _ = select.select([], [filler], [], 0.1)
            answered = bool(writable)
        return self

    def __exit__(self, *_: object) -> None:
        for filler in self._fillers:
            filler.close()
        self._listener.close()


def refusing_port() -> socket.socket:
    """A bound socket that does not listen: connecting to its port is refused as long as it is open."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind(("127.0.0.1", 0))
    return bound


def _shown(data: bytes) -> str:
    return f"{len(data)} bytes {data[:60]!r}" if data else "nothing"
