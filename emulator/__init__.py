"""pyworker: a local Workers-style runtime for Python on CPython.

`serve` embeds a worker in a test or a program, `Service` is one that it may call; both are imported when first asked
for, so that the command line starts lean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.server.embedded import Service as Service
    from emulator.server.embedded import serve as serve

__version__ = "0.1.0"
__all__ = ["Service", "__version__", "serve"]


def __getattr__(name: str) -> Any:
    if name in ("Service", "serve"):
        from emulator.server import embedded

        return getattr(embedded, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
