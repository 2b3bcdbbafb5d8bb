"""What the piping cases share beside the suite's kit: bounded waits, and Python's own false and true."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import pytest

from tests.streams.wpt import kit
from tests.support.waiting import within

T = TypeVar("T")

# JavaScript's NaN is false and its {} is true; in Python it is the other way round.
FALSY = [
    pytest.param(None, id="undefined"),
    pytest.param(False, id="false"),
    pytest.param(0, id="+0"),
    pytest.param(-0.0, id="-0"),
    pytest.param("", id="empty"),
]
TRUTHY = [
    pytest.param(True, id="true"),
    pytest.param("a", id="a"),
    pytest.param(1, id="1"),
    pytest.param(object(), id="object"),
]


class Failure(Exception):
    """An error of a case's own."""


async def fulfilled(promise: Awaitable[T]) -> T:
    """Return what `promise` is fulfilled with; fails when it is never settled."""
    return await within(promise, 2)


async def rejection(promise: Awaitable[object]) -> BaseException:
    """Return what `promise` is rejected with; fails when it is fulfilled, or never settled."""
    error = await within(kit.rejection(promise), 2)
    assert not isinstance(error, TimeoutError), "the promise was never settled"
    return error


async def assert_rejects(promise: Awaitable[object], error: BaseException) -> None:
    """Fail unless `promise` is rejected with `error` itself."""
    assert await rejection(promise) is error


async def assert_rejects_as(promise: Awaitable[object], kind: type[BaseException]) -> None:
    """Fail unless `promise` is rejected with an error of `kind`."""
    assert isinstance(await rejection(promise), kind)
