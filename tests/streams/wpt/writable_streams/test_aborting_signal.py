"""aborting.any.js, continued: the controller's signal."""

from __future__ import annotations

from emulator.errors import AbortError
from emulator.streams import AbortSignal, Promise
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection

ERROR_1 = RuntimeError("error1")
ERROR_2 = RuntimeError("error2")


async def test_writable_stream_default_controller_signal() -> None:
    stream = recording_writable_stream()
    signal: AbortSignal = stream.controller.signal
    assert isinstance(signal, AbortSignal)
    assert (signal.aborted, signal.reason) == (False, None)
    stream.abort(ERROR_1)
    assert (signal.aborted, signal.reason) == (True, ERROR_1)


async def test_the_abort_signal_is_signalled_synchronously_write() -> None:
    called: Promise[None] = Promise()

    def write(*_: object) -> Promise[None]:
        called.resolve(None)
        return Promise()

    stream = recording_writable_stream({"write": write})
    signal: AbortSignal = stream.controller.signal
    writer = stream.get_writer()
    writer.write(99)
    await called
    assert (signal.aborted, signal.reason) == (False, None)
    writer.abort()
    assert signal.aborted
    assert isinstance(signal.reason, AbortError)


async def test_the_abort_signal_is_signalled_synchronously_close() -> None:
    called: Promise[None] = Promise()

    def close() -> Promise[None]:
        called.resolve(None)
        return Promise()

    stream = recording_writable_stream({"close": close})
    writer = stream.get_writer()
    writer.close()
    await called
    before = stream.controller.signal.aborted
    writer.abort()
    assert (before, stream.controller.signal.aborted) == (False, True)


async def test_the_abort_signal_is_not_signalled_on_error() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    stream.controller.error(ERROR_1)
    assert await rejection(writer.closed) is ERROR_1
    assert not stream.controller.signal.aborted


async def test_the_abort_signal_is_not_signalled_on_write_failure() -> None:
    async def write(*_: object) -> None:
        raise ERROR_1

    stream = recording_writable_stream({"write": write})
    writer = stream.get_writer()
    assert await rejection(writer.write("hello")) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1
    assert not stream.controller.signal.aborted


async def test_the_abort_signal_is_not_signalled_on_close_failure() -> None:
    async def close() -> None:
        raise ERROR_1

    stream = recording_writable_stream({"close": close})
    writer = stream.get_writer()
    assert await rejection(writer.close()) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1
    assert not stream.controller.signal.aborted


async def test_recursive_abort_call() -> None:
    stream = recording_writable_stream()
    writer = stream.get_writer()
    stream.controller.signal.add_event_listener("abort", lambda: writer.abort(ERROR_2))
    writer.abort(ERROR_1)
    assert stream.controller.signal.aborted
    assert await rejection(writer.closed) is ERROR_2


async def test_recursive_abort_call_from_abort_aborting_signal_not_started() -> None:
    stream = recording_writable_stream()
    stream.controller.signal.add_event_listener("abort", lambda: stream.abort(ERROR_2))
    first = stream.abort(ERROR_1)
    assert stream.abort() is first
    await first
    assert stream.events == ["abort", ERROR_2]
    assert await rejection(stream.get_writer().closed) is ERROR_2


async def test_recursive_abort_call_from_abort_aborting_signal() -> None:
    stream = recording_writable_stream()
    await flush()
    stream.controller.signal.add_event_listener("abort", lambda: stream.abort(ERROR_2))
    await stream.abort(ERROR_1)
    assert stream.events == ["abort", ERROR_2]


async def test_recursive_close_call_from_abort_aborting_signal_not_started() -> None:
    stream = recording_writable_stream()
    closes: list[Promise[None]] = []
    stream.controller.signal.add_event_listener("abort", lambda: closes.append(stream.close()))
    await stream.abort(ERROR_1)
    assert await rejection(closes[0]) is ERROR_1
    assert stream.events == ["abort", ERROR_1]


async def test_recursive_close_call_from_abort_aborting_signal() -> None:
    stream = recording_writable_stream()
    await flush()
    closes: list[Promise[None]] = []
    stream.controller.signal.add_event_listener("abort", lambda: closes.append(stream.close()))
    await stream.abort(ERROR_1)
    await closes[0]
    assert stream.events == ["close"]
