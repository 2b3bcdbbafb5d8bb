"""An observer that overrides nothing hears everything in silence."""

from __future__ import annotations

import inspect

import pytest

from emulator.context import EventRecord, Observer, Outcome, Traffic


def test_every_default_takes_what_it_is_told_and_does_nothing() -> None:
    methods = [
        method for name, method in inspect.getmembers(Observer()) if not name.startswith("_")
    ]
    assert len(methods) >= 6
    for method in methods:
        arguments = [None] * len(inspect.signature(method).parameters)
        assert method(*arguments) is None


def test_a_record_is_a_fact() -> None:
    record = EventRecord("GET /", Outcome.OK, 0.012, Traffic(sockets=1), "200 OK")
    with pytest.raises(AttributeError):
        record.status = "500"  # type: ignore[misc]
    assert record.traffic == Traffic(1, 0, 0)
