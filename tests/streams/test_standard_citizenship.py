"""Standard readable streams among tasks: cancelled waits lose nothing, nothing warns, nothing runs after the end."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import Any

import pytest

from emulator.streams import Promise, ReadableStream, ReadResult
from tests.streams.wpt.kit import chunk, controlled, flush
from tests.support.native import let_loop_run


async def waiting(promise: Promise[ReadResult]) -> ReadResult:
    return await promise


async def abandon(*promises: Promise[ReadResult]) -> None:
    """Wait for each promise in a task of its own, and cancel these."""
    tasks = [asyncio.create_task(waiting(promise)) for promise in promises]
    await let_loop_run()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class TestCancelledReads:
    async def test_chunk_goes_to_the_next_read(self) -> None:
        stream, controller = controlled()
        reader = stream.get_reader()
        await abandon(reader.read())
        controller.enqueue("a")
        assert await reader.read() == chunk("a")

    async def test_the_same_promise_may_be_awaited_again(self) -> None:
        stream, controller = controlled()
        promise = stream.get_reader().read()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await promise
        controller.enqueue("a")
        assert await promise == chunk("a")

    async def test_chunk_that_comes_in_the_turn_of_the_cancellation(self) -> None:
        stream, controller = controlled()
        reader = stream.get_reader()
        task = asyncio.create_task(waiting(reader.read()))
        await let_loop_run()
        controller.enqueue("a")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        controller.enqueue("b")
        assert await reader.read() == chunk("a")
        assert await reader.read() == chunk("b")

    async def test_and_the_end_comes_too(self) -> None:
        stream, controller = controlled()
        reader = stream.get_reader()
        task = asyncio.create_task(waiting(reader.read()))
        await let_loop_run()
        controller.enqueue("a")
        controller.close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await reader.read() == chunk("a")
        assert (await reader.read()).done

    async def test_several_given_up_all_filled(self) -> None:
        stream, controller = controlled()
        reader = stream.get_reader()
        await abandon(reader.read(), reader.read(), reader.read())
        for each in "abcd":
            controller.enqueue(each)
        controller.close()
        assert [(await reader.read()).value for _ in range(5)] == ["a", "b", "c", "d", None]

    async def test_another_reader_gets_it(self) -> None:
        stream, controller = controlled()
        reader = stream.get_reader()
        task = asyncio.create_task(waiting(reader.read()))
        await let_loop_run()
        controller.enqueue("a")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reader.release_lock()
        assert await stream.get_reader().read() == chunk("a")

    @pytest.mark.parametrize(
        "given_up", [each for n in range(4) for each in itertools.combinations(range(3), n)]
    )
    @pytest.mark.parametrize("before", [True, False], ids=["before", "as the chunks come"])
    async def test_some_of_several(self, given_up: tuple[int, ...], before: bool) -> None:
        """Of three reads some are given up: the others and the reads after them see all, in order."""
        stream, controller = controlled()
        reader = stream.get_reader()
        tasks = [asyncio.create_task(waiting(reader.read())) for _ in range(3)]
        await let_loop_run()
        if before:
            for index in given_up:
                tasks[index].cancel()
            await let_loop_run()
        for each in range(3):
            controller.enqueue(each)
        for index in given_up:
            tasks[index].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        seen = [each.value for each in results if isinstance(each, ReadResult)]
        while len(seen) < 3:
            seen.append((await asyncio.wait_for(reader.read(), 5)).value)
        assert sorted(seen) == [0, 1, 2]
        if before:
            assert seen == [0, 1, 2]

    async def test_of_an_iterator(self) -> None:
        stream, controller = controlled()
        iterator = stream.values()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anext(iterator)
        controller.enqueue("a")
        controller.close()
        assert [each async for each in iterator] == ["a"]


class TestQuiet:
    async def test_no_rejection_warns(self) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

        async def pull() -> None:
            raise ValueError("boo")

        for source in ({"pull": pull}, {"start": pull}, {"cancel": pull}):
            stream = ReadableStream(source)
            await flush()
            reader = stream.get_reader()
            reader.read()
            reader.cancel()
            reader.closed.error  # noqa: B018 - made, and never awaited
            reader.release_lock()
            for branch in stream.tee():
                branch.cancel()
        await flush()
        del stream, reader, branch
        gc.collect()
        await flush()
        assert told == []

    @pytest.mark.parametrize("ending", ["close", "error", "cancel"])
    async def test_nothing_is_called_after_the_end(self, ending: str) -> None:
        calls: list[str] = []
        stream, controller = controlled({"pull": lambda: calls.append("pull")})
        reader = stream.get_reader()
        await flush()
        read = reader.read()
        if ending == "cancel":
            reader.cancel()
        else:
            getattr(controller, ending)()
        await asyncio.gather(read, return_exceptions=True)
        calls.clear()
        reader.read()
        await flush()
        assert calls == []

    async def test_a_loop_whose_task_is_cancelled_cancels_the_stream(self) -> None:
        reasons: list[object] = []
        stream, _ = controlled({"cancel": reasons.append})

        async def loop() -> None:
            async for _ in stream:
                raise AssertionError("there is no chunk")

        task = asyncio.create_task(loop())
        await flush()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        await flush()
        assert reasons == [None]
        assert not stream.locked

    async def test_a_loop_that_was_left_leaves_no_task(self) -> None:
        stream, controller = controlled()
        controller.enqueue("a")
        async for _ in stream:
            break
        await flush()
        assert not stream.locked
        assert asyncio.all_tasks() == {asyncio.current_task()}
