"""A fair line in front of a few slots, against a model of it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.config.limits import ConnectionMode
from emulator.context import OPENING_CONNECTIONS_LIMIT, Claim, ConnectionSlots
from tests.support.native import let_loop_run


class Line:
    """Tasks that take a slot, hold it until told, and give it back."""

    def __init__(self, limit: int) -> None:
        self.slots = ConnectionSlots(limit)
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.leave: dict[int, asyncio.Event] = {}
        self.admitted: list[int] = []
        self.holding: set[int] = set()

    def come(self, name: int) -> None:
        """`name` gets in line."""
        self.leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name))

    async def _hold(self, name: int) -> None:
        async with self.slots.held():
            self.admitted.append(name)
            self.holding.add(name)
            try:
                await self.leave[name].wait()
            finally:
                self.holding.discard(name)

    async def clear(self) -> None:
        """Everybody goes home."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def test_six_by_default() -> None:
    assert ConnectionSlots().free == OPENING_CONNECTIONS_LIMIT == 6


async def test_the_seventh_waits_and_is_next() -> None:
    line = Line(6)
    for name in range(8):
        line.come(name)
    await let_loop_run()
    assert line.admitted == [0, 1, 2, 3, 4, 5]
    assert (line.slots.free, line.slots.waiting) == (0, 2)
    line.leave[3].set()
    await let_loop_run()
    assert line.admitted[6:] == [6]
    assert line.slots.waiting == 1
    await line.clear()
    assert line.slots.free == 6


async def test_a_newcomer_does_not_overtake() -> None:
    line = Line(1)
    line.come(0)
    await let_loop_run()
    line.come(1)
    await let_loop_run()
    line.leave[0].set()
    line.come(2)
    await let_loop_run()
    assert line.admitted == [0, 1]
    await line.clear()


async def test_waiter_cancelled_in_the_moment_of_its_turn_hands_on() -> None:
    line = Line(1)
    for name in range(3):
        line.come(name)
    await let_loop_run()
    line.leave[0].set()
    await asyncio.sleep(0)
    line.tasks[1].cancel()
    await let_loop_run()
    assert line.holding == {2}
    await line.clear()
    assert line.slots.free == 1


async def test_waiter_cancelled_just_before_a_slot_is_given_back() -> None:
    line = Line(1)
    for name in range(3):
        line.come(name)
    await let_loop_run()
    line.leave[0].set()
    line.tasks[1].cancel()
    await let_loop_run()
    assert line.tasks[1].cancelled()
    assert line.holding == {2}
    await line.clear()
    assert line.slots.free == 1


async def test_an_error_inside_gives_the_slot_back() -> None:
    slots = ConnectionSlots(1)
    with pytest.raises(ValueError, match="broken"):
        async with slots.held():
            raise ValueError("broken")
    assert slots.free == 1


@settings(deadline=None, max_examples=150)
@given(
    limit=st.integers(1, 3),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["come", "leave", "cancel"]), st.integers(0, 11), st.integers(0, 3)
        ),
        max_size=40,
    ),
)
async def test_against_the_model(limit: int, steps: list[tuple[str, int, int]]) -> None:
    """However they come, leave and are cancelled: never too many, never one forgotten, in order."""
    line = Line(limit)
    order: list[int] = []
    for action, pick, rounds in steps:
        if action == "come":
            order.append(len(order))
            line.come(order[-1])
        elif order:
            name = order[pick % len(order)]
            if action == "leave":
                line.leave[name].set()
            else:
                line.tasks[name].cancel()
        await let_loop_run(rounds)
        assert len(line.holding) <= limit
    await let_loop_run(20)
    alive = [name for name in order if not line.tasks[name].done()]
    assert line.holding == set(alive[:limit])
    assert line.slots.free == limit - len(line.holding)
    assert line.slots.waiting == len(alive[limit:])
    # Of several slots that come free in one moment, the task that wakes first is not always the first in line.
    if limit == 1:
        assert line.admitted == sorted(line.admitted)
    for task in line.tasks.values():
        assert not task.done() or task.cancelled() or task.exception() is None
    await line.clear()
    assert line.slots.free == limit
    assert line.slots.waiting == 0


async def test_a_slot_that_was_taken_at_once_is_held_once() -> None:
    slots = ConnectionSlots(1)
    claim = Claim("db:5432")
    assert slots.take_at_once(claim)
    assert not slots.take_at_once(Claim("cache:6379"))
    async with slots.held(claim):
        assert (slots.free, slots.holders) == (0, ("db:5432",))
    assert slots.free == 1


@pytest.mark.parametrize("mode", ConnectionMode)
async def test_a_connection_that_opens_at_once_needs_a_free_slot_and_keeps_none(
    mode: ConnectionMode,
) -> None:
    slots = ConnectionSlots(1, mode)
    assert slots.free_to_open is (mode is ConnectionMode.CONNECTING)
    slots.take_at_once(Claim("db:5432"))
    assert slots.free_to_open is False
