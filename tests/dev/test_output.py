"""Writing never waits, never fails, and keeps its order."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator

import pytest

from emulator.dev.output import QUEUE_LIMIT_BYTES, Channel, Output


class Pipe:
    """A pipe whose reading end the test holds."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self._open = {self.reader, self.writer}

    def close(self, descriptor: int) -> None:
        """Close one end. Harmless when called twice."""
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)

    def everything(self) -> bytes:
        """What was written, once the writing end is closed."""
        self.close(self.writer)
        data = b""
        while piece := os.read(self.reader, 65536):
            data += piece
        return data


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close(made.reader)
    made.close(made.writer)


def test_both_channels_keep_their_order_in_one_pipe(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    expected = b""
    for number in range(100):
        line = b"%d\n" % number
        output.write(Channel.OUT if number % 3 else Channel.ERR, line)
        expected += line
    output.close()
    assert pipe.everything() == expected


def test_a_full_pipe_holds_up_nobody_and_tells_what_is_missing(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    line = b"x" * 1023 + b"\n"
    for _ in range(2 * QUEUE_LIMIT_BYTES // len(line)):
        output.write(Channel.OUT, line)
    received = b""
    while b"of output not shown: the terminal did not keep up)\n" not in received:
        piece = os.read(pipe.reader, 1 << 20)
        assert piece
        received += piece
        output.write(Channel.OUT, b"later\n")
    output.close()
    assert len(received) <= QUEUE_LIMIT_BYTES + (1 << 20)


def test_a_reader_that_is_gone_is_survived(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    pipe.close(pipe.reader)
    for _ in range(10):
        output.write(Channel.OUT, b"to nobody\n")
    output.close()
    output.close()


def test_a_pipe_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writer, False)
    output = Output(pipe.writer, None)
    data = os.urandom(1 << 20)
    output.write(Channel.OUT, data)
    received = b""
    while len(received) < len(data):
        received += os.read(pipe.reader, 1 << 20)
    output.close()
    assert received == data


def test_streams_that_the_process_was_not_given_take_everything() -> None:
    output = Output(None, None)
    with output.capturing_prints():
        print("to nobody")
        with pytest.raises(OSError, match="started without this stream"):
            sys.stdout.fileno()
        assert not sys.stdout.isatty()
    output.close()


def test_prints_go_through_the_queue(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    with output.capturing_prints():
        output.write(Channel.OUT, b"before\n")
        print("out", "\ud800")
        print("err", file=sys.stderr)
        sys.stdout.buffer.write(b"bytes\n")
        assert sys.stdout.fileno() == pipe.writer
    output.close()
    assert pipe.everything() == b"before\nout \\ud800\nerr\nbytes\n"


def test_a_terminal_stays_one_for_what_the_worker_prints() -> None:
    leader, follower = pty.openpty()
    output = Output(follower, None)
    with output.capturing_prints():
        assert sys.stdout.isatty()
    output.close()
    os.close(follower)
    os.close(leader)


class Screen:
    """A pseudo-terminal that an Output writes to."""

    def __init__(self) -> None:
        self.leader, self.follower = pty.openpty()
        self.output = Output(self.follower, self.follower)

    def shown_until(self, end: bytes) -> bytes:
        """What was written, up to `end`."""
        data = b""
        while not data.endswith(end):
            data += os.read(self.leader, 1024)
        return data

    def close(self) -> None:
        self.output.close()
        os.close(self.follower)
        os.close(self.leader)


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


def test_the_status_stays_below_what_is_written(screen: Screen) -> None:
    screen.output.show_status(lambda columns: "two notes")
    assert screen.shown_until(b"two notes") == b"\r\x1b[Ktwo notes"
    screen.output.write(Channel.ERR, b"a line\n")
    assert screen.shown_until(b"two notes") == b"\r\x1b[Ka line\r\n\r\x1b[Ktwo notes"
    screen.output.show_status(None)
    assert screen.shown_until(b"\x1b[K") == b"\r\x1b[K"


def test_the_status_waits_for_the_end_of_a_line(screen: Screen) -> None:
    screen.output.write(Channel.OUT, b"half")
    assert screen.shown_until(b"half") == b"half"
    screen.output.show_status(lambda columns: "status")
    screen.output.write(Channel.OUT, b" a line\n")
    assert screen.shown_until(b"status") == b" a line\r\n\r\x1b[Kstatus"


def test_who_is_handed_the_descriptors_has_them_alone(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    output.write(Channel.OUT, b"before\n")
    with output.handed_over():
        output.write(Channel.OUT, b"meanwhile\n")
        with output.handed_over():
            os.write(pipe.writer, b"by hand\n")
    output.close()
    assert pipe.everything() == b"before\nby hand\nmeanwhile\n"


def test_prints_can_be_received(pipe: Pipe) -> None:
    output = Output(pipe.writer, pipe.writer)
    received: list[tuple[Channel, bytes]] = []
    with output.capturing_prints(lambda channel, data: received.append((channel, data))):
        print("out")
    output.close()
    assert b"".join(data for _, data in received) == b"out\n"
    assert pipe.everything() == b""
