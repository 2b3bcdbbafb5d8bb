"""A worker's own algorithms (start, pull, write, …): found, checked, called.

Floor 2. Owns how an underlying source, sink or transformer, a mapping or an object in either spelling, becomes
functions that return promises. Source: WHATWG Streams; Web IDL, "invoke a callback function".
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from emulator.context import current, enter, never
from emulator.errors import ALGORITHM_EXITED, NOT_CALLABLE, OPTIONS_NOT_A_MAPPING, AbortError
from emulator.naming import camel_case
from emulator.streams.promise import Promise

Algorithm = Callable[..., Promise[Any]]

# The event loop itself holds tasks only weakly.
_running: set[asyncio.Future[Any]] = set()


def member(holder: object, name: str) -> Any:
    """Return what `holder`, a mapping or an object or None, has by `name` in either spelling; None if nothing."""
    for spelling in (name, camel_case(name)):
        if isinstance(holder, Mapping):
            if spelling in holder:
                return holder[spelling]
        elif (found := getattr(holder, spelling, None)) is not None:
            return found
    return None


def method(holder: object, name: str) -> Callable[..., Any] | None:
    """Return `holder`'s method `name`, None if it has none. Raises TypeError for one that can't be called."""
    found = member(holder, name)
    if found is not None and not callable(found):
        raise TypeError(NOT_CALLABLE.format(name=name, type=type(found).__name__))
    return found  # type: ignore[no-any-return]


def algorithm(holder: object, name: str, *, takes: int = 1) -> Algorithm:
    """Return `holder`'s method `name` as a function of `takes` arguments at the most that returns a promise.

    It runs as part of the request that asks for it here, whoever's turn it is when it is called.
    """
    function = method(holder, name)
    if function is None:
        return nothing
    count = min(takes, _positional_count(function))
    return at_home(lambda *arguments: call(function, *arguments[:count]))


def at_home(function: Algorithm) -> Algorithm:
    """Return `function` bound to the request that is current now: a sink that drains calls from no request at all."""
    home = current()
    if home is None:
        return function

    @functools.wraps(function)
    def run(*arguments: object) -> Promise[Any]:
        if current() is home:
            return function(*arguments)
        with enter(home):
            return function(*arguments)

    return run


def nothing(*arguments: object) -> Promise[None]:
    """The algorithm of a method that is not there."""
    return Promise.fulfilled(None)


def call(function: Callable[..., Any], *arguments: object) -> Promise[Any]:
    """Call `function`; return a promise of what it returns, or of what that awaits to."""
    try:
        return promise_of(function(*arguments))
    except Exception as error:
        return Promise.rejected(error)


def promise_of(result: Any) -> Promise[Any]:
    """Return a promise of `result`: of what it awaits to, if it can be awaited."""
    if isinstance(result, Promise):
        return result
    if result is None or not inspect.isawaitable(result):
        return Promise.fulfilled(result)
    promise: Promise[Any] = Promise()
    task = asyncio.ensure_future(_surviving(result))
    _running.add(task)
    home = current()
    if home is not None and not home.ended:
        home.own(task, lambda: _stop(task), never)

    def settle(done: asyncio.Future[Any]) -> None:
        _running.discard(done)
        if home is not None:
            home.disown(done)
        if inspect.iscoroutine(result):
            result.close()  # Of one that was cancelled before its first step.
        if done.cancelled():
            promise.reject(AbortError())
        elif (error := done.exception()) is not None:
            promise.reject(error)
        else:
            promise.resolve(done.result())

    task.add_done_callback(settle)
    return promise


def _stop(task: asyncio.Future[Any]) -> None:
    task.cancel()


async def _surviving(awaitable: Awaitable[Any]) -> Any:
    """Await `awaitable`; what would stop the event loop becomes an error of this one algorithm."""
    try:
        return await awaitable
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(ALGORITHM_EXITED.format(error=repr(error))) from error


def takes(function: Callable[..., Any], count: int) -> bool:
    """True for a function that takes `count` positional arguments."""
    return _positional_count(function) >= count


def _positional_count(function: Callable[..., Any]) -> int:
    """How many positional arguments `function` takes: JavaScript drops those it does not."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 99
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 99
    return sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )


def options_of(options: object, named: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what `options` (a mapping or None) and keywords say by `names`, in either spelling; keywords win.

    They are looked at in the order of `names`, which is the alphabet's in the standard. Others are ignored, as on
    the platform. Raises TypeError for options that are no mapping.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(OPTIONS_NOT_A_MAPPING.format(type=type(options).__name__))
    found = {}
    for name in names:
        value = member(named, name)
        if value is None:
            value = member(options, name)
        if value is not None:
            found[name] = value
    return found
