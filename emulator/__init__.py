"""pyworker: a local Workers-style runtime for Python on CPython.

`serve` embeds a worker in a test or a program; it is imported when first asked for, so that the command line starts
lean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.server.embedded import serve as serve

__version__ = "0.1.0"
__all__ = ["__version__", "serve"]


def __getattr__(name: str) -> Any:
    if name == "serve":
        from emulator.server.embedded import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
