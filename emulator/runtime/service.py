"""A worker as other workers call it: the runtime's side of a service binding.

Floor 5. Owns which generation answers a call and how long it is kept, which entrypoint and method are meant, and that
the worker's own env is current meanwhile. Must not know who calls, or what a call is counted as.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from emulator import errors
from emulator.bindings import copied
from emulator.context import IoContext, never
from emulator.errors import HandlerError, ServiceError
from emulator.http import Request, Response
from emulator.naming import snake_case
from emulator.nearest import nearest
from emulator.runtime import dispatch, environment
from emulator.runtime.entrypoints import DEFAULT, EVENTS, Handler, methods_of
from emulator.runtime.execution import ExecutionContext
from emulator.runtime.isolate import Isolate
from emulator.runtime.worker import Worker
from emulator.sockets import Socket

T = TypeVar("T")

# What the platform calls by itself, or keeps for stubs.
RESERVED_METHODS = frozenset(
    (*EVENTS, "constructor", "dup", "alarm", "test", "trace")
    + ("web_socket_message", "web_socket_close", "web_socket_error")
)


class BoundService:
    """One entrypoint of the worker called `name`, None being the default one.

    `find()` gives the worker once it is there, `hint()` what to add to the sentence that says it is not.
    """

    def __init__(
        self,
        name: str,
        entrypoint: str | None,
        find: Callable[[], Worker | None],
        hint: Callable[[], str],
    ) -> None:
        self.name = name
        self._entrypoint = None if entrypoint in (DEFAULT, "default") else entrypoint
        self._find = find
        self._hint = hint

    async def fetch(self, request: Request, context: IoContext) -> Response:
        """Return the worker's response to `request`. Raises as `dispatch.fetch` does, and ServiceError."""
        isolate = self._entered(context)
        handler = self._required(isolate, "fetch", errors.NO_FETCH_HANDLER)
        result = await _run(isolate, handler, request, context)
        return dispatch.as_response(handler, result)

    async def connect(self, accept: Callable[[], Awaitable[Socket]], context: IoContext) -> None:
        """Run the worker's connect handler. Raises as `dispatch.connect` does, and ServiceError."""
        isolate = self._entered(context)
        handler = self._required(isolate, "connect", errors.CONNECT_NOT_SUPPORTED)
        await _run(isolate, handler, await accept(), context)

    async def call(self, method: str, arguments: Sequence[Any], context: IoContext) -> Any:
        """Return a copy of what `method` of a new instance returns. Raises what that does; TypeError without one."""
        isolate = self._entered(context)
        entrypoint = self._class_with(isolate, method)

        def called() -> Any:
            return getattr(entrypoint(ExecutionContext(context), isolate.env), method)(*arguments)

        async def result() -> Any:
            made = called()
            return copied(await made if inspect.isawaitable(made) else made, self.bound)

        return await _within(isolate, f"{method}() of class {entrypoint.__name__}", result)

    def bound(self, function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return `function` as others may call it: it runs with the env that is current now."""
        own = environment.current_environment()

        async def run(*arguments: Any) -> Any:
            if own is None:
                result = function(*arguments)
                return await result if inspect.isawaitable(result) else result
            with environment.current(own):
                result = function(*arguments)
                return await result if inspect.isawaitable(result) else result

        return run

    def _entered(self, context: IoContext) -> Isolate:
        """Return the generation that answers, kept until the event is over. Raises ServiceError, WorkerLoadError."""
        worker = self._find()
        if worker is None:
            entrypoint = self._entrypoint or "default"
            raise ServiceError(
                errors.SERVICE_MISSING.format(
                    entrypoint=entrypoint, service=self.name, hint=self._hint()
                )
            )
        isolate = worker.enter(last_good=worker.keeps_last_good)
        _keep(worker, isolate, context)
        if self._entrypoint is not None and isolate.entrypoint(self._entrypoint) is None:
            raise HandlerError(missing_entrypoint(self.name, self._entrypoint, isolate))
        return isolate

    def _required(self, isolate: Isolate, event: str, sentence: str) -> Handler:
        handler = isolate.handler(event, self._entrypoint)
        if handler is None:
            raise HandlerError(sentence)
        return handler

    def _class_with(self, isolate: Isolate, method: str) -> type:
        """Return the class whose `method` may be called."""
        if snake_case(method) in RESERVED_METHODS:
            raise TypeError(errors.RPC_METHOD_RESERVED.format(method=method))
        entrypoint = isolate.entrypoint(self._entrypoint)
        missing = errors.RPC_METHOD_MISSING.format(method=method)
        if entrypoint is None:
            raise TypeError(missing + errors.RPC_OF_FUNCTIONS.format(service=self.name))
        known = methods_of(entrypoint)
        if method in known:
            return entrypoint
        error = TypeError(missing)
        listed = ", ".join(f"{name}()" for name in known)
        error.add_note(
            errors.RPC_HAS.format(service=self.name, methods=listed)
            if known
            else errors.RPC_HAS_NONE.format(service=self.name)
        )
        if near := nearest(snake_case(method), known):
            error.add_note(errors.RPC_MEANT.format(method=near))
        raise error


def missing_entrypoint(service: str, entrypoint: str, isolate: Isolate) -> str:
    """Return the sentence about an entrypoint that the worker `service` does not have."""
    return errors.ENTRYPOINT_MISSING.format(
        service=service, entrypoint=entrypoint, **entrypoints_known(entrypoint, isolate)
    )


def entrypoints_known(entrypoint: str, isolate: Isolate) -> dict[str, str]:
    """Return the words about the entrypoints of `isolate`: those `known`, and a `hint` which is meant."""
    names = sorted(isolate.entrypoint_names)
    near = nearest(entrypoint, names, least=0.5)
    hint = errors.SERVICE_MEANT.format(name=near) if near else ""
    return {"known": ", ".join(names) or errors.NO_ENTRYPOINTS, "hint": hint}


def _keep(worker: Worker, isolate: Isolate, context: IoContext) -> None:
    """Have `isolate` stay loaded while anything of the event may run."""
    kept = object()

    def leave() -> None:
        if context.ended:
            worker.leave(isolate)
        else:
            # The client is gone, and what the handler owned is let go of; wait_until work goes on.
            context.own(kept, leave, never)

    context.own(kept, leave, never)


async def _run(isolate: Isolate, handler: Handler, subject: object, context: IoContext) -> Any:
    async def result() -> Any:
        made = handler.call(subject, isolate.env, ExecutionContext(context))
        return await made if inspect.isawaitable(made) else made

    return await _within(isolate, handler.label, result)


async def _within(isolate: Isolate, label: str, run: Callable[[], Awaitable[T]]) -> T:
    """Run worker code as part of the event whose code calls it: on its task, its meter, its context."""
    task = asyncio.current_task()
    with environment.current(isolate.env), dispatch.contained(label, task):
        return await run()
