"""properties.any.js: what there is on each class, and what a transformer is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from emulator.naming import camel_case
from emulator.streams import Promise, TransformStream, TransformStreamDefaultController

MEMBERS = [
    (TransformStream, "readable", "getter"),
    (TransformStream, "writable", "getter"),
    (TransformStreamDefaultController, "desired_size", "getter"),
    (TransformStreamDefaultController, "enqueue", "method"),
    (TransformStreamDefaultController, "error", "method"),
    (TransformStreamDefaultController, "terminate", "method"),
]

Trigger = Callable[[TransformStream], Any]
# What makes a stream call each method of its transformer, and with how many arguments.
CALLS: dict[str, tuple[int, Trigger]] = {
    "start": (1, lambda stream: Promise.fulfilled(None)),
    "transform": (2, lambda stream: stream.writable.get_writer().write()),
    "flush": (1, lambda stream: stream.writable.get_writer().close()),
    "cancel": (1, lambda stream: stream.readable.cancel()),
}
UNLIMITED = {"high_water_mark": math.inf}


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
async def test_transformer_method_should_be_called_with_the_right_number_of_arguments(
    method: str,
) -> None:
    length, trigger = CALLS[method]
    counts: list[int] = []
    transformer = {method: lambda *args: counts.append(len(args))}
    await trigger(TransformStream(transformer, None, UNLIMITED))
    assert counts == [length]


@pytest.mark.parametrize("method", CALLS)
async def test_transformer_method_should_be_called_even_when_it_is_inherited(method: str) -> None:
    calls: list[str] = []
    base = type("Base", (), {method: lambda self: calls.append(method)})
    transformer = type("Transformer", (base,), {})()
    await CALLS[method][1](TransformStream(transformer, None, UNLIMITED))
    assert calls == [method]


@pytest.mark.parametrize("method", CALLS)
async def test_unexpected_properties_should_not_be_accessed_when_calling_transformer_method(
    method: str,
) -> None:
    touched: list[str] = []

    class Transformer:
        def __getattr__(self, name: str) -> Any:
            touched.append(name)
            if name.startswith(("readable", "writable")):
                raise AttributeError(name)
            return lambda: None

    stream = TransformStream(Transformer(), None, UNLIMITED)
    expected = {"cancel", "flush", "readable_type", "start", "transform", "writable_type"}
    assert set(touched) == expected | {camel_case(name) for name in expected}
    touched.clear()
    await CALLS[method][1](stream)
    assert touched == []
