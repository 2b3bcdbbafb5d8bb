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
