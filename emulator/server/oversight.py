"""What enforces the limits while events are under way: watches of the event loop, CPU time, hung and blocking handlers.

Floor 6. Owns starting and stopping them together; must not know where events come from. Source: limits.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from emulator.config.limits import Limits
from emulator.context import (
    IoContext,
    Observer,
    current_meter,
    start_ticking,
    stop_ticking,
    unwatch,
    watch,
)
from emulator.server.hang import HangWatch
from emulator.server.watchdog import Watchdog
from emulator.sockets import unwatch_loop, watch_loop


def oversee(
    observer: Observer, limits: Limits, active: Callable[[], Iterable[IoContext]]
) -> ExitStack:
    """Enforce `limits` on the running event loop until the result is closed.

    `active()` gives the contexts of the events whose handlers run.
    """
    oversight = ExitStack()
    loop = asyncio.get_running_loop()
    watch_loop(loop)
    oversight.callback(unwatch_loop, loop)
    watch(loop)
    oversight.callback(unwatch, loop)
    if limits.cpu_ms is not None:
        start_ticking(current_meter)
        oversight.callback(stop_ticking)
    if limits.hang_seconds is not None:
        hangs = HangWatch(active, limits.hang_seconds)
        oversight.callback(loop.create_task(hangs.run(), name="hang watch").cancel)
    watchdog = Watchdog(observer, limits)
    watchdog.start()
    oversight.callback(watchdog.stop)
    return oversight
