"""How an event that failed is counted, and which status says so.

Floor 6. Owns the mapping from errors and verdicts to outcomes; must not know what a response looks like. Source:
limits.md.
"""

from __future__ import annotations

from http import HTTPStatus

from emulator.context import IoContext, Outcome
from emulator.errors import SubrequestError


def outcome_of(error: BaseException, context: IoContext) -> Outcome:
    """Return how the event of `context` ended, when its handler or its body raised `error`."""
    if context.verdict is not None:
        return context.verdict.outcome
    if _stems_from(error, SubrequestError):
        return Outcome.EXCEEDED_SUBREQUESTS
    return Outcome.EXCEPTION


def status_of(outcome: Outcome) -> HTTPStatus:
    """Return the status of the response to a request that ended in `outcome`, which is a failure."""
    if outcome is Outcome.EXCEEDED_CPU:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _stems_from(error: BaseException | None, kind: type[Exception]) -> bool:
    """Tell whether `error` is of `kind`, or a group's or its causes' first is."""
    if isinstance(error, BaseExceptionGroup):
        return any(_stems_from(each, kind) for each in error.exceptions)
    return isinstance(error, kind) or (error is not None and _stems_from(error.__cause__, kind))
