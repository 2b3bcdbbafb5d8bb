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
from types import FrameType, MappingProxyType
from typing import Any, TypeVar, cast

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context.background import (
    call_when_unwound,
    close_unstarted,
    name_of,
    overlong,
    running_task,
    survivable,
    take_note,
)
from emulator.context.calls import CallTree, current_call
from emulator.context.connections import Connections
from emulator.context.cpu import CpuMeter
from emulator.context.debugging import unpaused_seconds
from emulator.context.frames import place_of, user_frame
from emulator.context.observer import NO_TRAFFIC, Observer, Outcome, Traffic
from emulator.context.prospects import Prospects, always, never
from emulator.context.slots import ConnectionSlots
from emulator.context.state import ContextState, Verdict
from emulator.errors import CPU_EXCEEDED, CPU_EXCEEDED_AT, GlobalScopeError, SubrequestError

# How long wait_until work may still use the sockets of a handler whose client is gone.
GOODBYE_SECONDS = 0.5

T = TypeVar("T")

_current: ContextVar[IoContext | None] = ContextVar("pyworker_io_context", default=None)


# As globals: Python takes ten times as long to read a member from its class.
_ACTIVE, _DRAINING, _ENDED = ContextState


class IoContext:
    """One event's belongings. `label` ("GET /path") names it in what the user reads.

    `provided` holds settings by their type, for the floors above: this one does not know them.
    `calls` are those of other workers, None while there are none.
    """

    # How it begins. What most events never need is made when it is.
    meter: CpuMeter | None = None
    verdict: Verdict | None = None
    _state: ContextState = _ACTIVE
    _handler: asyncio.Task[Any] | None = None
    _cancellations = 0
    _subrequests = 0
    _slots: ConnectionSlots | None = None
    _connections: Connections | None = None
    _prospects: Prospects | None = None
    _background: set[asyncio.Task[None]] | None = None
    _background_tree: weakref.WeakSet[asyncio.Task[Any]] | None = None
    _background_owns: set[object] | None = None
    calls: CallTree | None = None

    def __init__(
        self,
        label: str,
        observer: Observer,
        limits: Limits = DEFAULT_LIMITS,
        provided: Mapping[type, object] = MappingProxyType({}),
    ) -> None:
        self.label = label
        self.observer = observer
        self.limits = limits
        self._provided = provided
        self._thread = threading.get_ident()
        self._closers: dict[object, Callable[[], None]] = {}
        if limits.cpu_ms is not None:
            self.meter = CpuMeter(
                limits.cpu_ms / 1000, self._cpu_exceeded, self._cancel_running_task
            )

    def __repr__(self) -> str:
        return (
            f"<IoContext {self.label} {self._state.value} "
            f"owns={len(self._closers)} background={len(self._background or ())}>"
        )

    @property
    def slots(self) -> ConnectionSlots:
        """The line in front of this event's connections; most events never need one."""
        if self._slots is None:
            limits = self.limits
            self._slots = ConnectionSlots(limits.connections, limits.connection_mode)
        return self._slots

    @property
    def connections(self) -> Connections:
        """This event's connections."""
        if self._connections is None:
            self._connections = Connections()
        return self._connections

    @property
    def prospects(self) -> Prospects:
        """What can still happen to this event."""
        if self._prospects is None:
            self._prospects = Prospects()
        return self._prospects

    @property
    def traffic(self) -> Traffic:
        """What this event's connections have moved so far, in all."""
        return NO_TRAFFIC if self._connections is None else self._connections.traffic

    @property
    def state(self) -> ContextState:
        """Where this context is in its life."""
        return self._state

    @property
    def ended(self) -> bool:
        """True once nothing of this context may be used any more."""
        return self._state is _ENDED

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
            and self._state is not _ENDED
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
                if self._background_owns is None:
                    self._background_owns = set()
                self._background_owns.add(resource)
            if is_live is not never:
                self.prospects.sources[resource] = is_live

    def disown(self, resource: object) -> None:
        """`resource` is closed already: forget it. Harmless when it was never owned."""
        self._closers.pop(resource, None)
        if self._background_owns is not None:
            self._background_owns.discard(resource)
        if self._prospects is not None:
            self._prospects.sources.pop(resource, None)

    def when_unwound(self, callback: Callable[[], None]) -> None:
        """Call `callback()` once no task of this event that was cancelled is still under way: now, if there is none."""
        call_when_unwound(callback, self._tasks(), running_task())

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """`task` was started by this event's code: it ends with it."""
        self.prospects.add_task(task)
        if self.meter is not None:
            task.add_done_callback(take_note)
        if self._background_tree is not None and self._in_background():
            self._background_tree.add(task)

    def handle_in(self, task: asyncio.Task[Any] | None) -> None:
        """`task` runs this event's handler from now on; None when that has returned and can't be condemned any more."""
        handler = self._handler
        while self._cancellations and handler is not None:
            self._cancellations -= 1
            handler.uncancel()
        self._handler = task

    @property
    def handling(self) -> bool:
        """True while the handler runs."""
        return self._handler is not None

    def waits(self) -> dict[asyncio.Task[Any], object] | None:
        """Return what each unfinished task of the handler waits for; None when one of them can run."""
        return self.prospects.waits(self._handler)

    def condemn(self, outcome: Outcome, sentence: str) -> None:
        """End the handler: its task is cancelled, and whoever runs it finds `verdict`. Only the first one counts.

        A handler that goes on all the same is cancelled again each time. One that runs this very moment is not: whoever
        interrupts it raises.
        """
        if self.verdict is None:
            self.verdict = Verdict(outcome, sentence)
        handler = self._handler
        if handler is not None and handler is not running_task():
            self._cancellations += 1
            handler.cancel()

    def abandon(self) -> None:
        """The client is gone: cancel the handler's tasks and close what they own; wait_until work goes on with its.

        While there is such work it has GOODBYE_SECONDS with the handler's sockets: many protocols end with a word.
        """
        background = self._background_tree or ()
        for task in self.prospects.tasks:
            if task is not self._handler and task not in background:
                task.cancel()
        if self.working:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._close_handlers)
        else:
            self._close_handlers()

    def _close_handlers(self) -> None:
        """Close what the handler made, and not wait_until work."""
        kept = self._background_owns or ()
        for resource, close in list(self._closers.items()):
            if resource not in kept:
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
        if self._background is None or self._background_tree is None:
            self._background, self._background_tree = set(), weakref.WeakSet()
        self._background.add(task)
        if (call := current_call()) is not None:
            call.background.append(task)
        self._background_tree.add(task)
        task.add_done_callback(self._background_done)
        # A task that is cancelled before its first step never comes to await what it was given.
        task.add_done_callback(lambda _: close_unstarted(awaitable))
        if self.ended:
            task.cancel()

    async def finish(self) -> None:
        """The response is over: wait for wait_until work, cancel what takes too long, close everything."""
        if self._state is not _ACTIVE:
            return
        try:
            if self._background:
                self._state = _DRAINING
                await self._drain()
        finally:
            self.end()

    def end(self) -> None:
        """Close everything this context owns, now. Called more than once it does nothing.

        Raises ExceptionGroup of what closing raised, when the rest is closed.
        """
        if self._state is _ENDED:
            return
        self._state = _ENDED
        # Mostly there is neither.
        if (self._prospects is not None or self._background) and (tasks := self._tasks()):
            running = running_task()
            for task in tasks:
                if task is not running and task is not self._handler:
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

    def _tasks(self) -> set[asyncio.Task[Any]]:
        """What the event started and has not lost track of, wait_until work too."""
        started = self._prospects.tasks if self._prospects is not None else ()
        return {*started, *(self._background or ())}

    def _in_background(self) -> bool:
        """True in wait_until work and what it started."""
        return self._background_tree is not None and running_task() in self._background_tree

    def _cpu_exceeded(self, frame: FrameType | None) -> str:
        assert self.meter is not None
        milliseconds = self.meter.seconds_now() * 1000
        sentence = CPU_EXCEEDED.format(milliseconds=milliseconds, limit=self.limits.cpu_ms)
        if (users := user_frame(frame)) is not None:
            sentence += CPU_EXCEEDED_AT.format(place=place_of(users))
        self.condemn(Outcome.EXCEEDED_CPU, sentence)
        return sentence

    def _cancel_running_task(self) -> None:
        task = running_task()
        if task is None:
            return
        if task is self._handler:
            self._cancellations += 1
        task.cancel()

    async def _drain(self) -> None:
        deadline = unpaused_seconds() + self.limits.wait_until_seconds
        while self._background and (remaining := deadline - unpaused_seconds()) > 0:
            await asyncio.wait(self._background, timeout=remaining)
        for task in self._background or ():
            self.observer.background_failed(
                self.label, TimeoutError(overlong(task, self.limits.wait_until_seconds))
            )

    def _background_done(self, task: asyncio.Task[None]) -> None:
        if self._background is not None:
            self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.observer.background_failed(self.label, error)


# The two halves of `enter`, for who can't afford an object for it: `before = make_current(context)`, `restore(before)`.
make_current = _current.set
restore = _current.reset


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
