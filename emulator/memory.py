"""What the process does about memory that is not needed any more: Python's collector and the C library's allocator.

Floor 0. Owns their settings; must not know what is allocated, or for whom.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# How many more objects there may be before the collector looks through the young ones: Python 3.13's own figure. Before
# that it was 700, and every other look found the requests under way, which are no garbage.
YOUNG_OBJECTS = 2_000
# As much as many requests of some size hold at once.
KEPT_BYTES = 4 * 1024 * 1024


@contextmanager
def importing() -> Iterator[None]:
    """A block that only imports: what is there at its end is no garbage, and is not looked through, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def expect_requests() -> None:
    """Look for garbage as seldom as Python 3.13 does, and keep up to twice KEPT_BYTES of what is freed.

    glibc gives all above 128 KiB back to the system at once, and must have it anew, page by page, for the next
    requests' bodies, until it has seen a larger piece freed. Source: mallopt(3), M_MMAP_THRESHOLD. Elsewhere that
    changes nothing.
    """
    young, *older = gc.get_threshold()
    if young:  # 0 is off.
        gc.set_threshold(max(young, YOUNG_OBJECTS), *older)
    bytearray(KEPT_BYTES)
