"""The older rule: a slot is held until the connection is closed, and an idle one gives way. Against a model of it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.config.limits import ConnectionMode
from emulator.context import Claim, ConnectionSlots, slots
from tests.support.native import let_loop_run
from tests.support.waiting import until


class Connections:
    """Connections that are opened, used, left idle and closed; each remembers when it was last used."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.slots = ConnectionSlots(limit, ConnectionMode.OPEN)
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.claims: dict[int, Claim] = {}
        self.open: dict[int, float] = {}
        self.busy: set[int] = set()
        self.silently_over: set[int] = set()
        self.gave_way: list[int] = []
        self.admitted: list[int] = []
        self._clock = 0.0

    def come(self, name: int) -> None:
        """`name` asks for a slot."""
        self.claims[name] = Claim(
            f"number {name}",
            is_idle=lambda: name not in self.busy,
            last_used=lambda: self.open[name],
            close=lambda: self._give_way(name),
            is_over=lambda: name in self.silently_over,
        )
        self.tasks[name] = asyncio.create_task(self._open(name))

    def use(self, name: int) -> None:
        """A read or write of `name` begins."""
        if name in self.open:
            self.busy.add(name)
            self._touch(name)

    def leave_idle(self, name: int) -> None:
        """It is done."""
        if name in self.open:
            self.busy.discard(name)
            self._touch(name)

    def close(self, name: int) -> None:
        """`name` is closed, open or not."""
        self.tasks[name].cancel()
        if self.open.pop(name, None) is not None:
            self.busy.discard(name)
            self.slots.give_back(self.claims[name])

    def end_silently(self, name: int) -> None:
        """`name` is over, and nobody says so."""
        if self.open.pop(name, None) is not None:
            self.busy.discard(name)
            self.silently_over.add(name)

    async def clear(self) -> None:
        """Close everything."""
        for name in self.tasks:
            self.close(name)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _open(self, name: int) -> None:
        async with self.slots.held(self.claims[name]):
            self.admitted.append(name)
            self._touch(name)

    def _give_way(self, name: int) -> None:
        assert not self.busy, "an idle connection was closed while another was at work"
        assert self.open[name] == min(self.open.values()), "it was not the least recently used"
        self.gave_way.append(name)
        self.close(name)

    def _touch(self, name: int) -> None:
        self._clock += 1
        self.open[name] = self._clock


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "LOOK_SECONDS", 0.001)


async def test_an_open_connection_keeps_its_slot_until_it_is_closed() -> None:
    connections = Connections(2)
    connections.come(0)
    connections.come(1)
    await let_loop_run()
    connections.use(0)
    connections.use(1)
    connections.come(2)
    await let_loop_run()
    assert (connections.slots.free, connections.slots.waiting) == (0, 1)
    assert connections.slots.holders == ("number 0", "number 1")
    connections.close(0)
    await until(lambda: 2 in connections.open, "the third to be let in")
    assert connections.gave_way == []
    assert connections.claims[2].waited_for == ("number 0", "number 1")
    await connections.clear()
    assert connections.slots.free == 2


async def test_when_all_are_idle_and_one_waits_the_least_recently_used_gives_way() -> None:
    connections = Connections(3)
    for name in range(3):
        connections.come(name)
    await let_loop_run()
    for name in (0, 2, 1):
        connections.use(name)
    connections.leave_idle(2)
    connections.come(3)
    await let_loop_run()
    connections.leave_idle(0)
    await let_loop_run()
    assert connections.gave_way == []  # Number 1 is at work.
    connections.leave_idle(1)
    await until(lambda: 3 in connections.open, "the fourth to be let in")
    assert connections.gave_way == [2]
    await connections.clear()


async def test_nobody_gives_way_when_nobody_waits() -> None:
    connections = Connections(2)
    connections.come(0)
    connections.come(1)
    await let_loop_run(20)
    assert sorted(connections.open) == [0, 1]
    assert connections.gave_way == []
    await connections.clear()


async def test_one_that_ended_without_a_word_holds_nobody_up() -> None:
    connections = Connections(1)
    connections.come(0)
    await let_loop_run()
    connections.use(0)
    connections.come(1)
    await let_loop_run()
    connections.end_silently(0)
    await until(lambda: 1 in connections.open, "the second to be let in")
    await connections.clear()
    assert connections.slots.free == 1


ACTIONS = ("come", "come", "use", "leave_idle", "close", "end_silently")


@settings(deadline=None, max_examples=60)
@given(
    limit=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, 11), st.integers(0, 3)), max_size=30
    ),
)
async def test_against_the_model(limit: int, steps: list[tuple[str, int, int]]) -> None:
    """Whatever happens: never too many, none closed out of turn, nobody forgotten, no slot lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "LOOK_SECONDS", 0.001)
        connections = Connections(limit)
        count = 0
        for action, pick, rounds in steps:
            if action == "come":
                connections.come(count)
                count += 1
            elif count:
                getattr(connections, action)(pick % count)
            await let_loop_run(rounds)
            assert len(connections.open) <= limit
        busy = set(connections.busy)

        def settled() -> bool:
            line = [name for name, task in connections.tasks.items() if not task.done()]
            full_of_work = len(connections.open) == limit and bool(connections.busy)
            return not line or full_of_work

        await until(settled, "everybody who can be let in to be let in")
        assert connections.busy == busy
        for name in busy:  # Then the others have their turn too.
            connections.leave_idle(name)
        await until(lambda: connections.slots.waiting == 0, "the line to be empty")
        await until(settled, "the last to be let in")
        if limit == 1:
            assert connections.admitted == sorted(connections.admitted)
        await connections.clear()
        connections.come(count)  # Collects those that ended without a word.
        await let_loop_run()
        connections.close(count)
        assert (connections.slots.free, connections.slots.waiting) == (limit, 0)
        assert connections.slots.holders == ()
