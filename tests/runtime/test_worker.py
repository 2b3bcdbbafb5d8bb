"""Generations of one worker: who answers what, and when the old ones go."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emulator.errors import WorkerLoadError
from emulator.runtime import Isolate, Worker


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "w.py"
    path.write_text("def fetch(request):\n    return None\n")
    return path


def loaded(file: Path) -> Isolate:
    return Isolate.load("w", file, {})


def is_loaded(isolate: Isolate) -> bool:
    """Tell whether the modules of `isolate` are still there."""
    handler = isolate.handler("fetch")
    assert handler is not None
    return handler.function.__module__ in sys.modules


def test_a_generation_that_answers_nothing_goes_at_once(file: Path) -> None:
    first, second = loaded(file), loaded(file)
    worker = Worker(first)
    worker.replace(second)
    assert (is_loaded(first), is_loaded(second)) == (False, True)
    assert worker.enter() is second
    worker.unload()


def test_a_generation_stays_until_its_last_event_is_over(file: Path) -> None:
    first, second, third = (loaded(file) for _ in range(3))
    worker = Worker(first)
    assert worker.enter() is worker.enter() is first
    worker.replace(second)
    assert worker.enter() is second
    worker.replace(third)
    assert worker.draining == 2
    worker.leave(first)
    assert is_loaded(first)
    worker.leave(first)
    assert not is_loaded(first)
    assert is_loaded(second)
    worker.leave(second)
    assert (is_loaded(second), is_loaded(third), worker.draining) == (False, True, 0)
    worker.unload()
    assert not is_loaded(third)


def test_the_newest_generation_stays_without_events(file: Path) -> None:
    worker = Worker(isolate := loaded(file))
    worker.leave(worker.enter())
    assert is_loaded(isolate)
    worker.unload()


def test_an_edit_that_fails_is_what_events_get_until_the_next(file: Path) -> None:
    worker = Worker(first := loaded(file))
    worker.fail(WorkerLoadError("no"))
    with pytest.raises(WorkerLoadError, match="no"):
        worker.enter()
    assert worker.enter(last_good=True) is first
    worker.leave(first)
    assert repr(worker) == "<Worker w failed draining=0>"
    worker.replace(second := loaded(file))
    assert worker.enter() is second
    assert not is_loaded(first)
    worker.unload()
