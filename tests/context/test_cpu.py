"""CPU time, measured step by step: what is counted, and how a task that used too much lets go."""

from __future__ import annotations

import asyncio
import signal
import time
from types import FrameType

import pytest

from emulator.context import CpuExceeded, CpuMeter, start_ticking, stop_ticking, unticked


def spend(seconds: float, meter: CpuMeter) -> None:
    """Use CPU time in the running step of `meter`."""
    enough = meter.seconds_now() + seconds
    while meter.seconds_now() < enough:
        pass


def metered(limit_seconds: float) -> CpuMeter:
    """Return a meter that cancels the running task."""

    def end_task() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    return CpuMeter(limit_seconds, lambda frame: "too much", end_task)


async def test_steps_of_several_tasks_add_up() -> None:
    meter = metered(60)

    async def work() -> None:
        spend(0.002, meter)
        await asyncio.sleep(0)
        spend(0.002, meter)

    await asyncio.gather(*(asyncio.create_task(meter.measured(work())) for _ in range(2)))
    assert meter.used_seconds >= 0.008
    assert not meter.too_much


async def test_a_task_that_used_too_much_lets_go_of_what_it_waits_for() -> None:
    meter = metered(0.001)
    future = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        spend(0.002, meter)
        try:
            await future
        finally:
            seen.append(future.cancelled())

    task = asyncio.create_task(meter.measured(work()))
    await asyncio.wait([task])
    assert isinstance(task.exception(), CpuExceeded)
    assert seen == [True]
    assert meter.exceeded


async def test_a_task_that_goes_on_is_cancelled_at_its_next_step_again() -> None:
    meter = metered(0.001)
    steps = 0

    async def work() -> None:
        nonlocal steps
        spend(0.002, meter)
        while steps < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                steps += 1

    task = asyncio.create_task(meter.measured(work()))
    await asyncio.wait([task])
    assert steps == 3
    assert isinstance(task.exception(), CpuExceeded)


async def test_a_step_that_fails_after_too_much_fails_of_that() -> None:
    meter = metered(0.001)

    async def work() -> None:
        spend(0.002, meter)
        raise ValueError("of its own")

    with pytest.raises(CpuExceeded, match="too much"):
        await meter.measured(work())


def test_a_step_does_not_pay_for_what_ran_before_it_wherever_the_clock_ticks() -> None:
    end = time.thread_time() + 0.2
    while time.thread_time() < end:  # Far more than the limit, before the first step.
        pass
    told: list[FrameType | None] = []

    def on_exceeded(frame: FrameType | None) -> str:
        told.append(frame)
        return "too much"

    start_ticking(lambda: None)
    try:
        end += 1.0
        while (
            time.thread_time() < end
        ):  # A hundred ticks, many of them where a step begins or ends.
            meter = CpuMeter(0.15, on_exceeded, lambda: None)
            inner = CpuMeter(0.15, on_exceeded, lambda: None)
            meter.run(inner.run, int)
    finally:
        stop_ticking()
    assert told == []


def test_nobody_is_looked_at_where_a_person_is_asked() -> None:
    with unticked():  # Where nothing ticks this does nothing.
        assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    start_ticking(lambda: None)
    try:
        with unticked():
            assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
        assert signal.getitimer(signal.ITIMER_PROF)[1] > 0
    finally:
        stop_ticking()


def test_a_step_may_end_the_ticking_while_a_person_is_asked() -> None:
    start_ticking(lambda: None)
    with unticked():
        stop_ticking()
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
