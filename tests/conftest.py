"""What every test may ask for, and the loops that async tests run on.

Parts that live on the event loop are proved on asyncio and on uvloop; tests of whole processes choose their loop
inside the process, and run once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]

# CI tries the same examples each time, so that a change is judged by itself; elsewhere each run looks further.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

# Folders of tests whose subject is not the loop's affair: they start processes, or have no I/O.
ON_ONE_LOOP = frozenset({"architecture", "cli", "config", "dev", "e2e"})


def new_uvloop() -> asyncio.AbstractEventLoop:
    """Return a uvloop event loop; skips the test, saying so, where uvloop is not installed."""
    if uvloop is None:
        pytest.skip("uvloop is not installed")
    return uvloop.new_event_loop()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, LoopFactory]:
    """Say which loops an async test runs on: pytest-asyncio runs it once for each."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    if folder in ON_ONE_LOOP:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": new_uvloop}
