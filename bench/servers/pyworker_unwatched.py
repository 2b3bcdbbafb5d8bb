"""`python -m bench.servers.pyworker_unwatched dev ...`: pyworker with nothing that watches its event loop.

What the watches cost is the difference: those of the loop and of sockets, the hang watch, the watchdog.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

from emulator.cli import main
from emulator.server import front


def oversee_nothing(*_: Any) -> ExitStack:
    """Enforce nothing."""
    return ExitStack()


if __name__ == "__main__":
    if not hasattr(front, "oversee"):
        sys.exit("emulator.server.front has no `oversee` any more: replace what starts the watches")
    setattr(front, "oversee", oversee_nothing)  # noqa: B010 - it is no name of front's own
    main(prog_name="pyworker")
