"""A process that serves for a session which has several: it is started by another, and ends with that.

Floor 7. Owns what such a process is told and how it ends; what it does is session.py's. Must not know the command line,
or how processes are started and watched (slot.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator import errors
from emulator.config import Config, load_all
from emulator.dev import tables
from emulator.dev.output import Channel
from emulator.dev.relay import (
    Frames,
    JsonObject,
    RelayedFace,
    framed,
    line_of,
    messages_of,
    relayed_face,
)
from emulator.dev.session import run
from emulator.dev.shutdown import DEADLINE_SECONDS
from emulator.failures import describe_failure
from emulator.server import Share
from emulator.sockets import open_sockets

_READ_BYTES = 65_536


class Link:
    """The end of the connection to the session's process that is this one's. Blocks."""

    def __init__(self, fileno: int) -> None:
        self.socket = socket.socket(fileno=fileno)
        self.socket.set_inheritable(False)
        self._frames = Frames()

    def messages(self) -> Iterator[JsonObject]:
        """Yield what the session's process says until it ends."""
        while data := self._read():
            for _, frame in self._frames.feed(data):
                yield from messages_of(frame)

    def _read(self) -> bytes:
        try:
            return self.socket.recv(_READ_BYTES)
        except OSError:
            return b""


class Post:
    """What a person's console is to other sessions: reloads on demand, and an end when the session's process ends.

    `orders` are messages of that process.
    """

    # Ctrl-C reaches every process of a terminal: the session's passes it on as this.
    signals = (signal.SIGTERM,)

    def __init__(self, orders: Iterator[JsonObject], face: RelayedFace, share: Share) -> None:
        self.share = share
        self._face = face
        self._served = threading.Event()
        self._reload: Callable[[set[Path]], object] = lambda changed: None
        self._call_soon: Callable[..., object] = lambda *_: None
        threading.Thread(
            target=self._heed, args=(orders,), name="pyworker-parent", daemon=True
        ).start()

    @contextmanager
    def debugging(self) -> Iterator[None]:
        """A block in which breakpoint() says that nobody is there to type."""
        before = sys.breakpointhook
        if before is sys.__breakpointhook__:
            sys.breakpointhook = self._decline
        try:
            yield
        finally:
            sys.breakpointhook = before

    @contextmanager
    def serving(
        self, config: Config, url: str, reload: Callable[[set[Path]], object]
    ) -> Iterator[None]:
        """A block on the running event loop in which the session's process may have `reload(changed)` called there."""
        self._reload = reload
        self._call_soon = asyncio.get_running_loop().call_soon_threadsafe
        self._served.set()
        yield

    def close(self) -> None:
        """Send what is left to be sent."""
        self._face.close()

    def _heed(self, orders: Iterator[JsonObject]) -> None:
        for order in orders:
            self._served.wait()
            action = {"reload": self._reload_now, "sockets": self._list_sockets}[order["kind"]]
            try:
                self._call_soon(action, order)
            except RuntimeError:  # The loop is closed: this process ends.
                break
        _end()

    def _reload_now(self, order: JsonObject) -> None:
        face = self._face
        face.telling = order["telling"]
        try:
            self._reload({Path(path) for path in order["changed"]})
        finally:
            face.telling = True
            withheld, face.withheld = face.withheld, []
            face.answer({"kind": "reloaded", "number": order["number"], "said": withheld})

    def _list_sockets(self, order: JsonObject) -> None:
        rows = tables.rows_of_sockets(open_sockets())
        self._face.answer({"kind": "sockets", "number": order["number"], "rows": rows})

    def _decline(self, *_: Any, **__: Any) -> None:
        self._face.note(errors.BREAKPOINT_ELSEWHERE)


def main(fileno: int) -> int:
    """Serve until told to stop; return the exit code. `fileno` is the connection to the session's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    link = Link(fileno)
    orders = link.messages()
    order = next(orders, None)
    if order is None:
        return 1
    sys.argv = order["argv"]
    listening = [[_listening(each) for each in some] for some in order["listening"]]
    share = Share(listening[0], listening[1:])

    def read() -> tuple[Config, ...]:
        first, *others = load_all([Path(file) for file in order["files"]], _overrides(order))
        # The session's process looks at the files, and one process has the crons.
        run_crons = first.run_crons and order["first"]
        return (first._replace(reload=False, run_crons=run_crons), *others)

    try:
        configs = read()
    except errors.PyworkerError as error:
        return _failed(link, error)
    face = relayed_face(configs[0], link.socket)
    face.telling = order["telling"]
    try:
        return run(configs, face, read, Post(orders, face, share))
    except errors.PyworkerError as error:
        return _failed(link, error)


def _overrides(order: JsonObject) -> dict[str, object]:
    """What the command line says; options that may be given several times are tuples again."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in order["overrides"].items()
    }


def _listening(fileno: int) -> socket.socket:
    listening = socket.socket(fileno=fileno)
    listening.set_inheritable(False)
    return listening


def _failed(link: Link, error: errors.PyworkerError) -> int:
    link.socket.sendall(
        framed(Channel.PARENT, line_of({"kind": "failed", "text": describe_failure(error)}))
    )
    return 1


def _end() -> None:
    """The session's process is gone: end as on SIGTERM, and if that does not help at once."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(DEADLINE_SECONDS)
    os._exit(1)
