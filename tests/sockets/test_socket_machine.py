"""Random histories of one socket over real TCP: whatever a worker and its peer do, nothing hangs, nothing is left.

Each rule is one action of one side. After every history the request ends: then `closed` and every promise that was
handed out must be settled, every byte that was read must be what the peer sent, and no file descriptor may remain.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket as os_socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emulator.context import IoContext, enter
from emulator.errors import SocketError
from emulator.sockets import Socket, SocketState, connect
from emulator.sockets.state import OVER
from emulator.streams import (
    Promise,
    ReadableStreamDefaultReader,
    WritableStreamDefaultWriter,
)
from tests.conftest import LoopFactory, new_uvloop
from tests.support.contexts import RecordingObserver
from tests.support.native import let_loop_run
from tests.support.waiting import until, within

T = TypeVar("T")

PEER_BYTES = bytes(range(256)) * 40_000
SIZES = st.sampled_from([0, 1, 1000, 70_000, 3_000_000])


def open_sockets() -> int:
    """How many sockets this process has."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # It was closed meanwhile.
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


async def count_sockets() -> int:
    """`open_sockets` while the loop runs: some loops have sockets of their own then."""
    return open_sockets()


class SocketMachine(RuleBasedStateMachine):
    """One socket, one peer; `loop_factory` is set by the classes below."""

    loop_factory: LoopFactory

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=self.loop_factory)
        self.loop_errors: list[dict[str, Any]] = []
        loop = self.runner.get_loop()
        loop.set_exception_handler(lambda _, context: self.loop_errors.append(context))
        self.peer: os_socket.socket | None = None
        self.promises: list[Promise[Any]] = []
        self.reader: ReadableStreamDefaultReader | None = None
        self.writer: WritableStreamDefaultWriter | None = None
        self.peer_sent = 0
        self.received = b""
        self.sockets_before = self.do(count_sockets())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` as the request's code, for 10 s at most."""

        async def bounded() -> T:
            return await within(work)

        return self.runner.run(bounded())

    def act(self, action: Callable[[], object]) -> None:
        """Call `action` inside the request, then let the loop turn; a refusal by TypeError is an answer."""

        async def acting() -> None:
            with enter(self.context):
                try:
                    result = action()
                except TypeError:
                    result = None
            if isinstance(result, Promise):
                self.promises.append(result)
            await let_loop_run()

        self.do(acting())

    @initialize(half_open=st.booleans(), listening=st.sampled_from([True, True, True, False]))
    def begin(self, half_open: bool, listening: bool) -> None:
        self.listener = os_socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.setblocking(False)
        if listening:
            self.listener.listen()
        self.context = IoContext("GET /", RecordingObserver())
        port = self.listener.getsockname()[1]

        async def connecting() -> Socket:
            with enter(self.context):
                return connect(f"127.0.0.1:{port}", allow_half_open=half_open)

        self.socket = self.do(connecting())
        with enter(self.context):
            self.promises += [self.socket.opened, self.socket.closed]

    # What the worker does.

    @rule()
    def take_reader(self) -> None:
        def action() -> None:
            self.reader = self.socket.readable.get_reader()

        self.act(action)

    @rule()
    def read(self) -> None:
        reader = self.reader
        if reader is None:
            return

        def action() -> None:
            reading = reader.read()
            self.promises.append(reading)

            def keep() -> None:
                if reading.error is None:
                    self.received += reading._value.value or b""  # type: ignore[union-attr]

            reading.when_settled(keep)

        self.act(action)

    @rule()
    def release_reader(self) -> None:
        if self.reader is not None:
            self.act(self.reader.release_lock)

    @rule()
    def cancel_reading(self) -> None:
        self.act((self.reader or self.socket.readable).cancel)

    @rule()
    def take_writer(self) -> None:
        def action() -> None:
            self.writer = self.socket.writable.get_writer()

        self.act(action)

    @rule(size=SIZES)
    def write(self, size: int) -> None:
        writer = self.writer
        if writer is not None:
            self.act(lambda: writer.write(b"." * size))

    @rule()
    def ask_ready(self) -> None:
        writer = self.writer
        if writer is not None:
            self.act(lambda: writer.ready)

    @rule()
    def close_writing(self) -> None:
        self.act((self.writer or self.socket.writable).close)

    @rule()
    def abort_writing(self) -> None:
        self.act((self.writer or self.socket.writable).abort)

    @rule()
    def echo(self) -> None:
        self.act(lambda: self.socket.readable.pipe_to(self.socket.writable))

    @rule()
    def close(self) -> None:
        self.act(self.socket.close)

    # What the peer does.

    @precondition(lambda self: self.peer is None)
    @rule()
    def peer_accepts(self) -> None:
        try:
            self.peer, _ = self.listener.accept()
        except OSError:
            return
        self.peer.setblocking(False)

    @rule(size=SIZES)
    def peer_sends(self, size: int) -> None:
        if self.peer is None:
            return
        with contextlib.suppress(OSError):
            self.peer_sent += self.peer.send(PEER_BYTES[self.peer_sent :][:size])
        self.turn()

    @rule()
    def peer_reads(self) -> None:
        if self.peer is None:
            return
        try:
            while self.peer.recv(1_000_000):
                self.turn()
        except OSError:
            pass
        self.turn()

    @rule()
    def peer_half_closes(self) -> None:
        if self.peer is not None:
            with contextlib.suppress(OSError):
                self.peer.shutdown(os_socket.SHUT_WR)
            self.turn()

    @rule()
    def peer_resets(self) -> None:
        if self.peer is not None:
            self.peer.setsockopt(os_socket.SOL_SOCKET, os_socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.peer.close()
            self.peer = None
            self.turn()

    @rule()
    def turn(self) -> None:
        self.do(let_loop_run(10))

    # The end.

    def teardown(self) -> None:
        try:
            if hasattr(self, "socket"):
                self.do(self.end())
                assert PEER_BYTES.startswith(self.received)
        finally:
            self.runner.close()
        assert not self.loop_errors

    async def end(self) -> None:
        socket = self.socket
        self.context.end()
        assert socket.state in OVER
        unsettled = [promise for promise in self.promises if not promise.settled]
        assert not unsettled, f"{unsettled} after the end of the request"
        closed = self.promises[1]
        if socket.state is SocketState.CLOSED:
            assert closed.error is None
        elif socket.state is SocketState.FAILED:
            assert isinstance(closed.error, SocketError)
        if self.peer is not None:
            await asyncio.to_thread(drain, self.peer)
            self.peer.close()
        self.listener.close()
        await until(lambda: open_sockets() <= self.sockets_before, "every socket to be closed", 4)


def drain(peer: os_socket.socket) -> None:
    """Read to the end, so that the other side can send what it has and close."""
    try:
        while select.select([peer], [], [], 5)[0] and peer.recv(1_000_000):
            pass
    except OSError:
        pass


class OnAsyncio(SocketMachine):
    loop_factory = staticmethod(asyncio.new_event_loop)


class OnUvloop(SocketMachine):
    loop_factory = staticmethod(new_uvloop)


@pytest.mark.parametrize("machine", [OnAsyncio, OnUvloop])
def test_no_history_hangs_or_leaves_anything(machine: type[SocketMachine]) -> None:
    if machine is OnUvloop:
        new_uvloop().close()
    chosen = settings(
        max_examples=80,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
