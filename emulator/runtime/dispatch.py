"""Giving one event to a worker's handler.

Floor 5. Owns: what is current while a handler runs, the check of what it returns, and that nothing it raises stops the
server. Must not know HTTP or where the event came from. Whoever dispatches makes the IoContext and finishes it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any

from emulator import errors
from emulator.context import CpuExceeded, IoContext, make_current, restore, running_task
from emulator.http import Request, Response
from emulator.runtime import environment
from emulator.runtime.entrypoints import Handler
from emulator.runtime.execution import ExecutionContext
from emulator.runtime.isolate import Isolate
from emulator.runtime.scheduled_event import ScheduledEvent


def fetch(
    isolate: Isolate, request: Request, context: IoContext, task: asyncio.Task[Any] | None = None
) -> Coroutine[Any, Any, Response]:
    """Await the result for the Response of the worker's fetch handler to `request`.

    `task` is the one that awaits it, for who has it at hand.
    Raises HandlerError for a missing handler or a result that is no Response; HandlerExit for what would stop the
    server; CancelledError only when the running task is cancelled; and whatever else the handler raises, unchanged.
    """
    handler = _required(isolate, "fetch", errors.NO_FETCH_HANDLER)
    return _run(isolate, handler, request, context, task, as_response)


async def connect(isolate: Isolate, socket: object, context: IoContext) -> None:
    """Run the worker's connect handler with the inbound `socket`. Raises as `fetch` does; the result is ignored."""
    handler = _required(isolate, "connect", errors.CONNECT_NOT_SUPPORTED)
    await _run(isolate, handler, socket, context)


async def scheduled(isolate: Isolate, event: ScheduledEvent, context: IoContext) -> None:
    """Run the worker's scheduled handler with `event`. Raises as `fetch` does; the result is ignored."""
    handler = _required(isolate, "scheduled", errors.NO_SCHEDULED_HANDLER)
    await _run(isolate, handler, event, context)


def as_response(handler: Handler, result: object) -> Response:
    """Return `result`, which `handler` has returned. Raises HandlerError when it is no Response."""
    if isinstance(result, Response):
        return result
    raise _not_a_response(handler, result)


class contained:
    """A block that runs the worker code called `label` on `task`: what would stop the server there is a HandlerExit.

    What is thrown into it from outside passes, and so does CpuExceeded.
    """

    __slots__ = ("_label", "_task")

    def __init__(self, label: str, task: asyncio.Task[Any] | None) -> None:
        self._label = label
        self._task = task

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or isinstance(error, Exception | CpuExceeded):
            return
        if not _from_outside(error, self._task):
            raise _exit(self._label, error) from error


def _required(isolate: Isolate, event: str, sentence: str) -> Handler:
    handler = isolate.handler(event)
    if handler is None:
        raise errors.HandlerError(sentence)
    return handler


async def _run(
    isolate: Isolate,
    handler: Handler,
    subject: object,
    context: IoContext,
    task: asyncio.Task[Any] | None = None,
    checked: Callable[[Handler, object], Any] | None = None,
) -> Any:
    """Return what the handler does, `checked`. Raises HandlerExit when the runtime has ended it (`context.verdict`)."""
    if task is None:
        task = asyncio.current_task()
    context.handle_in(task)
    env = isolate.env
    context_before, env_before = make_current(context), environment.make_current(env)
    try:
        if context.meter is not None:
            result = await _measured(handler, subject, isolate, context)
        else:
            result = handler.call(subject, env, ExecutionContext(context))
            if type(result) is CoroutineType or inspect.isawaitable(result):
                result = await result
    except Exception:
        raise
    except CpuExceeded as error:
        raise errors.HandlerExit(str(error)).with_traceback(error.__traceback__) from None
    except BaseException as error:
        if not _from_outside(error, task):
            raise _exit(handler.label, error) from error
        context.handle_in(None)
        if context.verdict is None or not _is_ended(error, task):
            raise
        raise errors.HandlerExit(context.verdict.sentence) from None
    finally:
        environment.restore(env_before)
        restore(context_before)
        context.handle_in(None)
    if context.verdict is not None:  # The handler would not be ended.
        raise errors.HandlerExit(context.verdict.sentence)
    return result if checked is None else checked(handler, result)


async def _measured(handler: Handler, subject: object, isolate: Isolate, context: IoContext) -> Any:
    """Call the handler and await what it returns, on the meter of `context`."""
    meter = context.meter
    assert meter is not None
    result = meter.run(handler.call, subject, isolate.env, ExecutionContext(context))
    if inspect.iscoroutine(result):
        return await meter.measured(result)  # Which looks at what the call has used, too.
    if meter.too_much:
        raise meter.exceed(None)
    return await result if inspect.isawaitable(result) else result


def _is_ended(error: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Tell whether `error` is how the runtime ends a handler, and nobody else wants `task` to end."""
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()


def _from_outside(error: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Tell whether `error` was thrown into the handler by whoever runs `task`, not raised by the worker."""
    if isinstance(error, asyncio.CancelledError):
        return task is None or task.cancelling() > 0
    return isinstance(error, GeneratorExit) and running_task() is not task


def _exit(label: str, error: BaseException) -> errors.HandlerExit:
    if isinstance(error, asyncio.CancelledError):
        return errors.HandlerExit(errors.HANDLER_CANCELLED.format(handler=label))
    sentence = errors.HANDLER_EXITED.format(handler=label, error=repr(error))
    return errors.HandlerExit(sentence)


def _not_a_response(handler: Handler, result: object) -> errors.HandlerError:
    what, hint = _described(result)
    if inspect.iscoroutine(result):
        result.close()  # It will never be awaited, and the error says so.
    sentence = errors.NOT_A_RESPONSE.format(handler=handler.label, what=what, hint=hint)
    return errors.HandlerError(sentence)


def _described(result: object) -> tuple[str, str]:
    """Return what came back, in words, and what was probably forgotten."""
    if result is None:
        return "None", errors.FORGOT_RETURN
    if inspect.isawaitable(result):
        kind = "coroutine" if inspect.iscoroutine(result) else type(result).__name__
        return f"a {kind}", errors.FORGOT_AWAIT
    if inspect.isasyncgen(result):
        return "an async generator", errors.YIELDS_NOTHING
    if inspect.isgenerator(result):
        return "a generator", errors.YIELDS_NOTHING
    if result is Response:
        return "the class Response", errors.FORGOT_CALL
    if isinstance(result, dict | list):
        return f"a {type(result).__name__}", errors.USE_JSON
    if isinstance(result, str | bytes):
        return f"a {type(result).__name__}", errors.USE_RESPONSE
    return f"an object of type {type(result).__name__}", ""
