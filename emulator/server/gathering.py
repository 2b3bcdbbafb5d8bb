"""Several pieces sent by one system call, where the event loop's transport can do that.

Floor 6. Owns which transports can, and what is done elsewhere; must not know what the pieces are.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from emulator.streams import Bytes

# asyncio's writelines() copied everything into one piece; its new one did not say when to pause until these versions.
# Source: CVE-2024-12254.
_ASYNCIO_GATHERS = (3, 12, 9) <= sys.version_info < (3, 13) or sys.version_info >= (3, 13, 2)
# Copying so much costs less than a small TCP segment of its own.
LEAD_BYTES = 16_384


def write_gathered(transport: asyncio.Transport, pieces: Sequence[Bytes]) -> None:
    """Write `pieces` in order, of which the last is large: by one system call, or two where one would copy it."""
    *small, large = pieces
    if not small:
        transport.write(large)
    elif _ASYNCIO_GATHERS or not type(transport).__module__.startswith("asyncio."):
        transport.writelines(pieces)
    else:
        view = memoryview(large)
        transport.write(b"".join((*small, view[:LEAD_BYTES])))
        transport.write(view[LEAD_BYTES:])
