"""TransformStream: what is written on one side comes out, changed, on the other.

Floor 2. Owns the standard's coupling of the two sides and their back-pressure. Source: WHATWG Streams, "Transform
streams".
"""

from __future__ import annotations

import asyncio
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.errors import RangeError
from emulator.naming import camel_case_aliases
from emulator.streams.belonging import end_with_request
from emulator.streams.construction import readable_of, writable_of
from emulator.streams.core import ReadableState, WritableState, as_error
from emulator.streams.promise import Promise
from emulator.streams.readable import ReadableStream
from emulator.streams.strategy import high_water_mark_of, size_algorithm_of
from emulator.streams.underlying import (
    Algorithm,
    algorithm,
    call,
    member,
    method,
    nothing,
    promise_of,
    takes,
)
from emulator.streams.writable import WritableStream


class TransformCore:
    """Both sides of one transformation, coupled."""

    def __init__(
        self, transformer: object, writable_strategy: object, readable_strategy: object
    ) -> None:
        self._started: Promise[Any] = Promise()
        self._backpressure = False
        self._backpressure_change: Promise[None] = Promise()
        self._finishing: Promise[None] | None = None
        # The writable side hears of the start before the readable one does.
        self.writable, self.writable_controller = writable_of(
            self._write,
            self._close,
            self._abort_writable,
            high_water_mark_of(writable_strategy, 1),
            size_algorithm_of(writable_strategy),
        )
        self.writable_controller.started(_resolved_with(self._started))
        self.readable, self.readable_controller = readable_of(
            self._pull,
            self._cancel_readable,
            _resolved_with(self._started),
            high_water_mark_of(readable_strategy, 0),
            size_algorithm_of(readable_strategy),
        )
        self._set_backpressure(True)
        self.controller = TransformStreamDefaultController(self)
        self._transform: Algorithm = self._pass_on
        if method(transformer, "transform") is not None:
            self._transform = algorithm(transformer, "transform", takes=2)
        self._flush: Algorithm = algorithm(transformer, "flush")
        self._cancel: Algorithm = algorithm(transformer, "cancel")

    def start(self, transformer: object) -> None:
        """Call the transformer's start; both sides begin when it is done. Raises what it raises at once."""
        start = method(transformer, "start")
        if start is None:
            self._started.resolve(None)
        else:
            argument = [self.controller] if takes(start, 1) else []
            self._started.follow(promise_of(start(*argument)))

    @property
    def wanted(self) -> Promise[None]:
        """A promise that settles when the readable side wants more, or nothing any more."""
        return self._backpressure_change if self._backpressure else Promise.fulfilled(None)

    # What the controller asks.

    def enqueue(self, chunk: Any) -> None:
        """Give a chunk to the readable side."""
        if not self.readable_controller.may_enqueue:
            raise TypeError(errors.CONTROLLER_CLOSED)
        try:
            self.readable_controller.push(chunk)
        except Exception as error:
            self._fail_writable(error)
            if self.readable.error is None or self.readable.error is error:
                raise
            raise self.readable.error from error
        if self.readable_controller.has_backpressure and not self._backpressure:
            self._set_backpressure(True)

    def fail(self, error: BaseException) -> None:
        """Fail both sides."""
        self.readable_controller.fail(error)
        self._fail_writable(error)

    def terminate(self) -> None:
        """End the readable side, fail the writable one."""
        if self.readable_controller.may_enqueue:
            self.readable_controller.finish()
        self._fail_writable(TypeError(errors.TRANSFORM_TERMINATED))

    def _fail_writable(self, error: BaseException) -> None:
        self._dismiss()
        self.writable_controller.fail_if_needed(error)
        if self._backpressure:
            self._set_backpressure(False)

    # The writable side's sink.

    def _write(self, chunk: Any, _: object = None) -> Promise[Any]:
        if not self._backpressure:
            return self._transform_chunk(chunk)
        written: Promise[Any] = Promise()

        def room(_: object) -> None:
            if self.writable.state is WritableState.ERRORING and self.writable.error is not None:
                written.reject(self.writable.error)
            else:
                written.follow(self._transform_chunk(chunk))

        self._backpressure_change.then(room, written.reject)
        return written

    def _transform_chunk(self, chunk: Any) -> Promise[Any]:
        done: Promise[Any] = Promise()

        def failed(error: BaseException) -> None:
            self.fail(error)
            done.reject(error)

        self._transform(chunk, self.controller).then(done.resolve, failed)
        return done

    def _pass_on(self, chunk: Any, _: object) -> Promise[None]:
        """The transform of a transformer that has none."""
        return call(self.enqueue, chunk)

    def _close(self) -> Promise[None]:
        if self._finishing is not None:
            return self._finishing
        finishing = self._finishing = Promise()
        flush = self._flush
        self._dismiss()

        def flushed(_: object) -> None:
            if self.readable.state is ReadableState.ERRORED and self.readable.error is not None:
                finishing.reject(self.readable.error)
                return
            if self.readable_controller.may_enqueue:
                self.readable_controller.finish()
            finishing.resolve(None)

        def failed(error: BaseException) -> None:
            self.readable_controller.fail(error)
            finishing.reject(error)

        flush(self.controller).then(flushed, failed)
        return finishing

    def _abort_writable(self, reason: object) -> Promise[None]:
        if self._finishing is not None:
            return self._finishing
        finishing = self._finishing = Promise()
        cancel = self._cancel
        self._dismiss()

        def cancelled(_: object) -> None:
            if self.readable.state is ReadableState.ERRORED and self.readable.error is not None:
                finishing.reject(self.readable.error)
                return
            self.readable_controller.fail(as_error(reason, errors.WRITABLE_ABORTED))
            finishing.resolve(None)

        def failed(error: BaseException) -> None:
            self.readable_controller.fail(error)
            finishing.reject(error)

        cancel(reason).then(cancelled, failed)
        return finishing

    # The readable side's source.

    def _pull(self, _: object) -> Promise[None]:
        self._set_backpressure(False)
        return self._backpressure_change

    def _cancel_readable(self, reason: object) -> Promise[None]:
        if self._finishing is not None:
            return self._finishing
        finishing = self._finishing = Promise()
        cancel = self._cancel
        self._dismiss()

        def settle(error: BaseException | None) -> None:
            if error is None and self.writable.state is WritableState.ERRORED:
                assert self.writable.error is not None
                finishing.reject(self.writable.error)
                return
            failure = error or as_error(reason, errors.READABLE_CANCELLED)
            self.writable_controller.fail_if_needed(failure)
            if self._backpressure:
                self._set_backpressure(False)
            if error is None:
                finishing.resolve(None)
            else:
                finishing.reject(error)

        cancel(reason).then(lambda _: settle(None), settle)
        return finishing

    def _set_backpressure(self, backpressure: bool) -> None:
        change, self._backpressure_change = self._backpressure_change, Promise()
        change.resolve(None)
        self._backpressure = backpressure

    def _dismiss(self) -> None:
        self._transform = self._flush = self._cancel = nothing


def _resolved_with(promise: Promise[Any]) -> Promise[Any]:
    """Return a promise resolved with `promise`: it is settled two turns after that one, as JavaScript's are.

    By then a cancel that came right after construction is over, so that both sides agree on why they ended.
    """
    resolved: Promise[Any] = Promise()
    loop = asyncio.get_running_loop()
    loop.call_soon(promise.then, resolved.resolve, resolved.reject)
    return resolved


@camel_case_aliases
class TransformStreamDefaultController(Owned):
    """Given to a transformer: `enqueue(chunk)`, `error(e)`, `terminate()`, `desired_size`."""

    io_type = "TransformStreamDefaultController"

    def __init__(self, core: TransformCore) -> None:
        super().__init__()
        self._core = core

    @property
    def desired_size(self) -> float | None:
        """How much more the readable side wants; None once it has failed."""
        return self._core.readable_controller.desired_size

    def enqueue(self, chunk: Any = None) -> None:
        """Add a chunk on the readable side. Raises TypeError when that takes none."""
        self.check_owner()
        self._core.enqueue(chunk)

    def error(self, reason: object = None) -> None:
        """Fail both sides."""
        self.check_owner()
        self._core.fail(as_error(reason, errors.STREAM_FAILED))

    def terminate(self) -> None:
        """End the readable side and fail the writable one."""
        self.check_owner()
        self._core.terminate()


@camel_case_aliases
class TransformStream:
    """A `writable` and a `readable` side with a transformer between them.

    The transformer is a mapping or object with start, transform, flush and cancel; without one chunks pass unchanged.
    """

    def __init__(
        self,
        transformer: object = None,
        writable_strategy: object = None,
        readable_strategy: object = None,
    ) -> None:
        for name in ("readable_type", "writable_type"):
            if (kind := member(transformer, name)) is not None:
                raise RangeError(errors.TRANSFORMER_TYPE_INVALID.format(name=name, type=kind))
        self._core = TransformCore(transformer, writable_strategy, readable_strategy)
        self._readable = ReadableStream.of(self._core.readable)
        self._writable = WritableStream.of(self._core.writable)
        self._core.start(transformer)
        end_with_request(self._core.readable.closed, self._core.readable.cancel)

    @property
    def readable(self) -> ReadableStream:
        """The side where chunks come out."""
        return self._readable

    @property
    def writable(self) -> WritableStream:
        """The side where chunks go in."""
        return self._writable
