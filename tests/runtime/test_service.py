"""Which generation of a worker answers a call, and how long it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emulator.config import ServiceBinding
from emulator.context import IoContext, Observer, enter
from emulator.errors import ServiceError, WorkerLoadError
from emulator.runtime import Directory, Isolate, Worker
from tests.runtime.worker_files import write

SOURCE = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("NAME")

    async def wait(self, event):
        await event()
        import later
        return "NAME " + later.VALUE
"""


class Bound:
    """A worker called "other" in a folder, and a binding that leads to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.worker = Worker(self.load("one"))
        directory = Directory()
        directory.add(self.worker)
        self.fetcher: Any = directory.bindings([ServiceBinding("OTHER", "other")])["OTHER"]

    def load(self, name: str) -> Isolate:
        """Return a new generation, which answers with `name`."""
        main = write(
            self._folder / name, worker=SOURCE.replace("NAME", name), later=f"VALUE = {name!r}"
        )
        return Isolate.load("other", main, {})


@contextmanager
def event() -> Iterator[IoContext]:
    """Run the block as part of an event, which is over with it."""
    context = IoContext("GET /", Observer())
    with enter(context):
        try:
            yield context
        finally:
            context.end()


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Bound]:
    made = Bound(tmp_path)
    yield made
    made.worker.unload()


async def test_a_call_gets_the_newest_generation(bound: Bound) -> None:
    with event():
        assert await (await bound.fetcher.fetch("http://x/")).text() == "one"
        bound.worker.replace(bound.load("two"))
        assert await (await bound.fetcher.fetch("http://x/")).text() == "two"
        assert bound.worker.draining == 1
    assert bound.worker.draining == 0


async def test_a_call_under_way_goes_on_with_its_own(bound: Bound) -> None:
    replaced = asyncio.Event()
    with event():
        waiting = asyncio.create_task(bound.fetcher.wait(replaced.wait))
        await asyncio.sleep(0)
        bound.worker.replace(bound.load("two"))
        replaced.set()
        assert await waiting == "one one"
    assert bound.worker.draining == 0


async def test_a_client_that_goes_leaves_the_generation_to_work_that_goes_on(bound: Bound) -> None:
    with event() as context:
        await bound.fetcher.fetch("http://x/")
        bound.worker.replace(bound.load("two"))
        context.abandon()
        assert bound.worker.draining == 1
    assert bound.worker.draining == 0


async def test_an_edit_that_can_not_be_loaded(bound: Bound) -> None:
    bound.worker.fail(WorkerLoadError("a mistake at worker.py:3"))
    with event():
        with pytest.raises(ServiceError, match="a mistake"):
            await bound.fetcher.fetch("http://x/")
        bound.worker.keeps_last_good = True
        assert await (await bound.fetcher.fetch("http://x/")).text() == "one"
