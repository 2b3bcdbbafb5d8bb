"""readable-streams/cancel: what reaches the source, and what the promise of cancel() says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream
from tests.streams.wpt.kit import (
    all_of,
    chunk,
    controlled,
    flush,
    rejection,
    rejects_with_type_error,
)

REASON = Exception("Sorry, it just wasn't meant to be.")


async def test_integration_on_an_infinite_stream_derived_from_a_push_source() -> None:
    finishing: Promise[None] = Promise()
    pushing: list[asyncio.Handle] = []
    loop = asyncio.get_running_loop()

    def push(controller: Any) -> None:
        controller.enqueue("x" * 128)
        pushing.append(loop.call_soon(push, controller))

    def cancel() -> Promise[None]:
        pushing[-1].cancel()
        return finishing

    stream = ReadableStream({"pull": lambda c: None if pushing else push(c), "cancel": cancel})
    reader = stream.get_reader()
    for _ in range(10):
        assert await reader.read() == chunk("x" * 128)
    cancelled = reader.cancel()
    assert (await reader.read()).done
    await flush()
    assert not cancelled.settled
    finishing.resolve(None)
    await cancelled


async def test_passes_through_the_given_reason_to_the_underlying_source() -> None:
    reasons: list[object] = []
    ReadableStream({"cancel": reasons.append}).cancel(REASON)
    assert reasons == [REASON]


async def test_on_a_locked_stream_fails_and_does_not_call_the_underlying_source() -> None:
    reasons: list[object] = []
    stream, controller = controlled({"cancel": reasons.append})
    controller.enqueue("a")
    controller.close()
    reader = stream.get_reader()
    await rejects_with_type_error(stream.cancel())
    assert await reader.read() == chunk("a")
    await reader.closed
    assert reasons == []


async def test_fulfills_promise_when_cancel_callback_went_fine() -> None:
    reasons: list[object] = []
    await ReadableStream({"cancel": reasons.append}).cancel(REASON)
    assert reasons == [REASON]


async def test_returning_a_value_does_not_affect_the_fulfillment_value() -> None:
    assert await all_of(ReadableStream({"cancel": lambda: "Hello"}).cancel()) == [None]


async def test_rejects_promise_when_cancel_callback_raises_an_exception() -> None:
    def cancel(reason: object) -> None:
        assert reason == "test"
        raise REASON

    assert await rejection(ReadableStream({"cancel": cancel}).cancel("test")) is REASON


async def test_fulfills_when_the_promise_of_the_source_does_1() -> None:
    async def cancel(reason: object) -> None:
        assert reason is REASON
        await flush()

    await ReadableStream({"cancel": cancel}).cancel(REASON)


@pytest.mark.parametrize("failing", [False, True], ids=["fulfill (2)", "reject"])
async def test_settles_only_after_the_promise_of_the_source(failing: bool) -> None:
    source: Promise[str] = Promise()
    promise = ReadableStream({"cancel": lambda: source}).cancel()
    await flush()
    assert not promise.settled
    if failing:
        source.reject(REASON)
        assert await rejection(promise) is REASON
    else:
        source.resolve("Hello")
        assert await all_of(promise) == [None]


async def test_cancelling_before_start_finishes_prevents_pull_from_being_called() -> None:
    starting: Promise[None] = Promise()
    pulls: list[object] = []
    stream = ReadableStream({"start": lambda: starting, "pull": pulls.append})
    await stream.cancel()
    await stream.get_reader().closed
    starting.resolve(None)
    await flush()
    assert pulls == []
