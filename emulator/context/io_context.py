"""What one event (a request, an inbound connection) owns and may spend.

Floor 2. Owns: which context is current, what is to be closed when it ends, its wait_until work, its
connection slots and its counts. Must not know what a stream, a socket or a request is: it is handed
callables that close things.

A context's life is ACTIVE (its handler runs or its response is being sent) → DRAINING (only wait_until work
is left) → ENDED (everything it owned is closed). Whoever dispatches an event makes the context, enters it,
runs the handler and awaits `finish()`.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context, ContextVar
from enum import Enum
from types import FrameType, MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context.background import close_unstarted, name_of, overlong, survivable
from emulator.context.calls import CallTree, current_call
from emulator.context.connections import Connections
from emulator.context.cpu import CpuExceeded, CpuMeter
from emulator.context.debugging import unpaused_seconds
from emulator.context.frames import place_of, user_frame
from emulator.context.observer import Observer, Outcome, Traffic
from emulator.context.prospects import Prospects, always, never
from emulator.context.slots import ConnectionSlots
from emulator.errors import CPU_EXCEEDED, CPU_EXCEEDED_AT, GlobalScopeError, SubrequestError

# How long wait_until work may still use the sockets of a handler whose client is gone.
GOODBYE_SECONDS = 0.5

T = TypeVar("T")

_current: ContextVar[IoContext | None] = ContextVar("pyworker_io_context", default=None)


class ContextState(Enum):
    """Where a context is in its life."""

    ACTIVE = "active"
    DRAINING = "draining"
    ENDED = "ended"


class Verdict(NamedTuple):
    """Why the runtime ended an event's handler, and what there is to say of it."""

    outcome: Outcome
    sentence: str


class IoContext:
    """One event's belongings. `label` ("GET /path") names it in what the user reads.

    `provided` holds settings by their type, for the floors above: this one does not know them.
    `calls` are those of other workers, None while there are none.
    """

    calls: CallTree | None = None

    def __init__(
        self,
        label: str,
        observer: Observer,
        *,
        limits: Limits = DEFAULT_LIMITS,
        provided: Mapping[type, object] = MappingProxyType({}),
    ) -> None:
        self.label = label
        self.observer = observer
        self.connections = Connections()
        self.limits = limits
        self._slots: ConnectionSlots | None = None
        self.prospects = Prospects()
        self.meter: CpuMeter | None = None
        self.verdict: Verdict | None = None
        self._cancellations = 0
        self._background_tree: weakref.WeakSet[asyncio.Task[Any]] | None = None
        if limits.cpu_ms is not None:
            self.meter = CpuMeter(
                limits.cpu_ms / 1000, self._cpu_exceeded, self._cancel_running_task
            )
        self._subrequests = 0
        self._thread = threading.get_ident()
        self._provided = provided
        self._state = ContextState.ACTIVE
        self._closers: dict[object, Callable[[], None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._background_owns: set[object] = set()

    def __repr__(self) -> str:
        return (
            f"<IoContext {self.label} {self._state.value} "
            f"owns={len(self._closers)} background={len(self._background)}>"
        )

    @property
    def slots(self) -> ConnectionSlots:
        """The line in front of this event's connections; most events never need one."""
        if self._slots is None:
            limits = self.limits
            self._slots = ConnectionSlots(limits.connections, limits.connection_mode)
        return self._slots

    @property
    def traffic(self) -> Traffic:
        """What this event's connections have moved so far, in all."""
        return self.connections.traffic

    @property
    def state(self) -> ContextState:
        """Where this context is in its life."""
        return self._state

    @property
    def ended(self) -> bool:
        """True once nothing of this context may be used any more."""
        return self._state is ContextState.ENDED

    def provided(self, kind: type[T], default: T) -> T:
        """Return the settings of type `kind` that this event's server was started with, else `default`."""
        return cast(T, self._provided.get(kind, default))

    @property
    def working(self) -> bool:
        """True while wait_until work is under way."""
        return bool(self._background)

    @property
    def in_its_thread(self) -> bool:
        """True in the thread that this context's event loop runs in."""
        return threading.get_ident() == self._thread

    def usable_here(self) -> bool:
        """True where code of this event runs, in its thread, while it has not ended."""
        return (
            _current.get() is self
            and self._state is not ContextState.ENDED
            and threading.get_ident() == self._thread
        )

    def spend_subrequest(self) -> None:
        """Count one connection or fetch. Raises SubrequestError when there were too many."""
        self._subrequests += 1
        if self.limits.subrequests is not None and self._subrequests > self.limits.subrequests:
            raise SubrequestError

    def own(
        self, resource: object, close: Callable[[], None], is_live: Callable[[], bool] = always
    ) -> None:
        """Have `close()` called when this context ends, unless `disown(resource)` comes first.

        In a context that has ended it is called at once. `is_live()` tells whether something may still come of it that
        a handler could wait for.
        """
        if self.ended:
            close()
        else:
            self._closers[resource] = close
            if self._in_background():
                self._background_owns.add(resource)
            if is_live is not never:
                self.prospects.sources[resource] = is_live

    def disown(self, resource: object) -> None:
        """`resource` is closed already: forget it. Harmless when it was never owned."""
        self._closers.pop(resource, None)
        self._background_owns.discard(resource)
        self.prospects.sources.pop(resource, None)

    def when_unwound(self, callback: Callable[[], None]) -> None:
        """Call `callback()` once no task of this event that was cancelled is still under way: now, if there is none."""
        running = _running_task()
        unwinding = {
            task
            for task in {*self.prospects.tasks, *self._background}
            if task.cancelling() and task is not running and not task.done()
        }
        if not unwinding:
            callback()
            return

        def one_done(task: asyncio.Task[Any]) -> None:
            unwinding.discard(task)
            if not unwinding:
                callback()

        for task in list(unwinding):
            task.add_done_callback(one_done)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """`task` was started by this event's code: it ends with it."""
        self.prospects.add_task(task)
        if self.meter is not None:
            task.add_done_callback(_take_note)
        if self._background_tree is not None and self._in_background():
            self._background_tree.add(task)

    def handle_in(self, task: asyncio.Task[Any] | None) -> None:
        """`task` runs this event's handler from now on; None when that has returned and can't be condemned any more."""
        handler = self.prospects.handler
        while self._cancellations and handler is not None:
            self._cancellations -= 1
            handler.uncancel()
        self.prospects.handler = task

    @property
    def handling(self) -> bool:
        """True while the handler runs."""
        return self.prospects.handler is not None

    def condemn(self, outcome: Outcome, sentence: str) -> None:
        """End the handler: its task is cancelled, and whoever runs it finds `verdict`. Only the first one counts.

        A handler that goes on all the same is cancelled again each time. One that runs this very moment is not: whoever
        interrupts it raises.
        """
        if self.verdict is None:
            self.verdict = Verdict(outcome, sentence)
        handler = self.prospects.handler
        if handler is not None and handler is not _running_task():
            self._cancellations += 1
            handler.cancel()

    def abandon(self) -> None:
        """The client is gone: cancel the handler's tasks and close what they own; wait_until work goes on with its.

        While there is such work it has GOODBYE_SECONDS with the handler's sockets: many protocols end with a word.
        """
        background = self._background_tree or ()
        for task in self.prospects.tasks:
            if task is not self.prospects.handler and task not in background:
                task.cancel()
        if self.working:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._close_handlers)
        else:
            self._close_handlers()

    def _close_handlers(self) -> None:
        """Close what the handler made, and not wait_until work."""
        for resource, close in list(self._closers.items()):
            if resource not in self._background_owns:
                self.disown(resource)
                close()

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Keep this context alive until `awaitable` settles, 30 s after the response at the most.

        Raises TypeError for something that can't be awaited. A failure is told to the observer.
        """
        if not inspect.isawaitable(awaitable):
            raise TypeError(
                f"wait_until() takes an awaitable (call the async function: "
                f"wait_until(work())), not {type(awaitable).__name__}."
            )
        task = asyncio.create_task(survivable(awaitable), name=name_of(awaitable))
        self._background.add(task)
        if (call := current_call()) is not None:
            call.background.append(task)
        if self._background_tree is None:
            self._background_tree = weakref.WeakSet()
        self._background_tree.add(task)
        task.add_done_callback(self._background_done)
        # A task that is cancelled before its first step never comes to await what it was given.
        task.add_done_callback(lambda _: close_unstarted(awaitable))
        if self.ended:
            task.cancel()

    async def finish(self) -> None:
        """The response is over: wait for wait_until work, cancel what takes too long, close everything."""
        if self._state is not ContextState.ACTIVE:
            return
        try:
            if self._background:
                self._state = ContextState.DRAINING
                await self._drain()
        finally:
            self.end()

    def end(self) -> None:
        """Close everything this context owns, now. Called more than once it does nothing.

        Raises ExceptionGroup of what closing raised, when the rest is closed.
        """
        if self._state is ContextState.ENDED:
            return
        self._state = ContextState.ENDED
        if tasks := {*self.prospects.tasks, *self._background}:
            running = _running_task()
            for task in tasks:
                if task is not running and task is not self.prospects.handler:
                    task.cancel()
        failures = []
        while self._closers:
            _, close = self._closers.popitem()
            try:
                close()
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"Closing what {self.label} owned", failures)

    def _in_background(self) -> bool:
        """True in wait_until work and what it started."""
        return self._background_tree is not None and _running_task() in self._background_tree

    def _cpu_exceeded(self, frame: FrameType | None) -> str:
        assert self.meter is not None
        milliseconds = self.meter.seconds_now() * 1000
        sentence = CPU_EXCEEDED.format(milliseconds=milliseconds, limit=self.limits.cpu_ms)
        if (users := user_frame(frame)) is not None:
            sentence += CPU_EXCEEDED_AT.format(place=place_of(users))
        self.condemn(Outcome.EXCEEDED_CPU, sentence)
        return sentence

    def _cancel_running_task(self) -> None:
        task = _running_task()
        if task is None:
            return
        if task is self.prospects.handler:
            self._cancellations += 1
        task.cancel()

    async def _drain(self) -> None:
        deadline = unpaused_seconds() + self.limits.wait_until_seconds
        while self._background and (remaining := deadline - unpaused_seconds()) > 0:
            await asyncio.wait(self._background, timeout=remaining)
        for task in self._background:
            self.observer.background_failed(
                self.label, TimeoutError(overlong(task, self.limits.wait_until_seconds))
            )

    def _background_done(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.observer.background_failed(self.label, error)


def _take_note(task: asyncio.Task[Any]) -> None:
    """A task that used too much was ended by us: asyncio need not report that nobody looked at it."""
    if not task.cancelled() and isinstance(task._exception, CpuExceeded):
        task.exception()


def current() -> IoContext | None:
    """The context of the event whose code is running; None at global scope."""
    return _current.get()


def current_meter() -> CpuMeter | None:
    """What the CPU time of the running code is charged to, if it is limited."""
    context = _current.get()
    return None if context is None else context.meter


def context_in(context: Context) -> IoContext | None:
    """The event whose code runs in the contextvars `context`; None if it is no event's."""
    return context.get(_current)


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # No event loop runs.
        return None


def require_current() -> IoContext:
    """The context of the running event. Raises GlobalScopeError at global scope."""
    context = _current.get()
    if context is None:
        raise GlobalScopeError
    return context


class enter:
    """`with enter(context):` runs the block as part of `context`; None is global scope, and the runtime's own work."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: IoContext | None) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = _current.set(self._context)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
