"""Settled once, awaited by anybody; cancelling one waiter is nobody else's affair."""

from __future__ import annotations

import asyncio
import gc

import pytest

from emulator.streams import Promise, PromiseState
from tests.support.native import let_loop_run


async def result_of(promise: Promise[int]) -> int:
    return await promise


async def test_value_reaches_every_waiter_and_later_ones() -> None:
    promise: Promise[int] = Promise()
    waiters = [asyncio.create_task(result_of(promise)) for _ in range(3)]
    await let_loop_run()
    promise.resolve(7)
    assert await asyncio.gather(*waiters) == [7, 7, 7]
    assert await promise == 7
    assert promise.state is PromiseState.FULFILLED


async def test_error_reaches_every_waiter() -> None:
    promise: Promise[int] = Promise()
    waiters = [asyncio.create_task(result_of(promise)) for _ in range(2)]
    await let_loop_run()
    error = ValueError("no")
    promise.reject(error)
    assert await asyncio.gather(*waiters, return_exceptions=True) == [error, error]
    assert promise.error is error
    assert promise.state is PromiseState.REJECTED


async def test_cancelling_one_waiter_leaves_the_others() -> None:
    promise: Promise[int] = Promise()
    first, second = (asyncio.create_task(result_of(promise)) for _ in range(2))
    await let_loop_run()
    first.cancel()
    await let_loop_run()
    assert first.cancelled()
    assert not promise.abandoned
    promise.resolve(1)
    assert await second == 1


async def test_cancelling_before_the_task_has_begun_leaves_the_promise() -> None:
    promise: Promise[int] = Promise()
    task = asyncio.create_task(result_of(promise))
    task.cancel()
    await let_loop_run()
    promise.resolve(1)
    assert await promise == 1


async def test_settles_once() -> None:
    promise: Promise[int] = Promise()
    promise.resolve(1)
    promise.resolve(2)
    promise.reject(ValueError("late"))
    assert await promise == 1
    assert promise.error is None


async def test_rejection_that_nobody_awaits_is_silent() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    for _ in range(3):
        promise: Promise[int] = Promise()
        promise.reject(ValueError("unseen"))
        del promise
    gc.collect()
    await let_loop_run()
    assert not complaints


def test_made_settled() -> None:
    error = ValueError("no")
    assert Promise.fulfilled(3).settled
    assert Promise.fulfilled(3).error is None
    assert Promise[int].rejected(error).error is error


def test_repr_tells_the_state() -> None:
    promise: Promise[int] = Promise()
    assert repr(promise) == "<Promise pending>"
    promise.resolve(3)
    assert repr(promise) == "<Promise fulfilled 3>"
    assert repr(Promise[int].rejected(ValueError("x"))) == "<Promise rejected ValueError('x')>"


async def test_works_with_wait_for_gather_and_shield() -> None:
    promise: Promise[int] = Promise()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(promise, 0.001)
    asyncio.get_running_loop().call_soon(promise.resolve, 4)
    first, second = await asyncio.gather(promise, asyncio.shield(asyncio.ensure_future(promise)))
    assert (first, second) == (4, 4)


async def test_follow_takes_over_the_settlement() -> None:
    leader: Promise[int] = Promise()
    follower: Promise[int] = Promise()
    follower.follow(leader)
    assert not follower.settled
    leader.resolve(5)
    assert await follower == 5

    error = ValueError("no")
    late: Promise[int] = Promise()
    late.follow(Promise.rejected(error))
    assert late.error is error

    settled_before = Promise.fulfilled(1)
    settled_before.follow(leader)
    assert await settled_before == 1


def test_reactions_run_in_the_moment_and_in_order() -> None:
    promise: Promise[int] = Promise()
    seen: list[str] = []
    promise.when_settled(lambda: seen.append("first"))
    promise.when_settled(lambda: seen.append("second"))
    assert seen == []
    promise.resolve(1)
    assert seen == ["first", "second"]
    promise.when_settled(lambda: seen.append("late"))
    assert seen == ["first", "second", "late"]


async def test_each_raise_starts_a_fresh_traceback() -> None:
    promise = Promise[int].rejected(ValueError("no"))
    depths = []
    for _ in range(3):
        with pytest.raises(ValueError, match="no") as caught:
            await promise
        depths.append(len(caught.traceback))
    assert len(set(depths)) == 1


class TestAbandoned:
    """Abandoned: every waiter was cancelled, and nobody has seen the value."""

    async def test_nobody_ever_waited(self) -> None:
        promise: Promise[int] = Promise()
        assert not promise.abandoned
        promise.resolve(1)
        assert not promise.abandoned

    async def test_last_waiter_cancelled_then_another_comes(self) -> None:
        promise: Promise[int] = Promise()
        await cancelled_waiter(promise)
        assert is_abandoned(promise)
        task = asyncio.create_task(result_of(promise))
        await let_loop_run()
        assert not is_abandoned(promise)
        promise.resolve(1)
        assert await task == 1
        assert not is_abandoned(promise)

    async def test_settled_after_its_waiter_was_cancelled(self) -> None:
        promise: Promise[int] = Promise()
        await cancelled_waiter(promise)
        promise.resolve(1)
        assert is_abandoned(promise)
        assert await promise == 1
        assert not is_abandoned(promise)

    async def test_settled_in_the_moment_of_cancelling(self) -> None:
        promise: Promise[int] = Promise()
        task = asyncio.create_task(result_of(promise))
        await let_loop_run()
        promise.resolve(1)
        task.cancel()
        await let_loop_run()
        assert task.cancelled()
        assert promise.abandoned

    async def test_another_waiter_on_its_way_to_the_value_counts(self) -> None:
        promise: Promise[int] = Promise()
        first, second = (asyncio.create_task(result_of(promise)) for _ in range(2))
        await let_loop_run()
        first.cancel()
        promise.resolve(1)
        assert not promise.abandoned
        assert await second == 1
        assert not promise.abandoned

    async def test_a_follower_counts(self) -> None:
        promise: Promise[int] = Promise()
        follower: Promise[int] = Promise()
        follower.follow(promise)
        await cancelled_waiter(promise)
        assert not promise.abandoned
        promise.resolve(1)
        assert not promise.abandoned

    async def test_withdraw_gives_the_value_back_and_rejects(self) -> None:
        promise: Promise[int] = Promise()
        await cancelled_waiter(promise)
        promise.resolve(1)
        assert promise.withdraw(TypeError("taken back")) == 1
        with pytest.raises(TypeError, match="taken back"):
            await promise

    async def test_withdraw_while_pending(self) -> None:
        promise: Promise[int] = Promise()
        assert promise.withdraw(TypeError("taken back")) is None
        with pytest.raises(TypeError, match="taken back"):
            await promise


async def cancelled_waiter(promise: Promise[int]) -> None:
    """Have a task wait for `promise`, and cancel it."""
    task = asyncio.create_task(result_of(promise))
    await let_loop_run()
    task.cancel()
    await let_loop_run()
    assert task.cancelled()


def is_abandoned(promise: Promise[int]) -> bool:
    """Return `promise.abandoned`, which changes from one statement to the next."""
    return promise.abandoned
