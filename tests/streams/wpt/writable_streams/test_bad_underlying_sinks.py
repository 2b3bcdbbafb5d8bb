"""bad-underlying-sinks.any.js: sinks whose methods fail, or are none."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from emulator.streams import Promise, WritableStream
from tests.streams.wpt.kit import flush, recording_writable_stream, rejection

ERROR_1 = RuntimeError("error1")


def throw_1(*_: object) -> NoReturn:
    raise ERROR_1


class Throwing:
    """A sink that has one attribute, which can't be looked at."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise ERROR_1
        raise AttributeError(name)


def assert_getter_fails_construction(name: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        WritableStream(Throwing(name))
    assert caught.value is ERROR_1


def test_start_errors_in_start_cause_the_constructor_to_throw() -> None:
    assert_getter_fails_construction("start")
    with pytest.raises(RuntimeError) as caught:
        WritableStream({"start": throw_1})
    assert caught.value is ERROR_1
    with pytest.raises(TypeError, match="start"):
        WritableStream({"start": "not a function or undefined"})
    with pytest.raises(TypeError, match="start"):
        WritableStream({"start": {"apply": throw_1}})


async def test_close_throwing_method_should_cause_writer_close_and_ready_to_reject() -> None:
    stream = recording_writable_stream({"close": throw_1})
    writer = stream.get_writer()
    assert await rejection(writer.close()) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1
    assert stream.events == ["close"]


async def test_close_returning_a_rejected_promise_should_cause_close_and_ready_to_reject() -> None:
    stream = recording_writable_stream({"close": lambda: Promise.rejected(ERROR_1)})
    writer = stream.get_writer()
    assert await rejection(writer.close()) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    assert stream.events == ["close"]


def test_close_throwing_getter_should_cause_constructor_to_throw() -> None:
    assert_getter_fails_construction("close")


def test_write_throwing_getter_should_cause_constructor_to_throw() -> None:
    assert_getter_fails_construction("write")


async def test_write_throwing_method_should_cause_write_and_closed_to_reject() -> None:
    writer = WritableStream({"write": throw_1}).get_writer()
    assert await rejection(writer.write("a")) is ERROR_1
    assert await rejection(writer.closed) is ERROR_1


async def test_write_returning_a_promise_rejected_after_the_write_should_cause_write_and_ready_to_reject() -> (
    None
):
    writing: Promise[None] = Promise()
    stream = recording_writable_stream({"write": lambda *_: writing})
    await flush()
    writer = stream.get_writer()
    written = writer.write("a")
    writing.reject(ERROR_1)
    assert await rejection(written) is ERROR_1
    assert await rejection(writer.ready) is ERROR_1
    assert stream.events == ["write", "a"]


async def test_write_returning_a_rejected_promise_second_write_should_cause_write_and_ready_to_reject() -> (
    None
):
    results = iter([flush(), Promise[None].rejected(ERROR_1)])
    stream = recording_writable_stream({"write": lambda *_: next(results)})
    writer = stream.get_writer()
    writer.write("a")
    ready = writer.ready
    assert await rejection(writer.write("b")) is ERROR_1
    assert writer.ready is ready
    assert await rejection(ready) is ERROR_1
    assert stream.events == ["write", "a", "write", "b"]


def test_abort_non_function_abort_method() -> None:
    with pytest.raises(TypeError, match="abort"):
        WritableStream({"abort": {"apply": throw_1}})


def test_abort_throwing_getter_should_cause_constructor_to_throw() -> None:
    assert_getter_fails_construction("abort")


async def test_abort_throwing_method_should_cause_abort_and_closed_to_reject() -> None:
    reason = RuntimeError("different string")
    writer = WritableStream({"abort": throw_1}).get_writer()
    assert await rejection(writer.abort(reason)) is ERROR_1
    assert await rejection(writer.closed) is reason
