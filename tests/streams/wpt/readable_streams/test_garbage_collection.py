"""readable-streams/garbage-collection: what is still referred to goes on, what is not is not in the way."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from emulator.streams import Promise
from tests.streams.wpt.kit import chunk, controlled, flush, rejection

ERROR = Exception("unique error")


async def collect() -> None:
    gc.collect()
    await flush()


def only_controller() -> Any:
    return controlled()[1]


def only_closed() -> tuple[Any, Promise[None]]:
    stream, controller = controlled()
    return controller, stream.get_reader().closed


async def test_controller_methods_continue_working_when_the_stream_is_lost() -> None:
    controller = only_controller()
    await collect()
    assert controller.desired_size == 1
    controller.enqueue("a")
    assert controller.desired_size == 0
    controller.close()
    assert controller.desired_size == 0
    for lost in (controller.enqueue, controller.close):
        with pytest.raises(TypeError):
            lost()
    controller = only_controller()
    await collect()
    controller.error(ERROR)
    assert controller.desired_size is None


async def test_closed_promise_fulfills_even_if_stream_and_reader_are_lost() -> None:
    controller, closed = only_closed()
    await collect()
    controller.close()
    await closed


async def test_closed_promise_rejects_even_if_stream_and_reader_are_lost() -> None:
    controller, closed = only_closed()
    await collect()
    controller.error(ERROR)
    assert await rejection(closed) is ERROR


async def test_garbage_collecting_a_reader_does_not_unlock_its_stream() -> None:
    stream, _ = controlled()
    stream.get_reader()
    await collect()
    assert stream.locked
    with pytest.raises(TypeError, match="locked to a reader"):
        stream.get_reader()


async def test_a_stream_and_its_reader_live_while_there_is_a_read_promise_pending() -> None:
    controller: Any
    stream, controller = controlled()
    promise = stream.get_reader().read()
    del stream
    await collect()
    controller.enqueue("a")
    assert await promise == chunk("a")
