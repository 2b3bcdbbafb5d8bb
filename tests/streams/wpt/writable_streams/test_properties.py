"""properties.any.js: what there is on each class, and what a sink is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.naming import camel_case
from emulator.streams import (
    Promise,
    WritableStream,
    WritableStreamDefaultController,
    WritableStreamDefaultWriter,
)

EXPECTED: dict[type, dict[str, str]] = {
    WritableStream: {
        "locked": "getter",
        "abort": "method",
        "close": "method",
        "get_writer": "method",
    },
    WritableStreamDefaultController: {"signal": "getter", "error": "method"},
    WritableStreamDefaultWriter: {
        "closed": "getter",
        "desired_size": "getter",
        "ready": "getter",
        "abort": "method",
        "close": "method",
        "release_lock": "method",
        "write": "method",
    },
}
MEMBERS = [(cls, name, kind) for cls, names in EXPECTED.items() for name, kind in names.items()]

Trigger = Callable[[WritableStreamDefaultWriter], Any]
# What makes a stream call each method of its sink, and with how many arguments.
CALLS: dict[str, tuple[int, Trigger]] = {
    "start": (1, lambda writer: Promise.fulfilled(None)),
    "write": (2, lambda writer: writer.write()),
    "close": (0, lambda writer: writer.close()),
    "abort": (1, lambda writer: writer.abort()),
}


@pytest.mark.parametrize(("cls", "name", "kind"), MEMBERS)
def test_members_should_be_what_the_standard_says_in_both_spellings(
    cls: type, name: str, kind: str
) -> None:
    member = vars(cls)[name]
    assert vars(cls)[camel_case(name)] is member
    if kind == "method":
        assert callable(member)
    else:
        assert isinstance(member, property)
        assert member.fset is None


@pytest.mark.parametrize("method", CALLS)
async def test_sink_method_should_be_called_with_the_right_number_of_arguments(method: str) -> None:
    length, trigger = CALLS[method]
    counts: list[int] = []
    stream = WritableStream({method: lambda *args: counts.append(len(args))})
    await trigger(stream.get_writer())
    assert counts == [length]


@pytest.mark.parametrize("method", CALLS)
async def test_sink_method_should_be_called_even_when_it_is_inherited(method: str) -> None:
    calls: list[str] = []
    base = type("Base", (), {method: lambda self: calls.append(method)})
    sink = type("Sink", (base,), {})()
    await CALLS[method][1](WritableStream(sink).get_writer())
    assert calls == [method]


@pytest.mark.parametrize("method", CALLS)
async def test_unexpected_properties_should_not_be_accessed_when_calling_sink_method(
    method: str,
) -> None:
    touched: list[str] = []

    class Sink:
        def __getattr__(self, name: str) -> Any:
            touched.append(name)
            if name == "type":
                raise AttributeError(name)
            return lambda: None

    stream = WritableStream(Sink())
    at_construction = sorted(set(touched))
    assert at_construction == ["abort", "close", "start", "type", "write"]
    touched.clear()
    await CALLS[method][1](stream.get_writer())
    assert touched == []
