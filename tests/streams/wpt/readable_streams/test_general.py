"""readable-streams/general: construction, when the source is pulled, desired_size, whole sources adapted."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from emulator import errors
from emulator.streams import Promise, ReadableStream, ReadableStreamDefaultController
from tests.streams.wpt.kit import chunk, controlled, flush, rejection, rest_of, turn

STARTED: Promise[None] = Promise.fulfilled(None)


def start(controller: Any) -> Promise[None]:
    return STARTED


class Pulls:
    """A pull method that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def test_can_be_constructed_with_no_errors() -> None:
    ReadableStream()
    ReadableStream({})
    ReadableStream({"type": None})
    ReadableStream(None)


@pytest.mark.parametrize("kind", ["", "asdf"])
def test_cannot_be_constructed_with_an_invalid_type(kind: str) -> None:
    with pytest.raises(TypeError) as caught:
        ReadableStream({"type": kind})
    assert str(caught.value) == errors.SOURCE_TYPE_INVALID.format(type=kind)


async def test_instances_have_the_correct_list_of_properties() -> None:
    stream = ReadableStream()
    names = ("cancel", "get_reader", "pipe_through", "pipe_to", "tee")
    assert all(callable(getattr(stream, name)) for name in names)
    with pytest.raises(AttributeError):
        stream.locked = True  # type: ignore[misc]
    assert stream.locked is False


@pytest.mark.parametrize(("name", "garbage"), [("start", "potato"), ("cancel", "2"), ("pull", {})])
def test_constructor_throws_for_a_method_that_is_no_function(name: str, garbage: object) -> None:
    with pytest.raises(TypeError) as caught:
        ReadableStream({name: garbage})
    assert str(caught.value) == errors.NOT_CALLABLE.format(name=name, type=type(garbage).__name__)


async def test_start_is_called_with_the_proper_parameters() -> None:
    seen: list[object] = []

    class Source:
        def start(self, controller: ReadableStreamDefaultController) -> None:
            assert type(controller) is ReadableStreamDefaultController
            assert all(
                callable(getattr(controller, name)) for name in ("close", "enqueue", "error")
            )
            with pytest.raises(AttributeError):
                controller.desired_size = 2  # type: ignore[misc]
            seen.append(self)

    source = Source()
    ReadableStream(source)
    assert seen == [source]


async def test_start_controller_parameter_is_extensible() -> None:
    _, controller = controlled()
    controller.test = ""
    assert vars(controller)["test"] == ""


async def test_default_get_reader_only_accepts_no_mode() -> None:
    ReadableStream().get_reader(None)
    ReadableStream().get_reader({})
    ReadableStream().get_reader({"mode": None, "notmode": "ignored"})
    with pytest.raises(TypeError) as caught:
        ReadableStream().get_reader({"mode": "potato"})
    assert str(caught.value) == errors.READER_MODE.format(mode="potato")


async def test_calls_a_start_method_within_the_class_hierarchy_of_its_source() -> None:
    started: list[object] = []

    class Base:
        def start(self, controller: object) -> None:
            started.append(controller)

    class Source(Base):
        pass

    ReadableStream(Source())
    assert len(started) == 1


async def test_start_is_able_to_return_a_promise() -> None:
    async def start(controller: Any) -> None:
        await flush()
        controller.enqueue("a")
        controller.close()

    reader = ReadableStream({"start": start}).get_reader()
    assert await reader.read() == chunk("a")
    await reader.closed


async def test_start_is_able_to_return_a_promise_and_reject_it() -> None:
    the_error = Exception("rejected!")

    async def start() -> None:
        await flush()
        raise the_error

    assert await rejection(ReadableStream({"start": start}).get_reader().closed) is the_error


async def test_is_able_to_enqueue_different_objects() -> None:
    objects = [{"potato": "Give me more!"}, "test", 1]

    def start(controller: Any) -> None:
        for each in objects:
            controller.enqueue(each)
        controller.close()

    reader = ReadableStream({"start": start}).get_reader()
    *results, _ = await asyncio.gather(reader.read(), reader.read(), reader.read(), reader.closed)
    assert [result.value for result in results] == objects
    assert results[0].value is objects[0]


async def test_if_pull_rejects_it_errors_the_stream() -> None:
    error = Exception("pull failure")
    log: list[tuple[str, BaseException]] = []
    reader = ReadableStream({"pull": lambda: Promise.rejected(error)}).get_reader()
    reader.closed.then(log.append, lambda reason: log.append(("closed", reason)))
    reader.read().then(log.append, lambda reason: log.append(("read", reason)))
    await flush()
    assert log == [("closed", error), ("read", error)]


async def test_only_calls_pull_once_upon_starting_the_stream() -> None:
    pull = Pulls()
    ReadableStream({"start": start, "pull": pull})
    await turn()
    assert pull.count == 1
    await flush()
    assert pull.count == 1


async def test_calls_pull_when_trying_to_read_from_a_started_empty_stream() -> None:
    count = 0

    def pull(controller: Any) -> None:
        nonlocal count
        if count:
            controller.enqueue(count)
        count += 1

    stream = ReadableStream({"start": start, "pull": pull})
    await turn()
    assert count == 1
    await turn()
    read = stream.get_reader().read()
    assert count == 2
    assert await read == chunk(1)
    await turn()
    assert count == 3


async def test_only_calls_pull_once_on_a_non_empty_stream_read_from_before_start_fulfills() -> None:
    pull = Pulls()

    def start(controller: Any) -> Promise[None]:
        controller.enqueue("a")
        return STARTED

    read = ReadableStream({"start": start, "pull": pull}).get_reader().read()
    assert pull.count == 0
    await turn()
    assert pull.count == 1
    assert await read == chunk("a")
    assert pull.count == 1
    await flush()
    assert pull.count == 1


async def test_only_calls_pull_once_on_a_non_empty_stream_read_from_after_start_fulfills() -> None:
    pull = Pulls()

    def start(controller: Any) -> Promise[None]:
        controller.enqueue("a")
        return STARTED

    stream = ReadableStream({"start": start, "pull": pull})
    await turn()
    assert pull.count == 0
    read = stream.get_reader().read()
    assert pull.count == 1
    assert await read == chunk("a")
    await flush()
    assert pull.count == 1


async def test_calls_pull_in_reaction_to_reading_the_last_chunk_if_not_draining() -> None:
    pull = Pulls()
    stream, controller = controlled({"pull": pull})
    reader = stream.get_reader()
    await turn()
    assert pull.count == 1
    controller.enqueue("a")
    assert pull.count == 1
    await reader.read()
    await turn()
    assert pull.count == 2
    await flush()
    assert pull.count == 2


async def test_does_not_call_pull_in_reaction_to_reading_the_last_chunk_if_draining() -> None:
    pull = Pulls()
    stream, controller = controlled({"pull": pull})
    reader = stream.get_reader()
    await turn()
    assert pull.count == 1
    controller.enqueue("a")
    controller.close()
    await reader.read()
    assert pull.count == 1
    await flush()
    assert pull.count == 1


async def test_does_not_call_pull_until_the_previous_calls_promise_fulfills() -> None:
    returned: list[Promise[None]] = []

    def pull(controller: Any) -> Promise[None]:
        returned.append(Promise())
        controller.enqueue(len(returned))
        return returned[-1]

    reader = ReadableStream({"start": start, "pull": pull}).get_reader()
    await turn()
    assert await reader.read() == chunk(1)
    assert len(returned) == 1
    await flush()
    assert len(returned) == 1
    returned[0].resolve(None)
    await turn()
    assert len(returned) == 2


async def test_pulls_after_start_and_after_every_read() -> None:
    pull = Pulls()

    def start(controller: Any) -> Promise[None]:
        for each in "abc":
            controller.enqueue(each)
        return STARTED

    reader = ReadableStream(
        {"start": start, "pull": pull}, {"size": lambda: 1, "high_water_mark": math.inf}
    ).get_reader()
    await turn()
    for each in "abc":
        assert await reader.read() == chunk(each)
        await turn()
    await flush()
    assert pull.count == 4


async def test_does_not_call_pull_after_start_if_the_stream_is_now_closed() -> None:
    pull = Pulls()

    def start(controller: Any) -> Promise[None]:
        controller.enqueue("a")
        controller.close()
        return STARTED

    reader = ReadableStream({"start": start, "pull": pull}).get_reader()
    await turn()
    assert pull.count == 0
    await reader.read()
    assert pull.count == 0
    await reader.closed
    assert pull.count == 0


async def test_calls_pull_after_enqueueing_from_inside_pull_if_strategy_allows() -> None:
    count = 0

    def pull(controller: Any) -> None:
        nonlocal count
        count += 1
        controller.enqueue(count)

    ReadableStream({"start": lambda: None, "pull": pull}, {"size": lambda: 1, "high_water_mark": 4})
    await flush()
    assert count == 4


async def test_pull_is_able_to_close_a_stream() -> None:
    pulled: list[Any] = []

    def pull(controller: Any) -> None:
        pulled.append(controller)
        controller.close()

    await ReadableStream({"pull": pull}).get_reader().closed
    assert len(pulled) == 1


async def test_pull_is_able_to_error_a_stream() -> None:
    error = Exception("controller error")
    stream = ReadableStream({"pull": lambda controller: controller.error(error)})
    assert await rejection(stream.get_reader().closed) is error


async def test_pull_is_able_to_error_a_stream_and_throw() -> None:
    error = Exception("controller error")

    def pull(controller: Any) -> None:
        controller.error(error)
        raise Exception("thrown error")

    assert await rejection(ReadableStream({"pull": pull}).get_reader().closed) is error


async def test_enqueue_throws_when_the_stream_is_readable_but_draining() -> None:
    _, controller = controlled()
    assert controller.enqueue("a") is None
    controller.close()
    with pytest.raises(TypeError) as caught:
        controller.enqueue("b")
    assert str(caught.value) == errors.CONTROLLER_CLOSED


async def test_enqueue_throws_when_the_stream_is_closed() -> None:
    _, controller = controlled()
    controller.close()
    with pytest.raises(TypeError):
        controller.enqueue("a")


async def test_calls_underlying_source_methods_as_methods() -> None:
    calls: list[tuple[str, object]] = []

    class Source:
        def start(self, controller: Any) -> None:
            calls.append(("start", self))
            controller.enqueue("a")

        def pull(self) -> None:
            calls.append(("pull", self))

        def cancel(self) -> None:
            calls.append(("cancel", self))

    source = Source()
    stream = ReadableStream(source)
    reader = stream.get_reader()
    await reader.read()
    await turn()
    reader.release_lock()
    await stream.cancel()
    assert calls == [("start", source), ("pull", source), ("cancel", source)]
    await stream.get_reader().closed


async def test_desired_size_when_closed() -> None:
    _, controller = controlled(strategy={"high_water_mark": 10})
    assert controller.desired_size == 10
    controller.close()
    assert controller.desired_size == 0


async def test_desired_size_when_errored() -> None:
    _, controller = controlled(strategy={"high_water_mark": 10})
    assert controller.desired_size == 10
    controller.error()
    assert controller.desired_size is None


async def test_is_extendable() -> None:
    class Extended(ReadableStream):
        def new_method(self) -> str:
            return "foo"

    extended = Extended()
    assert extended.new_method() == "foo"
    assert extended.locked is False


async def test_default_strategy_gives_desired_size_of_1_decreasing_by_1_per_enqueue() -> None:
    _, controller = controlled()
    sizes = [controller.desired_size]
    for each in "abcd":
        controller.enqueue(each)
        sizes.append(controller.desired_size)
    assert sizes == [1, 0, -1, -2, -3]


async def test_default_strategy_continues_giving_1_if_the_chunks_are_read_immediately() -> None:
    stream, controller = controlled()
    reader = stream.get_reader()
    for each in "abcd":
        assert controller.desired_size == 1
        controller.enqueue(each)
        assert controller.desired_size == 0
        assert await reader.read() == chunk(each)


class PushSource:
    """Pushes one chunk of 128 characters a turn of the loop, from `begin()` until `stop()` or its last one."""

    def __init__(self, controller: Any, limit: int) -> None:
        self._controller = controller
        self._left = limit
        self._handle: asyncio.Handle | None = None

    def begin(self) -> None:
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._push)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _push(self) -> None:
        self._handle = None
        if not self._left:
            self._controller.close()
            return
        self._left -= 1
        self.begin()
        self._controller.enqueue("x" * 128)
        if self._controller.desired_size <= 0:
            self.stop()


async def test_integration_adapting_a_push_source() -> None:
    sources: list[PushSource] = []
    stream = ReadableStream(
        {
            "start": lambda controller: sources.append(PushSource(controller, 8)),
            "pull": lambda: sources[0].begin(),
        }
    )
    assert await rest_of(stream) == ["x" * 128] * 8


class SequentialSource:
    """Counts to `limit`, each number one pull; `closed` after that."""

    def __init__(self, limit: int) -> None:
        self.closed = False
        self._limit = limit
        self._current = 0

    def pull(self, controller: Any) -> None:
        self._current += 1
        if self._current <= self._limit:
            controller.enqueue(self._current)
        else:
            self.closed = True
            controller.close()


class AsyncSequentialSource(SequentialSource):
    """The same, and takes its time."""

    def start(self, controller: object) -> Promise[None]:
        return STARTED

    async def pull(self, controller: Any) -> None:  # type: ignore[override]
        await turn()
        super().pull(controller)


@pytest.mark.parametrize("kind", [SequentialSource, AsyncSequentialSource])
async def test_integration_adapting_a_pull_source(kind: type[SequentialSource]) -> None:
    source = kind(10)
    assert await rest_of(ReadableStream(source)) == list(range(1, 11))
    assert source.closed
