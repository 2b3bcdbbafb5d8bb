"""Standard streams belong to the request that made them: every operation, and the end of that request."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from emulator import errors
from emulator.context import IoContext, current
from emulator.errors import AbortError, OwnershipError
from emulator.streams import (
    Promise,
    ReadableStream,
    ReadableStreamBYOBReader,
    ReadableStreamDefaultReader,
    TransformStream,
    WritableStream,
)
from tests.support.contexts import request
from tests.support.native import let_loop_run

Made = dict[str, Any]


def owns(context: IoContext) -> int:
    """Return how many things `context` would close now."""
    return int(repr(context).split("owns=")[1].split()[0])


def make(*, bytes_stream: bool = False) -> Made:
    """Return a stream, its reader and its controller, and a stream of each kind that is free."""
    given: list[Any] = []
    kind = {"type": "bytes"} if bytes_stream else {}
    held = ReadableStream({**kind, "start": given.append})
    return {
        "stream": ReadableStream(),
        "held": held,
        "writable": WritableStream(),
        "reader": held.get_reader(mode="byob") if bytes_stream else held.get_reader(),
        "controller": given[0],
    }


OPERATIONS: dict[str, Callable[[Made], Any]] = {
    "get_reader": lambda made: made["stream"].get_reader(),
    "ReadableStreamDefaultReader": lambda made: ReadableStreamDefaultReader(made["stream"]),
    "cancel": lambda made: made["stream"].cancel(),
    "tee": lambda made: made["stream"].tee(),
    "pipe_to": lambda made: made["stream"].pipe_to(made["writable"]),
    "pipe_to, theirs": lambda made: ReadableStream().pipe_to(made["writable"]),
    "pipe_through": lambda made: made["stream"].pipe_through(
        {"readable": ReadableStream(), "writable": WritableStream()}
    ),
    "values": lambda made: made["stream"].values(),
    "async for": lambda made: aiter(made["stream"]),
    "reader.read": lambda made: made["reader"].read(),
    "reader.cancel": lambda made: made["reader"].cancel(),
    "reader.closed": lambda made: made["reader"].closed,
    "reader.release_lock": lambda made: made["reader"].release_lock(),
    "controller.enqueue": lambda made: made["controller"].enqueue(b"a"),
    "controller.close": lambda made: made["controller"].close(),
    "controller.error": lambda made: made["controller"].error(),
    "controller.desired_size": lambda made: made["controller"].desired_size,
}

BYTE_OPERATIONS: dict[str, Callable[[Made], Any]] = {
    "ReadableStreamBYOBReader": lambda made: ReadableStreamBYOBReader(made["stream"]),
    "reader.read": lambda made: made["reader"].read(bytearray(1)),
    "reader.read_at_least": lambda made: made["reader"].read_at_least(1, bytearray(1)),
    **{name: each for name, each in OPERATIONS.items() if name.startswith("controller.")},
    "controller.byob_request": lambda made: made["controller"].byob_request,
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_another_requests_stream(operation: Callable[[Made], Any]) -> None:
    with request("GET /first"):
        made = make()
        with request("GET /second"), pytest.raises(OwnershipError) as caught:
            operation(made)
        assert str(caught.value).startswith(errors.CROSS_REQUEST.partition(" (I/O")[0])
        assert f"It was made at {__file__}:" in str(caught.value)
        operation(make())  # One's own.


@pytest.mark.parametrize("operation", BYTE_OPERATIONS.values(), ids=BYTE_OPERATIONS)
async def test_another_requests_stream_of_bytes(operation: Callable[[Made], Any]) -> None:
    with request("GET /first"):
        made = make(bytes_stream=True)
        made["reader"].read(bytearray(1))
        with request("GET /second"), pytest.raises(OwnershipError):
            operation(made)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
async def test_a_request_that_is_over(operation: Callable[[Made], Any]) -> None:
    with request():
        made = make()
    with pytest.raises(OwnershipError):
        operation(made)


class TestAlgorithms:
    """A source's methods run as part of the request that made the stream, whoever causes the call."""

    async def test_pull_and_cancel(self) -> None:
        homes: list[IoContext | None] = []

        def note(*_: object) -> None:
            homes.append(current())

        with request() as context:
            stream = ReadableStream({"pull": note, "cancel": note}, {"high_water_mark": 0})
        core = stream.core
        homes.clear()
        core.read()
        with request() as context:
            core = ReadableStream({"pull": note, "cancel": note}, {"high_water_mark": 0}).core
            await let_loop_run()
            with request("GET /another"):
                core.read()
                core.cancel()
            assert homes == [context, context]

    async def test_coroutines_too(self) -> None:
        homes: list[IoContext | None] = []

        async def pull(controller: Any) -> None:
            await asyncio.sleep(0)
            controller.enqueue("a")
            homes.append(current())

        with request() as context:
            core = ReadableStream({"pull": pull}, {"high_water_mark": 0}).core
            await let_loop_run()
            with request("GET /another"):
                promise = core.read()
            assert (await promise).value == "a"
            await let_loop_run()
            assert homes == [context]


class TestEndOfRequest:
    async def test_an_unfinished_stream_is_cancelled(self) -> None:
        reasons: list[Any] = []
        with request():
            ReadableStream({"cancel": reasons.append})
            gc.collect()
        assert [type(reason) for reason in reasons] == [AbortError]
        assert str(reasons[0]) == errors.REQUEST_OVER

    async def test_so_are_a_sink_and_a_transformer(self) -> None:
        reasons: list[tuple[str, Any]] = []
        with request() as context:
            WritableStream({"abort": lambda reason: reasons.append(("abort", reason))})
            TransformStream({"cancel": lambda reason: reasons.append(("cancel", reason))})
            assert owns(context) == 2
            await let_loop_run()
        await let_loop_run()
        assert sorted(name for name, _ in reasons) == ["abort", "cancel"]
        assert {str(reason) for _, reason in reasons} == {errors.REQUEST_OVER}

    async def test_what_was_finished_in_time_is_left_alone(self) -> None:
        calls: list[str] = []
        with request() as context:
            pair = TransformStream({"cancel": lambda: calls.append("cancel")})
            sink = WritableStream({"abort": lambda: calls.append("abort")})
            piped = pair.readable.pipe_to(sink)
            await pair.writable.get_writer().close()
            await piped
            assert owns(context) == 0
        assert calls == []

    async def test_its_reader_hears_the_end(self) -> None:
        with request():
            reader = ReadableStream().get_reader()
            read = reader.read()
        assert (await read).done

    async def test_cancel_may_take_its_time(self) -> None:
        steps: list[str] = []

        async def cancel() -> None:
            steps.append("begun")
            await asyncio.sleep(0)
            steps.append("done")

        with request():
            ReadableStream({"cancel": cancel})
        await let_loop_run()
        assert steps == ["begun", "done"]

    async def test_a_pull_under_way_is_cancelled(self) -> None:
        log: list[str] = []
        never: Promise[None] = Promise()

        async def pull() -> None:
            log.append("waits")
            try:
                await never
            finally:
                log.append("left")

        with request():
            ReadableStream({"pull": pull, "cancel": lambda: log.append("cancel")})
            await let_loop_run()
        await let_loop_run()
        assert log == ["waits", "cancel", "left"]

    async def test_a_pull_that_has_not_begun_warns_of_nothing(self) -> None:
        async def pull() -> None:
            raise AssertionError("too late")

        stream: ReadableStream
        with request():
            stream = ReadableStream({"pull": pull}, {"high_water_mark": 0})
            await let_loop_run()
            stream.get_reader().read()
        await let_loop_run()
        gc.collect()

    async def test_a_generator_is_closed(self) -> None:
        log: list[str] = []

        def numbers() -> Iterator[int]:
            try:
                yield from range(10)
            finally:
                log.append("closed")

        with request():
            assert (await ReadableStream.from_(numbers()).get_reader().read()).value == 0
        assert log == ["closed"]

    @pytest.mark.parametrize("reading", [False, True], ids=["idle", "waiting for its next item"])
    async def test_an_async_generator_is_closed(self, reading: bool) -> None:
        log: list[str] = []
        never: Promise[None] = Promise()

        async def numbers() -> AsyncIterator[int]:
            try:
                yield 0
                await never
            finally:
                log.append("closed")

        with request():
            reader = ReadableStream.from_(numbers()).get_reader()
            assert (await reader.read()).value == 0
            if reading:
                reader.read()
                await let_loop_run()
        await let_loop_run()
        assert log == ["closed"]

    async def test_what_is_over_is_not_held(self) -> None:
        """A request that makes many streams, and uses them up, keeps none."""
        with request() as context:
            held: list[weakref.ref[Any]] = []
            for ending in ("close", "error", "cancel"):
                given: list[Any] = []
                stream = ReadableStream({"start": given.append, "pull": lambda: None})
                held.append(weakref.ref(stream.core))
                if ending == "cancel":
                    stream.cancel()
                else:
                    getattr(given[0], ending)()
                del stream, given
            await ReadableStream.from_([]).get_reader().read()
            await let_loop_run()
            gc.collect()
            assert owns(context) == 0
            assert [each() for each in held] == [None, None, None]

    async def test_a_stream_outside_any_request_is_nobodys(self) -> None:
        reasons: list[object] = []
        stream = ReadableStream({"cancel": reasons.append})
        with request():
            pass
        assert reasons == []
        await stream.cancel("by hand")
        assert reasons == ["by hand"]
