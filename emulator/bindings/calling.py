"""One call of another worker: whether it may be made, and the record of it.

Floor 4. Owns the checks in the platform's order and the outcome of a call. Must not know what is called.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from emulator.context import (
    CALL_DEPTH_LIMIT,
    Call,
    CallTree,
    CpuExceeded,
    IoContext,
    Outcome,
    calling,
    current_call,
    raised_at,
    require_current,
)
from emulator.errors import CALL_IN_THREAD, DepthError, OwnershipError, ServiceError
from emulator.failures import summary


def caller() -> IoContext:
    """Return the event that calls now, with this call counted.

    Raises GlobalScopeError outside an event, OwnershipError when it is over, RuntimeError in another thread,
    DepthError, SubrequestError.
    """
    context = require_current()
    if context.ended:
        raise OwnershipError("Fetcher", f"{context.label}, which is over")
    if not context.in_its_thread:
        raise RuntimeError(CALL_IN_THREAD.format(thread=threading.current_thread().name))
    call = current_call()
    # The event's own worker is the first.
    if call is not None and call.depth + 1 >= CALL_DEPTH_LIMIT:
        raise DepthError
    context.spend_subrequest()
    return context


class Conversation:
    """A call under way: whoever makes it sets `status` when there is one."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.status: str | None = None


@contextmanager
def conversation(context: IoContext, service: str, label: str) -> Iterator[Conversation]:
    """A block that is one call of `service`, called `label` in what the user reads."""
    if context.calls is None:
        context.calls = CallTree(context.label, context.observer)
    tree = context.calls
    call = tree.begin(service, label)
    begun = Conversation(call)
    outcome, failure = Outcome.OK, None
    try:
        with calling(call):
            yield begun
    except BaseException as error:
        outcome = _outcome_of(error)
        if outcome is Outcome.EXCEPTION:
            failure = _told(error)
        raise
    finally:
        tree.end(call, outcome, begun.status, failure)


def _outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return Outcome.CANCELED
    if isinstance(error, CpuExceeded):
        return Outcome.EXCEEDED_CPU
    return Outcome.EXCEPTION


def _told(error: BaseException) -> str:
    while isinstance(error, ServiceError) and error.__cause__ is not None:
        error = error.__cause__  # What the worker itself raised.
    place = raised_at(error)
    return summary(error) if place is None else f"{summary(error)} ({place})"
