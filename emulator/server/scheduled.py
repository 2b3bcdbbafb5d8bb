"""One scheduled event, from the call of the worker's handler to the end of its wait_until work.

Floor 6. Owns the order of these and the record of it. Must not know what fired the event.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from emulator.context import EventRecord, IoContext, Outcome
from emulator.errors import WorkerLoadError
from emulator.runtime import Isolate, Worker, dispatch
from emulator.runtime.scheduled_event import ScheduledEvent, is_retried
from emulator.server.judgement import outcome_of


class Ran(NamedTuple):
    """How a scheduled event ended, and whether its handler has said no_retry()."""

    outcome: Outcome
    no_retry: bool


def label_of(event: ScheduledEvent) -> str:
    """Return what `event` is called in what the user reads."""
    return f'SCHEDULED "{event.cron}"' if event.cron else "SCHEDULED"


async def run_scheduled(worker: Worker, event: ScheduledEvent, context: IoContext) -> Ran:
    """Call the handler with `event`, wait for its wait_until work, close what it owned. Raises CancelledError only."""
    began = perf_counter()
    outcome = Outcome.CANCELED
    isolate = None
    try:
        isolate = worker.enter(last_good=worker.keeps_last_good)
        outcome = await _outcome(isolate, event, context)
        await context.finish()
    except WorkerLoadError as error:
        context.observer.handler_failed(context.label, error)
        outcome = Outcome.EXCEPTION
    finally:
        context.end()
        if isolate is not None:
            worker.leave(isolate)
        status = outcome.value if outcome is Outcome.OK else None
        seconds = perf_counter() - began
        context.observer.event_finished(
            EventRecord(context.label, outcome, seconds, context.traffic, status)
        )
        if context.calls is not None:
            context.calls.tell()
    return Ran(outcome, no_retry=not is_retried(event))


async def _outcome(isolate: Isolate, event: ScheduledEvent, context: IoContext) -> Outcome:
    try:
        await dispatch.scheduled(isolate, event, context)
    except Exception as error:
        context.observer.handler_failed(context.label, error)
        return outcome_of(error, context)
    return Outcome.OK
