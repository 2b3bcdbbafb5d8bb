"""One event's belongings: closed at its end, with wait_until work waited for and no longer than allowed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable

import pytest

from emulator import errors
from emulator.config.limits import Limits
from emulator.context import (
    ContextState,
    IoContext,
    Observer,
    current,
    enter,
    require_current,
)
from emulator.errors import GlobalScopeError
from tests.support.native import let_loop_run


class Watcher(Observer):
    """Keeps the failures of wait_until work."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, BaseException]] = []

    def background_failed(self, label: str, error: BaseException) -> None:
        self.failures.append((label, error))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def context(watcher: Watcher) -> IoContext:
    return IoContext("GET /x", watcher)


def state_of(context: IoContext) -> ContextState:
    """Return `context.state`, which changes from one statement to the next."""
    return context.state


class TestOwning:
    def test_end_closes_the_latest_first_and_once(self, context: IoContext) -> None:
        closed: list[str] = []
        context.own("a", lambda: closed.append("a"))
        context.own("b", lambda: closed.append("b"))
        context.end()
        context.end()
        assert closed == ["b", "a"]
        assert context.ended

    def test_disowned_is_left_alone(self, context: IoContext) -> None:
        closed: list[str] = []
        context.own("a", lambda: closed.append("a"))
        context.disown("a")
        context.disown("never owned")
        context.end()
        assert closed == []

    def test_closing_one_may_disown_another(self, context: IoContext) -> None:
        closed: list[str] = []
        context.own("a", lambda: closed.append("a"))
        context.own("b", lambda: context.disown("a"))
        context.end()
        assert closed == []

    def test_what_is_owned_after_the_end_is_closed_at_once(self, context: IoContext) -> None:
        closed: list[str] = []
        context.end()
        context.own("late", lambda: closed.append("late"))
        assert closed == ["late"]

    def test_a_failing_close_leaves_none_open(self, context: IoContext) -> None:
        closed: list[str] = []

        def fail() -> None:
            raise ValueError("will not close")

        context.own("a", lambda: closed.append("a"))
        context.own("b", fail)
        with pytest.raises(ExceptionGroup, match="Closing what GET /x owned") as caught:
            context.end()
        assert closed == ["a"]
        assert [str(error) for error in caught.value.exceptions] == ["will not close"]

    def test_repr_tells_the_state(self, context: IoContext) -> None:
        context.own("a", lambda: None)
        assert repr(context) == "<IoContext GET /x active owns=1 background=0>"


class TestFinish:
    async def test_without_background_work_it_ends_at_once(self, context: IoContext) -> None:
        await context.finish()
        assert context.ended
        await context.finish()

    async def test_waits_for_wait_until_then_closes(
        self, context: IoContext, watcher: Watcher
    ) -> None:
        events: list[str] = []
        go_on = asyncio.Event()

        async def work() -> None:
            await go_on.wait()
            events.append("worked")

        context.own("a", lambda: events.append("closed"))
        context.wait_until(work())
        finish = asyncio.create_task(context.finish())
        await let_loop_run()
        assert state_of(context) is ContextState.DRAINING
        assert events == []
        go_on.set()
        await finish
        assert events == ["worked", "closed"]
        assert state_of(context) is ContextState.ENDED
        assert watcher.failures == []

    async def test_work_may_add_work(self, context: IoContext) -> None:
        done: list[int] = []

        async def work(number: int) -> None:
            await asyncio.sleep(0)
            if number:
                context.wait_until(work(number - 1))
            done.append(number)

        context.wait_until(work(3))
        await context.finish()
        assert done == [3, 2, 1, 0]

    async def test_cancelled_finish_still_closes(self, context: IoContext) -> None:
        closed: list[str] = []
        context.own("a", lambda: closed.append("a"))
        context.wait_until(asyncio.Event().wait())
        finish = asyncio.create_task(context.finish())
        await let_loop_run()
        finish.cancel()
        await asyncio.wait({finish})
        assert finish.cancelled()
        assert closed == ["a"]
        await let_loop_run()


class TestWaitUntil:
    @pytest.mark.parametrize("value", [None, 3, "text", print])
    def test_takes_awaitables_only(self, context: IoContext, value: object) -> None:
        with pytest.raises(TypeError) as caught:
            context.wait_until(value)  # type: ignore[arg-type]
        assert str(caught.value) == (
            "wait_until() takes an awaitable (call the async function: "
            f"wait_until(work())), not {type(value).__name__}."
        )

    async def test_any_awaitable(self, context: IoContext) -> None:
        class Custom:
            awaited = False

            def __await__(self) -> object:
                self.awaited = True
                yield from asyncio.sleep(0).__await__()

        custom = Custom()
        context.wait_until(custom)  # type: ignore[arg-type]
        future: Awaitable[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)  # type: ignore[attr-defined]
        context.wait_until(future)
        await context.finish()
        assert custom.awaited

    async def test_runs_in_its_context(self, context: IoContext) -> None:
        seen: list[IoContext | None] = []

        async def work() -> None:
            seen.append(current())

        with enter(context):
            context.wait_until(work())
        await context.finish()
        assert seen == [context]

    async def test_failure_is_told_and_harms_nobody(
        self, context: IoContext, watcher: Watcher
    ) -> None:
        other: list[str] = []

        async def fail() -> None:
            raise ValueError("broken work")

        async def work() -> None:
            await asyncio.sleep(0)
            other.append("worked")

        context.wait_until(fail())
        context.wait_until(work())
        await context.finish()
        [(label, error)] = watcher.failures
        assert label == "GET /x"
        assert str(error) == "broken work"
        assert other == ["worked"]

    @pytest.mark.parametrize("stop", [SystemExit(3), KeyboardInterrupt()])
    async def test_what_would_stop_the_server_is_a_failure(
        self, context: IoContext, watcher: Watcher, stop: BaseException
    ) -> None:
        async def leave() -> None:
            raise stop

        context.wait_until(leave())
        await context.finish()
        [(_, error)] = watcher.failures
        assert str(error) == f"wait_until() work raised {stop!r}."
        assert error.__cause__ is stop

    async def test_sys_exit(self, context: IoContext, watcher: Watcher) -> None:
        async def leave() -> None:
            sys.exit(1)

        context.wait_until(leave())
        await context.finish()
        assert str(watcher.failures[0][1]) == "wait_until() work raised SystemExit(1)."

    async def test_overlong_work_is_cancelled_by_name(self, watcher: Watcher) -> None:
        context = IoContext("GET /slow", watcher, limits=Limits(wait_until_seconds=0.02))
        cancelled: list[str] = []

        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("yes")
                raise

        context.wait_until(forever())
        await context.finish()
        await let_loop_run()
        assert cancelled == ["yes"]
        [(label, error)] = watcher.failures
        assert label == "GET /slow"
        assert isinstance(error, TimeoutError)
        assert str(error) == (
            f"wait_until() work {forever.__qualname__} was still running 0.02 s after the response "
            "and was cancelled, as production does."
        )

    async def test_cleanup_of_overlong_work_is_not_cut_short(self, watcher: Watcher) -> None:
        context = IoContext("GET /slow", watcher, limits=Limits(wait_until_seconds=0.02))
        events: list[str] = []

        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                events.append("cleaned up")

        context.wait_until(forever())
        await context.finish()
        await let_loop_run()
        assert events == ["cleaned up"]

    async def test_quick_work_without_end_is_overlong_too(self, watcher: Watcher) -> None:
        context = IoContext("GET /chain", watcher, limits=Limits(wait_until_seconds=0.02))

        async def link() -> None:
            await asyncio.sleep(0)
            if not context.ended:
                context.wait_until(link())

        context.wait_until(link())
        await asyncio.wait_for(context.finish(), 5)
        assert context.ended
        await let_loop_run()

    async def test_ended_before_the_work_began(self, context: IoContext) -> None:
        begun: list[str] = []

        async def work() -> None:
            begun.append("yes")

        context.wait_until(work())
        context.end()
        await let_loop_run()
        assert begun == []

    async def test_given_after_the_end_it_never_runs(
        self, context: IoContext, watcher: Watcher
    ) -> None:
        begun: list[str] = []

        async def work() -> None:
            begun.append("yes")

        context.end()
        context.wait_until(work())
        await let_loop_run()
        assert begun == []
        assert watcher.failures == []


class TestCurrent:
    def test_global_scope(self) -> None:
        assert current() is None
        with pytest.raises(GlobalScopeError) as caught:
            require_current()
        assert str(caught.value) == errors.GLOBAL_SCOPE

    def test_enter_nests_and_leaves(self, context: IoContext, watcher: Watcher) -> None:
        inner = IoContext("inner", watcher)
        with enter(context):
            assert require_current() is context
            with enter(inner):
                assert require_current() is inner
            with enter(None):
                assert current() is None
            assert current() is context
        assert current() is None

    async def test_tasks_inherit_it(self, context: IoContext) -> None:
        async def look() -> IoContext | None:
            return current()

        with enter(context):
            task = asyncio.create_task(look())
        assert await task is context
