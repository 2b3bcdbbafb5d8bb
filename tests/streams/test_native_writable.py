"""The state machine under WritableStream, as a pump's sink and as a socket drives it."""

from __future__ import annotations

import pytest

from emulator import errors
from emulator.streams import ByteSink, NativeWritable, WritableState
from tests.support.native import RecordingFeeder, RecordingSink, check_sink


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink(room_bytes=10)


@pytest.fixture
def core(sink: RecordingSink) -> NativeWritable:
    return NativeWritable(sink)


@pytest.mark.parametrize("room_bytes", [None, 1, 10_000])
async def test_it_keeps_the_contract_of_a_sink(room_bytes: int | None) -> None:
    beneath: list[RecordingSink] = []

    async def make() -> NativeWritable:
        beneath[:] = [RecordingSink(room_bytes)]
        return NativeWritable(beneath[0])

    async def drain(_: ByteSink) -> None:
        beneath[0].send()

    async def arrived(_: ByteSink) -> bytes:
        return bytes(beneath[0].sent)

    await check_sink(make, drain, arrived)


def test_fail_rejects_without_touching_the_sink(sink: RecordingSink, core: NativeWritable) -> None:
    feeder = RecordingFeeder()
    core.feed_from(feeder)
    written = core.submit(b"x" * 20)
    error = ConnectionError("lost")
    core.fail(error)
    core.fail(ConnectionError("later"))
    assert written.error is error
    assert core.closed.error is error
    assert feeder.losses == [error]
    assert sink.aborted_with is None
    assert core.state is WritableState.ERRORED


def test_seal_closes_without_touching_the_sink(sink: RecordingSink, core: NativeWritable) -> None:
    feeder = RecordingFeeder()
    core.feed_from(feeder)
    written = core.submit(b"x" * 20)
    core.seal()
    core.seal()
    assert (written.settled, written.error) == (True, None)
    assert (core.closed.settled, core.closed.error) == (True, None)
    assert [str(error) for error in feeder.losses] == [errors.WRITABLE_CLOSED]
    assert not sink.finished


def test_a_feeder_that_comes_too_late_is_told(core: NativeWritable) -> None:
    core.seal()
    feeder = RecordingFeeder()
    core.feed_from(feeder)
    assert [str(error) for error in feeder.losses] == [errors.WRITABLE_CLOSED]


def test_break_off_aborts_the_sink_once(sink: RecordingSink, core: NativeWritable) -> None:
    reason = ValueError("enough")
    core.break_off(reason)
    core.abort(ValueError("again"))
    assert sink.aborted_with is reason
    assert core.closed.error is reason


def test_loss_in_the_moment_of_writing() -> None:
    class Brittle(RecordingSink):
        def write(self, data: object) -> bool:
            self.lose(ConnectionError("lost"))
            return False

    core = NativeWritable(Brittle())
    assert str(core.submit(b"x").error) == "lost"
