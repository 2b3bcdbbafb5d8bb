"""Crons that fire when they are due, by a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emulator.config import parse_cron
from emulator.runtime.scheduled_event import ScheduledEvent
from emulator.server.timetable import LOOK_SECONDS, Clock, Timetable
from tests.support.waiting import within

START = datetime(2026, 8, 14, 10, 20, 30, tzinfo=UTC)


class FakeClock(Clock):
    """Time that passes only while somebody sleeps; `jumps` are what passes in place of what was asked for."""

    def __init__(self, *jumps: timedelta | None) -> None:
        self.moment = START
        self.slept_seconds: list[float] = []
        self._jumps: Iterator[timedelta | None] = iter(jumps)

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept_seconds.append(seconds)
        self.moment += next(self._jumps, None) or timedelta(seconds=seconds)
        await asyncio.sleep(0)


async def fired(clock: FakeClock, *crons: str, count: int = 4) -> list[tuple[str, str, str]]:
    """Return the first `count` events: the expression, when it was due, when it was fired."""
    found: list[tuple[str, str, str]] = []
    enough = asyncio.Event()

    def fire(event: ScheduledEvent) -> None:
        due = datetime.fromtimestamp(event.scheduled_time / 1000, UTC)
        found.append((event.cron, f"{due:%d %H:%M:%S}", f"{clock.moment:%d %H:%M:%S}"))
        if len(found) >= count:
            enough.set()
            timetable.stop()

    timetable = Timetable([parse_cron(cron) for cron in crons], fire, clock)
    timetable.start()
    await within(enough.wait())
    return found


async def test_each_fires_at_its_minutes() -> None:
    assert await fired(FakeClock(), "*/2 * * * *", "21 * * * *") == [
        ("21 * * * *", "14 10:21:00", "14 10:21:00"),
        ("*/2 * * * *", "14 10:22:00", "14 10:22:00"),
        ("*/2 * * * *", "14 10:24:00", "14 10:24:00"),
        ("*/2 * * * *", "14 10:26:00", "14 10:26:00"),
    ]


async def test_it_never_sleeps_long_for_the_wall_clock_may_run_ahead() -> None:
    clock = FakeClock()
    await fired(clock, "0 * * * *", count=2)
    assert max(clock.slept_seconds) == LOOK_SECONDS


async def test_waking_too_early_fires_once() -> None:
    early = timedelta(seconds=9.999)
    assert await fired(FakeClock(None, early), "* * * * *", count=2) == [
        ("* * * * *", "14 10:21:00", "14 10:21:00"),
        ("* * * * *", "14 10:22:00", "14 10:22:00"),
    ]


async def test_lateness_does_not_add_up() -> None:
    late = timedelta(seconds=23)
    assert await fired(FakeClock(None, late, None, None, late), "* * * * *", count=3) == [
        ("* * * * *", "14 10:21:00", "14 10:21:13"),
        ("* * * * *", "14 10:22:00", "14 10:22:16"),
        ("* * * * *", "14 10:23:00", "14 10:23:00"),
    ]


async def test_minutes_slept_through_are_made_up_for_once_each() -> None:
    suspended = timedelta(days=3)
    assert await fired(FakeClock(suspended), "*/5 * * * *", "0 0 * * *", "0 0 1 * *", count=3) == [
        ("*/5 * * * *", "17 10:20:00", "17 10:20:30"),
        ("0 0 * * *", "17 00:00:00", "17 10:20:30"),
        ("*/5 * * * *", "17 10:25:00", "17 10:25:00"),
    ]


async def test_a_clock_that_is_set_back_has_its_minutes_again() -> None:
    back = timedelta(minutes=-10)
    clock = FakeClock(None, None, back)
    assert await fired(clock, "* * * * *", count=3) == [
        ("* * * * *", "14 10:21:00", "14 10:21:00"),
        ("* * * * *", "14 10:12:00", "14 10:12:00"),
        ("* * * * *", "14 10:13:00", "14 10:13:00"),
    ]


async def test_a_clock_that_is_corrected_a_little_fires_no_minute_twice() -> None:
    clock = FakeClock(None, None, timedelta(seconds=-30))
    assert [due for _, due, _ in await fired(clock, "* * * * *", count=3)] == [
        "14 10:21:00",
        "14 10:22:00",
        "14 10:23:00",
    ]


@pytest.mark.parametrize("count", [0, 1])
async def test_what_is_coming(count: int) -> None:
    crons = [parse_cron(cron) for cron in ("0 0 * * *", "*/5 * * * *")]
    timetable = Timetable(crons[: 2 * count], lambda event: None, FakeClock())
    assert [f"{cron} {due:%d %H:%M}" for cron, due in timetable.coming()] == [
        "*/5 * * * * 14 10:25",
        "0 0 * * * 15 00:00",
    ][: 2 * count]


async def test_the_real_clock_is_utc_and_sleeps() -> None:
    clock = Clock()
    before = clock.now()
    await clock.sleep(0.001)
    assert before < clock.now() < before + timedelta(seconds=10)
    assert before.tzinfo is UTC
