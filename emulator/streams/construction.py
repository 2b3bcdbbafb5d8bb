"""Standard streams made from a worker's own source or sink.

Floor 2. Owns what the constructors of the standard check, in its order, and the first call of start. Source: WHATWG
Streams, the constructors of ReadableStream and WritableStream, and "ReadableStreamFromIterable".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator import errors
from emulator.errors import RangeError
from emulator.streams.byte_controller import ReadableByteStreamController
from emulator.streams.default_controller import ReadableStreamDefaultController
from emulator.streams.iterable import Iteration
from emulator.streams.promise import Promise
from emulator.streams.standard_readable import StandardReadable
from emulator.streams.standard_writable import StandardWritable, WritableStreamDefaultController
from emulator.streams.strategy import SizeAlgorithm, high_water_mark_of, size_algorithm_of
from emulator.streams.underlying import (
    Algorithm,
    algorithm,
    at_home,
    member,
    method,
    promise_of,
    takes,
)


def make_readable(source: object, strategy: object) -> StandardReadable:
    """Return a readable stream of the underlying `source`. Raises what its start() raises."""
    size = size_algorithm_of(strategy)  # The strategy is looked at first.
    kind = member(source, "type")
    if kind not in (None, "bytes"):
        raise TypeError(errors.SOURCE_TYPE_INVALID.format(type=kind))
    start = method(source, "start")
    pull, cancel = algorithm(source, "pull"), algorithm(source, "cancel")
    controller: ReadableByteStreamController | ReadableStreamDefaultController
    stream = StandardReadable(is_byte_stream=kind is not None)
    if kind is not None:
        if member(strategy, "size") is not None:
            raise RangeError(errors.BYTES_WITH_SIZE)
        controller = ReadableByteStreamController(
            stream, pull, cancel, high_water_mark_of(strategy, 0), _auto_allocate_bytes(source)
        )
    else:
        mark = high_water_mark_of(strategy, 1)
        controller = ReadableStreamDefaultController(stream, pull, cancel, mark, size)
    controller.started(_start(start, controller))
    return stream


def readable_of(
    pull: Algorithm,
    cancel: Algorithm,
    started: Promise[Any],
    high_water_mark: float,
    size: SizeAlgorithm,
) -> tuple[StandardReadable, ReadableStreamDefaultController]:
    """Return a readable stream of the runtime's own algorithms, and its controller."""
    stream = StandardReadable()
    controller = ReadableStreamDefaultController(stream, pull, cancel, high_water_mark, size)
    controller.started(started)
    return stream, controller


def readable_from(iterable: object) -> StandardReadable:
    """Return a readable stream of an iterable's or async iterable's items. Raises TypeError for anything else."""
    iteration = Iteration(iterable)
    stream, iteration.controller = readable_of(
        at_home(iteration.pull), at_home(iteration.cancel), Promise.fulfilled(None), 0, lambda _: 1
    )
    return stream


def make_writable(sink: object, strategy: object) -> StandardWritable:
    """Return a writable stream to the underlying `sink`. Raises what its start() raises."""
    kind = member(sink, "type")
    if kind is not None:
        raise RangeError(errors.SINK_TYPE_INVALID.format(type=kind))
    size = size_algorithm_of(strategy)
    mark = high_water_mark_of(strategy, 1)
    start = method(sink, "start")
    stream, controller = writable_of(
        algorithm(sink, "write", takes=2),
        algorithm(sink, "close", takes=0),
        algorithm(sink, "abort"),
        mark,
        size,
    )
    controller.started(_start(start, controller))
    return stream


def writable_of(
    write: Algorithm,
    close: Algorithm,
    abort: Algorithm,
    high_water_mark: float,
    size: SizeAlgorithm,
) -> tuple[StandardWritable, WritableStreamDefaultController]:
    """Return a writable stream of these algorithms and its controller, which is to be told of the start."""
    stream = StandardWritable()
    controller = WritableStreamDefaultController(stream, write, close, abort, high_water_mark, size)
    return stream, controller


def _start(start: Callable[..., Any] | None, controller: object) -> Promise[Any]:
    """Call start; what it raises at once is the constructor's to raise."""
    if start is None:
        return Promise.fulfilled(None)
    return promise_of(start(controller) if takes(start, 1) else start())


def _auto_allocate_bytes(source: object) -> int | None:
    value = member(source, "auto_allocate_chunk_size")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError(errors.AUTO_ALLOCATE_INVALID.format(value=value))
    return value
