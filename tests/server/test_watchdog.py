"""Handlers that keep everybody waiting are named while they do; a worker that grows too large is told of once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from emulator.config.limits import Limits
from emulator.context import Observer
from emulator.http import Response
from tests.server.serving import connected, serving

LIMITS = Limits(blocked_seconds=0.1)


class Listener(Observer):
    """Remembers blockages and notes; `on_blocked` is called in the thread that tells."""

    def __init__(self, on_blocked: Callable[[], None] = lambda: None) -> None:
        self.blocked: list[tuple[str, float, str]] = []
        self.notes: list[str] = []
        self._on_blocked = on_blocked

    def loop_blocked(self, place: str, seconds: float) -> None:
        self.blocked.append((place, seconds, threading.current_thread().name))
        self._on_blocked()

    def note(self, text: str) -> None:
        self.notes.append(text)


def watchdogs() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "pyworker-watchdog"]


async def test_a_blocking_handler_is_named_while_it_blocks() -> None:
    told = threading.Event()
    listener = Listener(told.set)

    async def fetch() -> Response:
        blocked_until_told = told.wait(10)
        time.sleep(0.3)  # noqa: ASYNC251  # Told once, however long it takes.
        return Response(str(blocked_until_told))

    async with (
        serving(fetch, observer=listener, limits=LIMITS) as server,
        connected(server) as client,
    ):
        for count in (1, 2):
            client.get("/")
            assert (await client.response()).body == b"True"
            ((place, seconds, thread), *_) = listener.blocked
            assert len(listener.blocked) == count
            assert place.startswith(f"{__file__}:")
            assert place.endswith(" in fetch")
            assert 0.1 <= seconds < 1.0
            assert thread == "pyworker-watchdog"
            told.clear()


async def test_a_handler_that_awaits_is_not_named() -> None:
    listener = Listener()

    async def fetch() -> Response:
        return Response("fine")

    async with (
        serving(fetch, observer=listener, limits=LIMITS) as server,
        connected(server) as client,
    ):
        client.get("/")
        assert (await client.response()).body == b"fine"
        assert watchdogs() == ["pyworker-watchdog"]
    assert watchdogs() == []
    assert listener.blocked == []


async def test_it_can_be_switched_off() -> None:
    async with serving(lambda: Response("fine"), limits=Limits(blocked_seconds=None)):
        assert watchdogs() == []
