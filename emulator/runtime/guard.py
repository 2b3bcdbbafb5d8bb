"""Global scope: what a worker's modules may not do while they are being executed.

Floor 5. Owns the fence around module execution. Must not know how modules are found or what they define.
Inside it, on the thread that loads:
  - Python's own sockets are refused to everybody, libraries too, by an audit hook;
  - timers and tasks are refused to everybody: the running event loop is exchanged for one that refuses;
  - randomness is refused to the worker's own modules; a library that seeds itself while it is imported is let through.
The exchanged functions are in place only while a worker is loading. What a module bound by `from random import randint`
stays the exchanged one, which hands every later call on to the original. Source: python-workers.md, "Global scope";
connect.md, "Where it may be called".
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import random
import sys
import threading
from asyncio import events
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, NoReturn, TypeVar, cast

from emulator.errors import NO_RANDOM, EntropyError, GlobalScopeError

T = TypeVar("T")

FORBIDDEN_EVENTS = frozenset(
    f"socket.{name}"
    for name in (
        "__new__",
        "bind",
        "connect",
        "getaddrinfo",
        "gethostbyaddr",
        "gethostbyname",
        "getnameinfo",
        "sendmsg",
        "sendto",
    )
)
_LOOP_FUNCTIONS = (
    "run",
    "get_running_loop",
    "get_event_loop",
    "get_event_loop_policy",
    "new_event_loop",
)
_IMPORT_SYSTEM = "<frozen importlib"

# One load at a time: the exchanged functions belong to the whole process.
_one_load = threading.RLock()
# The private package that each loading thread is executing.
_loading: dict[int, str] = {}


def loading() -> bool:
    """Tell whether this thread is executing a worker's modules."""
    return threading.get_ident() in _loading


def run_at_global_scope(package: str, function: Callable[[], T]) -> T:
    """Return `function()`, which executes modules below the private `package`, run inside the fence.

    It runs in an empty `contextvars.Context`: no request is current there, whoever calls.
    """

    def fenced() -> T:
        with _one_load, _fence(package):
            return function()

    return contextvars.Context().run(fenced)


@contextmanager
def _fence(package: str) -> Iterator[None]:
    _install_audit_hook()
    thread = threading.get_ident()
    previous = _loading.get(thread)
    loop = events._get_running_loop()
    with ExitStack() as stack:
        if previous is None:
            for owner, name, replacement in _replacements():
                stack.enter_context(_replaced(owner, name, replacement))
        events._set_running_loop(_FORBIDDING_LOOP)
        _loading[thread] = package
        try:
            yield
        finally:
            events._set_running_loop(loop)
            if previous is None:
                del _loading[thread]
            else:
                _loading[thread] = previous


@contextmanager
def _replaced(owner: Any, name: str, replacement: object) -> Iterator[None]:
    """Have `owner.name` be `replacement` for the block; an inherited attribute is inherited again after it."""
    inherited = name not in vars(owner)
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def _replacements() -> Iterator[tuple[Any, str, object]]:
    for owner, name in ((os, "urandom"), (os, "getrandom"), (random, "_urandom")):
        if hasattr(owner, name):  # os.getrandom is Linux's
            yield owner, name, _checked(getattr(owner, name), _check_entropy)
    yield random.Random, "seed", _checked(random.Random.seed, _check_seed)
    for name in random.__all__:
        function = getattr(random, name)
        if not isinstance(function, type):
            yield random, name, _checked(function, functools.partial(_check_random, name))
    for name in _LOOP_FUNCTIONS:
        yield asyncio, name, _checked(getattr(asyncio, name), _check_io)
    yield threading.Thread, "start", _checked(threading.Thread.start, _check_thread)


def _checked(original: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if _loading and threading.get_ident() in _loading:
            check(*args, **kwargs)
        return original(*args, **kwargs)

    return checked


def _check_entropy(*args: object, **kwargs: object) -> None:
    if _called_by_worker():
        raise EntropyError


def _check_seed(generator: random.Random, a: object = None, version: int = 2) -> None:
    if a is None and _called_by_worker():
        raise EntropyError


def _check_random(function: str, *args: object, **kwargs: object) -> None:
    if _called_by_worker():
        raise RuntimeError(NO_RANDOM.format(function=function))


def _check_io(*args: object, **kwargs: object) -> None:
    for argument in args:
        if asyncio.iscoroutine(argument):
            argument.close()
    raise GlobalScopeError


def _check_thread(thread: threading.Thread) -> None:
    """Refuse timers to everybody, and the worker a thread in which it could do what it may not do here."""
    if isinstance(thread, threading.Timer) or _called_by_worker():
        raise GlobalScopeError


def _called_by_worker() -> bool:
    """Tell whether a worker's module is nearer on the stack than an import of some other module."""
    prefix = _loading[threading.get_ident()] + "."
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(prefix):
            return True
        if frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
            return False
        frame = frame.f_back
    return False


class _ForbiddingLoop:
    """The running event loop at global scope: whatever is asked of it is refused."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        if name == "create_task":
            return _refuse_task
        raise GlobalScopeError


def _refuse_task(coroutine: Any, **kwargs: object) -> NoReturn:
    coroutine.close()  # It will never be awaited, and the error says why.
    raise GlobalScopeError


_FORBIDDING_LOOP = cast(asyncio.AbstractEventLoop, _ForbiddingLoop())


@functools.cache
def _install_audit_hook() -> None:
    """Add the hook, for as long as the process lives: audit hooks can't be taken away."""
    sys.addaudithook(_audit)


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _loading and event in FORBIDDEN_EVENTS and threading.get_ident() in _loading:
        raise GlobalScopeError
