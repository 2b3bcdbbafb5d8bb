"""Which handlers a worker has, and how each wants to be called.

Floor 5. Owns the rules of python-workers.md, "Entry points". Must not know where the module came from or what an
event is. Signatures are read once, when the worker is loaded; a call costs a slice.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from emulator import errors
from emulator.nearest import nearest
from emulator.runtime.base import DurableObject, WorkerEntrypoint, WorkflowEntrypoint

EVENTS = ("fetch", "connect", "scheduled", "queue", "tail", "email")
# These drop the arguments that a handler does not take; the others are called with all three.
FLEXIBLE_EVENTS = frozenset({"fetch", "connect"})
DEFAULT = "Default"
_ARGUMENT_COUNT = 3
_BASES = (WorkerEntrypoint, DurableObject, WorkflowEntrypoint)
_NOT_SERVED: dict[type, str] = {DurableObject: "Durable Object", WorkflowEntrypoint: "Workflow"}


class Handler(NamedTuple):
    """One handler. `label` ("fetch() of class Default") names it in what the user reads."""

    event: str
    label: str
    function: Callable[..., Any]
    entrypoint: type | None
    argument_count: int

    def call(self, subject: object, env: object, ctx: object) -> Any:
        """Call the handler with what it takes of (subject, env, ctx); the result may be awaitable.

        A class's handler is called on a new instance, which has `self.env` and `self.ctx`, and gets None for both.
        """
        if self.entrypoint is None:
            function = self.function
        else:
            function = getattr(self.entrypoint(ctx, env), self.event)
            env = ctx = None
        if self.argument_count == 1:
            return function(subject)
        return function(*(subject, env, ctx)[: self.argument_count])


class Entrypoints(NamedTuple):
    """The handlers of one worker: of the default entrypoint by event, of the named ones by class and event.

    `classes` are those of both by name: other workers may call their methods.
    `notes` are sentences for the user: what was found and is not served, or can't work.
    """

    default: Mapping[str, Handler]
    named: Mapping[str, Mapping[str, Handler]] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    classes: Mapping[str, type] = MappingProxyType({})


def handler(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`: requests are Python's own here, so the platform's `@handler` has nothing to convert."""
    return function


def of_class(entrypoint: type) -> Entrypoints:
    """Return the handlers of a class given on its own: it is the default entrypoint.

    Raises WorkerLoadError for a class that is no WorkerEntrypoint, or that has no handlers.
    """
    if not issubclass(entrypoint, WorkerEntrypoint):
        raise errors.WorkerLoadError(errors.NOT_AN_ENTRYPOINT.format(name=entrypoint.__name__))
    handlers = _class_handlers(entrypoint)
    if not handlers and not _is_for_calls(entrypoint):
        raise _no_handlers(f"Class {entrypoint.__name__}", _method_hints(entrypoint))
    return Entrypoints(handlers, notes=_signature_notes(handlers), classes={DEFAULT: entrypoint})


def of_namespace(
    worker: str, namespace: Mapping[str, Any], is_own: Callable[[str], bool]
) -> Entrypoints:
    """Return the handlers in the namespace of a main module, called `worker` in messages.

    `is_own(name)` tells whether a module of that name belongs to the worker: an imported `connect` is no handler.
    Raises WorkerLoadError for none at all, for both forms at once, and for two handlers for one event.
    """
    public = {name: value for name, value in namespace.items() if not name.startswith("_")}
    classes = {name: value for name, value in public.items() if _is_entrypoint(value)}
    functions = _function_handlers(worker, public, is_own)
    served = {name: value for name, value in classes.items() if issubclass(value, WorkerEntrypoint)}
    if served and functions:
        raise errors.WorkerLoadError(
            errors.BOTH_FORMS.format(
                worker=worker,
                classes=_listed(served),
                functions=_listed(handler.label for handler in functions.values()),
            )
        )
    notes = [_not_served(name, value) for name, value in classes.items() if name not in served]
    named = {name: _class_handlers(value) for name, value in served.items()}
    default = named.pop(DEFAULT, functions)
    for_calls = DEFAULT in served and _is_for_calls(served[DEFAULT])
    if not default and not named and not for_calls and (DEFAULT in served or not notes):
        raise _no_handlers(worker, _hints(public, is_own))
    if not default and named and not for_calls:
        notes.append(errors.HINT_DEFAULT.format(worker=worker, classes=_listed(named)).strip())
    for handlers in (default, *named.values()):
        notes.extend(_signature_notes(handlers))
    if default and "fetch" not in default:
        notes.extend(hint.strip() for hint in _hints(public, is_own))
    return Entrypoints(default, named, tuple(notes), served)


def methods_of(entrypoint: type) -> list[str]:
    """Return the names of the methods that other workers may call: the public ones of its own, without handlers.

    What an instance holds is none, nor is anything of the base class. Source: the platform's page on RPC, "Visibility".
    """
    names = []
    for name in dir(entrypoint):
        own = (
            not name.startswith("_") and name not in EVENTS and not hasattr(WorkerEntrypoint, name)
        )
        if own and _is_function(getattr(entrypoint, name)):
            names.append(name)
    return names


def _is_for_calls(entrypoint: type) -> bool:
    """Tell whether a class without handlers was meant so: it has a method that is no misspelt one."""
    names = {name.removeprefix("on_") for name in methods_of(entrypoint)}
    return any(name not in EVENTS and _nearest(name, EVENTS) is None for name in names)


def _is_entrypoint(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, _BASES) and value not in _BASES


def _not_served(name: str, cls: type) -> str:
    kind = next(kind for base, kind in _NOT_SERVED.items() if issubclass(cls, base))
    return errors.NOT_SERVED.format(name=name, kind=kind)


def _function_handlers(
    worker: str, public: Mapping[str, Any], is_own: Callable[[str], bool]
) -> dict[str, Handler]:
    handlers: dict[str, Handler] = {}
    for event in EVENTS:
        for name in (f"on_{event}", event):
            function = public.get(name)
            if not callable(function) or isinstance(function, type):
                continue
            if name == event and not is_own(_home(function)):
                continue
            if event in handlers:
                first = handlers[event].label
                raise errors.WorkerLoadError(
                    errors.TWO_HANDLERS.format(worker=worker, first=first, second=f"{name}()")
                )
            count = _argument_count(event, function, bound=0)
            handlers[event] = Handler(event, f"{name}()", function, None, count)
    return handlers


def _class_handlers(cls: type) -> dict[str, Handler]:
    handlers = {}
    for event in EVENTS:
        function = getattr(cls, event, None)
        if callable(function):
            label = f"{event}() of class {cls.__name__}"
            count = _argument_count(event, function, bound=_bound_count(cls, event))
            handlers[event] = Handler(event, label, function, cls, count)
    return handlers


def _bound_count(cls: type, event: str) -> int:
    """Tell how many of the arguments that `cls.event` shows an instance fills in by itself: `self`, or none."""
    return int(not isinstance(inspect.getattr_static(cls, event), staticmethod | classmethod))


def _argument_count(event: str, function: Callable[..., Any], bound: int) -> int:
    """Tell how many of (subject, env, ctx) to pass."""
    if event not in FLEXIBLE_EVENTS:
        return _ARGUMENT_COUNT
    taken = _positional_count(function)
    return _ARGUMENT_COUNT if taken is None else min(max(taken - bound, 0), _ARGUMENT_COUNT)


def _positional_count(function: Callable[..., Any]) -> int | None:
    """Tell how many positional arguments `function` takes; None for any number, or if it can't be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable written in C that does not tell
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in parameters)


def _signature_notes(handlers: Mapping[str, Handler]) -> tuple[str, ...]:
    """Return a sentence for each handler that can't take the arguments it will be called with."""
    notes = []
    for event, handler in handlers.items():
        cls = handler.entrypoint
        receiver = [None] * (_bound_count(cls, event) if cls is not None else 0)
        try:
            signature = inspect.signature(handler.function)
        except (TypeError, ValueError):  # a callable written in C that does not tell
            continue
        try:
            signature.bind(*receiver, *[None] * handler.argument_count)
        except TypeError:
            names = (
                ("event", "env", "ctx") if event not in FLEXIBLE_EVENTS else _FLEXIBLE_NAMES[event]
            )
            notes.append(
                errors.EXACT_ARGUMENTS.format(
                    handler=handler.label, arguments=", ".join(names), signature=signature
                )
            )
    return tuple(notes)


_FLEXIBLE_NAMES = {"fetch": ("request", "env", "ctx"), "connect": ("socket", "env", "ctx")}


def _is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type)


def _home(value: object) -> str:
    return str(getattr(value, "__module__", None) or "")


def _no_handlers(worker: str, hints: list[str]) -> errors.WorkerLoadError:
    return errors.WorkerLoadError(errors.NO_HANDLERS.format(worker=worker, hints="".join(hints)))


def _hints(public: Mapping[str, Any], is_own: Callable[[str], bool]) -> list[str]:
    """Return what the author may have meant: names one slip away from a handler's, classes without the base."""
    hints = []
    for name, value in public.items():
        if _is_function(value) and not is_own(_home(value)):
            if name in EVENTS:
                hints.append(errors.HINT_IMPORTED.format(name=name, module=_home(value)))
        elif _is_function(value):
            expected = _nearest(name, [*EVENTS, *(f"on_{event}" for event in EVENTS)])
            if expected:
                hints.append(errors.HINT_NAME.format(expected=expected, found=name))
        elif _is_entrypoint(value):
            hints.extend(_method_hints(value))
        elif isinstance(value, type) and is_own(value.__module__):
            methods = [f"{event}()" for event in EVENTS if callable(getattr(value, event, None))]
            if methods:
                hints.append(errors.HINT_SUBCLASS.format(name=name, methods=_listed(methods)))
    return hints


def _method_hints(cls: type) -> list[str]:
    hints = []
    for name, value in inspect.getmembers(cls, callable):
        found = name.removeprefix("on_")
        expected = found if found in EVENTS else _nearest(found, EVENTS)
        if expected and name not in EVENTS and not isinstance(value, type):
            hints.append(
                errors.HINT_METHOD.format(expected=expected, name=cls.__name__, found=name)
            )
    return hints


def _nearest(name: str, names: list[str] | tuple[str, ...]) -> str | None:
    if name in names:
        return None
    return nearest(name.lower(), names, least=0.75)


def _listed(names: Any) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else str(last)
