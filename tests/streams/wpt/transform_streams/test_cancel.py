"""cancel.any.js: a transformer's cancel is called when either side is given up."""

from __future__ import annotations

from typing import Any, NoReturn

from emulator.streams import Promise, TransformStream
from tests.streams.wpt.kit import flush, rejection

THROWN = RuntimeError("bad things are happening!")
ORIGINAL = RuntimeError("original reason")


class Transformer:
    """Records in `calls`; its cancel raises, or calls controller.error(), when told to."""

    def __init__(self, *, raises: bool = False, errors: bool = False) -> None:
        self.calls: list[Any] = []
        self._raises = raises
        self._errors = errors

    def start(self, controller: Any) -> None:
        self._controller = controller

    def flush(self) -> None:
        self.calls.append("flush")

    def cancel(self, reason: object) -> None:
        self.calls += ["cancel", reason]
        if self._errors:
            self._controller.error(THROWN)
        if self._raises:
            raise THROWN


class AsyncTransformer(Transformer):
    """Does the same later."""

    async def cancel(self, reason: object) -> None:  # type: ignore[override]
        super().cancel(reason)


async def test_cancelling_the_readable_side_should_call_transformer_cancel() -> None:
    transformer = Transformer()
    cancelled: Promise[Any] = TransformStream(transformer).readable.cancel(THROWN)
    assert await cancelled is None
    assert transformer.calls == ["cancel", THROWN]


async def test_cancelling_the_readable_side_should_reject_if_transformer_cancel_throws() -> None:
    transformer = Transformer(raises=True)
    stream = TransformStream(transformer)
    writer = stream.writable.get_writer()
    assert await rejection(stream.readable.cancel(ORIGINAL)) is THROWN
    assert await rejection(writer.closed) is THROWN
    assert transformer.calls == ["cancel", ORIGINAL]


async def test_aborting_the_writable_side_should_call_transformer_cancel() -> None:
    transformer = Transformer()
    aborted: Promise[Any] = TransformStream(transformer).writable.abort(THROWN)
    assert await aborted is None
    assert transformer.calls == ["cancel", THROWN]


async def test_aborting_the_writable_side_should_reject_if_transformer_cancel_throws() -> None:
    transformer = Transformer(raises=True)
    stream = TransformStream(transformer)
    reader = stream.readable.get_reader()
    assert await rejection(stream.writable.abort(ORIGINAL)) is THROWN
    assert await rejection(reader.closed) is THROWN
    assert transformer.calls == ["cancel", ORIGINAL]


async def test_closing_the_writable_side_should_reject_if_a_parallel_transformer_cancel_throws() -> (
    None
):
    transformer = AsyncTransformer(raises=True)
    stream = TransformStream(transformer)
    cancelled, closed = stream.readable.cancel(ORIGINAL), stream.writable.close()
    assert await rejection(cancelled) is THROWN
    assert await rejection(closed) is THROWN
    assert transformer.calls == ["cancel", ORIGINAL]


async def test_cancel_and_a_parallel_close_should_reject_if_transformer_cancel_calls_controller_error() -> (
    None
):
    transformer = AsyncTransformer(errors=True)
    stream = TransformStream(transformer)
    cancelled, closed = stream.readable.cancel(ORIGINAL), stream.writable.close()
    assert await rejection(cancelled) is THROWN
    assert await rejection(closed) is THROWN
    assert transformer.calls == ["cancel", ORIGINAL]


async def test_abort_and_cancel_should_reject_if_transformer_cancel_calls_controller_error() -> (
    None
):
    transformer = AsyncTransformer(errors=True)
    stream = TransformStream(transformer)
    assert await rejection(stream.writable.abort(ORIGINAL)) is THROWN
    assert await rejection(stream.readable.cancel(1)) is THROWN
    assert transformer.calls == ["cancel", ORIGINAL]


async def test_cancel_should_not_call_cancel_again_when_already_called_from_abort() -> None:
    cancelling: Promise[None] = Promise()
    reasons: list[object] = []

    def cancel(reason: object) -> Promise[None]:
        reasons.append(reason)
        return cancelling

    stream = TransformStream({"cancel": cancel})
    await flush()
    aborted = stream.writable.abort(THROWN)
    cancelled = stream.readable.cancel(ORIGINAL)
    cancelling.resolve(None)
    await aborted
    await cancelled
    assert reasons == [THROWN]


async def test_abort_should_not_call_cancel_again_when_already_called_from_readable_cancel() -> (
    None
):
    cancelling: Promise[None] = Promise()
    reasons: list[object] = []

    def cancel(reason: object) -> Promise[None]:
        reasons.append(reason)
        return cancelling

    stream = TransformStream({"cancel": cancel})
    await flush()
    cancelled = stream.readable.cancel(ORIGINAL)
    aborted = stream.writable.abort(THROWN)
    cancelling.resolve(None)
    assert await rejection(cancelled) is THROWN
    assert await rejection(aborted) is THROWN
    assert reasons == [ORIGINAL]


async def test_close_should_not_call_flush_when_cancel_is_already_called_from_readable_cancel() -> (
    None
):
    cancelling: Promise[None] = Promise()

    def unwanted() -> NoReturn:
        raise AssertionError("flush was called")

    stream = TransformStream({"cancel": lambda: cancelling, "flush": unwanted})
    await flush()
    cancelled = stream.readable.cancel(ORIGINAL)
    closed = stream.writable.close()
    cancelling.resolve(None)
    await cancelled
    await closed


async def test_cancel_should_not_call_cancel_when_flush_is_already_called_from_writable_close() -> (
    None
):
    flushing: Promise[None] = Promise()
    cancels: list[object] = []
    stream = TransformStream({"flush": lambda: flushing, "cancel": cancels.append})
    await flush()
    closed = stream.writable.close()
    cancelled = stream.readable.cancel(THROWN)
    flushing.resolve(None)
    await closed
    await cancelled
    assert cancels == []


async def test_abort_should_not_call_cancel_when_flush_is_already_called_from_writable_close() -> (
    None
):
    flushing: Promise[None] = Promise()
    cancels: list[object] = []
    stream = TransformStream({"flush": lambda: flushing, "cancel": cancels.append})
    await flush()
    closed = stream.writable.close()
    aborted = stream.writable.abort(THROWN)
    flushing.resolve(None)
    await closed
    await aborted
    assert cancels == []
