"""What crosses between workers in a call: copies of plain data, I/O objects as they are, functions as stubs.

Floor 4. Owns which types cross and what is said of the others. Must not know who calls whom. Source: the platform's
page on RPC, "Structured clonable types, and more", and what its Python SDK makes of Python's types.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any

from emulator import errors
from emulator.context import Owned, current
from emulator.errors import DOMException
from emulator.http import Headers, Request, Response
from emulator.sockets import DEFAULT_NETWORK, Network
from emulator.streams import ReadableStream, WritableStream

Bind = Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]

_IMMUTABLE = (type(None), bool, int, float, str, bytes, datetime)
_PASSED = (Request, Response, Headers, ReadableStream, WritableStream, BaseException)
# Types that cross here and that the platform's SDK refuses, with what it takes in their place.
_REFUSED_IN_PRODUCTION: dict[type, str] = {tuple: "a list", bytearray: "bytes"}


class Stub(Owned):
    """A function of another worker: `await stub(…)` runs it there. It belongs to the event that it came with."""

    __slots__ = ("_bind", "_name", "_run")

    io_type = "RpcStub"

    def __init__(self, function: Callable[..., Any], bind: Bind) -> None:
        super().__init__()
        self._name = getattr(function, "__qualname__", type(function).__name__)
        self._bind = bind
        self._run = bind(function)

    def __repr__(self) -> str:
        return f"<RpcStub {self._name}>"

    def __call__(self, *arguments: Any, **named: Any) -> Coroutine[Any, Any, Any]:
        """Call the function with copies of what is given; awaiting the result gives a copy of its."""
        self.check_owner()
        sent = copied(with_named(arguments, named), self._bind)
        return self._called(sent)

    async def _called(self, sent: list[Any]) -> Any:
        return copied(await self._run(*sent), self._bind)


def with_named(arguments: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """Return what the other side is called with: keyword arguments are one dict there, the last argument."""
    return [*arguments, named] if named else [*arguments]


def copied(value: Any, bind: Bind) -> Any:
    """Return `value` as the other worker gets it; `bind(function)` is how a function in it can be called there.

    Raises DataCloneError (a DOMException) for what can't cross, TypeError for what should have been awaited.
    """
    return _Copying(bind).copy(value)


class _Copying:
    """One crossing: what occurs twice in it is copied once, circles included."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self._copies: dict[int, Any] = {}

    def copy(self, value: Any) -> Any:
        if type(value) in _IMMUTABLE:
            return value
        if id(value) in self._copies:
            return self._copies[id(value)]
        made = self._copy_of(value)
        # The container keeps `value` alive meanwhile: no other object takes its id.
        self._copies[id(value)] = made
        return made

    def _copy_of(self, value: Any) -> Any:
        if isinstance(value, (*_PASSED, Stub)) or getattr(value, "crosses", False) is True:
            return value
        if isinstance(value, dict):
            return self._filled(value, {})
        if isinstance(value, list):
            return self._filled(value, [])
        if type(value) in _REFUSED_IN_PRODUCTION:
            _hold_to_production(type(value))
        if type(value) is tuple:
            return tuple(self.copy(each) for each in value)
        if isinstance(value, set | frozenset):
            return {self.copy(each) for each in value}
        if isinstance(value, bytearray):
            return bytearray(value)
        if isinstance(value, bytes | memoryview):
            return bytes(value)
        if isinstance(value, int | float | str):
            return _plain(value)
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()  # It will never be awaited, and the error says so.
            raise TypeError(errors.AWAITABLE_SENT.format(type=type(value)))
        if callable(value) and not isinstance(value, type):
            return Stub(value, self._bind)
        raise _refused(value)

    def _filled(self, value: Any, made: Any) -> Any:
        self._copies[id(value)] = made
        if isinstance(value, dict):
            made.update((self.copy(key), self.copy(each)) for key, each in value.items())
        else:
            made.extend(map(self.copy, value))
        return made


def _plain(value: int | float | str) -> int | float | str:
    """Return the number or text that `value`, of a class derived from one, is: the class stays behind."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)


def _refused(value: object) -> DOMException:
    sentence = errors.NOT_SERIALIZABLE.format(type=type(value).__name__)
    error = DOMException(sentence, "DataCloneError")
    error.add_note(errors.NOT_SERIALIZABLE_HINT)
    return error


def _hold_to_production(kind: type) -> None:
    """Say, or in strict mode refuse, that production has no such values between workers. Raises TypeError."""
    context = current()
    if context is None:
        return
    if context.provided(Network, DEFAULT_NETWORK).policy is not None:
        raise TypeError(errors.RPC_TYPE_REFUSED.format(type=kind))
    instead = _REFUSED_IN_PRODUCTION[kind]
    context.observer.note(errors.RPC_TYPE_NOTED.format(type=kind.__name__, instead=instead))
