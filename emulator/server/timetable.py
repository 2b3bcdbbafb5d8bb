"""Crons that fire when they are due.

Floor 6. Owns the waiting; must not know what an event does. It goes by the wall clock, minute by minute: a minute that
was slept through (the machine was suspended, worker code did not await) is made up for once, however many there were.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from emulator.config import Cron
from emulator.runtime.scheduled_event import ScheduledEvent

# The loop's clock stands still while the machine is suspended: the wall clock is looked at as often as this.
LOOK_SECONDS = 20.0
# A clock that was set back by more than this has its minutes again.
SET_BACK = timedelta(minutes=2)


class Clock:
    """The wall clock, in UTC."""

    def now(self) -> datetime:
        """Return what time it is."""
        return datetime.fromtimestamp(time.time(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, or for less."""
        await asyncio.sleep(seconds)


class Timetable:
    """Fires each of `crons` once for each of its minutes, from `start()` to `stop()`."""

    def __init__(
        self, crons: Sequence[Cron], fire: Callable[[ScheduledEvent], object], clock: Clock
    ) -> None:
        self._crons = crons
        self._fire = fire
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the minute after this one."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(self._clock.now()), name="timetable")

    def stop(self) -> None:
        """Fire no more; what was fired goes on."""
        if self._task is not None:
            self._task.cancel()

    def coming(self) -> list[tuple[Cron, datetime]]:
        """Return each cron with the minute it is next due in, the nearest first."""
        now = self._clock.now()
        due = [(cron, moment) for cron in self._crons if (moment := cron.next_after(now))]
        return sorted(due, key=lambda pair: pair[1])

    async def _run(self, since: datetime) -> None:
        while (due := self._next_after(since)) is not None:
            now = self._clock.now()
            while now < due and now > since - SET_BACK:
                await self._clock.sleep(min((due - now).total_seconds(), LOOK_SECONDS))
                now = self._clock.now()
            if now >= due:
                self._fire_due(since, now)
            since = now

    def _next_after(self, moment: datetime) -> datetime | None:
        return min((due for cron in self._crons if (due := cron.next_after(moment))), default=None)

    def _fire_due(self, since: datetime, now: datetime) -> None:
        """Fire what was due after `since` and is by `now`: each cron once, for the last such minute."""
        for cron in self._crons:
            if (due := _last_between(cron, since, now)) is not None:
                self._fire(ScheduledEvent(cron.text, int(due.timestamp() * 1000)))


def _last_between(cron: Cron, since: datetime, now: datetime) -> datetime | None:
    last = None
    while (due := cron.next_after(since)) is not None and due <= now:
        last = since = due
    return last
