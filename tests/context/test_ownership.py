"""I/O objects belong to the request that made them, and the error names where that was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TypeVar

import pytest

from emulator import errors
from emulator.context import IoContext, Observer, Owned, enter, user_frame
from emulator.errors import OwnershipError
from emulator.streams import MemorySource, ReadableStream

T = TypeVar("T")


class Thing(Owned):
    """A subclass as the runtime's own are."""

    io_type = "Thing"


def line_here() -> int:
    """Return the caller's line number."""
    return sys._getframe(1).f_lineno


@pytest.fixture
def context() -> IoContext:
    return IoContext("GET /mine", Observer())


def test_its_own_request_may_use_it(context: IoContext) -> None:
    with enter(context):
        Thing().check_owner()


def test_another_request_may_not_and_learns_where_it_was_made(context: IoContext) -> None:
    with enter(context):
        stream, line = ReadableStream(MemorySource(b"")), line_here()
    with enter(IoContext("GET /other", Observer())), pytest.raises(OwnershipError) as caught:
        stream.get_reader()
    assert caught.value.made_at == f"{__file__}:{line}"
    assert caught.value.io_type == "ReadableStreamSource"
    assert str(caught.value) == (
        errors.CROSS_REQUEST.format(io_type="ReadableStreamSource")
        + f" It was made at {__file__}:{line}."
    )


def test_nobody_may_once_the_request_has_ended(context: IoContext) -> None:
    with enter(context):
        thing = Thing()
        context.end()
        with pytest.raises(OwnershipError, match="Cannot perform I/O on behalf of a different"):
            thing.check_owner()


def test_global_scope_may_not_use_a_request_s(context: IoContext) -> None:
    with enter(context):
        thing = Thing()
    with pytest.raises(OwnershipError):
        thing.check_owner()


def test_made_outside_any_request_it_is_free_to_all(context: IoContext) -> None:
    thing = Thing()
    thing.check_owner()
    with enter(context):
        thing.check_owner()
    assert thing.made_at == "the runtime"


def test_the_line_is_the_worker_s_not_the_library_s_between(context: IoContext) -> None:
    library = call_through(f"{sys.prefix}/lib/{version()}/site-packages/driver.py")
    with enter(context):
        thing, line = library(Thing), line_here()
    assert thing.made_at == f"{__file__}:{line}"


def test_without_a_worker_s_frame_it_is_the_runtime() -> None:
    """A thread that runs the standard library's code alone has no frame of a worker."""
    look = call_through(f"{sys.base_prefix}/lib/{version()}/asyncio/events.py")
    found: list[FrameType | None] = []
    thread = threading.Thread(target=look, args=(partial(find_user_frame, found),))
    thread.start()
    thread.join()
    assert found == [None]


def find_user_frame(found: list[FrameType | None]) -> None:
    """Note the user's frame outside of the caller, which is this function's own caller."""
    found.append(user_frame(sys._getframe(1)))


def version() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def call_through(filename: str) -> Callable[[Callable[[], T]], T]:
    """Return a function of a module at `filename` that calls what it is given."""
    names: dict[str, Callable[[Callable[[], T]], T]] = {}
    exec(compile("def through(make):\n    return make()\n", filename, "exec"), names)
    return names["through"]
