"""Real worker files in a temporary folder, loaded as the runtime loads them."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.runtime.isolate import Isolate


def write(root: Path, **files: str) -> Path:
    """Write `name="source"` as name.py below `root` (`pkg__mod` is pkg/mod.py); return the path of the first."""
    first: Path | None = None
    for name, source in files.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        if name.endswith("__init"):
            path = path.with_name("__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        first = first or path
    assert first is not None
    return first


def load(main: Path, env: Mapping[str, Any] | None = None) -> Isolate:
    """Load `main` inside a running event loop, as the server does."""

    async def inside_loop() -> Isolate:
        return Isolate.load("test", main, env or {})

    return asyncio.run(inside_loop())
