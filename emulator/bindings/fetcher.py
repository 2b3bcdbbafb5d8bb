"""What env.OTHER is: another worker, to be fetched from, connected to, and whose methods may be called.

Floor 4. Owns the three ways and their arguments; the worker behind is a Service. Must not know how that runs.
Source: https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/ and the platform's Python SDK.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from emulator import errors
from emulator.bindings.calling import caller, conversation
from emulator.bindings.connection import begin_connection
from emulator.bindings.copying import copied, with_named
from emulator.bindings.service import Service
from emulator.context import IoContext
from emulator.errors import ServiceError
from emulator.http import Request, Response
from emulator.http.url import path_and_query
from emulator.sockets import Socket, SocketAddress, SocketOptions


class Fetcher:
    """A service binding. What is neither `fetch` nor `connect` is a method of the worker: `await env.OTHER.add(1)`."""

    __slots__ = ("_binding", "_service")

    # A binding may be handed to another worker.
    crosses = True

    def __init__(self, binding: str, service: Service) -> None:
        self._binding = binding
        self._service = service

    def __repr__(self) -> str:
        return f"<Fetcher {self._binding} to {self._service.name}>"

    async def fetch(self, resource: Request | str, **options: Any) -> Response:
        """Return the worker's response to `resource`, an absolute URL or a Request whose body is used.

        Options are those of Request. What the worker raises becomes a ServiceError, an OSError with its message. Raises
        also what Request does, SubrequestError, DepthError and GlobalScopeError.
        """
        context = caller()
        if isinstance(resource, Request) and not options:
            request = resource.handed_on()
        else:
            request = Request(resource, **options)
        if request.signal is not None:
            request.signal.throw_if_aborted()
        with conversation(context, self._service.name, _label(request)) as made:
            try:
                response = await self._service.fetch(request, context)
                passed = response.handed_on(request.url)
            except ServiceError:
                raise  # Of a worker further on, or of one that is not there.
            except Exception as error:
                raise ServiceError(str(error) or type(error).__name__) from error
            made.status = f"{passed.status} {passed.status_text}".rstrip()
        return passed

    def connect(
        self,
        address: str | Mapping[str, object] | SocketAddress,
        options: Mapping[str, object] | SocketOptions | None = None,
        /,
        **named: object,
    ) -> Socket:
        """Return at once a Socket whose other end the worker's connect handler is given.

        `address` is what that handler reads as its socket's local address. Options are those of connect(), without TLS.
        A worker that has no such handler, or is not there, rejects the Socket's `opened` and `closed`.
        """
        return begin_connection(self._service, address, options, named)

    def __getattr__(self, name: str) -> Method:
        if name.startswith("_"):
            raise AttributeError(errors.RPC_METHOD_MISSING.format(method=name), name=name, obj=self)
        return Method(name, self._service)


class Method:
    """A method of the worker behind a binding: `await method(…)` runs it there, on an instance of its own."""

    __slots__ = ("_name", "_service")

    def __init__(self, name: str, service: Service) -> None:
        self._name = name
        self._service = service

    def __repr__(self) -> str:
        return f"<RPC method {self._name} of {self._service.name}>"

    def __call__(self, *arguments: Any, **named: Any) -> Coroutine[Any, Any, Any]:
        """Return what awaiting calls the method with copies of what is given now, and gives a copy of its result.

        Keyword arguments arrive as one dict, the last argument. What the method raises is raised unchanged.
        """
        context = caller()
        sent = copied(with_named(arguments, named), self._service.bound)
        return self._called(context, sent, has_named=bool(named))

    async def _called(self, context: IoContext, sent: Sequence[Any], *, has_named: bool) -> Any:
        with conversation(context, self._service.name, f"{self._name}()"):
            try:
                return await self._service.call(self._name, sent, context)
            except TypeError as error:
                if has_named and not getattr(error, "__notes__", None):
                    error.add_note(errors.RPC_KEYWORDS)
                raise


def _label(request: Request) -> str:
    path, query = path_and_query(request.url)
    return f"{request.method} {path}{'?' if query else ''}{query}"
