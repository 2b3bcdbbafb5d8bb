"""Variables of a worker's frames as text: short, safe to make, and without secrets.

Floor 6. Owns how a value is written and cut; must not know where text goes. A value's own `__repr__` is the worker's
code: it may raise, exit, recurse or never end, and costs no more than its share here.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from time import perf_counter, thread_time
from types import FrameType, FunctionType, ModuleType
from typing import Any

import emulator
from emulator.context.frames import in_finalizer
from emulator.errors import (
    LOCALS_REST,
    VALUE_RECURSIVE,
    VALUE_REPR_EXITED,
    VALUE_REPR_FAILED,
    VALUE_REPR_SLOW,
    VALUES_TOOK_TOO_LONG,
)
from emulator.failures import Local
from emulator.printable import printable
from emulator.runtime.importer import PREFIX
from emulator.server.error_secrets import HIDDEN, Secrets, looks_secret

TEXT_LIMIT = 300
VALUE_LIMIT = 1_000
ITEMS_LIMIT = 20
DEPTH_LIMIT = 4
ELEMENTS_LIMIT = 300
LOCALS_LIMIT = 60
# What one variable, and all those of one error, may take: of CPU time, and of time on a machine that is busy.
VALUE_CPU_SECONDS, VALUE_SECONDS = 0.05, 0.5
ALL_CPU_SECONDS, ALL_SECONDS = 0.4, 2.0

_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


_PACKAGE = str(Path(emulator.__file__).parent) + os.sep
# The package of one generation of a worker's modules: nobody wrote that name.
_ISOLATE = re.compile(rf"\b{PREFIX}[0-9]+\.")


class _Deadline:
    """Over once this thread has used `cpu_seconds`, or `seconds` have passed."""

    def __init__(self, cpu_seconds: float, seconds: float) -> None:
        self._cpu = thread_time() + cpu_seconds
        self._wall = perf_counter() + seconds

    def is_over(self) -> bool:
        return thread_time() > self._cpu or perf_counter() > self._wall


class _Overlong(BaseException):
    """Raised inside a `__repr__` that takes too long."""


class Values:
    """Writes variables down: give its `locals_of` to `failure_of`."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._deadline = _Deadline(ALL_CPU_SECONDS, ALL_SECONDS)
        self._elements_left = 0

    def locals_of(self, variables: Mapping[str, object]) -> list[Local]:
        """Return the name and the text of each variable; names that Python made are left out."""
        shown = []
        names = [name for name in variables if _is_wanted(name, variables[name])]
        for count, name in enumerate(names):
            if count == LOCALS_LIMIT:
                shown.append(Local("…", LOCALS_REST.format(count=len(names) - count)))
                break
            shown.append(Local(printable(name), self.text(variables[name], name)))
        return shown

    def text(self, value: object, name: str = "") -> str:
        """Return `value` as text on one line, VALUE_LIMIT characters and a word at the most."""
        if self._deadline.is_over():
            return VALUES_TOOK_TOO_LONG
        if looks_secret(name) and not _is(value, _PLAIN):
            return HIDDEN
        self._elements_left = ELEMENTS_LIMIT
        try:
            text = _limited(lambda: self._written(value, DEPTH_LIMIT, ()))
        except _Overlong:
            text = VALUE_REPR_SLOW.format(type=type(value).__name__)
        except Exception as error:
            text = VALUE_REPR_FAILED.format(type=type(value).__name__, error=type(error).__name__)
        return printable(_cut(text, VALUE_LIMIT))

    def _written(self, value: object, depth: int, outer: tuple[int, ...]) -> str:
        kind: Any = type(value)
        self._elements_left -= 1
        if self._elements_left < 0:
            return "…"
        if kind in (str, bytes, bytearray):
            return self._of_text(value)  # type: ignore[arg-type]
        if value is None or kind in (bool, int, float, complex):
            return self._of_number(value)
        if id(value) in outer:
            return VALUE_RECURSIVE
        outer = (*outer, id(value))
        if kind in _BRACKETS:
            return self._of_items(value, depth, outer)
        if kind is dict:
            return "{" + self._of_pairs(value, depth, outer, _mapped) + "}"  # type: ignore[arg-type]
        if (
            dataclasses.is_dataclass(value)
            and kind.__dict__.get("__dataclass_params__") is not None
        ):
            fields = {
                field.name: getattr(value, field.name, None)
                for field in dataclasses.fields(value)
                if field.repr
            }
            return f"{kind.__name__}({self._of_pairs(fields, depth, outer, _assigned)})"
        if _is(value, tuple) and hasattr(kind, "_fields"):
            fields = {name: getattr(value, name, None) for name in kind._fields}
            return f"{kind.__name__}({self._of_pairs(fields, depth, outer, _assigned)})"
        return self._of_object(value)

    def _of_text(self, value: str | bytes | bytearray) -> str:
        if isinstance(value, str):
            hidden = self._secrets.hide_all(value, TEXT_LIMIT)
            text = repr(hidden)
        else:
            reach = TEXT_LIMIT + self._secrets.longest
            hidden = self._secrets.hide_all(bytes(value[:reach]).decode("latin-1"), TEXT_LIMIT)
            text = repr(hidden.encode("latin-1"))
            text = f"bytearray({text})" if isinstance(value, bytearray) else text
        if len(value) > TEXT_LIMIT:
            unit = "characters" if isinstance(value, str) else "bytes"
            text += f"… ({len(value):,} {unit})"
        return text

    def _of_number(self, value: object) -> str:
        try:
            text = repr(value)
        except ValueError:  # An int of more digits than Python converts.
            return "an int of very many digits"
        return self._secrets.hide(text, TEXT_LIMIT)

    def _of_items(self, value: Any, depth: int, outer: tuple[int, ...]) -> str:
        kind = type(value)
        opening, closing = tuple(_BRACKETS[kind])
        if not depth:
            return f"{opening}…{closing}"
        if kind is tuple and len(value) == 2 and _names_a_secret(value[0]):
            return f"({self._written(value[0], depth - 1, outer)}, {HIDDEN})"
        items = [self._written(each, depth - 1, outer) for each in islice(value, ITEMS_LIMIT)]
        if len(value) > ITEMS_LIMIT:
            items.append(f"… {len(value) - ITEMS_LIMIT:,} more")
        elif kind is tuple and len(items) == 1:
            items[0] += ","
        if kind is frozenset or (kind is set and not items):
            opening, closing = f"{kind.__name__}(", ")"
        return f"{opening}{', '.join(items)}{closing}"

    def _of_pairs(
        self,
        pairs: dict[Any, Any],
        depth: int,
        outer: tuple[int, ...],
        written: Callable[[str, str], str],
    ) -> str:
        if not depth:
            return "…"
        texts = []
        for key, value in islice(pairs.items(), ITEMS_LIMIT):
            name = str(key) if written is _assigned else self._written(key, depth - 1, outer)
            hidden = _names_a_secret(key) and not _is(value, _PLAIN)
            texts.append(
                written(name, HIDDEN if hidden else self._written(value, depth - 1, outer))
            )
        if len(pairs) > ITEMS_LIMIT:
            texts.append(f"… {len(pairs) - ITEMS_LIMIT:,} more")
        return ", ".join(texts)

    def _of_object(self, value: object) -> str:
        try:
            text = repr(value)
        except (Exception, _Overlong):
            raise
        except BaseException as error:  # A worker can't stop the server, here neither.
            return VALUE_REPR_EXITED.format(type=type(value).__name__, error=type(error).__name__)
        text = _ISOLATE.sub("", text)
        hidden = self._secrets.hide_all(text, VALUE_LIMIT)
        return hidden if len(text) <= VALUE_LIMIT else f"{hidden}… ({len(text):,} characters)"


def _is(value: object, kinds: type | tuple[type, ...]) -> bool:
    """isinstance() that asks the type alone: a proxy's `__class__` is the worker's code."""
    return issubclass(type(value), kinds)


# What can be no secret, whatever its name.
_PLAIN = (bool, type(None), type, FunctionType, ModuleType)


def _is_wanted(name: str, value: object) -> bool:
    if name.startswith("__") and name.endswith("__"):
        return False
    return not (name.startswith(".") or _is(value, ModuleType))


def _names_a_secret(key: object) -> bool:
    if isinstance(key, bytes):
        key = key.decode("latin-1")
    return isinstance(key, str) and len(key) < TEXT_LIMIT and looks_secret(key)


def _mapped(key: str, value: str) -> str:
    return f"{key}: {value}"


def _assigned(key: str, value: str) -> str:
    return f"{key}={value}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"


def _limited(function: Callable[[], str]) -> str:
    """Call `function`; raise _Overlong in its Python code when that takes too long.

    Under a debugger, which traces by itself, it may take as long as it likes.
    """
    if sys.gettrace() is not None:
        return function()
    deadline = _Deadline(VALUE_CPU_SECONDS, VALUE_SECONDS)

    def look(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename.startswith(_PACKAGE):  # Our own code is bounded by itself.
            return None
        if deadline.is_over() and not in_finalizer(frame):
            raise _Overlong
        return look

    sys.settrace(look)
    try:
        return function()
    finally:
        sys.settrace(None)
