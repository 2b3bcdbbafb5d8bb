"""The kit's own source and sink keep the promises that they are to stand in for."""

from __future__ import annotations

import pytest

from emulator.streams import ByteSink, ByteSource
from tests.support.native import (
    RecordingFeeder,
    RecordingReceiver,
    RecordingSink,
    ScriptedSource,
    check_sink,
    check_source,
)


async def make_source() -> ScriptedSource:
    return ScriptedSource()


async def supply(source: ByteSource) -> None:
    assert isinstance(source, ScriptedSource)
    if not source.cancelled:
        source.deliver(b"one", b"two")
        source.end()


async def send(sink: ByteSink) -> None:
    assert isinstance(sink, RecordingSink)
    sink.send()


async def sent(sink: ByteSink) -> bytes:
    assert isinstance(sink, RecordingSink)
    return bytes(sink.sent)


async def test_scripted_source_keeps_the_contract() -> None:
    await check_source(make_source, supply, b"onetwo")


@pytest.mark.parametrize("room_bytes", [None, 1, 10_000])
async def test_recording_sink_keeps_the_contract(room_bytes: int | None) -> None:
    async def make() -> RecordingSink:
        return RecordingSink(room_bytes)

    await check_sink(make, send, sent)


async def test_source_check_notices_a_lost_byte() -> None:
    with pytest.raises(AssertionError):
        await check_source(make_source, supply, b"onetwothree")


async def test_source_check_notices_a_delivery_after_cancel() -> None:
    class Deaf(ScriptedSource):
        def cancel(self, reason: BaseException | None) -> None:
            """Go on as if nothing had been said."""

    async def make() -> Deaf:
        return Deaf()

    with pytest.raises(AssertionError):
        await check_source(make, supply, b"onetwo")


async def test_sink_check_notices_a_sink_that_never_drains() -> None:
    class Stuck(RecordingSink):
        def send(self) -> None:
            self.asked_to_hold = False
            super().send()

    async def make() -> Stuck:
        return Stuck(1)

    with pytest.raises(AssertionError):
        await check_sink(make, send, sent)


def test_source_waits_while_paused() -> None:
    source, receiver = ScriptedSource(), RecordingReceiver()
    source.deliver_to(receiver)
    source.deliver(b"a")
    assert not receiver.chunks
    source.resume()
    assert receiver.chunks == [b"a"]


def test_sink_tells_its_loss() -> None:
    sink, feeder = RecordingSink(), RecordingFeeder()
    sink.feed_from(feeder)
    error = ConnectionError("gone")
    sink.lose(error)
    assert feeder.losses == [error]
    assert sink.flush().error is error
